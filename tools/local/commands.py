"""Registers the bot's commands at the simulated platforms, as a team does after a deployment, and offers them on the
page."""

import json
from typing import Any

import httpx
import msgspec

from parley.adapter import App
from parley.engine.http import CallError, Http
from parley.model.commands import CommandSpec
from parley.platforms import config_type
from parley_cli.registration import RegistrationError
from parley_cli.registration import register as at_discord
from tools import bot
from tools.local.errors import StackError
from tools.local.paths import Paths


def register(stack: dict[str, Any], paths: Paths) -> None:
    """Register the bot's commands for every app of a platform with commands, and write `commands.json` for the page.
    Raises StackError."""
    specs = bot.load().specs()
    try:
        _register(stack, specs)
    finally:
        # Written last: when it changes, the page also reads the registered commands again.
        new = paths.commands.with_suffix(".new")
        new.write_bytes(msgspec.json.encode(specs))
        new.replace(paths.commands)


def _register(stack: dict[str, Any], specs: list[CommandSpec]) -> None:
    with httpx.Client(trust_env=False) as client:
        for name, config in stack["apps"].get("discord", {}).items():
            app = App("discord", name, msgspec.json.decode(json.dumps(config), type=config_type("discord")))
            try:
                at_discord(specs, app, "", Http(client), apply=True, report=_ignore)
            except (RegistrationError, CallError) as error:
                raise StackError(f"The commands cannot be registered: {error}") from error


def _ignore(_line: str) -> None:
    """Print nothing."""
