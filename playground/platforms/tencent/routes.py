"""Which function answers which path, as far as both platforms have the same ones."""

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from playground.platforms.http import Request, Response
from playground.platforms.tencent import store
from playground.platforms.tencent.accounts import Account
from playground.platforms.tencent.errors import done


class Route(NamedTuple):
    """A path of the API. `token`: it needs an access token, and the function gets the account it belongs to."""

    method: str
    pattern: re.Pattern[str]
    function: Callable[..., Response]
    token: bool
    name: str


def route(method: str, path: str, function: Callable[..., Response], *, token: bool = True) -> Route:
    """A route; `:name` in `path` is one segment of it, given to `function`."""
    return Route(method, re.compile(re.sub(r":[a-z_]+", "([^/]+)", path)), function, token, path)


def find(routes: Sequence[Route], method: str, path: str) -> tuple[Route, tuple[Any, ...]] | None:
    """The route of a request and the parts of its path; None where there is none."""
    for one in routes:
        match = one.pattern.fullmatch(path)
        if match and one.method == method:
            return one, match.groups()
    return None


def _callback_ips(_tencent: object, _account: Account, _request: Request) -> Response:
    """`GET /cgi-bin/getcallbackip`."""
    return done(ip_list=["127.0.0.1"])


COMMON = (
    route("POST", "/cgi-bin/media/upload", store.upload),
    route("GET", "/cgi-bin/media/get", store.download),
    route("GET", "/cgi-bin/getcallbackip", _callback_ips),
    route("GET", "/media/:key", store.at_address, token=False),
)
