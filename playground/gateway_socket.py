"""The WebSocket of a platform's gateway. The platform says what is sent; this module has the socket."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol, runtime_checkable

from starlette.websockets import WebSocket, WebSocketDisconnect

from playground.platforms.exchange import dumps

ABORT = -1
"""In place of a close code: the connection breaks without one."""
_LOOK = 0.25


class SocketConnection(Protocol):
    """One connection. Its methods return frames to send, or a code to close the connection with."""

    def opened(self, query: Any) -> list[Any]:
        """The first frames."""
        ...

    def received(self, raw: str | bytes) -> list[Any]:
        """The answer to a frame."""
        ...

    def due(self) -> list[Any]:
        """What is to be sent now."""
        ...

    def lost(self, code: int | None) -> None:
        """The connection has ended, with this code of the client."""
        ...


@runtime_checkable
class HasGateway(Protocol):
    """A platform with a gateway."""

    lock: Any

    def connect(self, wake: Callable[[], None]) -> SocketConnection:
        """A new connection. `wake` is called, in any thread, when it has something to send."""
        ...


class GatewaySocket:
    """The endpoint for the sockets of `platform`. `abort` breaks a connection; `ended` is called at the end of each."""

    def __init__(self, platform: HasGateway, abort: Callable[[Any], None], ended: Callable[[Any], None]) -> None:
        self._platform, self._abort, self._ended = platform, abort, ended

    async def serve(self, socket: WebSocket) -> None:
        """Serve one connection until it ends."""
        await socket.accept()
        loop, woken = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            with suppress(RuntimeError):  # the loop may have ended
                loop.call_soon_threadsafe(woken.set)

        connection = self._platform.connect(wake)
        code = None
        try:
            code = await self._serve(socket, connection, woken)
        finally:
            self._ended(socket.scope)
            with self._platform.lock:
                connection.lost(code)

    async def _serve(self, socket: WebSocket, connection: SocketConnection, woken: asyncio.Event) -> int | None:
        """Returns the code of the client, or None if it gave none."""
        with self._platform.lock:
            out = connection.opened(dict(socket.query_params))
        receiving = asyncio.create_task(socket.receive())
        try:
            while await self._send(socket, out):
                waiting = asyncio.create_task(woken.wait())
                await asyncio.wait({receiving, waiting}, timeout=_LOOK, return_when=asyncio.FIRST_COMPLETED)
                waiting.cancel()
                woken.clear()
                with self._platform.lock:
                    out = []
                    if receiving.done():
                        message = receiving.result()
                        if message["type"] == "websocket.disconnect":
                            return message.get("code")
                        out += connection.received(message.get("text") or message.get("bytes") or b"")
                        receiving = asyncio.create_task(socket.receive())
                    out += connection.due()
        finally:
            receiving.cancel()
        return None

    async def _send(self, socket: WebSocket, out: list[Any]) -> bool:
        """Send frames. False if the connection is closed after them."""
        for one in out:
            try:
                if one == ABORT:
                    self._abort(socket.scope)
                    return False
                if isinstance(one, int):
                    await socket.close(one)
                    return False
                await socket.send_text(dumps(one).decode())
            except (WebSocketDisconnect, RuntimeError, OSError):
                return False
        return True
