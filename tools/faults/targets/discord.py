"""Discord over HTTP. The bot gets commands only, no plain text."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from nacl.signing import SigningKey

from parley.model.commands import CommandSpec
from parley.platforms.discord.commands import definitions
from playground.platforms.base import Platform
from playground.platforms.discord import Discord, wire
from playground.platforms.exchange import Request
from tools.faults.bot import LATE_APP, make_bot
from tools.faults.target import APP, Target, without

_HOST = "http://discord.imitation"


class _Discord(Discord):
    """Discord, with the bot's commands registered by its own API."""

    def add_app(self, name: str, config: Mapping[str, Any]) -> None:
        super().add_app(name, {**config, "signing_key": _key(name).encode().hex()})
        register(self, config, _specs())


@cache
def _specs() -> tuple[CommandSpec, ...]:
    """The commands of the bot, which are the same in each simulation."""
    return tuple(make_bot().specs())


def register(discord: Platform[Any], config: Mapping[str, Any], specs: Sequence[CommandSpec]) -> None:
    """Replace the commands of an app. Raises ValueError if Discord rejects them."""
    headers = {"authorization": f"Bot {config['bot_token']}", "user-agent": "DiscordBot (faults, 1)"}
    path = f"/api/v10/applications/{config['application_id']}/commands"
    response = discord.handle(Request("PUT", path, headers=headers, body=wire.dumps(definitions(specs))))
    if response.status != 200:
        raise ValueError(f"Discord rejects the commands: {response.body!r}")


def _key(name: str) -> SigningKey:
    return SigningKey(name.encode().ljust(32, b"-"))


def _app(name: str) -> dict[str, Any]:
    return {
        "application_id": wire.stable_id("faults", name),
        "public_key": _key(name).verify_key.encode().hex(),
        "bot_token": f"token-{name}",
        "host": f"{_HOST}/api/v10",
    }


TARGETS = (
    Target(
        "discord",
        _Discord,
        {name: _app(name) for name in (APP, LATE_APP)},
        _HOST,
        without("refused", "push", "form"),
        long_text_words=300,
        receives_plain_text=False,
        register=register,
    ),
)
