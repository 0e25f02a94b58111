"""Two internal apps of WeCom, each with one group robot, `ops`. `demo` fetches the names of senders, `passive` uses
passive replies. And `suite`, an app of a service provider, which companies install on the page or from its own.
"""

import secrets
import uuid
from typing import Any

from tools.local.credentials.generate import aes_key, letters


def apps(playground: str) -> dict[str, dict[str, Any]]:
    """The apps by name."""
    host = f"{playground}/wecom"
    demo, passive = _app(host) | {"names": True}, _app(host) | {"reply_mode": "passive"}
    page = {"redirect_uri": f"{playground}/install/wecom/suite/done", "site": host}
    return {"demo": demo, "passive": passive, "suite": _suite(host) | {"install": page}}


def _suite(host: str) -> dict[str, Any]:
    return {
        "suite_id": f"ww{secrets.token_hex(8)}",
        "suite_secret": secrets.token_urlsafe(32),
        "provider_corp_id": f"ww{secrets.token_hex(8)}",
        "token": letters(24),
        "encoding_aes_key": aes_key(),
        "host": host,
    }


def _app(host: str) -> dict[str, Any]:
    return {
        "corp_id": f"ww{secrets.token_hex(8)}",
        "agent_id": 1_000_000 + secrets.randbelow(1000),
        "secret": secrets.token_urlsafe(32),
        "token": letters(24),
        "encoding_aes_key": aes_key(),
        "host": host,
        "webhooks": {"ops": {"url": f"{host}/cgi-bin/webhook/send?key={uuid.uuid4()}"}},
    }
