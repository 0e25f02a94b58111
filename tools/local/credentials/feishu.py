"""A custom app of Feishu with one custom-bot webhook, `ops`. It fetches the names of senders.

Its id is that of the app in `parley.testing`, so people have the same ids there and in every local stack.
"""

import secrets
from typing import Any

from tools.local.credentials.generate import letters


def apps(playground: str) -> dict[str, dict[str, Any]]:
    """The apps by name."""
    host = f"{playground}/feishu"
    demo = {
        "app_id": "cli_demo",
        "app_secret": letters(32),
        "encrypt_key": letters(32),
        "verification_token": letters(32),
        "app_type": "internal",
        "host": host,
        "names": True,
        "logins": {"redirect_uri": f"{playground}/oauth/feishu/demo/callback"},
        "bot_open_id": f"ou_{secrets.token_hex(16)}",
        "webhooks": {
            "ops": {
                "url": f"{host}/open-apis/bot/v2/hook/{secrets.token_hex(16)}",
                "secret": secrets.token_urlsafe(16),
            }
        },
    }
    return {"demo": demo}
