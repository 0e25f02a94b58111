"""Logins at Discord (Discord docs: OAuth2). The token endpoint takes forms only."""

from collections.abc import Mapping
from urllib.parse import urlencode

from parley.adapter import Answer, App, Auth, Call
from parley.adapter.logins import Identity, LoginError, Trouble, UserToken, Verdict
from parley.platforms.discord.config import Config
from parley.untrusted import scalar

ADDS_UP = False
_BEARER = Auth("header", "Authorization", "Bearer ")
_IDENTIFY = "identify"
"""The scope with which the bot learns who has logged in."""
_REFRESH_LASTS = 90 * 86_400.0
"""Discord does not say how long a refresh token lasts. A login that nobody uses is forgotten after this time."""


def redirect_uri(app: App) -> str:
    """See `parley.adapter.logins.SupportsLogins`."""
    config: Config = app.config
    return config.logins.redirect_uri if config.logins is not None else ""


def authorise_url(app: App, scopes: str, state: str, challenge: str) -> str:
    """See `SupportsLogins`."""
    config: Config = app.config
    query = {
        "client_id": config.application_id,
        "response_type": "code",
        "redirect_uri": redirect_uri(app),
        "scope": " ".join(dict.fromkeys((_IDENTIFY, *scopes.split()))),
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    site = config.host.partition("/api")[0]
    return f"{site}/oauth2/authorize?{urlencode(query)}"


def code_call(app: App, code: str, verifier: str) -> Call:
    """See `SupportsLogins`."""
    given = {"code": code, "redirect_uri": redirect_uri(app), "code_verifier": verifier}
    return _form_call(app, "token", {"grant_type": "authorization_code", **given})


def refresh_call(app: App, refresh: str) -> Call:
    """See `SupportsLogins`."""
    return _form_call(app, "token", {"grant_type": "refresh_token", "refresh_token": refresh})


def revoke_call(app: App, token: UserToken) -> Call:
    """Ends the whole login, by either of its tokens."""
    return _form_call(app, "token/revoke", {"token": token.refresh or token.access})


def read_token(answer: Answer, now: float) -> UserToken:
    """See `SupportsLogins`."""
    body = answer.json()
    access, lifetime = scalar(body.get("access_token")), body.get("expires_in")
    if answer.status != 200 or not access or not isinstance(lifetime, int | float):
        raise _refused(answer)
    refresh = scalar(body.get("refresh_token"))
    return UserToken(
        access=access,
        expires=now + lifetime,
        scopes=scalar(body.get("scope")),
        refresh=refresh,
        refresh_expires=now + _REFRESH_LASTS if refresh else 0,
    )


def identity_call(app: App) -> Call:
    """See `SupportsLogins`."""
    return user_call(app, "GET", "/users/@me")


def read_identity(answer: Answer) -> Identity:
    """A person is the same in all servers, so there is no organisation."""
    id_ = scalar(answer.json().get("id"))
    if answer.status != 200 or not id_:
        raise _refused(answer)
    return Identity(id_)


def user_call(app: App, method: str, path: str) -> Call:
    """See `SupportsLogins`."""
    config: Config = app.config
    headers = {"User-Agent": config.user_agent}
    return Call(name="as_user", method=method, url=config.host + path, auth=_BEARER, headers=headers)


def verdict(answer: Answer) -> Verdict:
    """See `SupportsLogins`."""
    return "token" if answer.status == 401 else ""


def _form_call(app: App, endpoint: str, given: Mapping[str, str]) -> Call:
    config: Config = app.config
    secret = config.logins.client_secret if config.logins is not None else ""
    form = {**given, "client_id": config.application_id, "client_secret": secret}
    url = f"{config.host}/oauth2/{endpoint}"
    return Call(name="login", method="POST", url=url, form=form, headers={"User-Agent": config.user_agent})


def _refused(answer: Answer) -> LoginError:
    error = answer.json().get("error")
    trouble: Trouble = "configuration"
    if error == "invalid_grant":
        trouble = "again"
    elif answer.status == 429:
        trouble = "later"
    elif answer.status >= 500:
        trouble = "unknown"
    return LoginError(f"login refused: HTTP {answer.status}", trouble)
