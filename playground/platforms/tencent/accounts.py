"""Apps, and the check of their access tokens."""

from dataclasses import dataclass

from playground.platforms.tencent.errors import TOKEN_EXPIRED, TOKEN_INVALID, TOKEN_MISSING, TencentError
from playground.platforms.tokens import AccessToken, TokenStore


@dataclass(slots=True)
class Account:
    """One app or official account as its console knows it."""

    name: str
    id: str
    """The corp id or appid. Callbacks are encrypted for it."""
    secret: str
    token: str
    """The token of the callback signature, not an access token."""
    key: str
    """The EncodingAESKey; empty if nothing is encrypted."""
    owner: str
    """The receiver in callbacks: the corp id or the original id."""
    host: str
    agent: int = 0
    mode: str = "safe"


def valid_token(tokens: TokenStore, value: str, now: float) -> AccessToken:
    """The token `value`. Raises TencentError if it is missing, unknown or expired."""
    if not value:
        raise TencentError(*TOKEN_MISSING)
    token = tokens.get(value)
    if token is None:
        raise TencentError(*TOKEN_INVALID)
    if token.expires <= now:
        raise TencentError(*TOKEN_EXPIRED)
    return token
