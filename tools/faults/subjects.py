"""The platforms that the suite runs on. Another one is one line in `SUBJECTS`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from playground.platforms.base import Platform
from playground.platforms.feishu import Feishu
from tools.faults.bot import HOOK, LATE_APP

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

SUBJECTS = (Subject("feishu", Feishu, {name: _feishu(name) for name in (APP, LATE_APP)}, _FEISHU),)
