"""The configuration of an app of the HTTP channel: who may talk to the bot, and where its replies go."""

import base64
import re

from parley import adapter
from parley.issuers import Issuer, check_issuers, is_safe

_ORIGIN = re.compile(r"\*|https?://[A-Za-z0-9.:\[\]-]+")
_PREFIX = "whsec_"
MAX_REQUESTS = 6000
_SECRET_BYTES = range(24, 65)
"""Standard Webhooks: a secret has 24 to 64 bytes."""


class Config(adapter.Config, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One app. Raises ValueError, which names the field and never its value."""

    issuers: tuple[Issuer, ...]
    """Those whose tokens are accepted."""
    origins: tuple[str, ...] = ()
    """Web pages that may call the API from a browser: `https://www.example.com`, or `*`."""
    requests_per_minute: int = 60
    """The requests of one person that store something: messages, tickets, and media. Reading is not counted."""
    webhook_url: str = ""
    """The address that gets each reply. Without it, clients read the replies."""
    webhook_secrets: tuple[str, ...] = ()
    """The secrets of its signatures, `whsec_` and Base64. While the secret changes, the new one and the old one."""
    sockets: bool = False
    """Whether clients may connect by WebSocket and TCP. Each reply is then pushed to those that watch."""

    def __post_init__(self) -> None:
        """Check what a decoder cannot."""
        check_issuers(self.issuers)
        if any(not _ORIGIN.fullmatch(origin) for origin in self.origins):
            raise ValueError("origins: expected `https://HOST` without a path, or `*`")
        if not 1 <= self.requests_per_minute <= MAX_REQUESTS:
            raise ValueError(f"requests_per_minute: expected 1 to {MAX_REQUESTS}")
        if self.webhook_url and not is_safe(self.webhook_url):
            raise ValueError("webhook_url: expected an address with https://")
        if bool(self.webhook_url) != bool(self.webhook_secrets):
            raise ValueError("webhook_url, webhook_secrets: expected both or none")
        if any(not is_secret(secret) for secret in self.webhook_secrets):
            raise ValueError("webhook_secrets: expected `whsec_` and 24 to 64 bytes in Base64")

    @property
    def webhook_keys(self) -> tuple[bytes, ...]:
        """The bytes of `webhook_secrets`."""
        return tuple(map(_key, self.webhook_secrets))


def is_secret(secret: str) -> bool:
    """Whether `secret` has the form of Standard Webhooks."""
    try:
        return secret.startswith(_PREFIX) and len(_key(secret)) in _SECRET_BYTES
    except ValueError:
        return False


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
