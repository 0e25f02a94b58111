"""Registers the bot's commands with Discord.

    python -m tools.discord_commands APP [--stage STAGE] [--guild ID] [--apply]

It prints the differences between the bot's commands and Discord's list: `+` new, `~` changed, `-` removed. With
`--apply` it makes these changes. The commands are those of mybot/bot.py. The tool reads the application's configuration
where the functions read it, in SSM under `/parley/STAGE/discord/APP`: with `--stage`, on AWS with the credentials and
the region of the shell; without it, on the local stack. It registers the commands in the guild of `--guild`, else in
the guilds of `guild_ids`, else globally.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import httpx
import msgspec

from parley.adapter import Answer, App, Call, Sent
from parley.engine.apps import Apps, AppsUnavailableError, UnknownAppError
from parley.engine.http import CallError, Http
from parley.errors import RetryAfter
from parley.model.commands import CommandSpec
from parley.platforms.discord.commands import BadCommandError, definitions
from parley.platforms.discord.outbound import outcome
from parley.platforms.discord.registration import calls, listing, plan
from tools import bot

_LONGEST_WAIT = 60.0
"""The longest rate-limit pause in seconds. Longer ones are errors."""

_UNREADABLE = (
    "/parley/{stage}/discord/{app} cannot be read ({error}): set AWS_PROFILE and AWS_REGION to the account and the "
    "region of the stage"
)


class RegistrationError(Exception):
    """Discord rejects a request. The text has the reason."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line. Returns the exit status."""
    from tools.local import StackError  # noqa: PLC0415  # the local stack imports this module
    from tools.stage import use_stage  # noqa: PLC0415  # as above

    options = _parser().parse_args(arguments)
    try:
        use_stage(options.stage)
        app = Apps().get("discord", options.app)
        specs = bot.load(options.bot).specs()
        guilds = (options.guild,) if options.guild else app.config.guild_ids or ("",)
        with httpx.Client() as client:
            for guild in guilds:
                register(specs, app, guild, Http(client), apply=options.apply)
    except UnknownAppError:
        sys.exit(f"error: Discord has no app {options.app!r} in the stage {options.stage or 'local'}")
    except AppsUnavailableError as error:
        sys.exit(f"error: {_UNREADABLE.format(error=error, stage=options.stage or 'local', app=options.app)}")
    except (StackError, BadCommandError, RegistrationError, CallError) as error:
        sys.exit(f"error: {error}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("app", help="name of the application's configuration")
    parser.add_argument("--stage", default="", help="stage of a deployment on AWS; without it, the local stack")
    parser.add_argument("--guild", default="", help="register in this guild only")
    parser.add_argument("--bot", type=Path, help="file with the bot (default mybot/bot.py)")
    parser.add_argument("--apply", action="store_true", help="make the changes")
    return parser


def register(
    specs: Iterable[CommandSpec],
    app: App,
    guild: str,
    http: Http,
    *,
    apply: bool,
    sleep: Callable[[float], None] = time.sleep,
    report: Callable[[str], None] = print,
) -> None:
    """Report the differences in `guild`, or globally if it is empty. Make the changes if `apply`.

    Raises RegistrationError.
    """
    wanted = definitions(specs)
    answer = _make(listing(app, guild), app, http, sleep)
    existing: Any = msgspec.json.decode(answer.body)
    changes = plan(existing, wanted, guild=bool(guild))
    lines = [*changes.lines()]
    report(f"{f'guild {guild}' if guild else 'everywhere'}: {len(lines) or 'nothing'} to change")
    for line in lines:
        report(f"  {line}")
    if apply:
        for call in calls(changes, app, guild):
            _make(call, app, http, sleep)
            report(f"  done: {call.name} {call.json['name'] if call.json else call.url.rpartition('/')[2]}")
    elif lines:
        report("  nothing was changed: add --apply")


def _make(call: Call, app: App, http: Http, sleep: Callable[[float], None]) -> Answer:
    while True:
        answer = http.perform(call, app.config.bot_token)
        match outcome(call, answer):
            case Sent():
                return answer
            case RetryAfter(seconds=after) if after <= _LONGEST_WAIT:
                sleep(after)
            case refused:
                about = answer.json()
                raise RegistrationError(
                    f"{call.name}: {refused.reason} {about.get('message', '')} {about.get('errors', '')}".rstrip()
                )


if __name__ == "__main__":
    sys.exit(main())
