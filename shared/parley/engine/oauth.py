"""Logins of persons, by OAuth 2.0: `GET /oauth/{platform}/{app}/start` and `/callback`.

`start` gets the question of a dialogue that waits for a login, and sends the browser to the platform. `callback` gets a
code from there, exchanges it, stores the person's tokens, and brings the dialogue on. A login belongs to the browser
that began it (a cookie), and to the person whom the bot has asked: the platform says who has logged in.

What may be done once is begun once: the row of the login is deleted before the code is exchanged, and the data key of
KMS exists before. A function that dies after that has stored nothing, and the person presses the button again.
"""

import re
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec

from parley.adapter import App, Call, Request, Response
from parley.adapter.logins import Identity, LoginError, SupportsLogins, UserToken
from parley.engine import queues
from parley.engine.apps import Apps, UnknownAppError
from parley.engine.aws import AwsError, dynamodb, error_code, setting
from parley.engine.browser import STATE, Ends, answered, check_single, cookie, secret_of
from parley.engine.data_keys import DataKey
from parley.engine.gateway import Event
from parley.engine.http import CallError, Http, client
from parley.engine.oauth_pages import SAFE, Page
from parley.engine.snapshot import reseed_after_restore
from parley.engine.telemetry import log
from parley.engine.user_tokens import grant_of
from parley.journal import timers
from parley.journal.grants import LOGIN_LASTS, Grant, GrantId, Grants, Pending
from parley.model.agenda import LoginEnd, LoginQuestion, Timer, login_ended
from parley.platforms import is_same_person, logins

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_PLACE = re.compile(r"[0-9a-f]{16,64}\.[0-9]{1,4}")
_CODE = re.compile(r"[\x21-\x7e]{1,2048}")
_CALL = 8.0
"""Seconds of a call of the platform. API Gateway ends the request after 29."""


