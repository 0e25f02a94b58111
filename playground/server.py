"""The web server: the simulated APIs under `/<platform>/`, the control API under `/api/`, the page at `/`."""

import asyncio
import ipaddress
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import ClassVar

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from playground import logins, model_server, tcp_client, webchat
from playground.control import Control
from playground.gateway_socket import GatewaySocket, HasGateway
from playground.platforms.exchange import NoResponse, ResponseTimeout
from playground.platforms.exchange import Request as PlatformRequest
from playground.world import World

_log = logging.getLogger("playground")
STATIC = Path(__file__).with_name("static")
HOLD_SECONDS = 20.0
"""How long the fault `timeout` keeps the connection open: longer than the time-out of any client here."""
WEBSOCKET = "wsproto"
"""uvicorn's implementation of WebSockets: another one than that of the programs that connect."""
_WATCH_EVERY = 0.5
_LOCAL = frozenset({"localhost", "host.docker.internal"})
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SECURITY = (
    (b"content-security-policy", _POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


class Connections(H11Protocol):
    """uvicorn's protocol, with a record of the open connections, so that one can be broken."""

    open: ClassVar[dict[tuple[str, int], asyncio.Transport]] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Record the connection."""
        super().connection_made(transport)
        if self.client is not None:
            self.open[self.client] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Remove the connection."""
        if self.client is not None:
            self.open.pop(self.client, None)
        super().connection_lost(exc)


def make_app(world: World, *, hold: float = HOLD_SECONDS) -> ASGIApp:
    """The application."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        world.hub.bind(asyncio.get_running_loop())
        await world.webhooks.start()
        watcher = asyncio.create_task(_watch(world))
        yield
        watcher.cancel()
        with suppress(asyncio.CancelledError):
            await watcher
        await world.webhooks.stop()

    platforms = [Mount(f"/{name}", app=_PlatformApi(world, name, hold)) for name in world.platforms]
    routes = [
        *Control(world).routes(),
        *_gateways(world),
        *platforms,
        Route(f"/model{model_server.PATH}", _model, methods=["POST"]),
        *webchat.routes(world.stack),
        *tcp_client.routes(world.stack),
        *logins.routes(world.stack),
        Route("/", _page),
        Route("/favicon.ico", _icon),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    return _Guard(Starlette(routes=routes, lifespan=lifespan))


def _gateways(world: World) -> list[WebSocketRoute]:
    """The sockets of the platforms that have a gateway. A session is resumed at an address of its own."""
    found = {name: platform for name, platform in world.platforms.items() if isinstance(platform, HasGateway)}
    return [
        WebSocketRoute(f"/{name}/gateway{path}/", GatewaySocket(platform, _abort, _forget).serve)
        for name, platform in found.items()
        for path in ("", "/resume")
    ]


def _abort(scope: Scope) -> None:
    """Break the connection of a request or socket."""
    transport = Connections.open.get(tuple(scope.get("client") or ()))  # type: ignore[arg-type]
    if transport is not None:
        transport.abort()


def _forget(scope: Scope) -> None:
    """Remove the record of a socket that has ended: uvicorn has replaced the protocol that would remove it."""
    Connections.open.pop(tuple(scope.get("client") or ()), None)  # type: ignore[arg-type]


async def _model(request: Request) -> Response:
    """The language model of this machine (`playground.model_server`). The body is cut short where it breaks off."""
    found = model_server.completion(await request.body())
    kind = "text/event-stream" if found.status == 200 else "application/json"
    return StreamingResponse(found.pieces, found.status, media_type=kind)


async def _page(_request: Request) -> Response:
    page = await run_in_threadpool((STATIC / "index.html").read_bytes)
    return Response(page, media_type="text/html", headers={"Cache-Control": "no-cache"})


async def _icon(_request: Request) -> Response:
    """For browsers that request this path when the response is not the page."""
    return FileResponse(STATIC / "favicon.svg", media_type="image/svg+xml")


async def _watch(world: World) -> None:
    """Register new apps, and notify the pages when the state of the stack changes."""
    before = None
    while True:
        try:
            changed = await run_in_threadpool(world.refresh)
            status = await run_in_threadpool(world.stack.status)
            if status["state"] == "ready":
                await run_in_threadpool(world.tick)
        except Exception:  # noqa: BLE001
            # Invalid files or parameters of the stack must not stop the playground.
            _log.exception("reading the state of the stack failed")
        else:
            if changed or status != before:
                world.hub.publish("stack", status)
                before = status
        await asyncio.sleep(_WATCH_EVERY)


class _PlatformApi:
    """One platform's API as an ASGI application."""

    def __init__(self, world: World, name: str, hold: float) -> None:
        self._platform = world.platforms[name]
        self._hold = hold

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        received = PlatformRequest(
            method=request.method,
            path=scope["path"].removeprefix(scope.get("root_path", "")) or "/",
            query=dict(request.query_params),
            headers=dict(request.headers),
            body=await request.body(),
        )
        try:
            response = await run_in_threadpool(self._platform.api, received)
        except NoResponse as error:
            await self._abort(scope, receive, wait=isinstance(error, ResponseTimeout))
            return
        await Response(response.body, response.status, dict(response.headers))(scope, receive, send)

    async def _abort(self, scope: Scope, receive: Receive, *, wait: bool) -> None:
        """Break the connection without a response; with `wait`, only after the client's time-out."""
        disconnected = asyncio.create_task(_disconnected(receive))
        if wait:
            await asyncio.wait([disconnected], timeout=self._hold)
        _abort(scope)
        await disconnected


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _is_this_machine(host: str) -> bool:
    """Whether a Host header means this machine, as seen from itself or from its containers. The owner of a domain can
    let it point to any address; an address of a private network cannot be redirected."""
    try:
        return host in _LOCAL or ipaddress.ip_address(host.strip("[]")).is_private
    except ValueError:
        return False


class _Guard:
    """Rejects requests for other hosts, and adds headers that forbid browsers to load anything from other hosts."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get(b"host", "")
        origin = headers.get(b"origin")
        if not _is_this_machine(host.rsplit(":", 1)[0]) or (origin is not None and origin != f"http://{host}"):
            # The page of another site must not reach the playground through this machine's browser.
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
                return
            await JSONResponse({"error": "only this machine may use the playground"}, 403)(scope, receive, send)
            return

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = message.get("headers", [])
                # The web chat has a policy of its own: it connects to the emulator.
                names = {name.lower() for name, _value in own}
                message["headers"] = [*own, *(each for each in _SECURITY if each[0] not in names)]
            await send(message)

        await self._app(scope, receive, secured)


class Server(uvicorn.Server):
    """Closes the live updates of open pages before it waits for their connections."""

    def __init__(self, world: World, port: int) -> None:
        self._world = world
        super().__init__(
            uvicorn.Config(
                make_app(world),
                host="127.0.0.1",
                port=port,
                http=Connections,
                ws=WEBSOCKET,
                log_level="warning",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=2,
            )
        )

    async def shutdown(self, sockets: "list | None" = None) -> None:
        """Stop."""
        self._world.hub.close()
        await super().shutdown(sockets)
