"""The platforms that the suite runs on. Another one is one line in `SUBJECTS`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nacl.signing import SigningKey

from parley.platforms.discord.commands import definitions
from playground.platforms.base import Platform
from playground.platforms.discord import Discord, wire
from playground.platforms.feishu import Feishu
from playground.platforms.http import Request
from tools.faults.bot import HOOK, LATE_APP, make_bot

APP = "demo"


@dataclass(frozen=True, slots=True)
class Subject:
    """A platform to be tested: its imitation, the address at which that answers, and the configurations of its apps."""

    name: str
    imitation: type[Platform]
    apps: Mapping[str, Mapping[str, Any]]
    address: str
    commands: tuple[str, ...] = ("count", "two", "long", "card", "photo", "refused", "late", "push")
    """What can be said to the bot there."""
    plain: bool = True
    """Whether the platform tells a bot what is no command."""

    @property
    def all_commands(self) -> tuple[str, ...]:
        """Everything that a person can do there: also plain text, and to press a button."""
        return (*self.commands, *(("echo",) if self.plain else ()), "press")


def _feishu(name: str) -> dict[str, Any]:
    return {
        "app_id": f"cli_{name}",
        "app_secret": f"secret-{name}",
        "verification_token": f"verification-{name}",
        "encrypt_key": f"key-{name}",
        "host": _FEISHU,
        "webhooks": {HOOK: {"url": f"{_FEISHU}/open-apis/bot/v2/hook/{name}", "secret": "hook"}} if name == APP else {},
    }


_FEISHU = "http://feishu.imitation"


class _Discord(Discord):
    """Discord, told of the bot's commands by its own API."""

    def add_app(self, name: str, config: Mapping[str, Any]) -> None:
        super().add_app(name, {**config, "signing_key": _key(name).encode().hex()})
        specs = make_bot().specs()
        headers = {"authorization": f"Bot {config['bot_token']}", "user-agent": "DiscordBot (faults, 1)"}
        path = f"/api/v10/applications/{config['application_id']}/commands"
        answer = self.handle(Request("PUT", path, headers=headers, body=wire.dumps(definitions(specs))))
        if answer.status != 200:
            raise ValueError(f"the commands were refused: {answer.body!r}")


def _key(name: str) -> SigningKey:
    return SigningKey(name.encode().ljust(32, b"-"))


def _discord(name: str) -> dict[str, Any]:
    return {
        "application_id": wire.stable_id("faults", name),
        "public_key": _key(name).verify_key.encode().hex(),
        "bot_token": f"token-{name}",
        "host": f"{_DISCORD}/api/v10",
    }


_DISCORD = "http://discord.imitation"

SUBJECTS = (
    Subject("feishu", Feishu, {name: _feishu(name) for name in (APP, LATE_APP)}, _FEISHU),
    Subject(
        "discord",
        _Discord,
        {name: _discord(name) for name in (APP, LATE_APP)},
        _DISCORD,
        ("count", "two", "card", "photo", "late"),
        plain=False,
    ),
)
