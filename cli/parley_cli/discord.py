"""The commands for Discord."""

import importlib
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from parley.adapter import App
from parley.bot import Bot, definitions
from parley.engine.http import CallError, Http
from parley.platforms.discord.commands import BadCommandError
from parley_cli import check, registration, store
from parley_cli.command import Run, command
from parley_cli.problems import Problem

group = typer.Typer(help="Discord: the commands that it offers to people.", no_args_is_help=True)


@group.callback()
def _group() -> None:
    """Keep `register` a command of a group, although it is the only one."""


@command(group)
def register(
    run: Run,
    app: Annotated[str, typer.Argument(help="The name of the app, such as helper.")],
    guild: Annotated[str, typer.Option(help="Register in this guild only.")] = "",
    bot: Annotated[str, typer.Option(metavar="FOLDER", help="The folder with bot.py; PARLEY_BOT, or mybot.")] = "",
    apply: Annotated[bool, typer.Option("--apply", help="Make the changes.")] = False,
) -> None:
    """Register the bot's commands with Discord.

    It prints the differences: + new, ~ changed, - removed. With --apply it makes them: in the guild of --guild, else in
    the guilds of `guild_ids`, else everywhere.
    """
    config = check.decoded("discord", app, store.read(run.place, "discord", app).raw)
    specs = load_bot(bot).specs()
    lines: list[str] = []
    try:
        with check.client() as client:
            for each in (guild,) if guild else config.guild_ids or ("",):  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
                registration.register(
                    specs, App("discord", app, config), each, Http(client), apply=apply, report=lines.append
                )
    except (BadCommandError, registration.RegistrationError, CallError) as error:
        raise Problem(f"The commands cannot be registered: {error}.") from error
    run.show({"applied": apply, "changes": lines}, lines)


def load_bot(folder: str = "") -> Bot:
    """The object `bot` of bot.py in `folder`, as the functions import it. Raises Problem and each error of the bot."""
    place = Path(folder or os.environ.get("PARLEY_BOT") or "mybot").resolve()
    if not (place / "bot.py").exists():
        raise Problem(
            f"{place} has no bot.py.", "Go to the folder of your checkout, or name the bot's folder with --bot."
        )
    if str(place) not in sys.path:
        sys.path.insert(0, str(place))
    found: Bot | None = getattr(importlib.import_module("bot"), "bot", None)
    if found is None:
        raise Problem(f"{place}/bot.py defines no `bot`.", "Write `bot = Bot()` in it.")
    definitions.check(found)
    return found
