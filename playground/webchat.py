"""The web chat of `examples/webchat` at `/webchat`, for an app of the HTTP channel on the local stack.

Each browser is a visitor of its own. What they write is also on the page, in the tab of the HTTP channel.
"""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from examples.webchat.server import Served, local, respond
from playground.stack import Stack

APP = "demo"
PATH = "/webchat"


def routes(stack: Stack) -> list[Route]:
    """The page, and what its chat asks for under `/chat`."""

    def served(request: Request, body: bytes) -> Served:
        path = "/" if request.url.path == PATH else request.url.path
        target = f"{path}?{request.url.query}"
        return respond(local(stack.path, APP), request.method, target, dict(request.headers), body)

    async def answer(request: Request) -> Response:
        try:
            status, headers, body = await run_in_threadpool(served, request, await request.body())
        except (OSError, KeyError):
            return JSONResponse({"error": "the local stack is not up: start it with `make run` or `make up`"}, 503)
        return Response(body, status, headers)

    return [Route(PATH, answer), Route("/chat/{path}", answer, methods=["GET", "POST"])]
