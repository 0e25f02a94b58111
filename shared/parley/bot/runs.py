"""One run of a handler: the middleware around it, and its next step if it asks questions."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from types import GeneratorType
from typing import TYPE_CHECKING, Any, NamedTuple, Self, cast

from msgspec.structs import replace

from parley.bot.conversions import ArgumentError
from parley.bot.coroutines import finished
from parley.bot.handlers import CommandHandler, Entry, Middleware, place_of
from parley.bot.once import StoppedError
from parley.bot.reminders import Reminders
from parley.bot.replies import Replies, replies_of
from parley.bot.texts import Texts
from parley.bot.turn import Turn
from parley.errors import AuthorError, LimitError, LoginNeededError, RetryAfter
from parley.model import Reply
from parley.model.agenda import LOGIN, PRESSED

if TYPE_CHECKING:
    from parley.bot.approvals import Admits
    from parley.bot.dialogues import Script
    from parley.model.state import Scope, State

_ROLLOUT = 900.0
"""Seconds. Within this time after a message was due, a version of the bot that it is for may still be replacing this
one: a canary takes five minutes. Meanwhile the conversation waits."""
_AGAIN_AFTER = 20.0
Arguments = str | Mapping[str, Any]
"""The arguments of a handler as they were sent: the rest of a line, or values by name."""


def missing(what: str, turn: Turn) -> RetryAfter | AuthorError:
    """What to raise if the message needs `what`, which the bot does not have: RetryAfter while the message is new,
    since a newer version of the bot may have planned it; then an error.
    """
    if turn.now - turn.message.timestamp < _ROLLOUT:
        return RetryAfter(_AGAIN_AFTER, f"this version of the bot does not have {what}")
    return AuthorError(f"the bot does not have {what}: keep a handler as long as something is planned for it")


def at_start(turn: Turn) -> AbstractContextManager[None]:
    """In a dialogue that goes on, the turn is that of its first message inside the context."""
    return nullcontext() if turn.step is None else turn.step.at_start(turn)


def filled(entry: Entry, turn: Turn, given: Arguments, texts: Texts) -> tuple[Mapping[str, Any], dict[str, Any]]:
    """What is `given` by name, and the arguments of the handler: in a dialogue, those of its first message.

    Raises ArgumentError.
    """
    with at_start(turn):
        named = entry.signature.parse(given, turn.message.mentions, texts) if isinstance(given, str) else given
        return named, entry.signature.fill(turn, named, texts)


def misread(entry: Entry, turn: Turn, error: ArgumentError) -> str:
    """The text for the person whose arguments are wrong. In a dialogue that goes on, they were right: the handler has
    other ones now. Raises ScriptChangedError then.
    """
    if turn.step is not None:
        from parley.bot.dialogues import ScriptChangedError  # noqa: PLC0415  # as in `_run`

        raise ScriptChangedError from error
    return f"{error}\n{entry.usage}" if isinstance(entry, CommandHandler) else str(error)


def may_answer(turn: Turn) -> bool:
    """Whether the message may belong to a dialogue: it is a press, or its sender has an open question."""
    message = turn.message
    return turn.plans.dialogue is not None or message.action is not None or message.event in (PRESSED, LOGIN)


def around(middleware: Middleware, turn: Turn, handle: Callable[[], Replies]) -> Replies:
    """What the middleware returns around `handle`."""
    return middleware(turn, lambda: list(replies_of(handle())))


class Point(NamedTuple):
    """A turn as it was, to take back what a handler has done since."""

    plans: Reminders
    said: int
    """Replies that were there."""
    states: "dict[Scope, State | None]"

    @classmethod
    def of(cls, turn: Turn) -> Self:
        """The turn as it is now."""
        return cls(turn.plans.copy(), len(turn.replies), {scope: held.copied() for scope, held in turn.states.items()})

    def restore(self, turn: Turn) -> None:
        """Drop the replies, the changes of states, and those of the reminders since this point. It is used once."""
        turn.plans = self.plans
        del turn.replies[self.said :]
        for scope, held in turn.states.items():
            held.restore(self.states[scope])


def is_stop(error: BaseException) -> bool:
    """Whether a person has stopped the run: asyncio makes a group of what tasks raise."""
    return isinstance(error, StoppedError) or (
        isinstance(error, BaseExceptionGroup) and cast("Any", error).subgroup(StoppedError) is not None
    )


def within_limits(handle: Callable[[Turn], list[Reply]], turn: Turn, texts: Texts) -> list[Reply]:
    """The result of `handle`. A person whose message is beyond a limit reads so. Nothing else of the turn is left then,
    and an open question stays open. Other messages raise LimitError. Nothing is left either if a person has stopped the
    middleware.
    """
    point = Point.of(turn)
    try:
        return handle(turn)
    except (StoppedError, BaseExceptionGroup) as stop:
        if not is_stop(stop):
            raise
        point.restore(turn)
        return []
    except LimitError as limit:
        if turn.message.sender.kind != "user" or turn.message.kind == "event":
            raise
        from logging import getLogger  # noqa: PLC0415  # most messages are within the limits

        getLogger(__name__).warning("a message is answered with Texts.%s: %s", limit.text, limit)
        point.restore(turn)
        return [Reply.of(limit_text(limit, texts))]


def limit_text(limit: LimitError, texts: Texts) -> str:
    """The text for the person whose message is beyond a limit."""
    return getattr(texts, limit.text).format(limit=limit.limit)


def run(
    entry: Entry, turn: Turn, arguments: Mapping[str, Any], given: Arguments, texts: Texts, admits: "Admits"
) -> Replies:
    """The result of the handler, or of its next step if it asks questions.

    If a person has stopped it, what it has done is taken back, and its dialogue ends. The result is None then. For a
    tool, raises StoppedError: what its language model does ends as well. A person whose login is missing reads so.
    """
    point = Point.of(turn)
    try:
        return _run(entry, turn, arguments, given, texts, admits)
    except (StoppedError, BaseExceptionGroup) as stop:
        if not is_stop(stop):
            raise
        point.restore(turn)
        if turn.step is not None:
            turn.plans.end(turn.step.dialogue)
        if turn.is_tool:
            raise StoppedError from stop
        return None
    except LoginNeededError as needed:
        if turn.is_tool:
            raise
        from logging import getLogger  # noqa: PLC0415  # most handlers act in the bot's own name

        getLogger(__name__).warning("a message is answered with Texts.login_needed: %s", needed)
        point.restore(turn)
        if turn.step is None:
            return texts.login_needed
        turn.plans.end(turn.step.dialogue)
        return [*turn.step.closing(), texts.login_needed]


def _run(
    entry: Entry, turn: Turn, arguments: Mapping[str, Any], given: Arguments, texts: Texts, admits: "Admits"
) -> Replies:
    turn.handler = place_of(entry.handler)
    step = turn.step
    with at_start(turn):
        result: Any = finished(entry.handler(**arguments))
    if step is None and not isinstance(result, GeneratorType):
        return result
    from parley.bot import dialogues  # noqa: PLC0415  # most handlers ask no questions

    if not isinstance(result, GeneratorType):
        raise dialogues.ScriptChangedError
    if step is None:
        known = given if isinstance(given, str) else dict(given)
        began = dialogues.began(entry, known, turn.message, turn.now)
        step = dialogues.Step(began, texts, turn.message, turn.now, admits)
    with at_start(turn):
        replies = step.run(cast("Script", result), turn)
    if step.is_refused:
        return replies  # the approval, its cards and its time stay as they are
    if step.asked is not None:
        turn.plans.wait(replace(step.after(), results=turn.results.stored), step.asked.patience)
    else:
        turn.plans.end(step.dialogue)
    return replies
