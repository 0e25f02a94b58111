"""The commands for Discord."""

from typing import Annotated

import typer

from parley.adapter import App
from parley.engine.http import CallError, Http
from parley.platforms.discord.commands import BadCommandError
from parley_cli import bot_folder, check, registration, store
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
    specs = bot_folder.load(bot).specs()
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
