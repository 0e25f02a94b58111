"""What is said in one exchange with a language model: its open calls, and what they have done."""

from collections.abc import Sequence

from parley.bot import talk
from parley.models.model import Said, ToolCall

ERROR = "error: "
"""The beginning of what the model gets in place of a result."""
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
