"""An httpx transport that hands requests to imitated platforms in this process: no socket, no waiting."""

from collections.abc import Mapping
from typing import Protocol

import httpx

from playground.platforms.http import Dropped, Held, Request, Response


class Api(Protocol):
    """What stands behind an address: an imitation, or anything else that answers requests."""

    def api(self, request: Request) -> Response:
        """Answer one request. Raises Held, Dropped."""
        ...


class ImitationTransport(httpx.BaseTransport):
    """Requests whose URL starts with one of the given prefixes go to the imitation behind it, the longest prefix
    first; the path it sees has the prefix taken off. Everything else is a connection refused."""

    def __init__(self, targets: Mapping[str, Api]) -> None:
        self._targets = sorted(targets.items(), key=lambda target: -len(target[0]))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer `request`. Raises ConnectError, ReadTimeout (the imitation holds the answer back) and
        RemoteProtocolError (it breaks the connection)."""
        url = str(request.url.copy_with(query=None, fragment=None))
        for prefix, target in self._targets:
            base = prefix.rstrip("/")
            if url == base or url.startswith(f"{base}/"):
                return _answer(target, request, url[len(base) :] or "/")
        raise httpx.ConnectError(f"no imitation at {url}", request=request)


def _answer(target: Api, request: httpx.Request, path: str) -> httpx.Response:
    asked = Request(
        method=request.method,
        path=path,
        query=dict(request.url.params),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.read(),
    )
    try:
        answer = target.api(asked)
    except Held as error:
        raise httpx.ReadTimeout("the answer is held back", request=request) from error
    except Dropped as error:
        raise httpx.RemoteProtocolError("the connection broke before the answer", request=request) from error
    return httpx.Response(answer.status, headers=dict(answer.headers), content=answer.body, request=request)
