"""Apps, their identities and their tokens. Facts: Feishu docs, Authentication › Get access tokens; app_ticket."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from playground.platforms.base import stable_hex
from playground.platforms.feishu.errors import APP_TOKEN_INVALID, TOKEN_FORM, TOKEN_INVALID, TOKEN_MISSING, Refused

SAME_TOKEN_ABOVE = 1800
"""With this many seconds left, asking again gives the same token."""


@dataclass(slots=True)
class Account:
    """One app as the developer console knows it."""

    name: str
    app_id: str
    app_secret: str
    encrypt_key: str = ""
    verification_token: str = ""
    bot_open_id: str = ""
    store: bool = False
    tickets: list[str] = field(default_factory=list[str])
    """The newest last; the newest two are valid."""

    @classmethod
    def of(cls, name: str, config: Mapping[str, Any]) -> "Account":
        """The account for the configuration that Parley has of it."""
        return cls(
            name,
            *(str(config.get(field) or "") for field in ("app_id", "app_secret", "encrypt_key", "verification_token")),
            bot_open_id=str(config.get("bot_open_id") or ""),
            store=config.get("app_type") == "store",
        )

    @property
    def bot_id(self) -> str:
        """The open_id of the bot: the one that the configuration says, or one that belongs to the app."""
        return self.bot_open_id or f"ou_{stable_hex('bot', self.app_id)}"

    def open_id(self, person: str) -> str:
        """A person's id, different for each app."""
        return f"ou_{stable_hex('open', self.app_id, person)}"


def ids_of(account: Account, person: str) -> dict[str, str]:
    """The three ids of a person in an event."""
    return {"open_id": account.open_id(person), "union_id": union_id(person), "user_id": user_id(person)}


def union_id(person: str) -> str:
    """A person's id for all apps of one developer."""
    return f"on_{stable_hex('union', person)}"


def user_id(person: str) -> str:
    """A person's id within the organisation."""
    return stable_hex("user", person, digits=8)


def email(person: str) -> str:
    """A person's address."""
    return f"{person}@example.com"


@dataclass(slots=True)
class Grant:
    """An access token."""

    value: str
    app: str
    kind: str
    tenant: str
    until: float


@dataclass(slots=True)
class Tokens:
    """The access tokens that are out."""

    seconds: float
    random: Random
    _grants: dict[str, Grant] = field(default_factory=dict[str, Grant])

    def issue(self, app: str, kind: str, tenant: str, now: float) -> tuple[str, int]:
        """A token and the seconds it is valid for: the present one while it has half an hour left, else a new one
        beside it."""
        newest = max(
            (g for g in self._grants.values() if (g.app, g.kind, g.tenant) == (app, kind, tenant)),
            key=lambda grant: grant.until,
            default=None,
        )
        if newest is None or newest.until - now < SAME_TOKEN_ABOVE:
            prefix = "t" if kind == "tenant" else "a"
            newest = Grant(f"{prefix}-{self.random.getrandbits(160):040x}", app, kind, tenant, now + self.seconds)
            self._grants[newest.value] = newest
            self._forget(now)
        return newest.value, int(newest.until - now)

    def check(self, authorization: str, now: float) -> Grant:
        """The tenant token in an Authorization header. Raises Refused."""
        if not authorization:
            raise Refused(*TOKEN_MISSING)
        value = authorization.removeprefix("Bearer ")
        if value == authorization or not value.startswith(("t-", "u-")):
            raise Refused(*TOKEN_FORM)
        grant = self._grants.get(value)
        if grant is None or grant.kind != "tenant" or grant.until <= now:
            raise Refused(*TOKEN_INVALID)
        return grant

    def check_app(self, value: str, now: float) -> Grant:
        """The app token `value`. Raises Refused."""
        grant = self._grants.get(value)
        if grant is None or grant.kind != "app" or grant.until <= now:
            raise Refused(*APP_TOKEN_INVALID)
        return grant

    def expire(self, authorization: str) -> None:
        """Forget the token in an Authorization header."""
        self._grants.pop(authorization.removeprefix("Bearer "), None)

    def _forget(self, now: float) -> None:
        self._grants = {value: grant for value, grant in self._grants.items() if grant.until > now}
