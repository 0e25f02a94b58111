"""One turn of a conversation, the argument of a handler."""

import math
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from types import GenericAlias
from typing import TYPE_CHECKING, Any, TypeVar

from parley.bot import absent, quoting
from parley.bot.addressing import is_addressed
from parley.bot.once import Results, StoppedError
from parley.bot.reminders import Reminders
from parley.bot.replies import is_reaction, replies_of
from parley.bot.states import Held, is_dictionary
from parley.bot.zones import day_of
from parley.errors import AuthorError, CredentialError
from parley.model import Action, AnyMedia, AnySegment, Message, Quote, Reply, handle_of, message_key, reply_id
from parley.model.agenda import NOTHING, Reminder, Timer
from parley.model.state import Scope, State

if TYPE_CHECKING:
    from datetime import date
    from typing import Generic
    from zoneinfo import ZoneInfo

    from typing_extensions import TypeVar as TypeVarWithDefault

    from parley.bot.dialogues import Step
    from parley.bot.logins import User, Users
    from parley.bot.offers import Commands
    from parley.models import Model

    S = TypeVarWithDefault("S", default=dict[str, Any])
    U = TypeVarWithDefault("U", default=dict[str, Any])
    A = TypeVarWithDefault("A", default=dict[str, Any])

    Base = Generic
else:
    # Python 3.11 has no type variables with defaults: `Turn[Cart]` is a plain alias.
    S = U = A = Any

    class Base:
        """Has no type parameters at run time."""

        __slots__ = ()
        __class_getitem__ = classmethod(GenericAlias)


T = TypeVar("T")
Download = Callable[[AnyMedia, Message], bytes]
Unseal = Callable[[Message], str]
FindQuote = Callable[[str, Message], str]
Load = Callable[[Scope], State]
FindTimer = Callable[[str], Timer | None]
LookUp = Callable[[Scope, Message], State]


