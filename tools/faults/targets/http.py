"""The HTTP channel, whose client gets the replies at its webhook. It has no group webhooks, and it refuses nothing."""

from typing import Any

from playground.platforms.http import Http
from tools.faults.bot import LATE_APP
from tools.faults.target import APP, Target, without

_HOST = "http://localhost:9/http"


def _app(name: str) -> dict[str, Any]:
    return {
        "issuers": [
            {
                "issuer": "https://login.example.com",
                "audience": name,
                "algorithm": "HS256",
                "secrets": [f"secret-of-the-tokens-for-{name}".ljust(32, ".")],
            }
        ],
        "webhook_url": f"{_HOST}/webhooks/{name}",
        "webhook_secrets": ["whsec_" + "c2VjcmV0" * 5],
    }


TARGETS = (
    Target(
        "http",
        Http,
        {name: _app(name) for name in (APP, LATE_APP)},
        _HOST,
        without("push", "refused", "unshown", "form"),
    ),
)
