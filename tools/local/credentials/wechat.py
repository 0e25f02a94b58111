"""Two Official Accounts in safe mode. `demo` sends customer-service messages, `passive` passive replies.

Their ids are those of the accounts in `parley.testing`, so people have the same ids there and in every local stack.
"""

import secrets
from typing import Any

from tools.local.credentials.generate import aes_key, letters


def apps(playground: str) -> dict[str, dict[str, Any]]:
    """The apps by name."""
    host = f"{playground}/wechat"
    return {"demo": _app(host, "active"), "passive": _app(host, "passive")}


def _app(host: str, reply_mode: str) -> dict[str, Any]:
    return {
        "app_id": f"wx{reply_mode}",
        "app_secret": secrets.token_hex(16),
        "token": letters(24),
        "encoding_aes_key": aes_key(),
        "original_id": f"gh_{secrets.token_hex(6)}",
        "mode": "safe",
        "host": host,
        "reply_mode": reply_mode,
    }
