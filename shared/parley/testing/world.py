"""The deployment of a chat: the simulation of `tools.faults` without faults, with a bot whose exceptions are kept."""

import os
import re
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from types import TracebackType
from typing import Any, ParamSpec, TypeVar, cast

from parley.bot import Bot, Turn
from parley.engine import queues
from parley.engine.apps import Apps
from parley.engine.aws import dynamodb
from parley.engine.credentials import Credentials
from parley.engine.download import Downloads
from parley.engine.incoming import messages_of
from parley.engine.names import Budget, Names
from parley.engine.quotes import Quotes
from parley.journal.rows import row_of
from parley.journal.states import ReplyState
from parley.journal.table import reply_pk
from parley.model import Card, Message, Reply, Select, message_key, plain_text
from parley.model.agenda import APPROVAL
from parley.model.codec import decode_message
from parley.model.instant import Form, Instant
from parley.models import Model
from parley.platforms import NAMES
from parley.testing.browser import Browser
from parley.testing.shown import Shown, form_shown, reaction_shown, shown
from playground.platforms.base import PRIVATE, NewMessage, Platform
from playground.platforms.model import Message as Stored
from tools.faults.aws import isolated
from tools.faults.policies import FaultPlan
from tools.faults.processes import TABLE
from tools.faults.simulation import BOT_SECONDS, Simulation
from tools.faults.targets import APP, TARGETS, Target

PLATFORMS = NAMES
"""The names of the platforms, for `@pytest.mark.parametrize("platform", PLATFORMS)`."""
P = ParamSpec("P")
R = TypeVar("R")
_STAGE = "PARLEY_STAGE"
PATIENCE = 60.0
"""Virtual seconds for which a person waits for what follows an action."""


def target_of(platform: str, config: Mapping[str, Any]) -> Target:
    """The target with that name, with one app. `config`: fields of its configuration. Raises ValueError.

    WeChat has two: `wechat` replies by its API, and `wechat passive` within the callback.
    """
    targets = {target.title: target for target in TARGETS} | {target.name: target for target in reversed(TARGETS)}
    if platform not in targets:
        raise ValueError(f"no platform {platform!r}; there are {', '.join(NAMES)}")
    found = targets[platform]
    return replace(found, apps={APP: {**found.apps[APP], **config}})


