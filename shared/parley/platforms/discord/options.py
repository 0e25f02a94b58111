"""The option tree of a command: group, sub-command, leaf options.

Discord docs: Application Commands › Option Type; Receiving and Responding › Application Command Data Structure.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from parley.model import AnySegment, Command, Text
from parley.platforms.discord.markdown import segments_of
from parley.platforms.discord.resolved import Kind, Resolved
from parley.platforms.discord.snowflake import snowflake
from parley.untrusted import integer, mappings, text

_SUB_COMMAND, _GROUP, _STRING = 1, 2, 3
_NAMED: dict[int, Kind] = {6: "user", 7: "channel", 8: "role", 9: "mentionable", 11: "attachment"}
"""Option types whose value is the id of something."""


@dataclass(frozen=True, slots=True)
class Given:
    """A command and what was said with it, as one would type it."""

    command: Command
    segments: tuple[AnySegment, ...]
    target: str = ""
    """The message that a context-menu command was called on."""


def command_of(data: Mapping[str, Any], resolved: Resolved) -> Given:
    """The command in the `data` of an interaction; its name is empty where Discord sent none."""
    name, target = text(data.get("name")), snowflake(data.get("target_id"))
    match integer(data.get("type")):
        case 2 if target:  # called on a person
            said = (Text(text=f"/{name} "), resolved.user(target))
            return Given(Command(name=name, options={"target": target}), said)
        case 3 if target:  # called on a message
            return Given(Command(name=name, options={"target": target}), (), target)
        case _:
            return _slash(name, data, resolved)


def _slash(name: str, data: Mapping[str, Any], resolved: Resolved) -> Given:
    leaves = mappings(data.get("options"))
    while leaves and integer(leaves[0].get("type")) in (_SUB_COMMAND, _GROUP):
        name = f"{name} {text(leaves[0].get('name'))}"
        leaves = mappings(leaves[0].get("options"))
    options: dict[str, str | int | float | bool] = {}
    segments: list[AnySegment] = [Text(text=f"/{name}")]
    focused = ""
    for leaf in leaves:
        value = leaf.get("value")
        called = text(leaf.get("name"))
        if not called or not isinstance(value, str | int | float | bool):
            continue
        options[called] = value
        focused = called if leaf.get("focused") is True else focused
        segments += (Text(text=" "), *_said(integer(leaf.get("type")), value, resolved))
    return Given(Command(name=name, options=options, focused=focused), tuple(segments))


def _said(kind: int | None, value: str | float | bool, resolved: Resolved) -> Iterator[AnySegment]:
    """How one would say the value of a leaf."""
    written = str(value).lower() if isinstance(value, bool) else str(value)
    if kind == _STRING:
        yield from segments_of(written, resolved)
    else:
        yield resolved.named(_NAMED.get(kind or 0, "value"), written)
