"""One run of a handler: the middleware around it, and its next step if it asks questions."""

from collections.abc import Callable, Mapping
from types import GeneratorType
from typing import Any, cast

from msgspec.structs import replace

from parley.bot import dialogues
from parley.bot.approvals import Admits
from parley.bot.coroutines import finished
from parley.bot.handlers import Entry, Middleware, place_of
from parley.bot.once import StoppedError
from parley.bot.reminders import Reminders
from parley.bot.replies import Replies, replies_of
from parley.bot.texts import Texts
from parley.bot.turn import Turn

Given = str | Mapping[str, Any]
"""The arguments of a handler: the rest of a line, or values by name."""


def around(middleware: Middleware, turn: Turn, handle: Callable[[], Replies]) -> Replies:
    """What the middleware returns around `handle`."""
    return middleware(turn, lambda: list(replies_of(handle())))


def run(entry: Entry, turn: Turn, arguments: Mapping[str, Any], given: Given, texts: Texts, admits: Admits) -> Replies:
    """The result of the handler, or of its next step if it asks questions. None if a person has stopped it."""
    plans, said = turn.plans.copy(), len(turn.replies)
    try:
        return _run(entry, turn, arguments, given, texts, admits)
    except (StoppedError, BaseExceptionGroup) as stop:  # asyncio makes a group of what tasks raise
        if isinstance(stop, BaseExceptionGroup) and not stop.subgroup(StoppedError):
            raise
        return _dropped(turn, plans, said)


def _dropped(turn: Turn, plans: Reminders, said: int) -> None:
    """Take back what the handler has done since it had these `plans`. Its dialogue ends."""
    turn.plans = plans
    del turn.replies[said:]
    for held in turn.states.values():
        held.drop()
    if turn.step is not None:
        plans.end(turn.step.dialogue)


def _run(entry: Entry, turn: Turn, arguments: Mapping[str, Any], given: Given, texts: Texts, admits: Admits) -> Replies:
    turn.handler = place_of(entry.handler)
    step = turn.step
    result: Any = finished(entry.handler(**arguments))
    if not isinstance(result, GeneratorType):
        if step is not None:
            raise dialogues.ScriptChangedError
        return result
    if step is None:
        known = given if isinstance(given, str) else dict(given)
        began = dialogues.began(dialogues.key_of(entry.handler), known, turn.message, turn.now)
        step = dialogues.Step(began, texts, turn.message, turn.now, admits)
    replies = step.run(cast("dialogues.Script", result), turn)
    if step.is_refused:
        return replies  # the approval, its cards and its time stay as they are
    if step.asked is not None:
        turn.plans.wait(replace(step.after(), results=turn.results.stored), step.asked.patience)
    else:
        turn.plans.end(step.dialogue)
    return replies
