"""Logins at Feishu and Lark (Feishu docs: Get authorization code; Get user_access_token; Refresh; Get user info)."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from parley.adapter import Answer, App, Auth, Call
from parley.adapter.logins import Identity, LoginError, Trouble, UserToken, Verdict
from parley.platforms.feishu.config import Config
from parley.untrusted import mapping, parse_integer, scalar

ADDS_UP = True
_BEARER = Auth("header", "Authorization", "Bearer ")
_OFFLINE = "offline_access"
"""The scope without which no refresh token comes."""
_AGAIN = (20003, 20004, 20005, 20026, 20037, 20049, 20064, 20065, 20068, 20073)
_PERSON = (20008, 20009, 20010, 20021, 20022, 20023, 20066, 20069)
_LATER = (20050, 20072)
_TOKEN_OVER = (99991663, 99991668, 99991677, 20005)
_SCOPE_MISSING = 99991679


def redirect_uri(app: App) -> str:
    """See `parley.adapter.logins.SupportsLogins`."""
    config: Config = app.config
    return config.logins.redirect_uri if config.logins is not None else ""


def authorise_url(app: App, scopes: str, state: str, challenge: str) -> str:
    """The scopes that a person has given earlier stay: Feishu adds them up."""
    config: Config = app.config
    wanted = dict.fromkeys((*scopes.split(), _OFFLINE))
    query = {
        "client_id": config.app_id,
        "response_type": "code",
        "redirect_uri": redirect_uri(app),
        "scope": " ".join(wanted),
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",  # Feishu's default is "plain"
    }
    return f"{config.accounts}/open-apis/authen/v1/authorize?{urlencode(query)}"


def code_call(app: App, code: str, verifier: str) -> Call:
    """See `SupportsLogins`."""
    given = {"code": code, "redirect_uri": redirect_uri(app), "code_verifier": verifier}
    return _token_call(app, "authorization_code", given)


def refresh_call(app: App, refresh: str) -> Call:
    """See `SupportsLogins`."""
    return _token_call(app, "refresh_token", {"refresh_token": refresh})


def revoke_call(app: App, token: UserToken) -> None:
    """Feishu documents no revocation of a person's token."""
    del app, token


def read_token(answer: Answer, now: float) -> UserToken:
    """Decided by the numbers: the words change. An error can come with HTTP 200."""
    body = answer.json()
    code, access = body.get("code"), scalar(body.get("access_token"))
    # A proxy could answer a number as text.
    if answer.status != 200 or body.get("error") or code not in (None, 0, "0") or not access:
        raise _refused(answer)
    refresh = scalar(body.get("refresh_token"))
    return UserToken(
        access=access,
        expires=now + _seconds(body, "expires_in"),
        scopes=scalar(body.get("scope")),
        refresh=refresh,
        refresh_expires=now + _seconds(body, "refresh_token_expires_in") if refresh else 0,
    )


def identity_call(app: App) -> Call:
    """See `SupportsLogins`."""
    return user_call(app, "GET", "/open-apis/authen/v1/user_info")


def read_identity(answer: Answer) -> Identity:
    """The open id, which is that of the messages of the same app. Addresses and telephone numbers are not verified."""
    body = answer.json()
    data = mapping(body.get("data"))
    if answer.status != 200 or body.get("code") != 0 or not scalar(data.get("open_id")):
        raise _refused(answer)
    return Identity(scalar(data.get("open_id")), scalar(data.get("tenant_key")))


def user_call(app: App, method: str, path: str) -> Call:
    """See `SupportsLogins`."""
    config: Config = app.config
    return Call(name="as_user", method=method, url=config.api + path, auth=_BEARER)


def verdict(answer: Answer) -> Verdict:
    """See `SupportsLogins`."""
    code = answer.json().get("code")
    if code == _SCOPE_MISSING:
        return "scope"
    return "token" if code in _TOKEN_OVER or answer.status == 401 else ""


def _token_call(app: App, grant: str, given: Mapping[str, str]) -> Call:
    config: Config = app.config
    older = config.logins is not None and config.logins.endpoint == "v2"
    url = f"{config.api}/open-apis/authen/v2/oauth/token" if older else f"{config.accounts}/oauth/v3/token"
    body = {"grant_type": grant, **given, "client_id": config.app_id, "client_secret": config.app_secret}
    return Call(name="login", method="POST", url=url, json=body)


def _seconds(body: Mapping[str, Any], name: str) -> float:
    value = body.get(name)
    return float(value) if isinstance(value, int | float) else 0


def _refused(answer: Answer) -> LoginError:
    code = parse_integer(scalar(answer.json().get("code")))
    trouble: Trouble = "configuration"
    if code in _AGAIN:
        trouble = "again"
    elif code in _PERSON:
        trouble = "person"
    elif code in _LATER or answer.status == 429:
        trouble = "later"
    elif answer.status >= 500:
        trouble = "unknown"
    return LoginError(f"login refused: HTTP {answer.status}, code {code}", trouble)
