"""NewChat."""

# Next: Add the commands of tools/faults/bot.py that are missing here and that NewChat can do.

from typing import Any

from playground.platforms.newchat import Newchat
from tools.faults.bot import LATE_APP
from tools.faults.target import APP, Target

_HOST = "http://newchat.simulated"


def _app(name: str) -> dict[str, Any]:
    return {
        "app_id": name,
        "app_secret": f"secret-{name}",
        "signing_secret": f"signing-{name}",
        "host": _HOST,
    }


TARGETS = (
    Target(
        "newchat",
        Newchat,
        {name: _app(name) for name in (APP, LATE_APP)},
        _HOST,
        ("count", "two", "long", "card", "photo", "late", "pay", "remind", "ask", "notify"),
        long_text_words=300,
    ),
)