class ObservedBot:
    """`bot` as the engine sees it, with a record of what it receives, and of what it raises in the last of `attempts`
    at a message. It sends no apology.
    """

    def __init__(self, bot: Bot, model: Model | None, attempts: int, flags: Mapping[str, bool]) -> None:
        self._bot = bot
        self._model = model
        self.flags = dict(flags)
        """The features that are on or off; all others have their defaults."""
        self._attempts = attempts
        self._runs = Counter[str]()
        self.received: list[Message] = []
        self.failure: tuple[Exception, TracebackType | None] | None = None
        """The exception that it has raised last, with the traceback within the bot."""
        self.labels: dict[str, str] = {}
        """The labels of the buttons and menus that it has sent, by id."""
        self.form: Form | None = None
        """The last form in a card that it has sent."""
        self.opened: Form | None = None
        """The last form that it has opened at once."""
        self.login = ""
        """The address of the last button that starts a login."""
        self.selects: list[Select] = []
        """The menus that it has sent, the last one first."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bot, name)

    def apology_for(self, _message: Message) -> str:
        """No apology."""
        return ""

    def handle(self, turn: Turn) -> list[Reply]:
        """The replies of the bot. Its exceptions are recorded."""
        self.received.append(turn.message)
        key = message_key(turn.message)
        self._runs[key] += 1
        turn.model = self._model
        turn.find_flag = lambda name, _message, default: self.flags.get(name, default)
        turn.show = _staged(turn.show, os.environ[_STAGE])
        turn.users = cast("Any", _Staged(turn.users, os.environ[_STAGE]))
        replies = self._observe(lambda: self._handled(turn), is_last=self._runs[key] >= self._attempts)
        for reply in replies:
            for card in (segment for segment in reply.segments if isinstance(segment, Card)):
                self.labels |= {each.id: each.label for each in (*card.buttons, *card.selects)}
                self.form = card.form or self.form
                self.login = next((each.url for each in card.buttons if each.id == APPROVAL and each.url), self.login)
                self.selects[:0] = card.selects
        return replies

    def _handled(self, turn: Turn) -> list[Reply]:
        """The replies of the bot. Raises AssertionError for a button that nobody handles."""
        replies, action = self._bot.handle(turn), turn.message.action
        if action is not None and not (turn.handler or replies or turn.plans.timers or self._is_known(turn.message)):
            raise AssertionError(f"no handler for this press: write @bot.action({action.id!r})")
        return replies

    def _is_known(self, press: Message) -> bool:
        """Whether somebody handles the press, also if a rule or a quota holds it back. Dialogues handle their own."""
        handlers = self._bot._named(press)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        return bool(handlers) or (press.action is not None and press.action.id.startswith("parley."))

    def instantly(self, message: Message) -> Instant | None:
        """The form or the choices of the bot. Its exceptions are recorded."""
        result = self._observe(lambda: self._bot.instantly(message))
        if isinstance(result, Form):
            self.opened = result
        return result

    def _observe(self, run: Callable[[], Any], *, is_last: bool = True) -> Any:
        # Without a stage, the settings of a bot are the local ones, as in all tests (`parley.bot.Settings`).
        with _stage(None):
            try:
                return run()
            except Exception as error:
                if is_last:
                    self.failure = error, _own_lines(error.__traceback__)
                raise


def _own_lines(found: TracebackType | None) -> TracebackType | None:
    """A traceback from the first line outside of Parley on; all of it if there is none."""
    own = found
    while own is not None and str(own.tb_frame.f_globals.get("__name__")).startswith("parley."):
        own = own.tb_next
    return own or found


@contextmanager
def _stage(name: str | None) -> Generator[None]:
    """Set PARLEY_STAGE inside the context. None: it is not set."""
    before = os.environ.pop(_STAGE, None)
    try:
        if name is not None:
            os.environ[_STAGE] = name
        yield
    finally:
        os.environ.pop(_STAGE, None)
        if before is not None:
            os.environ[_STAGE] = before


def _staged(function: Callable[P, R], stage: str) -> Callable[P, R]:
    """`function` of the engine, which the bot calls: it needs the stage."""

    def call(*given: P.args, **named: P.kwargs) -> R:
        with _stage(stage):
            return function(*given, **named)

    return call


class _Staged:
    """An object of the engine, whose methods the bot calls."""

    def __init__(self, own: object, stage: str) -> None:
        self._own, self._stage = own, stage

    def __getattr__(self, name: str) -> Any:
        return _staged(getattr(self._own, name), self._stage)


class World(Simulation):
    """One app on one platform, and all that its bot has shown, in order.

    The process is changed only within `active()`: the engine's AWS clients, its environment, metrics and logs.
    """

    def __init__(
        self,
        bot: Bot,
        platform: str,
        config: Mapping[str, Any],
        model: Model | None,
        attempts: int,
        bot_seconds: float = BOT_SECONDS,
        flags: Mapping[str, bool] | None = None,
    ) -> None:
        target = target_of(platform, config)
        self.bot = ObservedBot(bot, model, attempts, flags or {})
        self.log: list[Shown] = []
        self.forms: dict[tuple[str, str], dict[str, Any]] = {}
        """The open forms, by room and person."""
        self._parts: dict[str, object] = {}
        """The parts of each message of the bot, as they were last shown."""
        self._reactions: dict[str, list[str]] = {}
        """The reactions of the bot to each message."""
        with isolated():
            simulated = cast("Bot", self.bot)
            Simulation.__init__(self, (target,), FaultPlan(), simulated, Random(0), bot_seconds=bot_seconds)
            self._complete(attempts)
        self.platform = cast("dict[str, Platform[Any]]", self.platforms)[target.name]  # pyright: ignore[reportUnknownMemberType]
        self.platform.all_messages = {APP} if bot.hear else set()
        self.platform.listeners.append(self._on_change)
        if target.register is not None:
            target.register(self.platform, target.apps[APP], bot.specs())

    def _complete(self, attempts: int) -> None:
        """Give the functions what `tools.faults` leaves out, such as downloads, names and forms."""
        functions, clock = self.processes.current, self.clock
        calls, client = functions.deliverer.calls, dynamodb()

        def apps() -> Apps:
            return Apps(clock, clock.sleep, self.random.random)

        processor = functions.processor
        processor.max_attempts = attempts
        self._stage = stage = os.environ[_STAGE]
        downloads = Downloads(calls, apps())
        processor.download = _staged(downloads, stage)
        processor.unseal = _staged(Credentials(apps()), stage)
        processor.quote = _staged(Quotes(calls, apps()), stage)
        processor.person = Names(calls, apps(), Budget(), client, TABLE, clock)
        functions.timekeeper.set_schedules()
        for callback in functions.callbacks.values():
            callback.instantly = self.bot.instantly

    @contextmanager
    def active(self) -> Generator[None]:
        """Make this world's AWS the one of the process, inside the context. Raises what the bot raises."""
        with isolated():
            self._install()
            yield

    def send(self, room: str, person: str, message: NewMessage, quote: str) -> None:
        """A person sends `message`. With `quote`, it quotes a message with this text, which the bot does not get.

        Raises AssertionError if the platform does not say what a message quotes.
        """
        __tracebackhide__ = True
        if quote:
            if "reply" not in self.platform.features:
                raise AssertionError(f"{self.platform.name} does not say what a message quotes")
            earlier = NewMessage(text=quote, mention=False, deliver=False)
            message = replace(message, reply_to=self.platform.send_message(APP, room, person, earlier).id)
        self.platform.send_message(APP, room, person, message)

    def meanwhile(self, act: Callable[[], None], seconds: float) -> None:
        """People `act` while a handler runs, and `seconds` pass in it."""
        with _stage(self._stage):
            act()
            self.spend(seconds)

    def receive(self, event: Mapping[str, Any]) -> None:
        """Put an AWS event into the queue, as the function `incoming` does. Raises InvalidEventError."""
        now = datetime.fromtimestamp(self.clock(), UTC).isoformat()
        is_bare = "Records" not in event
        complete = {"id": f"event-{self.random.random()}", "time": now, **event} if is_bare else event
        queues.send_messages(list(messages_of(complete)))

    def log_in(self, account: str, *, agreed: bool) -> str:
        """A person opens the last login in a new browser. Returns the text of the last page. Raises AssertionError."""
        if not self.bot.login:
            raise AssertionError("the bot has asked nobody to log in: yield Login(...)")
        if not hasattr(self.platform, "logins"):
            raise AssertionError(f"people cannot log in at {self.platform.name} in a test")
        oauth, at = self.processes.current.oauth, next(iter(self.targets.values())).address
        with _stage(self._stage):
            page = Browser(lambda event: oauth(event, None), self.platform, at).log_in(
                self.bot.login, account, agreed=agreed
            )
        return re.sub(r"<style>.*?</style>|<[^>]+>", " ", page.body.decode()).strip()

    # --- time ---------------------------------------------------------------------------------------------------------

    def work(self) -> None:
        """Do what follows from an action of a person, and no more: the clock stays where it is unless a reply has to
        wait. Raises the exception of the bot.
        """
        __tracebackhide__ = True
        end = self.clock() + PATIENCE
        while True:
            self._step()
            following = self._next_wait()
            if following is None or following > end:
                return
            self.clock.now = max(self.clock(), following)

    def pass_time(self, seconds: float) -> None:
        """Let the time pass: all that falls due runs at its time. Raises the exception of the bot."""
        __tracebackhide__ = True
        end = self.clock() + seconds
        while True:
            self._step()
            following = self._next_time()
            if following is None or following > end:
                break
            self.clock.now = max(self.clock(), following)
        self.clock.now = max(self.clock(), end)
        self._step()

    def _step(self) -> None:
        """Do all that can be done now."""
        __tracebackhide__ = True
        self._run_due()
        while self.step(self.inbound) or self.step(self.outbound):
            self._check()
            self._run_due()
        self._check()

    def _next_wait(self) -> float | None:
        """The time at which a message, a reply or a callback that waits goes on; None if none waits."""
        times = [queue.next_change() for queue in (self.inbound, self.outbound)]
        if self._exchanges.open:
            times.append(self.scheduler.next_time())
        return min((time for time in times if time is not None), default=None)

    def _check(self) -> None:
        """Raise the exception of the bot, or AssertionError if a message failed for another reason."""
        __tracebackhide__ = True
        failure, self.bot.failure = self.bot.failure, None
        dead = self.dead["inbound"].receive(self.random)
        if dead is not None:
            self.dead["inbound"].delete(dead.receipt)
        if failure is not None:
            raise failure[0].with_traceback(failure[1])
        if dead is not None:
            snapshot = self.processes.current.processor.inbox.open(decode_message(dead.body))
            raise AssertionError(f"the message failed: {snapshot.reason}")

    # --- what is shown ------------------------------------------------------------------------------------------------

    def _on_change(self, kind: str, value: Any) -> None:
        """Record a change at the platform that people see."""
        if kind == "modal":
            self.forms[value["room"], value["person"]] = value["modal"]
            self.log.append(form_shown(value["modal"], value["room"]))
        elif kind == "message":
            if value.sender_kind != "user":
                self._show(value)
            self._show_reactions(value)

    def _show(self, message: Stored) -> None:
        parts = None if message.recalled else self.platform.parts(message)
        known = message.id in self._parts
        if known and self._parts[message.id] == parts:
            return
        self._parts[message.id] = parts
        kind = "recall" if parts is None else "edit" if known else "message"
        self.log.append(shown(parts or (), message.room, kind))

    def _show_reactions(self, message: Stored) -> None:
        """Record the reactions of the bot to `message` that are new."""
        reactions = [self.platform.emoji(each) for each in message.reactions if self.platform.is_of_bot(each)]
        known = self._reactions.setdefault(message.id, [])
        self.log.extend(reaction_shown(emoji, message.room) for emoji in reactions if emoji not in known)
        self._reactions[message.id] = reactions

    def undelivered(self) -> list[str]:
        """The replies that are not at the platform, each with its state and the reason."""
        found: list[str] = []
        for pk, item in self.aws.dynamodb.items.items():
            row = row_of(cast("Any", item)) if pk.startswith(reply_pk("")) else None
            if row is not None and row.state is not ReplyState.SENT:
                what = row.out.reply.emoji or plain_text(row.out.reply.segments)
                found.append(f"{what!r}: {row.state.name}, {row.reason or 'it waits'}")
        return found

    # --- places -------------------------------------------------------------------------------------------------------

    def room_of(self, room: str, person: str) -> str:
        """The platform's id of a room, or of the direct chat of a person if `room` is `private`."""
        found = self.platform.room(room, APP, self.platform.person(person))
        return found.id

    def is_private(self, room: str) -> bool:
        """Whether a room is a direct chat."""
        return self.platform.rooms[room].kind == PRIVATE
