"""One run of a handler: the middleware around it, and its next step if it asks questions."""

from collections.abc import Callable, Mapping
from types import GeneratorType
from typing import Any, cast

from msgspec.structs import replace

from parley.bot import dialogues
from parley.bot.approvals import Admits
from parley.bot.coroutines import finished
from parley.bot.handlers import Entry, Middleware, place_of
from parley.bot.replies import Replies, replies_of
from parley.bot.texts import Texts
from parley.bot.turn import Turn

Given = str | Mapping[str, Any]
"""The arguments of a handler: the rest of a line, or values by name."""


def around(middleware: Middleware, turn: Turn, handle: Callable[[], Replies]) -> Replies:
    """What the middleware returns around `handle`."""
    return middleware(turn, lambda: list(replies_of(handle())))


def run(entry: Entry, turn: Turn, arguments: Mapping[str, Any], given: Given, texts: Texts, admits: Admits) -> Replies:
    """The result of the handler, or of its next step if it asks questions."""
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
