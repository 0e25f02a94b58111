"""Feishu, with a group webhook."""

from typing import Any

from playground.platforms.feishu import Feishu
from tools.faults.bot import HOOK, LATE_APP
from tools.faults.target import APP, Target

_HOST = "http://feishu.imitation"


def _app(name: str) -> dict[str, Any]:
    return {
        "app_id": f"cli_{name}",
        "app_secret": f"secret-{name}",
        "verification_token": f"verification-{name}",
        "encrypt_key": f"key-{name}",
        "host": _HOST,
        "logins": {"redirect_uri": f"https://bot.imitation/oauth/feishu/{name}/callback"},
        "webhooks": {HOOK: {"url": f"{_HOST}/open-apis/bot/v2/hook/{name}", "secret": "hook"}} if name == APP else {},
    }


TARGETS = (Target("feishu", Feishu, {name: _app(name) for name in (APP, LATE_APP)}, _HOST, long_text_words=12_000),)
