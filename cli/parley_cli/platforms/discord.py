"""Discord: the developer portal, and what Discord says of the application.

Discord docs: Application › Get Current Application.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from parley.adapter import IDEMPOTENT, Answer, App
from parley.platforms.discord.api import BOT, api_call
from parley.platforms.discord.config import Config
from parley.platforms.discord.registration import listing
from parley_cli.findings import Finding, ok, problem
from parley_cli.setups import Ask, Field, Setup

_PORTAL = "discord.com/developers/applications › (the application)"
_GENERAL = f"{_PORTAL} › General Information"


def probe(app: App, ask: Ask) -> Iterator[Finding]:
    """Whether the token is that of the application, and the public key too."""
    config: Config = app.config
    answer = _application(app, ask)
    if answer.status == 401:
        yield problem(
            "Discord does not accept `bot_token`.",
            f"{_PORTAL} › Bot › Reset Token shows a new one, and ends the old one. Store it with "
            f"`parley app rotate discord/{app.name} bot_token`.",
        )
        return
    if answer.status != 200:
        yield problem(
            f"Discord answers {answer.status}.", "Try again in a minute. https://discordstatus.com may say why."
        )
        return
    found = answer.json()
    if found.get("id") != config.application_id:
        yield problem(
            "`bot_token` belongs to another application than `application_id`.",
            f"Copy both from the same application: {_GENERAL} › Application ID.",
        )
        return
    if str(found.get("verify_key", "")).lower() != config.public_key.lower():
        yield problem(
            "`public_key` is not that of this application, so Parley refuses each callback as forged, and Discord does "
            "not save the URL.",
            f"Copy it from {_GENERAL} › Public Key. Store it: `parley app rotate discord/{app.name} public_key`.",
        )
        return
    yield ok("Discord knows the application, its token and its public key.")


def afterwards(app: App, ask: Ask, url: str) -> Iterator[Finding]:
    """Whether the application sends its callbacks here, and whether it has commands."""
    answer = _application(app, ask)
    entered = answer.json().get("interactions_endpoint_url") if answer.status == 200 else url
    if url and entered != url:
        other = f" ({entered})" if entered else ""
        yield problem(
            f"Discord does not send its callbacks to this deployment{other}.",
            f"{_GENERAL} › Interactions Endpoint URL: enter {url}",
        )
    yield _commands(app, ask)


def _commands(app: App, ask: Ask) -> Finding:
    """Whether commands are registered: Discord offers no others."""
    config: Config = app.config
    for guild in config.guild_ids or ("",):
        answer = ask(listing(app, guild), config.bot_token)
        listed: Any = msgspec.json.decode(answer.body) if answer.status == 200 else None
        if not listed:
            return problem(
                f"No command is registered at Discord{f' in the guild {guild}' if guild else ''}: people find nothing "
                "when they type a slash.",
                f"Run `parley discord register {app.name} --apply`.",
            )
    return ok("Commands are registered at Discord.")


def _application(app: App, ask: Ask) -> Answer:
    config: Config = app.config
    call = api_call(config, "application", "GET", "/applications/@me", auth=BOT, idempotent_for=IDEMPOTENT)
    return ask(call, config.bot_token)


SETUP = Setup(
    label="Discord",
    forms={
        "application": (
            Field("application_id", f"{_GENERAL} › Application ID"),
            Field("public_key", f"{_GENERAL} › Public Key"),
            Field("bot_token", f"{_PORTAL} › Bot › Reset Token", secret=True),
        )
    },
    after=(
        "General Information › Interactions Endpoint URL: enter {url} and save. Discord tests it at once.",
        "Installation: select the scopes `bot` and `applications.commands`, open the install link, choose a server.",
        "Register the commands: parley discord register {app} --apply{options}",
    ),
    guide="docs/connect-discord.md",
    probe=probe,
    afterwards=afterwards,
)
