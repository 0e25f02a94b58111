"""The options of slash commands, as Discord's client parses, checks and offers them.

A person types `/echo text:hello`, or without names, in the order of the options: `/echo hello`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playground.platforms.base import NotFoundError
from playground.platforms.discord.accounts import ROLES

if TYPE_CHECKING:
    from playground.platforms.discord import Discord

Command = Mapping[str, Any]
STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = range(3, 12)
_SUB_COMMAND, _GROUP = 1, 2
_NAMED = re.compile(r"(?:^|(?<=\s))([-_\w]{1,32}):\s?")


@dataclass(frozen=True, slots=True)
class Lookup:
    """Functions from the text of an option to an id: persons, roles and rooms by name, and the attached file. `text`:
    to the text that Discord's client sends.
    """

    user: Callable[[str], str]
    role: Callable[[str], str]
    mentionable: Callable[[str], str]
    channel: Callable[[str], str]
    attachment: Callable[[], str]
    text: Callable[[str], str]


def leaf_of(command: Command, words: str) -> tuple[list[Command], str]:
    """The path from `command` to the sub-command that `words` name, and the remaining words. Raises NotFoundError."""
    path: list[Command] = [command]
    while any(option["type"] in (_SUB_COMMAND, _GROUP) for option in path[-1].get("options") or ()):
        word, _, words = words.strip().partition(" ")
        inner = next((option for option in path[-1]["options"] if option["name"] == word), None)
        if inner is None:
            names = ", ".join(option["name"] for option in path[-1]["options"])
            raise NotFoundError(f"/{path[0]['name']} needs one of its sub-commands: {names}")
        path.append(inner)
    return path, words.strip()


def parse(leaf: Command, rest: str) -> dict[str, str]:
    """The values in `rest`, by option. Raises NotFoundError for text beyond the options."""
    options = [option for option in leaf.get("options") or () if option["type"] != ATTACHMENT]
    names = {option["name"] for option in options}
    marks = [mark for mark in _NAMED.finditer(rest) if mark[1] in names]
    if marks and marks[0].start() == 0:
        ends = [mark.start() for mark in marks[1:]] + [len(rest)]
        return {mark[1]: rest[mark.end() : end].strip() for mark, end in zip(marks, ends, strict=True)}
    values: dict[str, str] = {}
    for number, option in enumerate(options, start=1):
        if not rest:
            return values
        if number == len(options):
            values[option["name"]], rest = rest, ""
        else:
            values[option["name"]], _, rest = rest.partition(" ")
            rest = rest.strip()
    if rest:
        raise NotFoundError(
            f"/{leaf['name']} does not accept {rest[:40]!r}; Discord's client sends nothing but options"
        )
    return values


def convert(leaf: Command, values: Mapping[str, Any], lookup: Lookup, focused: str = "") -> list[dict[str, Any]]:
    """The options of the interaction. `focused`: the option that the person is typing; nothing is checked then. Raises
    NotFoundError."""
    options: list[dict[str, Any]] = []
    for option in leaf.get("options") or ():
        name = option["name"]
        value = lookup.attachment() if option["type"] == ATTACHMENT and name not in values else values.get(name)
        if focused == name:
            options.append({"name": name, "type": option["type"], "value": str(value or ""), "focused": True})
        elif value not in (None, ""):
            options.append({"name": name, "type": option["type"], "value": _value(option, value, lookup)})
        elif option.get("required") and not focused:
            raise NotFoundError(
                f"/{leaf['name']}: {name} is required; Discord's client does not send the command without it"
            )
    unknown = set(values) - {option["name"] for option in leaf.get("options") or ()}
    if unknown:
        raise NotFoundError(f"/{leaf['name']} has no option {', '.join(sorted(unknown))}")
    return options


def nest(path: list[Command], options: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """`options` inside the sub-commands of `path`."""
    for inner in reversed(path[1:]):
        options = [{"name": inner["name"], "type": inner["type"], "options": options}]
    return options


def _value(option: Command, value: Any, lookup: Lookup) -> Any:
    where = f"option {option['name']}"
    for choice in option.get("choices") or ():
        if str(value) in (str(choice["value"]), choice["name"]):
            return choice["value"]
    if option.get("choices"):
        raise NotFoundError(f"{where}: one of {', '.join(str(c['name']) for c in option['choices'])}, not {value!r}")
    match option["type"]:
        case kind if kind in (INTEGER, NUMBER):
            return _number(option, value, where)
        case kind if kind == BOOLEAN:
            if str(value).lower() not in ("true", "false"):
                raise NotFoundError(f"{where}: true or false, not {value!r}")
            return str(value).lower() == "true"
        case kind if kind in (USER, CHANNEL, ROLE, MENTIONABLE):
            named = {USER: lookup.user, CHANNEL: lookup.channel, ROLE: lookup.role, MENTIONABLE: lookup.mentionable}
            return named[kind](str(value).removeprefix("#" if kind == CHANNEL else "@"))
        case kind if kind == STRING:
            text = lookup.text(str(value))
            _bounded(len(text), option.get("min_length"), option.get("max_length"), f"{where}: length")
            return text
        case _:
            return str(value)


def _number(option: Command, value: Any, where: str) -> int | float:
    try:
        number = int(str(value)) if option["type"] == INTEGER else float(str(value))
    except ValueError:
        kind = "a whole number" if option["type"] == INTEGER else "a number"
        raise NotFoundError(f"{where}: {kind}, not {value!r}; Discord's client sends nothing else") from None
    _bounded(number, option.get("min_value"), option.get("max_value"), where)
    return number


def _bounded(value: float, least: float | None, most: float | None, where: str) -> None:
    if (least is not None and value < least) or (most is not None and value > most):
        raise NotFoundError(f"{where}: from {least} to {most}, not {value}")


def with_choices(discord: "Discord", command: dict[str, Any]) -> dict[str, Any]:
    """`command` with the choices of each option that is a person, role or channel."""
    options = [with_choices(discord, option) for option in command.get("options") or ()]
    choices = _choices(discord, command) if command["type"] in (USER, CHANNEL, ROLE, MENTIONABLE) else []
    return command | ({"options": options} if options else {}) | ({"choices": choices} if choices else {})


def _choices(discord: "Discord", option: Command) -> list[dict[str, Any]]:
    users = [{"name": f"@{person.name}", "value": person.id} for person in discord.persons.values()]
    roles = [{"name": f"@{name}", "value": id_} for id_, name in ROLES.items()]
    rooms = [room for room in discord.rooms.values() if room.kind == "group"]
    channels = [{"name": f"#{room.name}", "value": room.id} for room in rooms]
    return {USER: users, ROLE: roles, MENTIONABLE: users + roles, CHANNEL: channels}[option["type"]]
