"""`/oauth/...` and `/install/...`: the pages with which persons log in and companies install an app, as on the domain
of a deployment. The functions of the local stack answer.
"""

import httpx
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from playground.stack import Stack

_SENT = ("cookie", "accept-language")
_RECEIVED = (
    "content-type",
    "location",
    "set-cookie",
    "cache-control",
    "referrer-policy",
    "content-security-policy",
    "retry-after",
)
_SECONDS = 30.0


def routes(stack: Stack) -> list[Route]:
    """The pages of each app."""

    def asked(request: Request) -> httpx.Response:
        address = f"{stack.describe()['api']}{request.url.path}?{request.url.query}"
        headers = {name: request.headers[name] for name in _SENT if name in request.headers}
        return httpx.get(address, headers=headers, follow_redirects=False, timeout=_SECONDS)

    async def answer(request: Request) -> Response:
        try:
            found = await run_in_threadpool(asked, request)
        except (httpx.HTTPError, KeyError):
            return JSONResponse({"error": "the local stack is not up: start it with `make run` or `make up`"}, 503)
        headers = {name: found.headers[name] for name in _RECEIVED if name in found.headers}
        return Response(found.content, found.status_code, headers)

    logins, installs = "/oauth/{platform}/{app}", "/install/{platform}/{app}"
    paths = (f"{logins}/start", f"{logins}/callback", installs, f"{installs}/done")
    return [Route(path, answer, methods=["GET"]) for path in paths]
