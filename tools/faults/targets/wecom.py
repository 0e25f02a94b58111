"""WeCom, with a group robot."""

from typing import Any

from playground.platforms.base import PRIVATE
from playground.platforms.wecom import Wecom
from tools.faults.bot import HOOK, LATE_APP
from tools.faults.target import APP, COMMANDS, Target

_HOST = "http://wecom.imitation"


def _app(name: str) -> dict[str, Any]:
    hook = {"url": f"{_HOST}/cgi-bin/webhook/send?key={name}"}
    return {
        "corp_id": "ww0123456789abcdef",
        "agent_id": 1_000_001 if name == APP else 1_000_002,
        "secret": f"secret-{name}",
        "token": f"token-{name}",
        "encoding_aes_key": "k" * 43,
        "host": _HOST,
        "webhooks": {HOOK: hook} if name == APP else {},
    }


TARGETS = (
    Target(
        "wecom",
        Wecom,
        {name: _app(name) for name in (APP, LATE_APP)},
        _HOST,
        COMMANDS,
        long_text_words=250,
        room=PRIVATE,
    ),
)
