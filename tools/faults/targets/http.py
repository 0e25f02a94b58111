"""The HTTP channel, whose client gets the replies at its webhook, reads them on from a cursor, or is connected.
It has no group webhooks, and it refuses nothing.
"""

from typing import Any

from playground.platforms.http import Http
from playground.platforms.http.polling import PollingHttp
from tools.faults.bot import LATE_APP
from tools.faults.target import APP, Target, without

_HOST = "http://localhost:9/http"


_COMMANDS = without("push", "refused", "unshown", "form")


def _app(name: str) -> dict[str, Any]:
    return {
        **_polled(name),
        "webhook_url": f"{_HOST}/webhooks/{name}",
        "webhook_secrets": ["whsec_" + "c2VjcmV0" * 5],
    }


def _polled(name: str) -> dict[str, Any]:
    return {
        "issuers": [
            {
                "issuer": "https://login.example.com",
                "audience": name,
                "algorithm": "HS256",
                "secrets": [f"secret-of-the-tokens-for-{name}".ljust(32, ".")],
            }
        ]
    }


TARGETS = (
    Target(
        "http",
        Http,
        {name: _app(name) for name in (APP, LATE_APP)},
        _HOST,
        _COMMANDS,
    ),
    Target(
        "http",
        PollingHttp,
        {name: _polled(name) for name in (APP, LATE_APP)},
        _HOST,
        _COMMANDS,
        variant="polling",
        thin=3,
    ),
    Target(
        "http",
        Http,
        {name: {**_polled(name), "sockets": True} for name in (APP, LATE_APP)},
        _HOST,
        _COMMANDS,
        connected=True,
        variant="sockets",
        thin=8,
    ),
)
