"""Two Official Accounts in safe mode. `demo` sends customer-service messages, `passive` passive replies."""

import secrets
from typing import Any

from tools.local.credentials.generate import aes_key, letters


def apps(playground: str) -> dict[str, dict[str, Any]]:
    """The apps by name."""
    host = f"{playground}/wechat"
    return {"demo": _app(host), "passive": _app(host) | {"reply_mode": "passive"}}


def _app(host: str) -> dict[str, Any]:
    return {
        "app_id": f"wx{secrets.token_hex(8)}",
        "app_secret": secrets.token_hex(16),
        "token": letters(24),
        "encoding_aes_key": aes_key(),
        "original_id": f"gh_{secrets.token_hex(6)}",
        "mode": "safe",
        "host": host,
    }
