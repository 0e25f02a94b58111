"""Access tokens that a simulated platform has issued."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class AccessToken:
    """An access token. `expires`: seconds since the epoch. `tenant` is empty on platforms that have no tenants."""

    value: str
    app: str
    kind: str
    expires: float
    tenant: str = ""


@dataclass(slots=True)
class TokenStore:
    """The tokens of all apps. A revoked token is removed. An expired one stays, because its error code differs."""

    lifetime: float
    """Seconds."""
    make_value: Callable[[str], str]
    """A new token's text, by its kind."""
    _tokens: dict[str, AccessToken] = field(default_factory=dict[str, AccessToken])

    def issue(self, app: str, kind: str, now: float, tenant: str = "") -> AccessToken:
        """A new token."""
        token = AccessToken(self.make_value(kind), app, kind, now + self.lifetime, tenant)
        self._tokens[token.value] = token
        return token

    def newest(self, app: str, kind: str, tenant: str = "") -> AccessToken | None:
        """The token of that kind that expires last."""
        found = [
            token for token in self._tokens.values() if (token.app, token.kind, token.tenant) == (app, kind, tenant)
        ]
        return max(found, key=lambda token: token.expires, default=None)

    def get(self, value: str) -> AccessToken | None:
        """The token `value`, also if it has expired; None if it was never issued or was revoked."""
        return self._tokens.get(value)

    def expire_by(self, app: str, kind: str, when: float) -> None:
        """Let the tokens of that kind expire at `when` at the latest."""
        for token in self._tokens.values():
            if (token.app, token.kind) == (app, kind):
                token.expires = min(token.expires, when)

    def revoke(self, value: str) -> None:
        """Remove the token `value`."""
        self._tokens.pop(value, None)
