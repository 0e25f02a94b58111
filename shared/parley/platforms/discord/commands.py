"""The bot's commands as Discord's command definitions.

Discord docs: Application Commands › Naming, Option Structure.
"""

import re
from collections.abc import Iterable
from typing import Any

from parley.errors import ParleyError
from parley.model.commands import CommandSpec, OptionSpec
from parley.platforms.discord.content_limits import LIMITS
from parley.platforms.discord.instant import choice_json, is_valid_value
from parley.platforms.discord.protocol import GROUP, SUB_COMMAND
from parley.platforms.discord.split import shorten

Definition = dict[str, Any]
"""A command, or an option of one, in the JSON of Discord's API."""

_TYPES = {"str": 3, "int": 4, "bool": 5, "user": 6, "channel": 7, "role": 8, "mentionable": 9, "float": 10, "file": 11}
_MENUS = {"": 1, "user": 2, "message": 3}
_SLASH = 1
_GUILD, _BOT_DM, _OTHER_DM = 0, 1, 2
"""Interaction contexts: a guild, the direct chat with the bot, other direct and group chats."""
_MAX_COMMANDS = {1: LIMITS.commands.most, 2: LIMITS.menu_entries.most, 3: LIMITS.menu_entries.most}
"""Commands of an application, by type."""
_OPTIONS, _CHOICES, _CHARACTERS = LIMITS.options.most, LIMITS.choices.most, LIMITS.command_size.most
_HELP, _WORD, _MENU_NAME = LIMITS.command_help.most, LIMITS.command_name.most, LIMITS.menu_name.most
_TEXT = 6000
"""Discord docs: Option Structure: the largest `max_length`. A larger one is this one."""

_NAME = re.compile(rf"[-_'\w\u0900-\u097f\u0e00-\u0e7f]{{1,{_WORD}}}")

Member = tuple[tuple[str, ...], CommandSpec]
"""The remaining words of a command's name, below the current level of the tree, and the command."""


class BadCommandError(ParleyError):
    """Discord would refuse a command. The message names the command and the rule."""


def definitions(specs: Iterable[CommandSpec]) -> list[Definition]:
    """The definitions of `specs`. Sub-commands are options of the command of their first word.

    Raises BadCommandError.
    """
    roots: dict[tuple[int, str], list[Member]] = {}
    for spec in specs:
        words = (spec.name,) if spec.menu else tuple(spec.name.split(" "))
        _check_names(spec, words)
        roots.setdefault((_MENUS[spec.menu], words[0]), []).append((words[1:], spec))
    for type_, limit in _MAX_COMMANDS.items():
        if sum(kind == type_ for kind, _ in roots) > limit:
            raise BadCommandError(f"Discord takes {limit} commands of type {type_}")
    return [_root(type_, name, members) for (type_, name), members in roots.items()]


def _root(type_: int, name: str, members: list[Member]) -> Definition:
    """The definition of one command. Its sub-commands share the permissions and contexts: the strictest ones apply."""
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
        raise BadCommandError(f"/{name}: {size} characters in total; Discord takes {_CHARACTERS}")
    return root


def _node(type_: int, name: str, members: list[Member], *, depth: int) -> Definition:
    """A command, group or sub-command, with its options or with the groups and sub-commands below it."""
    if any(not words for words, _ in members):
        if len(members) > 1:
            raise BadCommandError(
                f"/{members[0][1].name}: two commands have this name, or it has both options and sub-commands"
            )
        return _leaf(type_, name, members[0][1])
    below: dict[str, list[Member]] = {}
    for words, spec in members:
        below.setdefault(words[0], []).append((words[1:], spec))
    if len(below) > _OPTIONS:
        raise BadCommandError(f"/{members[0][1].name}: more than {_OPTIONS} sub-commands")
    options = [
        _node(GROUP if any(words for words, _ in inner) else SUB_COMMAND, word, inner, depth=depth + 1)
        for word, inner in below.items()
    ]
    return {"type": GROUP if depth else _SLASH, "name": name, "description": name, "options": options}


