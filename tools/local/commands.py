"""Tells the imitated platforms of the bot's commands, as the team that deploys it does once."""

import contextlib
import io
import json
from typing import Any

import httpx
import msgspec

from parley.adapter import App
from parley.engine.http import CallError, Http
from parley.platforms import config_type
from tools import bot
from tools.discord_commands import RegistrationFailed
from tools.discord_commands import register as at_discord
from tools.local.trouble import Trouble


def register(stack: dict[str, Any]) -> None:
    """Register the commands of the bot for every app that wants to be told. Raises Trouble."""
    specs = bot.load().specs()
    told = io.StringIO()
    with httpx.Client(trust_env=False) as client, contextlib.redirect_stdout(told):
        for name, config in stack["apps"].get("discord", {}).items():
            app = App("discord", name, msgspec.json.decode(json.dumps(config), type=config_type("discord")))
            try:
                at_discord(specs, app, "", Http(client), apply=True)
            except (RegistrationFailed, CallError) as error:
                raise Trouble(f"The commands cannot be registered: {error}") from error
