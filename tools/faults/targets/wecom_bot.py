"""WeCom smart bots. What they cannot do is left out: to write first, and to write to another place. So are texts with a
rest: a `response_url` carries it, unless a reply that came late has used it. A reminder comes once, within the hour of
the message, unless its own reply came late.
"""

from typing import Any

from playground.platforms.base import PRIVATE
from playground.platforms.wecom_bot import WecomBot
from tools.faults.bot import LATE_APP
from tools.faults.target import APP, Target, without

_HOST = "http://wecom-bot.imitation"


def _app(name: str) -> dict[str, Any]:
    return {"bot_id": f"aib-{name}", "token": f"token-{name}", "encoding_aes_key": "k" * 43, "host": _HOST}


TARGETS = (
    Target(
        "wecom_bot",
        WecomBot,
        {name: _app(name) for name in (APP, LATE_APP)},
        _HOST,
        without("long", "late", "push", "unshown", "notify", "schedule"),
        room=PRIVATE,
        polls=True,
    ),
)
