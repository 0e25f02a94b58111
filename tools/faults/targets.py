"""The platforms under test. To add a platform, add an entry to `TARGETS`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from msgspec import convert
from nacl.signing import SigningKey

from parley.platforms import config_type
from parley.platforms.discord.commands import definitions
from playground.platforms.base import PRIVATE, Platform
from playground.platforms.discord import Discord, wire
from playground.platforms.feishu import Feishu
from playground.platforms.http import Request
from playground.platforms.wechat import Wechat
from playground.platforms.wecom import Wecom
from tools.faults.bot import HOOK, LATE_APP, make_bot

APP = "demo"


@dataclass(frozen=True, slots=True)
class Target:
    """A platform under test: its imitation, the base URL of its API, and the configurations of its apps."""

    name: str
    imitation: type[Platform]
    apps: Mapping[str, Mapping[str, Any]]
    address: str
    commands: tuple[str, ...] = ("count", "two", "long", "card", "photo", "refused", "late", "push")
    """The commands that people send there."""
    long_text_words: int = 2000
    """Words of a text that needs several messages on this platform, and no more than the platform accepts."""
    receives_plain_text: bool = True
    """Whether the platform delivers messages that are not commands to the bot."""
    room: str = "team"
    """Where people talk to the bot."""
    message_interval: float = 0
    """Least average seconds between the messages of one person, on platforms that allow the bot only a few replies to
    each message; 0 on all others."""
    variant: str = ""
    """The name of this configuration, if one platform is tested in several configurations."""

    @property
    def title(self) -> str:
        """The name in the printed table."""
        return f"{self.name} {self.variant}".strip()

    @property
    def replies_passively(self) -> bool:
        """Whether its apps are configured to reply within the callback."""
        return any(convert(app, config_type(self.name)).replies_passively for app in self.apps.values())

    @property
    def all_commands(self) -> tuple[str, ...]:
        """All that a person can do there: the commands, plain text (`echo`), and a press of a button (`press`)."""
        return (*self.commands, *(("echo",) if self.receives_plain_text else ()), "press")

    def text(self, command: str, tag: str) -> str:
        """The text that a person sends for `command`. All tags of a run have the same length: it is part of the
        length of a long text.
        """
        match command:
            case "echo":
                return tag
            case "long":
                return f"/long {tag} {self.long_text_words}"
            case _:
                return f"/{command} {tag}"


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
    """Discord, with the bot's commands registered by its own API."""

    def add_app(self, name: str, config: Mapping[str, Any]) -> None:
        super().add_app(name, {**config, "signing_key": _key(name).encode().hex()})
        specs = make_bot().specs()
        headers = {"authorization": f"Bot {config['bot_token']}", "user-agent": "DiscordBot (faults, 1)"}
        path = f"/api/v10/applications/{config['application_id']}/commands"
        response = self.handle(Request("PUT", path, headers=headers, body=wire.dumps(definitions(specs))))
        if response.status != 200:
            raise ValueError(f"Discord rejects the commands: {response.body!r}")


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

_KEY = "k" * 43


def _wecom(name: str) -> dict[str, Any]:
    hook = {"url": f"{_WECOM}/cgi-bin/webhook/send?key={name}"}
    return {
        "corp_id": "ww0123456789abcdef",
        "agent_id": 1_000_001 if name == APP else 1_000_002,
        "secret": f"secret-{name}",
        "token": f"token-{name}",
        "encoding_aes_key": _KEY,
        "host": _WECOM,
        "webhooks": {HOOK: hook} if name == APP else {},
    }


_WECOM = "http://wecom.imitation"


def _wechat(mode: str) -> dict[str, Any]:
    return {
        "app_id": f"wx{mode}",
        "app_secret": f"secret-{mode}",
        "token": f"token-{mode}",
        "encoding_aes_key": _KEY,
        "reply_mode": mode,
        "host": _WECHAT,
    }


_WECHAT = "http://wechat.imitation"

TARGETS = (
    Target("feishu", Feishu, {name: _feishu(name) for name in (APP, LATE_APP)}, _FEISHU, long_text_words=12_000),
    Target(
        "discord",
        _Discord,
        {name: _discord(name) for name in (APP, LATE_APP)},
        _DISCORD,
        ("count", "two", "long", "card", "photo", "late"),
        long_text_words=300,
        receives_plain_text=False,
    ),
    Target("wecom", Wecom, {name: _wecom(name) for name in (APP, LATE_APP)}, _WECOM, long_text_words=250, room=PRIVATE),
    # No `late`: an account cannot write to a person who has never written to it. No `push`: there are no webhooks.
    Target(
        "wechat",
        Wechat,
        {APP: _wechat("active")},
        _WECHAT,
        ("count", "two", "long", "card", "photo", "refused"),
        long_text_words=250,
        room=PRIVATE,
        message_interval=70,
        variant="active",
    ),
    # No `refused` either: WeChat does not report a passive reply that it cannot show.
    Target(
        "wechat",
        Wechat,
        {APP: _wechat("passive")},
        _WECHAT,
        ("count", "two", "long", "card", "photo"),
        long_text_words=250,
        room=PRIVATE,
        message_interval=70,
        variant="passive",
    ),
)
