"""One smart bot of WeCom."""

import secrets
from typing import Any

from tools.local.credentials.generate import aes_key, letters


def apps(playground: str) -> dict[str, dict[str, Any]]:
    """The apps by name."""
    demo = {
        "bot_id": f"aib{secrets.token_urlsafe(16)}",
        "name": "Parley",
        "token": letters(24),
        "encoding_aes_key": aes_key(),
        "host": f"{playground}/wecom_bot",
    }
    return {"demo": demo}