class Turn(Base[S, U, A]):
    """One message and its conversation.

    `state` is the state of the conversation, `user` that of the person in all rooms of the app, and `shared` that of
    the app. Each is a dictionary of JSON values that the handler changes in place, or a pydantic model: `Turn[Cart]`,
    `Turn[Cart, Profile]`, `Turn[Cart, Profile, Catalogue]`. What has changed is stored in one transaction with the
    replies. `now` is the time in unix seconds, and `zone` the time zone of the bot.
    """

    __slots__ = (
        "_states",
        "commands",
        "download",
        "find_flag",
        "find_heard",
        "find_quote",
        "find_stopped",
        "find_timer",
        "handler",
        "has_roles",
        "is_last",
        "is_tool",
        "look_up",
        "message",
        "model",
        "now",
        "plans",
        "quotes",
        "replies",
        "results",
        "show",
        "step",
        "stopping",
        "unseal",
        "until",
        "users",
        "was_stopped",
        "zone",
    )

    def __init__(
        self,
        message: Message,
        state: Any = None,
        now: float = 0,
        *,
        user: Any = None,
        shared: Any = None,
        load: Load = absent.new_state,
        download: Download = absent.no_download,
        unseal: Unseal = absent.no_unseal,
    ) -> None:
        given: dict[Scope, Any] = {"state": state, "user": user, "shared": shared, "talk": None}
        self.message = message
        self.now = now
        self.zone, self.has_roles = "UTC", True
        """The bot sets both. Whether it names roles (`Bot(roles=...)`)."""
        self.download = download
        self.unseal = unseal
        self.find_quote: FindQuote = absent.no_quote
        """The text of the message with that id, which the message quotes or forwards. The engine sets it."""
        self.find_heard: Callable[[int], list[Message]] = absent.nothing_heard
        """The last messages of the room that were not for the bot. The engine sets it."""
        # Whether a feature is on for a message. The engine sets it.
        self.find_flag: Callable[[str, Message, bool], bool] = absent.no_flags
        self.find_timer: FindTimer = absent.no_timer
        """The timer with that id, of any conversation. The engine sets it."""
        # A state for another message, to read. The engine sets it.
        self.look_up: LookUp = absent.no_state
        self.users: Users = absent.NoUsers()  # the persons who have logged in; the engine sets it
        self.results = Results(message_key(message))
        self.plans = Reminders(message, now, NOTHING)
        self.replies: list[Reply] = []
        self.step: Step | None = None
        """The step of the dialogue that goes on. The bot sets it."""
        self.commands: Commands | None = None
        """The bot's commands, for a language model. The bot sets it if it has `converse`."""
        self.model: Model | None = None
        """Takes the place of the models of `converse`, in a test."""
        self.until = math.inf
        """The time of `time.monotonic` by which the handler has to be done. The engine sets it."""
        self.stopping: Callable[[], bool] = absent.never
        """Whether a person wants this run to stop. The engine sets it."""
        self.was_stopped = False  # whether the handler knows it
        self.find_stopped: Callable[[], bool] = absent.never
        """Whether this message has stopped an earlier run. The engine sets it."""
        self.show: Callable[[Callable[[], Reply] | None], None] = absent.not_shown
        """Shows the answer so far, which a function returns; for None, that the bot is typing. The engine sets it."""
        self.handler = ""
        """The handler that runs, for error messages: `order, bot.py:12`. The bot sets it."""
        self.is_last, self.is_tool = False, False
        """Whether a failure in this run is final: the message is not tried again. The engine sets it. And whether a
        language model has called the handler that runs. The bot sets it.
        """
        self.quotes: dict[str, str] = {}  # texts that `quoted` has fetched, by the id of the message
        self._states: dict[Scope, Held] = {scope: Held(partial(load, scope), value) for scope, value in given.items()}

    @property
    def state(self) -> S:
        """The state of the conversation."""
        return self._states["state"].get()

    @state.setter
    def state(self, value: S) -> None:
        self._states["state"].put(value)

    @property
    def user(self) -> U:
        """The state of the person, in all rooms of the app."""
        return self._states["user"].get()

    @user.setter
    def user(self, value: U) -> None:
        self._states["user"].put(value)

    @property
    def shared(self) -> A:
        """The state of the app, in all of its conversations."""
        return self._states["shared"].get()

    @shared.setter
    def shared(self, value: A) -> None:
        self._states["shared"].put(value)

    def declare(self, models: tuple[type[Any], ...]) -> None:
        """The handler has the annotation `Turn[models]`. Raises StateError."""
        for held, model in zip(self._states.values(), models, strict=False):
            if not is_dictionary(model):
                held.declare(model)

    @property
    def states(self) -> Mapping[Scope, Held]:
        """The states, loaded or not."""
        return self._states

    def today(self, zone: "str | ZoneInfo" = "") -> "date":
        """The day on which the message was written, in the time zone `zone`; the default is that of the bot."""
        return day_of(self.message.timestamp or self.now, zone or self.zone)

    def of(self, message: Message) -> "Turn":
        """The turn of another message at the same time, for a rule: its states are there to read."""
        made = Turn(message, now=self.now, load=lambda scope: self.look_up(scope, message))
        made.zone = self.zone
        return made

    @property
    def text(self) -> str:
        """The text of the message, without mentions of the bot."""
        return self.message.content.text

    @property
    def action(self) -> Action:
        """What the person has pressed, chosen or filled in. Raises AuthorError if the message is none of that."""
        if self.message.action is None:
            raise AuthorError("turn.action: the message is no press; handlers of @bot.action have one")
        return self.message.action

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages that are handled as one (`Bot(merge=...)`), in order, each as it was sent; usually one."""
        return self.message.parts

    @property
    def addressed(self) -> bool:
        """Whether the message is for the bot; see `parley.bot.addressing.is_addressed`."""
        return is_addressed(self.message)

    def say(self, what: str | AnySegment | Reply) -> str:
        """Add a reply before those that the handler returns. An empty string adds none.

        Returns the handle of the reply, to keep in a state: `Reply(op="edit", target=handle, ...)` changes it later.
        Empty if there is no message: of an empty string, and of a reaction.
        """
        messages = sum(not is_reaction(reply) for reply in self.replies)
        added = list(replies_of(what))
        self.replies.extend(added)
        if all(map(is_reaction, added)):
            return ""
        return handle_of(reply_id(message_key(self.message), messages))

    def typing(self) -> None:
        """Show at once that the bot is writing, where the platform has a sign for that. A long run calls it again and
        again: the sign is repeated when it has ended. A failure of the platform is none of the handler."""
        self.show(None)

    def partial(self, what: str | AnySegment) -> None:
        """Show the answer so far, all of it, while the handler goes on. The first new message that the handler returns
        or says replaces it. Calls that follow fast upon each other cost nothing: the platform gets a text at most every
        half a second or second, and none of an answer that is complete within half a second.

        Where the platform cannot replace a text, people see nothing before the end. Ends the run as `check` does.
        """
        self.check()
        self.show(lambda: Reply.of(what))

    def react(self, emoji: str, target: str = "") -> None:
        """React with `emoji` to the message that is answered, or to `target`: the handle of a reply, or the platform's
        id of a message. Where the platform has no reactions, people see nothing.

        Reactions follow the messages of the turn. `emoji`: see `Reply.emoji`.
        """
        self.replies.append(Reply(op="react", emoji=emoji, target=target))

    @property
    def remaining(self) -> float:
        """Seconds that are left for the handler in this run: at most `BotSeconds`. Infinite in a test."""
        return self.until - time.monotonic()

    @property
    def stopped(self) -> bool:
        """Whether a person has sent `/stop` to this run. A handler that asks has to end: return what is done so far, or
        None. The person is told that it has stopped. With `BotSeconds` 60 or more, from three seconds after the start.
        """
        self.was_stopped = self.was_stopped or self.stopping()
        return self.was_stopped

    def check(self) -> None:
        """End the run here if a person has stopped it. Its replies and changes of states are dropped; what `once` has
        recorded is done. `once` does this before each call.
        """
        if self.stopped:
            raise StoppedError

    def once(self, key: str, function: Callable[[str], T], *, needs: float = 0) -> T:
        """The result of `function`, a JSON value. It is recorded under `key` before it is returned: if the bot starts
        again on this message, the function is not called again.

        The function gets an idempotency key for the outside service, the same in every attempt: the worker may die
        between the call and the record. Raises ResultError if the result cannot be stored.

        `needs`: seconds that the call may take. If fewer are left, the run ends here, and the next run of the handler
        goes on here. It starts at once, and gets the recorded results.
        """
        self.results.use(key)
        if key in self.results:
            return self.results[key]
        self.check()
        self.results.begin(needs, self.remaining)
        return self.results.record(key, function(self.results.idempotency_key(key)))

    async def once_async(self, key: str, function: Callable[[str], Awaitable[T]], *, needs: float = 0) -> T:
        """`once` for a function declared with `async def`."""
        self.results.use(key)
        if key in self.results:
            return self.results[key]
        self.check()
        self.results.begin(needs, self.remaining)
        return self.results.record(key, await function(self.results.idempotency_key(key)))

    @property
    def reminders(self) -> list[Reminder]:
        """The reminders of this conversation, the next one first."""
        return self.plans.all()

    def remind(
        self,
        text: str,
        *,
        after: timedelta | None = None,
        at: datetime | None = None,
        cron: str = "",
        zone: "str | ZoneInfo" = "UTC",
        handler: str = "",
    ) -> Reminder:
        """Set a reminder for this conversation: `after` a time, `at` a time, or again and again by a `cron` expression
        in the time zone `zone`. It is stored with the replies.

        Then the conversation gets `text`, or the handler with `@bot.reminder(handler)` runs, with it as `turn.text`.
        Raises ValueError if the time is not valid. A person whose text or time is beyond a limit reads so (LimitError).
        """
        return self.plans.add(text, handler, at, after, cron, zone)

    def change(
        self,
        reminder_id: str,
        *,
        after: timedelta | None = None,
        at: datetime | None = None,
        cron: str = "",
        zone: "str | ZoneInfo" = "UTC",
    ) -> Reminder | None:
        """Give a reminder of this conversation another time. None if there is none with this id. Raises ValueError."""
        return self.plans.change(reminder_id, at, after, cron, zone)

    def cancel(self, reminder_id: str) -> bool:
        """Cancel a reminder of this conversation. False if there is none with this id."""
        return self.plans.cancel(reminder_id)

    def fetch(self, media: AnyMedia) -> bytes:
        """The bytes of `media`, which is part of this message. At most 10 MiB. Raises `DownloadError`."""
        return self.download(media, self.message)

    def quoted(self) -> Quote | None:
        """What the message quotes or forwards, with its text. None if it quotes nothing, or if the platform does not
        say what.

        Feishu is asked for the text. It is recorded as a result of `once`, so it is the same in every attempt.
        """
        return quoting.quoted(self)

    def flag(self, name: str, default: bool = False) -> bool:
        """Whether the feature `name` is on for this message; `default` if no flag has that name or none can be read.

        It is the same in every attempt at the message after a result of `once`, and in all of a dialogue.
        """
        key = f"flag {name}"
        with self.results.outside():
            if key not in self.results:
                self.results.remember(key, self.find_flag(name, self.message, default))
            return self.results[key]

    def heard(self, count: int = 20) -> list[Message]:
        """The last messages of the room that were not for the bot, at most `count` of the last hour, the oldest first.

        Only with `Bot(hear=...)`, and where the platform delivers them to the app. Nobody has meant them for the bot.
        """
        return self.find_heard(count) if count > 0 else []

    def as_user(self) -> "User":
        """Calls of the platform's API in the name of the person, who has logged in (`parley.bot.Login`)."""
        from parley.bot.logins import User  # noqa: PLC0415  # most bots act in their own name only

        return User(self)

    def logout(self) -> bool:
        """End the login of the person and delete their tokens. False if they have not logged in."""
        return self.users.forget(self.message, self.until)

    def credential(self) -> str:
        """The credential that the platform sent with this message, in clear text: WeCom's `Token`, `AuthCode`,
        `WelcomeCode` or `ResponseCode`, Discord's interaction token. Raises `CredentialError`.

        Use it at once. Everything that Parley stores holds it encrypted, so do not put it into the state, a reply or a
        log.
        """
        context = self.message.context
        if not context.reply_token:
            raise CredentialError("this message came without a credential")
        if self.now >= context.reply_token_expires:
            raise CredentialError(f"the credential has expired {self.now - context.reply_token_expires:.0f} s ago")
        return self.unseal(self.message)
