"""Conversations with a bot in a test: what people do, and what they see then."""

import re
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from textwrap import indent
from typing import Any

from parley.bot import Bot
from parley.bot.definitions import check
from parley.journal.memory import Memory
from parley.model import Message
from parley.model.state import Scope, visible
from parley.models import Model
from parley.testing.filling import PERSON, Filling
from parley.testing.shown import Button, Shown, named, pressable, shown
from parley.testing.world import World
from playground.platforms.base import PRIVATE, NewMessage, NotFoundError, Press
from playground.platforms.model import Delivery
from tools.faults.simulation import BOT_SECONDS
from tools.faults.targets import APP


class Place(Filling):
    """A place where people talk to the bot. See `Chat` and `Room`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._consumed: set[int] = set()
        """The numbers of the messages of the log that `expect` has consumed."""
        self._since = 0
        """Length of the log when somebody acted here last."""
        self._message: Message | None = None
        """The last message that the bot got from here."""
        self._last: dict[str, Message] = {}
        """The same for each room or direct chat, by its id."""
        self._is_at_once = False

    # --- what people do -----------------------------------------------------------------------------------------------

    def say(
        self,
        text: str = "",
        *,
        by: str = PERSON,
        mention: bool | None = None,
        image: bytes = b"",
        file: tuple[str, bytes] | None = None,
        quote: str = "",
    ) -> None:
        """The person `by` writes `text`, or sends an image or a file (name and bytes).

        In a room the text mentions the bot, unless `mention` is False. `quote`: the text of an earlier message that
        this one quotes, where the platform says what is quoted (Feishu).

        Raises what the bot raises, and AssertionError if a person cannot send it or the bot does not get it.
        """
        __tracebackhide__ = True
        message = NewMessage(text=text, mention=mention, image=image, file=file)

        def send() -> None:
            __tracebackhide__ = True
            self._world.send(self._place(by), by, message, quote)
            if not self._world.platform.outbox and mention is not False:
                raise AssertionError(f"{self._world.platform.name} does not deliver messages of a room to the bot")

        self._act(send, by)

    def meanwhile(self, text: str = "", *, by: str = PERSON, seconds: float = 10) -> None:
        """The person `by` writes `text`, if any, while the bot is at work, and `seconds` pass: in a handler of a test,
        or in a function among the lines of `Scripted`. The bot gets it when the handler has ended; `/stop` reaches it.
        """
        world, place = self._world, self._place(by)
        world.meanwhile(lambda: world.send(place, by, NewMessage(text=text), "") if text else None, seconds)

    def press(self, button: str, *, by: str = PERSON, on: str = "") -> None:
        """The person `by` presses a button of the last message that has it: by its label or a word of it, or by its id
        in the bot. `on`: of the last such card that contains this text, also an older one.

        Raises what the bot raises, and AssertionError if there is no such button.
        """
        __tracebackhide__ = True

        def press() -> None:
            __tracebackhide__ = True
            cards = [(message, pressable(parts)) for message, parts in self._messages(by, on)]
            label = self._world.bot.labels.get(button, button)
            found = ((message, named(card, label) or named(card, button)) for message, card in cards)
            pressed = next(((message, each) for message, each in found if each is not None), None)
            if pressed is None:
                raise AssertionError(self._missing(button, [card for _, card in cards if card]))
            self._world.platform.press(APP, pressed[0], by, Press(button=pressed[1].number))

        self._act(press, by)

    def log_in(self, *, by: str = PERSON, agreed: bool = True) -> str:
        """The person `by` presses the last button of a login, and agrees or refuses at the platform (Feishu). Returns
        the text of the page that they see then.

        Raises what the bot raises, and AssertionError if the bot has asked nobody to log in.
        """
        __tracebackhide__ = True
        pages: list[str] = []
        self._act(lambda: pages.append(self._world.log_in(by, agreed=agreed)), by)
        return pages[0]

    def complete(self, command: str, option: str, typed: str = "", *, by: str = PERSON) -> list[str]:
        """The choices that the bot offers while the person `by` types an option of a command.

        Raises what the bot raises, and AssertionError if the platform has no completions or no such option.
        """
        __tracebackhide__ = True
        room = self._world.room_of(self._place(by), by)
        details = {"sender": by, "room": room, "name": command, "options": {option: typed}, "focused": option}
        deliveries: list[Delivery | None] = []
        self._act(lambda: deliveries.append(self._world.platform.emit_event(APP, "complete", details)))
        choices = [each.result.get("choices", ()) for each in deliveries if each is not None]
        return [str(choice["name"]) for each in choices for choice in each]

    def event(self, kind: str, *, by: str = PERSON, **details: Any) -> None:
        """The person `by` does something else: `member_added`, `recall`, `subscribe`. The playground's guide lists
        the kinds.

        Raises what the bot raises, and AssertionError if the platform has no such event.
        """
        __tracebackhide__ = True
        room = self._world.room_of(self._place(by), by)
        self._act(lambda: self._world.platform.emit_event(APP, kind, {"sender": by, "room": room, **details}), by)

    def _act(self, action: Callable[[], object], by: str = "") -> None:
        """Carry out what the person `by` does, and all that follows from it."""
        __tracebackhide__ = True
        self._since = len(self._world.log)
        received = len(self._world.bot.received)
        with self._world.active():
            try:
                action()
            except NotFoundError as error:
                raise AssertionError(str(error)) from None
            try:
                if not self._is_at_once:
                    self._world.work()
            finally:
                for message in self._world.bot.received[received : received + 1]:
                    self._message = self._last[self._world.room_of(self._place(by), by) if by else ""] = message

    @contextmanager
    def at_once(self) -> Generator[None]:
        """What people do here inside the context, they do at the same time: the bot sees nothing before its end."""
        __tracebackhide__ = True
        self._is_at_once = True
        try:
            yield
        finally:
            self._is_at_once = False
        self._act(lambda: None)

    # --- what people see ----------------------------------------------------------------------------------------------

    @property
    def replies(self) -> list[Shown]:
        """All that the bot has shown here, in order. An edit, a recall and a form are entries of their own."""
        return [each for each in self._world.log if self._holds(each.place)]

    @property
    def unread(self) -> list[Shown]:
        """The replies that `expect` has not consumed."""
        return [each for _, each in self._unread()]

    @property
    def last(self) -> Shown:
        """The last reply. Raises AssertionError if there is none."""
        __tracebackhide__ = True
        replies = self.replies
        if not replies:
            raise AssertionError(f"the bot has shown nothing in {self}")
        return replies[-1]

    @property
    def state(self) -> dict[str, Any]:
        """The state of the conversation of the last message from here, as it is stored. Empty before the first one."""
        return self._stored("state")

    @property
    def user(self) -> dict[str, Any]:
        """The state of the person who has sent the last message from here."""
        return self._stored("user")

    @property
    def shared(self) -> dict[str, Any]:
        """The state of the app."""
        return self._stored("shared")

    def _stored(self, scope: Scope) -> dict[str, Any]:
        if self._message is None:
            return {}
        with self._world.active():
            return visible(self._world.processes.current.processor.inbox.memory(scope, self._message).state)

    @property
    def received(self) -> Message:
        """The last message that the bot got from here: with the platform's ids of the person and the room. Raises
        AssertionError if there is none.
        """
        __tracebackhide__ = True
        if self._message is None:
            raise AssertionError(f"the bot got no message from {self}")
        return self._message

    def expect(self, text: str | re.Pattern[str] = "", *, contains: str = "", by: str = "") -> Shown:
        """The next reply. Its text has to be `text` or match the pattern, or it has to contain `contains`, in its text
        or on a button. Without arguments, any reply will do. `by`: the next one in the direct chat of this person.

        The text of a card is its title, a line break, and its text. Raises AssertionError, which shows what came
        instead.
        """
        __tracebackhide__ = True
        there = self._world.room_of(self._place(by), by) if by else ""
        unread = [(number, each) for number, each in self._unread() if there in ("", each.place)]
        if unread and unread[0][1].fits(text, contains):
            self._consumed.add(unread[0][0])
            return unread[0][1]
        wanted = f"containing {contains!r}" if contains else repr(getattr(text, "pattern", text)) if text else "a reply"
        raise AssertionError(f"expected {wanted} in {self}\n{self._instead(self.unread)}")

    def expect_nothing(self) -> None:
        """Raises AssertionError if there is a reply that `expect` has not consumed."""
        __tracebackhide__ = True
        unread = self.unread
        if unread:
            raise AssertionError(f"expected no further reply in {self}\n{self._instead(unread)}")

    def shown(self) -> str:
        """What the platform shows of the replies to the last action, as text: for snapshots.

        `# TITLE`, the lines of the text, `[BUTTON] [BUTTON]`; an empty line between two replies.
        """
        return "\n\n".join(str(each) for each in self._world.log[self._since :] if self._holds(each.place))

    # --- internal -----------------------------------------------------------------------------------------------------

    def _place(self, person: str) -> str:
        """The room where `person` acts, as the imitation names it."""
        raise NotImplementedError

    def _holds(self, place: str) -> bool:
        """Whether what is shown in `place` belongs here."""
        raise NotImplementedError

    def _memory(self, person: str) -> Memory | None:
        """What is stored of the conversation in which `person` acts here. None before its first message."""
        message = self._last.get(self._world.room_of(self._place(person), person), self._message)
        if message is None:
            return None
        with self._world.active():
            return self._world.processes.current.processor.inbox.open(message).memory

    def _unread(self) -> list[tuple[int, Shown]]:
        """The replies that `expect` has not consumed, each with its number in the log."""
        log = enumerate(self._world.log)
        return [(number, each) for number, each in log if number not in self._consumed and self._holds(each.place)]

    def _instead(self, unread: list[Shown]) -> str:
        """The paragraphs of a failure: the replies that came, or the reasons why none came."""
        if unread:
            listed = [f"  {number}. {_hanging(str(each))}" for number, each in enumerate(unread, 1)]
            return "\n".join(["the bot showed, in this order:", *listed])
        with self._world.active():
            waiting = self._world.undelivered()
        return "\n".join(["the bot showed nothing more", *(f"  not delivered: {each}" for each in waiting)])

    def _missing(self, button: str, cards: list[list[Button]]) -> str:
        """Why a button cannot be pressed. `cards`: the buttons of each message that has some, the last one first."""
        if not cards:
            return f"no message has buttons in {self}\n{self._instead(self.replies)}"
        return f"there is no button {button!r}; the last buttons are {', '.join(repr(each.label) for each in cards[0])}"

    def _messages(self, person: str, on: str = "") -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """The bot's messages where `person` acts, the last one first: their ids and their parts. `on`: those that
        contain it, also in a message above: a long text precedes its card.
        """
        world, room = self._world, self._world.room_of(self._place(person), person)
        found: list[tuple[str, list[dict[str, Any]]]] = []
        above = ""
        for message in world.platform.messages.values():
            if message.room != room or message.recalled:
                continue
            parts = world.platform.parts(message)
            if message.sender_kind == "user":
                above = ""
                continue
            above += f"\n{shown(parts, '', '').form}"
            if on in above:
                found.append((message.id, parts))
            above = "" if pressable(parts) else above
        yield from reversed(found)


class Room(Place):
    """A room with several people and the bot. `Chat.room` makes it."""

    def __init__(self, world: World, name: str) -> None:
        Place.__init__(self, world)
        self.name = name
        platform = world.platform
        made = platform.rooms.get(platform.room_id(name, "group")) or platform.make_room(name, name, "")
        self._room = made.id
        self.id = made.id if "groups" in platform.features else made.slug
        """The id that the bot knows: `Destination.room_id`, `message.context.room_id`."""

    def __repr__(self) -> str:
        return f"the room {self.name!r} on {self._world.platform.name}"

    def _place(self, person: str) -> str:
        del person
        return self._room

    def _holds(self, place: str) -> bool:
        return place == self._room


class Chat(Place):
    """A bot on a platform, in memory: the real engine, an imitation of the platform's server, and a virtual clock.

    The methods of the chat itself act in the direct chat of each person with the bot. `room()` returns a room.

    `platform`: one of `PLATFORMS`, or `wechat passive`. `config`: more fields of the app's configuration, such as
    `{"names": True}`. `model` takes the place of the language models of the bot: a `Scripted` one. `attempts`: how
    often the bot starts on a message. If the last attempt fails too, its exception is raised; the deployed bot has
    five. `seconds`: the parameter `BotSeconds`; with 60 or more, people can stop a handler (`meanwhile`). `flags`: the
    features that are on or off (`Turn.flag`); `set_flag` changes one.

    The time begins at the unix second 1,800,000,000 and stands still; `advance` moves it. Nothing sleeps, and nothing
    leaves the process. Between two calls, the process is as it was: its AWS clients, its environment, its logs.

    Raises ValueError for an unknown platform, or if the platform rejects the commands of the bot.
    """

    def __init__(
        self,
        bot: Bot,
        platform: str = "feishu",
        *,
        config: Mapping[str, Any] | None = None,
        model: Model | None = None,
        attempts: int = 1,
        seconds: float = BOT_SECONDS,
        flags: Mapping[str, bool] | None = None,
    ) -> None:
        check(bot)
        Place.__init__(self, World(bot, platform, config or {}, model, attempts, seconds, flags))
        self._rooms: dict[str, Room] = {}

    def room(self, name: str) -> Room:
        """The room with that name. It is made when it is first named, with the bot as a member."""
        if name not in self._rooms:
            self._rooms[name] = Room(self._world, name)
        return self._rooms[name]

    def set_flag(self, name: str, *, value: bool) -> None:
        """From now on, the feature is on or off."""
        self._world.bot.flags[name] = value

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        """Let the time pass. All that falls due on the way runs at its time. Raises what the bot raises."""
        __tracebackhide__ = True
        passed = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds()
        for place in (self, *self._rooms.values()):
            place._since = len(self._world.log)  # noqa: SLF001  # its own
        with self._world.active():
            self._world.pass_time(passed)

    def incoming(self, event: Mapping[str, Any]) -> None:
        """AWS sends an event: in EventBridge's form, or as SNS invokes a function. `id` and `time` may be left out.

        An event with the detail-type `parley.send` does what `parley.send` does. Raises what the bot raises, and
        InvalidEventError if the event cannot be read.
        """
        __tracebackhide__ = True
        for room in self._rooms.values():
            room._since = len(self._world.log)  # noqa: SLF001  # its own
        self._act(lambda: self._world.receive(event))

    @property
    def now(self) -> float:
        """The virtual time, in unix seconds."""
        return self._world.clock()

    def __repr__(self) -> str:
        return f"the direct chats on {self._world.platform.name}"

    def _place(self, person: str) -> str:
        del person
        return PRIVATE

    def _holds(self, place: str) -> bool:
        return self._world.is_private(place)


def _hanging(text: str) -> str:
    """`text` with its further lines below its first one."""
    return indent(text, "     ").lstrip()
