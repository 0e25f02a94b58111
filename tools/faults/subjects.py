"""The platforms that the suite runs on. Another one is one line in `SUBJECTS`."""

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
class Subject:
    """A platform to be tested: its imitation, the address at which that answers, and the configurations of its apps."""

    name: str
    imitation: type[Platform]
    apps: Mapping[str, Mapping[str, Any]]
    address: str
    commands: tuple[str, ...] = ("count", "two", "long", "card", "photo", "refused", "late", "push")
    """What can be said to the bot there."""
    words: int = 2000
    """How long a text has to be for several messages there, and for no more than the platform takes."""
    plain: bool = True
    """Whether the platform tells a bot what is no command."""
    room: str = "team"
    """Where people talk to the bot."""
    gap: float = 0
    """Seconds between the messages of one person, on average and at least, where each allows the bot a few replies."""
    way: str = ""
    """How it is configured, where one platform is tested in several ways."""

    @property
    def title(self) -> str:
        """What it is called in the table."""
        return f"{self.name} {self.way}".strip()

    @property
    def replies_passively(self) -> bool:
        """Whether its apps are configured to give replies within the callback."""
        return any(convert(app, config_type(self.name)).replies_passively for app in self.apps.values())

    @property
    def all_commands(self) -> tuple[str, ...]:
        """Everything that a person can do there: also plain text, and to press a button."""
        return (*self.commands, *(("echo",) if self.plain else ()), "press")

    def said(self, command: str, mark: str) -> str:
        """What a person writes to give `command`. Marks have to be of one length, for that is a part of the text's."""
        match command:
            case "echo":
                return mark
            case "long":
                return f"/long {mark} {self.words}"
            case _:
                return f"/{command} {mark}"


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


def _wechat(way: str) -> dict[str, Any]:
    return {
        "app_id": f"wx{way}",
        "app_secret": f"secret-{way}",
        "token": f"token-{way}",
        "encoding_aes_key": _KEY,
        "reply_mode": way,
        "host": _WECHAT,
    }


_WECHAT = "http://wechat.imitation"

SUBJECTS = (
    Subject("feishu", Feishu, {name: _feishu(name) for name in (APP, LATE_APP)}, _FEISHU, words=12_000),
    Subject(
        "discord",
        _Discord,
        {name: _discord(name) for name in (APP, LATE_APP)},
        _DISCORD,
        ("count", "two", "long", "card", "photo", "late"),
        words=300,
        plain=False,
    ),
    Subject("wecom", Wecom, {name: _wecom(name) for name in (APP, LATE_APP)}, _WECOM, words=250, room=PRIVATE),
    # Another account cannot write to a person who has never written to it, and there are no webhooks.
    Subject(
        "wechat",
        Wechat,
        {APP: _wechat("active")},
        _WECHAT,
        ("count", "two", "long", "card", "photo", "refused"),
        words=250,
        room=PRIVATE,
        gap=70,
        way="active",
    ),
    # Nobody is told of an answer within the callback that cannot be shown, so nothing refused is said there.
    Subject(
        "wechat",
        Wechat,
        {APP: _wechat("passive")},
        _WECHAT,
        ("count", "two", "long", "card", "photo"),
        words=250,
        room=PRIVATE,
        gap=70,
        way="passive",
    ),
)