def _leaf(type_: int, name: str, spec: CommandSpec) -> Definition:
    """A command or sub-command that a person can use."""
    for translated in spec.names.values():
        _check_names(spec, (translated,))
    leaf: Definition = {"type": type_, "name": name, **_translated("name", spec.names)}
    if spec.menu:
        return leaf
    leaf |= {"description": _help(spec.help, name), **_translated("description", spec.helps)}
    names = [option.name for option in spec.options]
    if len(names) > _OPTIONS or len(set(names)) < len(names):
        raise BadCommandError(f"/{spec.name}: at most {_OPTIONS} options, each with a name of its own")
    # Discord docs: Option Structure: required options precede optional ones.
    ordered = sorted(spec.options, key=lambda option: not option.required)
    return leaf | ({"options": [_option(option, spec) for option in ordered]} if ordered else {})


def _option(option: OptionSpec, spec: CommandSpec) -> Definition:
    """An option of a command."""
    where = f"/{spec.name} {option.name}"
    for name in (option.name, *option.names.values()):
        _check_name(name, where)
    valued = option.kind in ("str", "int", "float")
    if (option.choices and option.completes) or ((option.choices or option.completes) and not valued):
        raise BadCommandError(f"{where}: choices and completion are for text and numbers, and exclude each other")
    _check_choices(option, where)
    json: Definition = {"type": _TYPES[option.kind], "name": option.name, **_translated("name", option.names)}
    json |= {"description": _help(option.help, option.name), **_translated("description", option.helps)}
    flags = {"required": option.required, "autocomplete": option.completes}
    json |= {name: True for name, value in flags.items() if value}
    if option.choices:
        json["choices"] = [choice_json(choice) for choice in option.choices]
    return json | _bounds(option)


def _check_choices(option: OptionSpec, where: str) -> None:
    """Raise BadCommandError for choices that Discord refuses: too many, bad values, two that look or mean the same."""
    if len(option.choices) > _CHOICES:
        raise BadCommandError(f"{where}: Discord takes {_CHOICES} choices")
    for choice in option.choices:
        if not is_valid_value(choice.value):
            raise BadCommandError(
                f"{where}: the value of a choice has 1 to {LIMITS.choice_value.most} characters, "
                "or is between -2^53 and 2^53"
            )
    shown = [choice_json(choice) for choice in option.choices]
    if len({each["name"] for each in shown}) < len(shown) or len({each["value"] for each in shown}) < len(shown):
        raise BadCommandError(
            f"{where}: two choices have the same label, in its first {LIMITS.choice_label.most} characters, "
            "or the same value"
        )
    least, most = option.minimum, option.maximum
    if least is not None and most is not None and least > most:
        raise BadCommandError(f"{where}: the minimum {least:g} is larger than the maximum {most:g}")


def _bounds(option: OptionSpec) -> Definition:
    """The bounds of a value or a length. Only those of a float may be fractions."""
    what = "length" if option.kind == "str" else "value"
    most = min(option.maximum, _TEXT) if option.maximum is not None and what == "length" else option.maximum
    values = {f"min_{what}": option.minimum, f"max_{what}": most}
    is_float = option.kind == "float"
    return {name: value if is_float else int(value) for name, value in values.items() if value is not None}


def _translated(field: str, translations: dict[str, str]) -> Definition:
    if field == "description":
        translations = {locale: _help(text, text) for locale, text in translations.items()}
    return {f"{field}_localizations": translations} if translations else {}


def _help(text: str, name: str) -> str:
    """The first line of `text`, shortened; `name` if it is empty, because Discord requires a description."""
    return shorten(text.strip().partition("\n")[0] or name, _HELP)


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
            f"{where}: {name!r} is not a valid name: 1 to {_WORD} lower-case letters, digits, - and _"
        )


def _characters(definition: Definition) -> int:
    """The length as Discord counts it: names, descriptions and values. Of several translations, the longest counts."""
    size = 0
    for field in ("name", "description"):
        texts = [definition.get(field, ""), *definition.get(f"{field}_localizations", {}).values()]
        size += max(len(text) for text in texts)
    size += sum(len(choice["name"]) + len(str(choice["value"])) for choice in definition.get("choices", ()))
    return size + sum(_characters(option) for option in definition.get("options", ()))
