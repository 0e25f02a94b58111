"""The option tree of a received command: group, sub-command, options.

Discord docs: Application Commands › Option Type; Receiving and Responding › Application Command Data Structure.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from parley.model import AnySegment, Command, Text
from parley.platforms.discord.markdown import segments_of
from parley.platforms.discord.protocol import GROUP, SUB_COMMAND
from parley.platforms.discord.resolved import Kind, Resolved
from parley.platforms.discord.snowflake import snowflake
from parley.untrusted import integer, mappings, text

_STRING = 3
_KINDS: dict[int, Kind] = {6: "user", 7: "channel", 8: "role", 9: "mentionable", 11: "attachment"}
"""Option types whose value is an id."""


@dataclass(frozen=True, slots=True)
class CommandData:
    """A command, and its content as a person would type it."""

    command: Command
    segments: tuple[AnySegment, ...]
    target: str = ""
    """The id of the message on which a context-menu command was used."""


def command_of(data: Mapping[str, Any], resolved: Resolved) -> CommandData:
    """The command in the `data` of an interaction. Its name is empty if Discord sent none."""
    name, target = text(data.get("name")), snowflake(data.get("target_id"))
    match integer(data.get("type")):
        case 2 if target:  # a context-menu command on a person
            segments = (Text(text=f"/{name} "), resolved.user(target))
            return CommandData(Command(name=name, options={"target": target}, menu="user"), segments)
        case 3 if target:  # a context-menu command on a message
            return CommandData(Command(name=name, options={"target": target}, menu="message"), (), target)
        case _:
            return _slash(name, data, resolved)


def _slash(name: str, data: Mapping[str, Any], resolved: Resolved) -> CommandData:
    leaves = mappings(data.get("options"))
    while leaves and integer(leaves[0].get("type")) in (SUB_COMMAND, GROUP):
        name = f"{name} {text(leaves[0].get('name'))}"
        leaves = mappings(leaves[0].get("options"))
    options: dict[str, str | int | float | bool] = {}
    segments: list[AnySegment] = [Text(text=f"/{name}")]
    focused = ""
    for leaf in leaves:
        option, value = text(leaf.get("name")), leaf.get("value")
        if not option or not isinstance(value, str | int | float | bool):
            continue
        options[option] = value
        focused = option if leaf.get("focused") is True else focused
        segments += (Text(text=" "), *_value_segments(integer(leaf.get("type")), value, resolved))
    return CommandData(Command(name=name, options=options, focused=focused), tuple(segments))


def _value_segments(type_: int | None, value: str | float | bool, resolved: Resolved) -> Iterator[AnySegment]:
    """The value of an option as a person would type it."""
    typed = str(value).lower() if isinstance(value, bool) else str(value)
    if type_ == _STRING:
        yield from segments_of(typed, resolved)
    else:
        yield resolved.segment(_KINDS.get(type_ or 0, "value"), typed)
