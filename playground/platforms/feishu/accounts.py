"""Apps, their ids and their tokens. Facts: Feishu docs, Authentication › Get access tokens; app_ticket."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from playground.platforms.digests import stable_hex
from playground.platforms.feishu.errors import APP_TOKEN_INVALID, TOKEN_FORM, TOKEN_INVALID, TOKEN_MISSING, FeishuError
from playground.platforms.tokens import AccessToken, TokenStore

SCOPES = ("offline_access", "calendar:calendar:readonly", "calendar:calendar.event:read", "docx:document:readonly")
"""What the console has granted to every app."""
REUSE_SECONDS = 1800
"""A request for a token returns the present one if that is valid for at least so long."""


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
    redirect_uris: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    """The permissions that persons can give to the app."""
    tickets: list[str] = field(default_factory=list[str])
    """The app tickets, newest last. The newest two are valid."""

    @classmethod
    def of(cls, name: str, config: Mapping[str, Any]) -> "Account":
        """The account for the app's Parley configuration."""
        return cls(
            name,
            *(str(config.get(field) or "") for field in ("app_id", "app_secret", "encrypt_key", "verification_token")),
            bot_open_id=str(config.get("bot_open_id") or ""),
            store=config.get("app_type") == "store",
            redirect_uris=tuple(filter(None, [str((config.get("logins") or {}).get("redirect_uri") or "")])),
            scopes=SCOPES,
        )

    @property
    def bot_id(self) -> str:
        """The open_id of the bot: the configured one, or one derived from the app id."""
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


def issue_token(tokens: TokenStore, app_id: str, kind: str, tenant: str, now: float) -> tuple[str, int]:
    """A token and the seconds it is valid for: the present token if half an hour is left, else a new one. The present
    one stays valid beside the new one."""
    token = tokens.newest(app_id, kind, tenant)
    if token is None or token.expires - now < REUSE_SECONDS:
        token = tokens.issue(app_id, kind, now, tenant)
    return token.value, int(token.expires - now)


def tenant_token(tokens: TokenStore, authorization: str, now: float) -> AccessToken:
    """The valid tenant token in an Authorization header. Raises FeishuError."""
    if not authorization:
        raise FeishuError(*TOKEN_MISSING)
    value = authorization.removeprefix("Bearer ")
    if value == authorization or not value.startswith(("t-", "u-")):
        raise FeishuError(*TOKEN_FORM)
    return _valid(tokens, value, "tenant", now, TOKEN_INVALID)


def app_token(tokens: TokenStore, value: str, now: float) -> AccessToken:
    """The valid app token `value`. Raises FeishuError."""
    return _valid(tokens, value, "app", now, APP_TOKEN_INVALID)


def _valid(tokens: TokenStore, value: str, kind: str, now: float, error: tuple[int, str]) -> AccessToken:
    token = tokens.get(value)
    if token is None or token.kind != kind or token.expires <= now:
        raise FeishuError(*error)
    return token
