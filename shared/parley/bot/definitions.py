"""The check of a whole bot: `make run`, `make build` and tests make it. No function of a deployment pays for it."""

# ruff: noqa: SLF001  # it reads the tables of the bot
# pyright: reportPrivateUsage=false

from typing import Any

from parley.bot.bot import Bot
from parley.bot.handlers import Entry, place_of
from parley.bot.readable import check_default, check_readable


def check(bot: Bot) -> None:
    """Raise TypeError for an argument whose type no text can be read as, or whose default is of another type, and
    ValueError for a completion, an instant function or a tool that belongs to nothing.
    """
    for entry in bot._entries():
        _check_arguments(entry)
    for conversing in bot._conversing:
        _check_tools(bot, conversing.tools)
    for command, option in bot._completions:
        _check_completion(bot, command, option)
    for name in bot._instants:
        if bot._find(name) is None and name not in bot._actions:
            raise ValueError(
                f"@bot.instant({name!r}): there is no command and no action {name!r}; write @bot.action({name!r}) for "
                "those who cannot open the form"
            )


def _check_tools(bot: Bot, tools: Any) -> None:
    """Raise ValueError for a name among the `tools` of a model that is none of a command which a model can call."""
    if isinstance(tools, bool):
        return
    from parley.bot.offers import can_be_called  # noqa: PLC0415  # most bots ask no model

    possible = sorted(command.name for command in bot.commands.values() if can_be_called(command))
    for name in tools:
        if name not in possible:
            known = bot.commands.get(name)
            why = "a model cannot call" if known is not None else "there is no command"
            raise ValueError(
                f"converse(tools=...): {why} {name!r}; it can call {', '.join(possible) or 'none'}. Commands that ask "
                "questions, menu entries and those with tool=False are for people"
            )


def _check_arguments(entry: Entry) -> None:
    for parameter in entry.signature.parameters:
        try:
            check_readable(parameter.type)
        except TypeError as error:
            raise TypeError(f"{place_of(entry.handler)}: no text can be read as `{parameter.name}`: {error}") from error
        if not parameter.required:
            try:
                check_default(parameter.type, parameter.default)
            except TypeError as error:
                raise TypeError(f"{place_of(entry.handler)}: `{parameter.name}`: {error}") from error


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
