"""Logins: a platform's OAuth 2.0, with which a person lets the bot act for them (RFC 6749, PKCE of RFC 7636).

A platform that has logins has a module `login` with these functions. They are pure: the engine makes the calls.
"""

from typing import Annotated, Literal, Protocol

import msgspec

from parley.adapter.app import App
from parley.adapter.calls import Answer, Call
from parley.errors import ParleyError

Trouble = Literal["again", "person", "configuration", "later", "unknown"]
"""Why there is no token. `again`: the person has to log in again. `person`: this person cannot, or the app is not
installed for them. `configuration`: an operator has to change something. `later`: nothing was done, and another try may
succeed. `unknown`: the same, but the platform may have done it."""


class LoginConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The logins of an app. Without it in the configuration, the app has none."""

    redirect_uri: Annotated[str, msgspec.Meta(pattern=r"^https?://[^\s?#]+/oauth/[^\s?#/]+/[^\s?#/]+/callback$")]
    """The address of this deployment, as the platform's console lists it: `https://.../oauth/feishu/APP/callback`."""


class UserToken(msgspec.Struct, frozen=True, kw_only=True):
    """The token of a person. `expires` and `refresh_expires` are unix seconds. `refresh` is empty if there is none."""

    access: str
    expires: float
    scopes: str = ""
    refresh: str = ""
    refresh_expires: float = 0


class LoginError(ParleyError):
    """The platform gives no token. The message has numbers and no words of the platform."""

    def __init__(self, message: str, trouble: Trouble) -> None:
        super().__init__(message)
        self.trouble: Trouble = trouble


class Identity(msgspec.Struct, frozen=True):
    """Who has logged in: the platform's id, as in the messages of the same app, and the organisation if it says so."""

    id: str
    tenant: str = ""


Verdict = Literal["", "token", "scope"]
"""What is wrong with the token of a call: nothing, the token is over, or the person has not given a scope."""


class SupportsLogins(Protocol):
    """The module `login` of a platform. All functions get an app whose configuration has logins, but `redirect_uri`."""

    @property
    def ADDS_UP(self) -> bool:  # noqa: N802
        """Whether a new token has the scopes of earlier logins as well. Else a login asks for them again."""
        ...

    def redirect_uri(self, app: App) -> str:
        """The address to which the platform sends the browser back; empty if the app has no logins."""
        ...

    def authorise_url(self, app: App, scopes: str, state: str, challenge: str) -> str:
        """The address of the platform's login page. `challenge`: of PKCE, with the method S256."""
        ...

    def code_call(self, app: App, code: str, verifier: str) -> Call:
        """The call that exchanges a code."""
        ...

    def refresh_call(self, app: App, refresh: str) -> Call:
        """The call that exchanges a refresh token."""
        ...

    def revoke_call(self, app: App, token: UserToken) -> Call | None:
        """The call that ends the login at the platform; None if the platform documents none."""
        ...

    def read_token(self, answer: Answer, now: float) -> UserToken:
        """The token in the answer to one of the two calls. Raises LoginError."""
        ...

    def identity_call(self, app: App) -> Call:
        """The call, with the person's token, that asks who they are."""
        ...

    def read_identity(self, answer: Answer) -> Identity:
        """The answer to it. Raises LoginError."""
        ...

    def user_call(self, app: App, method: str, path: str) -> Call:
        """A call of the platform's API with the person's token. `path` begins with a slash: no other host gets the
        token.
        """
        ...

    def verdict(self, answer: Answer) -> Verdict:
        """What the answer to a call with the person's token says about the token."""
        ...
