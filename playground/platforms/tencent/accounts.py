"""Apps and their tokens. Facts: WeCom docs, Get access_token; WeChat docs, Get stable access token; Get token."""

from dataclasses import dataclass, field
from random import Random

from playground.platforms.tencent.errors import TOKEN_EXPIRED, TOKEN_INVALID, TOKEN_MISSING, Refused


@dataclass(slots=True)
class Account:
    """One app or account as its console knows it."""

    name: str
    id: str
    """The corp id, the appid: for whom callbacks are encrypted."""
    secret: str
    token: str
    """Of the callback, not of the API."""
    key: str
    """The EncodingAESKey; empty where nothing is encrypted."""
    owner: str
    """What callbacks call the receiver: the corp id, the original id."""
    host: str
    agent: int = 0
    mode: str = "safe"


@dataclass(slots=True)
class Grant:
    """An access token."""

    value: str
    app: str
    kind: str
    until: float


@dataclass(slots=True)
class Tokens:
    """The access tokens that are out; a token that was revoked is not among them."""

    seconds: float
    random: Random
    _grants: dict[str, Grant] = field(default_factory=dict[str, Grant])

    def newest(self, app: str, kind: str) -> Grant | None:
        """The token of that kind that lives longest."""
        found = [grant for grant in self._grants.values() if (grant.app, grant.kind) == (app, kind)]
        return max(found, key=lambda grant: grant.until, default=None)

    def issue(self, app: str, kind: str, now: float) -> Grant:
        """A new token."""
        made = Grant(f"{self.random.getrandbits(512):0128x}", app, kind, now + self.seconds)
        self._grants[made.value] = made
        return made

    def cut(self, app: str, kind: str, until: float) -> None:
        """Let the tokens of that kind live no longer than `until`."""
        for grant in self._grants.values():
            if (grant.app, grant.kind) == (app, kind):
                grant.until = min(grant.until, until)

    def check(self, value: str, now: float) -> Grant:
        """The token `value`. Raises Refused."""
        if not value:
            raise Refused(*TOKEN_MISSING)
        grant = self._grants.get(value)
        if grant is None:
            raise Refused(*TOKEN_INVALID)
        if grant.until <= now:
            raise Refused(*TOKEN_EXPIRED)
        return grant

    def expire(self, value: str) -> None:
        """Forget the token `value`."""
        self._grants.pop(value, None)