class OAuth(msgspec.Struct):
    """The handler, one per process. `draw` makes random texts, of 43 characters."""

    client: "DynamoDBClient"
    table: str
    http: Http
    apps: Apps
    clock: Callable[[], float] = time.time
    draw: Callable[[], str] = lambda: secrets.token_urlsafe(32)

    @property
    def grants(self) -> Grants:
        """The rows."""
        return Grants(self.client, self.table)

    def __call__(self, event: Event, _context: object) -> dict[str, Any]:
        """The response to one API Gateway event: a redirection, or a page."""
        return answered(event, lambda request: (self._handled(request, event), "begun"), "failed", "Logins")

    def _handled(self, request: Request, event: Event) -> Response:
        app, platform = self._app(request.parameters)
        check_single(event, "expired")
        if request.route.endswith("/start"):
            return self._start(request, app, platform)
        if request.route.endswith("/callback"):
            raise Ends(self._callback(request, app, platform))
        raise Ends("unknown")

    def _app(self, parameters: Mapping[str, str]) -> tuple[App, SupportsLogins]:
        """The app in the path, if it has logins. Raises AppsUnavailableError."""
        platform = logins(parameters.get("platform", ""))
        if platform is None:
            raise Ends("unknown")
        name = parameters.get("app", "")
        try:
            app = self.apps.get(parameters["platform"], name)
        except UnknownAppError as error:
            raise Ends("unknown") from error
        address = platform.redirect_uri(app)
        if not address:
            raise Ends("unknown", "the app has no logins")
        if not address.endswith(f"/oauth/{app.platform}/{name}/callback"):
            log.error("redirect_uri is that of another app", extra={"platform": app.platform, "app": name})
            raise Ends("failed", "redirect_uri is that of another app")
        return app, platform

    # --- the two pages

    def _start(self, request: Request, app: App, platform: SupportsLogins) -> Response:
        """Send the browser to the platform. It may start several logins at once."""
        place = request.query.get("t", "")
        timer, question = self._asked(app, place)
        browser = secret_of(request) or self.draw()
        state = sha256(self.draw().encode()).hexdigest()
        scopes = question.scopes
        if not platform.ADDS_UP:
            earlier = self.grants.get(_owner(app, timer))
            scopes = " ".join(dict.fromkeys((*scopes.split(), *(earlier.scopes.split() if earlier else ()))))
        pending = Pending(
            platform=app.platform,
            app=app.name,
            timer=timer.message.id,
            place=place,
            expires=self.clock() + LOGIN_LASTS,
        )
        self.grants.begin(state, browser, pending)
        headers = {
            **SAFE,
            "Location": platform.authorise_url(app, scopes, state, challenge_of(verifier_of(browser, state))),
            "Set-Cookie": cookie(browser, LOGIN_LASTS),
        }
        return Response(302, b"", "text/plain", headers)

    def _callback(self, request: Request, app: App, platform: SupportsLogins) -> Page:
        """What the platform sends back: a code, or that the person has refused."""
        query, browser = request.query, secret_of(request)
        state, code, error = (query.get(name, "") for name in ("state", "code", "error"))
        if not STATE.fullmatch(state) or not browser:
            raise Ends("expired", "no state, or no cookie")
        pending = self.grants.take(state, browser, self.clock())
        if pending is None or (pending.platform, pending.app) != (app.platform, app.name):
            raise Ends("expired", "unknown state, or that of another browser or app")
        timer, question = self._asked(app, pending.place)
        if error == "access_denied":
            # It may be anybody with the link. The person can end the question in the chat.
            return "refused"
        if error:
            raise Ends("failed", "the platform reports an error")
        if not _CODE.fullmatch(code):
            raise Ends("expired", "no code")
        key = DataKey(app.platform, app.name)
        token = self._exchange(app, platform, code, verifier_of(browser, state))
        self._check_person(app, platform, token, timer)
        grant = grant_of(
            _owner(app, timer), key, msgspec.structs.replace(token, scopes=token.scopes or question.scopes)
        )
        self.grants.store(grant, self.clock())
        return self._logged_in(timer, pending.place, grant, question)

    # --- steps

    def _asked(self, app: App, place: str) -> tuple[Timer, LoginQuestion]:
        """The dialogue that waits at `place`, by its timer: it says who is asked, and where. Raises AwsError."""
        timer = timers.find(self.client, self.table, place.partition(".")[0]) if _PLACE.fullmatch(place) else None
        question = timer.login if timer is not None else None
        if timer is None or question is None or question.place != place or timer.at <= self.clock():
            raise Ends("expired", "no dialogue waits for this login")
        if (timer.message.platform, timer.message.app) != (app.platform, app.name):
            raise Ends("expired", "a dialogue of another app")
        return timer, question

    def _logged_in(self, timer: Timer, place: str, grant: Grant, question: LoginQuestion) -> Page:
        """Bring the dialogue on. A login without all scopes is a refusal: the handler must not count on it."""
        is_done = grant.has(question.scopes)
        try:
            queues.send_messages([login_ended(timer, LoginEnd(place=place, is_done=is_done), self.clock())])
        except AwsError as error:
            raise Ends("kept", error_code(error)) from error
        return "done" if is_done else "partly"

    def _exchange(self, app: App, platform: SupportsLogins, code: str, verifier: str) -> UserToken:
        try:
            return platform.read_token(self._perform(platform.code_call(app, code, verifier)), self.clock())
        except LoginError as error:
            raise _ended(error) from error

    def _check_person(self, app: App, platform: SupportsLogins, token: UserToken, timer: Timer) -> None:
        """End the login unless it is that of the person whom the bot has asked."""
        try:
            who = platform.read_identity(self._perform(platform.identity_call(app), token.access))
        except LoginError as error:
            raise _ended(error) from error
        if _is_asked(who, timer):
            return
        call = platform.revoke_call(app, token)
        # Some platforms end all logins of a person at this app: one of their own stays.
        if call is not None and self.grants.get(GrantId(app.platform, app.name, who.id)) is None:
            with suppress(Ends):
                self._perform(call)
        raise Ends("other", "another person has logged in")

    def _perform(self, call: Call, token: str = "") -> Any:
        try:
            return self.http.perform(msgspec.structs.replace(call, timeout=_CALL), token)
        except CallError as error:
            raise Ends("failed", f"{call.name}: {error}") from error


def verifier_of(browser: str, state: str) -> str:
    """The verifier of PKCE, of 43 characters: only the browser that began the login has its secret, `browser`."""
    return _base64url(sha256(f"{browser}.{state}".encode()).digest())


def challenge_of(verifier: str) -> str:
    """The S256 challenge of PKCE (RFC 7636, section 4.2)."""
    return _base64url(sha256(verifier.encode()).digest())


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _ended(error: LoginError) -> Ends:
    if error.trouble == "configuration":
        log.error("the platform refuses the configuration of the app", extra={"reason": str(error)})
    pages: dict[str, Page] = {"again": "expired", "person": "impossible"}
    return Ends(pages.get(error.trouble, "failed"), str(error))


def _owner(app: App, timer: Timer) -> GrantId:
    return GrantId(app.platform, app.name, timer.message.sender.id)


def _is_asked(who: Identity, timer: Timer) -> bool:
    message = timer.message
    tenants = {who.tenant, message.context.tenant} - {""}
    is_same = bool(message.sender.id) and is_same_person(message.platform, who.id, message.sender.id)
    return is_same and (not who.tenant or len(tenants) <= 1)


def oauth_handler() -> Callable[[Event, object], dict[str, Any]]:
    """The handler of the function. What it needs is made with the first request."""
    reseed_after_restore()
    made: OAuth | None = None

    def handler(event: Event, context: object) -> dict[str, Any]:
        nonlocal made
        if str(event.get("resource") or "").startswith("/install/"):
            from parley.engine.install_pages import install_pages_handler  # noqa: PLC0415  # few apps have an install page

            return install_pages_handler()(event, context)
        made = made or OAuth(dynamodb(), setting("TABLE"), Http(client()), Apps())
        return made(event, context)

    return handler
