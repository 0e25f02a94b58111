"""What is said in one exchange with a language model: its open calls, and what they have done."""

from collections.abc import Sequence

from parley.bot import talk
from parley.models.model import Said, ToolCall
from parley.text import one_line

ERROR = "error: "
"""The beginning of what the model gets in place of a result."""
APPROVED_ERROR = f"{ERROR}approved, but not carried out: "
"""The same, for a call that somebody has approved."""
_SHOWN = 100
"""Tokens of the result of a tool that a person gets if the model does not answer."""


def last(said: Sequence[Said]) -> int:
    """The place of the last message that is no result."""
    return max(place for place, each in enumerate(said) if each.role != "tool")


def open_calls(said: Sequence[Said]) -> list[ToolCall]:
    """The calls that have no result yet."""
    place = last(said)
    done = {each.call for each in said[place:]}
    return [call for call in said[place].calls if call.id not in done]


def done(said: Sequence[Said]) -> list[str]:
    """What each command has done that the model has called, for the person."""
    found: list[str] = []
    names: dict[str, str] = {}
    for each in said:
        names |= {call.id: call.name for call in each.calls}
        if each.role == "tool" and not each.text.startswith(ERROR):
            found.append(f"/{names.get(each.call, '')}: {talk.cut(each.text, _SHOWN)}")
    return found


def failed(said: Sequence[Said]) -> list[str]:
    """The calls that somebody has approved and that have failed, for the person."""
    found: list[str] = []
    calls: dict[str, ToolCall] = {}
    for each in said:
        calls |= {call.id: call for call in each.calls}
        call = calls.get(each.call)
        if each.role == "tool" and call is not None and each.text.startswith(APPROVED_ERROR):
            found.append(talk.cut(f"/{call.name} {one_line(call.arguments)}", _SHOWN))
    return found
