"""An application of Discord. Its private key is Discord's own: the imitation signs with it."""

import secrets
from typing import Any

from nacl.signing import SigningKey

PRIVATE = frozenset({"signing_key"})
_INTENTS = (
    "GUILDS",
    "GUILD_MEMBERS",
    "GUILD_MESSAGES",
    "GUILD_MESSAGE_REACTIONS",
    "DIRECT_MESSAGES",
    "DIRECT_MESSAGE_REACTIONS",
    "MESSAGE_CONTENT",
)
"""All that a bot can use, so that all of it can be tried."""


def apps(playground: str) -> dict[str, dict[str, Any]]:
    """The apps by name."""
    key = SigningKey.generate()
    demo = {
        "application_id": str(10**18 + secrets.randbelow(10**17)),
        "public_key": key.verify_key.encode().hex(),
        "bot_token": secrets.token_urlsafe(48),
        "host": f"{playground}/discord/api/v10",
        "gateway_intents": _INTENTS,
        "signing_key": key.encode().hex(),
    }
    return {"demo": demo}
