"""Requests of browsers: what the pages of logins and of installations share. A cookie says which browser it is."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from parley.adapter import Request, Response
from parley.engine import telemetry
from parley.engine.apps import AppsUnavailableError
from parley.engine.aws import AwsError, error_code
from parley.engine.gateway import BadEventError, Event, lambda_response, request_of
from parley.engine.oauth_pages import Page, page
from parley.engine.telemetry import log

STATE = re.compile(r"[0-9a-f]{64}")
_COOKIE = "__Host-parley-login"
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


class Ends(Exception):  # a condition, not an error
    """The request ends with a page. `retry_after`: seconds, 0 if the page says nothing of them."""

    def __init__(self, which: Page, reason: str = "", retry_after: float = 0) -> None:
        super().__init__(reason)
        self.page: Page = which
        self.retry_after = retry_after


def answered(
    event: Event, handle: Callable[[Request], tuple[Response, str]], failed: Page, metric: str
) -> dict[str, Any]:
    """The response to one API Gateway event: what `handle` returns, with an outcome for the `metric`, or the page with
    which it ends. `failed`: the page if AWS does not answer.
    """
    request, language, reason = Request(), "", ""
    try:
        request = request_of(event)
        language = request.headers.get("Accept-Language", "")
        response, outcome = handle(request)
    except Ends as end:
        response, outcome, reason = page(end.page, language, retry_after=end.retry_after), end.page, str(end)
        _log(request, metric, outcome, reason)
    except (BadEventError, AppsUnavailableError) as error:
        response, outcome = page(failed, language), failed
        _log(request, metric, outcome, type(error).__name__)
    except AwsError as error:
        response, outcome = page(failed, language), failed
        _log(request, metric, outcome, error_code(error))
    telemetry.count(metric, outcome=outcome)
    return lambda_response(response)


def _log(request: Request, metric: str, outcome: str, reason: str) -> None:
    where = {name: request.parameters.get(name, "")[:64] for name in ("platform", "app")}
    what = "login ended" if metric == "Logins" else "installation ended"
    log.info(what, extra={**where, "outcome": outcome, "reason": reason})


def check_single(event: Event, which: Page) -> None:
    """End a request with the page `which` if a parameter comes twice: which of them counts would be a guess."""
    given: Mapping[str, list[str]] = event.get("multiValueQueryStringParameters") or {}
    if any(len(values) > 1 for values in given.values()):
        raise Ends(which, "a parameter comes twice")


def secret_of(request: Request) -> str:
    """The secret of the browser; empty if it has no valid cookie, or more than one."""
    pairs = (part.strip().partition("=") for part in request.headers.get("Cookie", "").split(";"))
    found = [value for name, _, value in pairs if name == _COOKIE]
    return found[0] if len(found) == 1 and _SECRET.fullmatch(found[0]) else ""


def cookie(secret: str, seconds: float) -> str:
    """The header `Set-Cookie`. No script can read the cookie, and no other host can set it."""
    return f"{_COOKIE}={secret}; Path=/; Max-Age={seconds:.0f}; Secure; HttpOnly; SameSite=Lax"
