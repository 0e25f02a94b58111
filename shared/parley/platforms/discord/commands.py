"""The bot's commands as Discord's definitions. Discord docs: Application Commands › Naming, Option Structure."""

import re
from collections.abc import Iterable
from typing import Any

from parley.model.commands import CommandSpec, OptionSpec
from parley.model.instant import Choice

Definition = dict[str, Any]
"""A command, or an option of one, as Discord's API takes and gives it."""

_TYPES = {"str": 3, "int": 4, "bool": 5, "user": 6, "channel": 7, "role": 8, "mentionable": 9, "float": 10, "file": 11}
_MENUS = {"": 1, "user": 2, "message": 3}
_SLASH, _SUB_COMMAND, _GROUP = 1, 1, 2
_GUILD, _BOT_DM, _OTHER_DM = 0, 1, 2
_NAME = re.compile(r"[-_'\w\u0900-\u097f\u0e00-\u0e7f]{1,32}")
_MOST = {1: 100, 2: 15, 3: 15}
"""Commands of each type."""
_OPTIONS, _CHOICES, _CHARACTERS, _HELP, _MENU_NAME = 25, 25, 8000, 100, 32

Member = tuple[tuple[str, ...], CommandSpec]
"""A command by the words of its name that are still to be placed."""


class BadCommandError(ValueError):
    """A command that Discord would refuse. The message names the command and the rule."""


def definitions(specs: Iterable[CommandSpec]) -> list[Definition]:
    """The definitions of `specs`, sub-commands gathered under their first word. Raises BadCommandError."""
    roots: dict[tuple[int, str], list[Member]] = {}
    for spec in specs:
        words = (spec.name,) if spec.menu else tuple(spec.name.split(" "))
        _check_names(spec, words)
        roots.setdefault((_MENUS[spec.menu], words[0]), []).append((words[1:], spec))
    for type_, most in _MOST.items():
        if sum(kind == type_ for kind, _ in roots) > most:
            raise BadCommandError(f"Discord takes {most} commands of type {type_}")
    return [_root(type_, name, members) for (type_, name), members in roots.items()]


def _root(type_: int, name: str, members: list[Member]) -> Definition:
    """A command. Those under one name share who may call them and where: the strictest of what they say holds."""
    specs = [spec for _, spec in members]
    root = _node(type_, name, members, depth=0)
    if any(spec.admin for spec in specs):
        root["default_member_permissions"] = "0"
    if any(spec.rooms_only for spec in specs):
        root["contexts"] = [_GUILD]
    elif all(spec.anywhere for spec in specs):
        root |= {"contexts": [_GUILD, _BOT_DM, _OTHER_DM], "integration_types": [0, 1]}
    else:
        root["contexts"] = [_GUILD, _BOT_DM]
    size = _characters(root)
    if size > _CHARACTERS:
        raise BadCommandError(f"/{name}: {size} characters in all; Discord takes {_CHARACTERS}")
    return root


def _node(type_: int, name: str, members: list[Member], *, depth: int) -> Definition:
    """A command, group or sub-command: itself, or what is under it."""
    if any(not words for words, _ in members):
        if len(members) > 1:
            raise BadCommandError(f"/{members[0][1].name}: two commands of one name, or one that has sub-commands too")
        return _leaf(type_, name, members[0][1])
    below: dict[str, list[Member]] = {}
    for words, spec in members:
        below.setdefault(words[0], []).append((words[1:], spec))
    if len(below) > _OPTIONS:
        raise BadCommandError(f"/{members[0][1].name}: more than {_OPTIONS} sub-commands")
    options = [
        _node(_GROUP if any(words for words, _ in inner) else _SUB_COMMAND, word, inner, depth=depth + 1)
        for word, inner in below.items()
    ]
    return {"type": _GROUP if depth else _SLASH, "name": name, "description": name, "options": options}


def _leaf(type_: int, name: str, spec: CommandSpec) -> Definition:
    """What can be called."""
    for translated in spec.names.values():
        _check_names(spec, (translated,))
    leaf: Definition = {"type": type_, "name": name, **_translated("name", spec.names)}
    if spec.menu:
        return leaf
    leaf |= {"description": _help(spec.help, name), **_translated("description", spec.helps)}
    names = [option.name for option in spec.options]
    if len(names) > _OPTIONS or len(set(names)) < len(names):
        raise BadCommandError(f"/{spec.name}: at most {_OPTIONS} options, each with a name of its own")
    ordered = sorted(spec.options, key=lambda option: not option.required)
    return leaf | ({"options": [_option(option, spec) for option in ordered]} if ordered else {})


def _option(option: OptionSpec, spec: CommandSpec) -> Definition:
    """An option of a command; required ones come first, as Discord wants them."""
    where = f"/{spec.name} {option.name}"
    for called in (option.name, *option.names.values()):
        _check_name(called, where)
    choosing = bool(option.choices)
    if choosing and (option.completes or option.kind not in ("str", "int", "float")):
        raise BadCommandError(f"{where}: choices are for text and numbers, and exclude completion")
    if len(option.choices) > _CHOICES:
        raise BadCommandError(f"{where}: Discord takes {_CHOICES} choices")
    made: Definition = {"type": _TYPES[option.kind], "name": option.name, **_translated("name", option.names)}
    made |= {"description": _help(option.help, option.name), **_translated("description", option.helps)}
    flags = {"required": option.required, "autocomplete": option.completes}
    made |= {name: True for name, value in flags.items() if value}
    if choosing:
        made["choices"] = [_choice(choice) for choice in option.choices]
    return made | _bounds(option)


def _choice(choice: Choice) -> Definition:
    return {"name": (choice.label or str(choice.value))[:_HELP], "value": choice.value}


def _bounds(option: OptionSpec) -> Definition:
    """A bound of a length or of a whole number is whole."""
    about = "length" if option.kind == "str" else "value"
    values = {f"min_{about}": option.minimum, f"max_{about}": option.maximum}
    whole = option.kind != "float"
    return {name: int(value) if whole else value for name, value in values.items() if value is not None}


def _translated(what: str, words: dict[str, str]) -> Definition:
    cut = words if what == "name" else {locale: _help(text, text) for locale, text in words.items()}
    return {f"{what}_localizations": cut} if words else {}


def _help(text: str, name: str) -> str:
    """Discord wants words there: the name where there are none."""
    line = text.strip().partition("\n")[0] or name
    return line if len(line) <= _HELP else f"{line[: _HELP - 1]}…"


def _check_names(spec: CommandSpec, words: tuple[str, ...]) -> None:
    if spec.menu:
        if not all(1 <= len(word) <= _MENU_NAME for word in words) or spec.options:
            raise BadCommandError(f"{spec.name}: a menu entry has 1 to {_MENU_NAME} characters and no options")
        return
    if len(words) > 3:
        raise BadCommandError(f"/{spec.name}: a name has one to three words")
    for word in words:
        _check_name(word, f"/{spec.name}")


def _check_name(name: str, where: str) -> None:
    if not _NAME.fullmatch(name) or name != name.lower():
        raise BadCommandError(
            f"{where}: {name!r} is no name for Discord: 1 to 32 letters in lower case, digits, - and _"
        )


def _characters(definition: Definition) -> int:
    """How Discord counts: names, descriptions and values, of translations the longest."""
    size = 0
    for what in ("name", "description"):
        words = [definition.get(what, ""), *definition.get(f"{what}_localizations", {}).values()]
        size += max(len(word) for word in words)
    size += sum(len(choice["name"]) + len(str(choice["value"])) for choice in definition.get("choices", ()))
    return size + sum(_characters(option) for option in definition.get("options", ()))
