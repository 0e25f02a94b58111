"""The check of a whole bot: `make run`, `make build` and tests make it. No function of a deployment pays for it."""

# ruff: noqa: SLF001  # it reads the tables of the bot
# pyright: reportPrivateUsage=false

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, get_origin

from parley.bot.bot import Bot
from parley.bot.conversions import adapter_of, is_list, is_person, plain_type
from parley.bot.handlers import Entry, place_of
from parley.bot.specs import bare, notes_of

_STRUCTURES = {
    *("callable", "dataclass", "dict", "frozenset", "generator", "is-instance", "is-subclass"),
    *("list", "model", "set", "tuple", "typed-dict"),
}
"""Pydantic's types of values that no text is."""
_BOUNDS, _LENGTHS = ("ge", "gt", "le", "lt", "multiple_of"), ("min_length", "max_length", "pattern")
_UNFIT: dict[Any, tuple[str, ...]] = {
    **dict.fromkeys((str, list), _BOUNDS),
    **dict.fromkeys((bool, int, float, Decimal, date, datetime, timedelta), _LENGTHS),
}
"""The arguments of a `Field` that a type cannot have. Pydantic raises TypeError when it reads a value."""


def check(bot: Bot) -> None:
    """Raise TypeError for an argument whose type no text can be read as, and ValueError for a completion or an instant
    function that belongs to nothing.
    """
    for entry in bot._entries():
        _check_arguments(entry)
    for command, option in bot._completions:
        _check_completion(bot, command, option)
    for name in bot._instants:
        if bot._find(name) is None and name not in bot._actions:
            raise ValueError(
                f"@bot.instant({name!r}): there is no command and no action {name!r}; write @bot.action({name!r}) for "
                "those who cannot open the form"
            )


def _check_arguments(entry: Entry) -> None:
    for parameter in entry.signature.parameters:
        try:
            _check_readable(parameter.type)
        except TypeError as error:
            raise TypeError(f"{place_of(entry.handler)}: no text can be read as `{parameter.name}`: {error}") from error


def _check_readable(annotation: Any) -> None:
    """Raise TypeError if no text can be read as `annotation`, or if its metadata does not fit its type."""
    if bare(annotation) is str or is_person(annotation):
        return
    plain = plain_type(annotation)
    names = _UNFIT.get(get_origin(plain) or plain, ())
    unfit = next((name for name in names for note in notes_of(annotation) if getattr(note, name, None) is not None), "")
    if unfit:
        raise TypeError(f"Field({unfit}=...) is not for {getattr(plain, '__name__', plain)}")
    try:
        schema: Any = adapter_of(annotation).core_schema
    except Exception as error:  # pydantic has several, which have no base of their own
        reason = " ".join(str(error).split())[:200]
        raise TypeError(f"write a type such as str, int or date, or correct its Field: {reason}") from error
    kind = schema["schema"]["type"] if schema["type"] == "nullable" else schema["type"]
    if not is_list(annotation) and kind in _STRUCTURES:
        raise TypeError("write one argument for each of its values, or a list")


def _check_completion(bot: Bot, command: str, option: str) -> None:
    found = bot.commands.get(command)
    if found is None:
        raise ValueError(f"@bot.completion({command!r}, {option!r}): there is no command /{command}")
    names = [parameter.name for parameter in found.signature.parameters]
    if option not in names:
        raise ValueError(
            f"@bot.completion({command!r}, {option!r}): /{command} has no argument {option!r}; "
            f"it has {', '.join(names) or 'none'}"
        )
