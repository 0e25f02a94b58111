"""An httpx transport to simulated platforms in the same process: no sockets, no waiting."""

from collections.abc import Mapping
from typing import Protocol

import httpx

from playground.platforms.exchange import ConnectionDropped, Request, Response, ResponseTimeout


class Api(Protocol):
    """An API without a web framework: a simulated platform, or anything else that responds to requests."""

    def api(self, request: Request) -> Response:
        """Handle one request. Raises ResponseTimeout, ConnectionDropped."""
        ...


class PlatformTransport(httpx.BaseTransport):
    """Sends each request to the platform whose URL prefix matches, the longest prefix first. The platform gets the path
    without the prefix."""

    def __init__(self, targets: Mapping[str, Api]) -> None:
        self._targets = sorted(targets.items(), key=lambda target: -len(target[0]))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Handle `request`. Raises ConnectError if no prefix matches; ReadTimeout, RemoteProtocolError for faults."""
        url = str(request.url.copy_with(query=None, fragment=None))
        for prefix, target in self._targets:
            base = prefix.rstrip("/")
            if url == base or url.startswith(f"{base}/"):
                return _send(target, request, url[len(base) :] or "/")
        raise httpx.ConnectError(f"no simulated platform at {url}", request=request)


def _send(target: Api, request: httpx.Request, path: str) -> httpx.Response:
    received = Request(
        method=request.method,
        path=path,
        query=dict(request.url.params),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.read(),
    )
    try:
        response = target.api(received)
    except ResponseTimeout as error:
        raise httpx.ReadTimeout("the platform does not respond", request=request) from error
    except ConnectionDropped as error:
        raise httpx.RemoteProtocolError("the connection broke before the response", request=request) from error
    return httpx.Response(response.status, headers=dict(response.headers), content=response.body, request=request)
