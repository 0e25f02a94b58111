"""Install pages: `GET /install/{platform}/{app}` and `/done`, on the function of the logins.

The first page gets a code from the platform and links to its install page. The platform sends the browser back to
`done` with the code of the authorisation. That is put into the queue, as the platform's own event would be, and the
processor exchanges it (`parley.engine.tenants`). The state belongs to the browser that began (a cookie).

The code is in the queue before the state is taken. If AWS fails in between, or the function dies, the browser can send
the same request again. A code that is in the queue twice is exchanged once.
"""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from hashlib import sha256
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from parley.adapter import Answer, App, Call, Permanent, Request, Response, Sent, Transient
from parley.adapter.install_pages import InstallError, SupportsInstallPages
from parley.engine import queues
from parley.engine.apps import Apps, UnknownAppError
from parley.engine.aws import AwsError, dynamodb, setting
from parley.engine.browser import STATE, Ends, answered, check_single, cookie, secret_of
from parley.engine.calls import Calls, asking_at
from parley.engine.floods import Rate
from parley.engine.gateway import Event, source
from parley.engine.http import Http, client
from parley.engine.oauth_pages import page
from parley.engine.rate_limiter import RateLimiter
from parley.engine.telemetry import log
from parley.engine.tokens import Tokens
from parley.errors import RetryAfter
from parley.journal.grants import LOGIN_LASTS, Grants, Pending
from parley.model import Destination
from parley.platforms import install_pages, outbound

_PLACE = "install"
_CALL = 8.0
"""Seconds of a call of the platform. API Gateway ends the request after 29."""
_BURST, _EVERY = 10, 6.0
"""Pages for one address that a process makes at once; one per this many seconds after them. The limit for all
addresses is in the table (`Outbound.limits`)."""
_ADDRESSES = 10_000
"""Addresses that a process remembers. The one that was silent for the longest time is forgotten first."""


class InstallPages(Struct):
    """The handler, one per process. `draw` makes random texts, of 43 characters."""

    calls: Calls
    apps: Apps
    clock: Callable[[], float] = time.time
    draw: Callable[[], str] = lambda: secrets.token_urlsafe(32)
    _rates: OrderedDict[str, Rate] = field(default_factory=OrderedDict[str, Rate])

    @property
    def grants(self) -> Grants:
        """The rows."""
        return Grants(self.calls.client, self.calls.table)

    def __call__(self, event: Event, context: Any) -> dict[str, Any]:
        """The response to one API Gateway event. `context`: Lambda's, or None."""
        if context is not None:
            self.calls.http.ends_in(context.get_remaining_time_in_millis() / 1000)
        is_return = str(event.get("resource") or "").endswith("/done")
        failed = "install_late" if is_return else "install_failed"
        return answered(event, lambda request: self._handled(request, event), failed, "Installs")

    def _handled(self, request: Request, event: Event) -> tuple[Response, str]:
        app, platform = self._app(request.parameters)
        check_single(event, "install_expired")
        if request.route.endswith("/done"):
            return self._returned(request, app, platform), "installing"
        self._check_rate(source(event))
        return self._page(request, app, platform), "begun"

    def _app(self, parameters: Mapping[str, str]) -> tuple[App, SupportsInstallPages]:
        """The app in the path, if it has an install page. Raises AppsUnavailableError."""
        name, platform = parameters.get("app", ""), install_pages(parameters.get("platform", ""))
        if platform is None:
            raise Ends("unknown")
        try:
            app = self.apps.get(parameters["platform"], name)
        except UnknownAppError as error:
            raise Ends("unknown") from error
        address = platform.redirect_uri(app)
        if not address or app.name != name or app.provider is not None:
            raise Ends("unknown", "the app has no install page")
        if not address.endswith(f"/install/{app.platform}/{name}/done"):
            log.error("redirect_uri is that of another app", extra={"platform": app.platform, "app": name})
            raise Ends("install_failed", "redirect_uri is that of another app")
        return app, platform

    def _check_rate(self, address: str) -> None:
        now = self.clock()
        rate = self._rates.pop(address, None) or Rate(1 / _EVERY, _BURST, now)
        self._rates[address] = rate
        if len(self._rates) > _ADDRESSES:
            self._rates.popitem(last=False)
        if wait := rate.take(now):
            raise Ends("busy", "too many pages for one address", wait)

    # --- the two pages

    def _page(self, request: Request, app: App, platform: SupportsInstallPages) -> Response:
        """The page with the link to the platform. A browser may open several."""
        browser = secret_of(request) or self.draw()
        state = sha256(self.draw().encode()).hexdigest()
        link = self._link(app, platform, state)
        expires = self.clock() + LOGIN_LASTS
        self.grants.begin(state, browser, Pending(platform=app.platform, app=app.name, place=_PLACE, expires=expires))
        made = page("install", request.headers.get("Accept-Language", ""), link=link)
        return replace(made, headers={**made.headers, "Set-Cookie": cookie(browser, LOGIN_LASTS)})

    def _returned(self, request: Request, app: App, platform: SupportsInstallPages) -> Response:
        """The platform sends the browser back: put the installation into the queue."""
        state, browser, now = request.query.get("state", ""), secret_of(request), self.clock()
        if not STATE.fullmatch(state) or not browser:
            raise Ends("install_expired", "no state, or no cookie")
        pending = self.grants.find(state, browser, now)
        if pending is None or (pending.platform, pending.app, pending.place) != (app.platform, app.name, _PLACE):
            raise Ends("install_expired", "unknown state, or that of another browser or app")
        message = platform.claimed(app, request.query, now)
        if message is None:
            raise Ends("install_incomplete", "no code")
        queues.send_messages([message])
        with suppress(*AwsError):
            self.grants.take(state, browser, now)
        return page("installing", request.headers.get("Accept-Language", ""))

    # --- steps

    def _link(self, app: App, platform: SupportsInstallPages, state: str) -> str:
        steps = platform.link(app, state)
        try:
            call = next(steps)
            while True:
                call = steps.send(self._answer(app, call))
        except StopIteration as end:
            return end.value
        except InstallError as error:
            raise Ends("install_failed", str(error)) from error

    def _answer(self, app: App, call: Call) -> Answer:
        """The answer to `call` of the app. Its rate limit comes first, and so limits the calls for tokens."""
        context = asking_at(Destination(platform=app.platform, app=app.name), app, outbound(app.platform))
        try:
            reserved = self.calls.reserve(context, call)
        except RetryAfter as later:
            raise Ends("busy", f"{call.name}: {later.reason}", later.seconds) from later
        if isinstance(reserved, Transient):
            raise Ends("install_failed", f"{call.name}: {reserved.reason}")
        result = self.calls.ask(context, replace(call, timeout=_CALL), reserved)
        match result.outcome:
            case Sent() if result.answer is not None:
                return result.answer
            case RetryAfter(seconds=seconds, reason=reason):
                raise Ends("busy", f"{call.name}: {reason}", seconds)
            case Permanent(reason=reason):
                log.error("the platform refuses the configuration of the app", extra={"reason": reason})
                raise Ends("install_failed", f"{call.name}: {reason}")
            case other:
                raise Ends("install_failed", f"{call.name}: {getattr(other, 'reason', '')}")


@cache
def install_pages_handler() -> InstallPages:
    """The handler of this process."""
    table, rows = setting("TABLE"), dynamodb()
    return InstallPages(Calls(Http(client()), Tokens(rows, table), RateLimiter(rows, table), rows, table), Apps())
