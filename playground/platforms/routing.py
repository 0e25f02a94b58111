"""The routes of a simulated API: which function handles which method and path."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from starlette.routing import compile_path

from playground.platforms.exchange import Response

Handler = Callable[..., Response]
"""`(platform, account, request, *segments)` if the route is authenticated, else `(platform, request, *segments)`.
Raises ApiError."""


class Route(NamedTuple):
    """A method and a path of the API."""

    method: str
    pattern: re.Pattern[str]
    handler: Handler
    authenticated: bool
    """Whether the call needs a token. The handler then gets the account of that token."""
    name: str
    """Method and path, for rate limits per API."""


def route(method: str, path: str, handler: Handler, *, authenticated: bool = True, prefix: str = "") -> Route:
    """A route. `{name}` in `path` is one segment; the handler gets the segments in order. A path that ends in `/?` is
    matched with and without the slash. `prefix` is not a part of the route's name."""
    pattern, _, _ = compile_path(prefix + path.removesuffix("/?"))
    if path.endswith("/?"):
        pattern = re.compile(pattern.pattern.removesuffix("$") + "/?$")
    return Route(method, pattern, handler, authenticated, f"{method} {path}")


class Router:
    """The routes of one platform. The first that matches wins."""

    def __init__(self, *routes: Route) -> None:
        self._routes = routes

    def find(self, method: str, path: str) -> tuple[Route, tuple[Any, ...]] | None:
        """The route of a request and the segments of its path; None if there is none."""
        for one in self._routes:
            match = one.pattern.fullmatch(path)
            if match and one.method == method:
                return one, match.groups()
        return None
