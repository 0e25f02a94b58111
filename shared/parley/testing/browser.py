"""A person's browser in a test: it opens the pages of a login, at the platform and at the bot."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from playground.platforms.base import Platform
from playground.platforms.exchange import Request, Response

_PATH = re.compile(r"/oauth/(?P<platform>[^/]+)/(?P<app>[^/]+)/(?:start|callback)")
_MOST = 5
"""Redirections."""


class Browser:
    """Opens addresses. `handle` is the function of the logins, and `platform` is at the address `at`."""

    def __init__(self, handle: Callable[[Mapping[str, Any]], dict[str, Any]], platform: Platform[Any], at: str) -> None:
        self._handle, self._platform, self._at = handle, platform, at
        self.cookies: dict[str, str] = {}
        self.visited: list[str] = []
        """The addresses, the last one last."""

    def open(self, address: str, *, accept: str = "en") -> Response:
        """The response at an address. Raises AssertionError for an address that is neither the bot's nor the
        platform's.
        """
        self.visited.append(address)
        parts = urlsplit(address)
        if address.startswith(f"{self._at}/"):
            path = address.removeprefix(self._at).partition("?")[0]
            return self._platform.api(Request("GET", path, dict(parse_qsl(parts.query)), {}))
        found = _PATH.search(parts.path)
        if found is None:
            raise AssertionError(f"the browser is sent to {address}")
        return self._called(found, parts.query, accept)

    def log_in(self, address: str, person: str, *, agreed: bool = True) -> Response:
        """The last page, after the person has logged in at the platform, and has agreed or refused."""
        response = self.open(address)
        for _ in range(_MOST):
            if response.status != 302:
                return response
            following = response.headers["location"]
            if following.startswith(self._at):
                following += f"&person={person}&agreed={int(agreed)}"
            response = self.open(following)
        raise AssertionError(f"too many redirections: {self.visited}")

    def _called(self, found: re.Match[str], query: str, accept: str) -> Response:
        several = parse_qs(query)
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        event = {
            "httpMethod": "GET",
            "resource": f"/oauth/{{platform}}/{{app}}/{found[0].rpartition('/')[2]}",
            "pathParameters": found.groupdict(),
            "queryStringParameters": {name: values[-1] for name, values in several.items()},
            "multiValueQueryStringParameters": several,
            "headers": {"Accept-Language": accept, **({"Cookie": cookie} if cookie else {})},
        }
        answer = self._handle(event)
        headers = {name.lower(): value for name, value in answer["headers"].items()}
        name, _, value = headers.get("set-cookie", "").partition(";")[0].partition("=")
        self.cookies |= {name: value} if name else {}
        return Response(answer["statusCode"], answer["body"].encode(), headers)
