"""An application of Discord. Its private key is Discord's own: the imitation signs with it."""

import secrets
from typing import Any

from nacl.signing import SigningKey

PRIVATE = frozenset({"signing_key"})


def apps(playground: str) -> dict[str, dict[str, Any]]:
    """The apps by name."""
    key = SigningKey.generate()
    demo = {
        "application_id": str(10**18 + secrets.randbelow(10**17)),
        "public_key": key.verify_key.encode().hex(),
        "bot_token": secrets.token_urlsafe(48),
        "host": f"{playground}/discord/api/v10",
        "signing_key": key.encode().hex(),
    }
    return {"demo": demo}
