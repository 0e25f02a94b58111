"""One app of the HTTP channel, whose client is on the chat page."""

import base64
import secrets
from typing import Any

from tools.local.credentials.generate import letters


def apps(playground: str) -> dict[str, dict[str, Any]]:
    """The apps by name."""
    issuer = {
        "issuer": "https://playground.invalid",
        "audience": "demo",
        "algorithm": "HS256",
        "secrets": [letters(40)],
    }
    demo = {
        "issuers": [issuer],
        "origins": [playground],
        # Load tests send more than a person does.
        "requests_per_minute": 6000,
        "sockets": True,
        "webhook_url": f"{playground}/http/webhooks/demo",
        "webhook_secrets": [f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"],
    }
    return {"demo": demo}
