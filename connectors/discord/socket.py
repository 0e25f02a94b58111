"""The WebSocket of a session, and the loop that drives the state machine. Every step has a deadline."""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import cache

import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from connectors.discord import frames
from connectors.discord.intake import MOST, Intake
from connectors.discord.session import Action, Close, Connect, Dispatch, Permit, Send, Session, Stopped
from parley.engine import telemetry
from parley.engine.telemetry import log

_OPEN_WITHIN, _SEND_WITHIN, _CLOSE_WITHIN = 20.0, 10.0, 5.0
"""Seconds."""
_LARGEST = 64 << 20
"""Bytes of a frame: a server with many members is described in one."""
_WAITING = 256
"""Frames that wait for the loop. The socket is not read while there are more."""

_ALWAYS = -1
"""In place of the number of a connection, for what counts on each of them."""


class Permitted(msgspec.Struct, frozen=True):
    """The session may identify at this address."""

    url: str


class Refused(msgspec.Struct, frozen=True):
    """The session may ask again in `seconds`."""

    seconds: float


class Forbidden(msgspec.Struct, frozen=True):
    """The token is wrong; `code` is the close code that says the same."""

    code: int


Permission = Permitted | Refused | Forbidden


class Driver:
    """Drives one session until it has ended. `ask` returns whether it may identify. `ids` are for the log lines."""

    def __init__(
        self,
        session: Session,
        intake: Intake,
        ask: Callable[[], Awaitable[Permission]],
        ids: dict[str, str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.session, self._intake, self._ask, self._ids, self._clock = session, intake, ask, ids, clock
        self._happened: asyncio.Queue[tuple[int, Callable[[float], list[Action]]]] = asyncio.Queue(_WAITING)
        self._number = 0
        """The number of the connection. What happens on an earlier one no longer counts."""
        self._socket: ClientConnection | None = None
        self._connection: asyncio.Task[None] | None = None
        self._asking: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._end: Stopped | None = None

    async def run(self) -> Stopped:
        """Connect, and connect again, until the session has ended. If it is cancelled, the session can be resumed."""
        try:
            await self._carry_out(self.session.start(self._clock()))
            while self._end is None:
                await self._carry_out(await self._next())
        finally:
            await self._shut()
        return self._end

    def stop(self) -> None:
        """End the session, so that another instance can continue it."""
        task = asyncio.create_task(self._happened.put((_ALWAYS, self.session.stop)))
        self._closing.add(task)

    async def _next(self) -> list[Action]:
        """What the session does about the next thing that happens. A moment that has come goes first."""
        now = self._clock()
        if self.session.wake_at <= now:
            return self.session.tick(now)
        with suppress(TimeoutError):
            async with asyncio.timeout(min(3600.0, self.session.wake_at - now)):
                number, happens = await self._happened.get()
                return happens(self._clock()) if number in (_ALWAYS, self._number) else []
        return self.session.tick(self._clock())

    async def _carry_out(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Connect(url=url):
                    self._number += 1
                    self._connection = asyncio.create_task(self._connect(self._number, url))
                case Send(frame=frame):
                    await self._send(frame)
                case Close(code=code, reason=reason):
                    log.info("connection closed", extra={**self._ids, "code": code, "reason": reason})
                    self._close(code)
                case Permit():
                    if self._asking is not None:
                        self._asking.cancel()
                    self._asking = asyncio.create_task(self._permission())
                case Dispatch():
                    if not self._intake.add(action):
                        await self._carry_out(self.session.overflow(self._clock()))
                case Stopped():
                    self._end = action

    async def _connect(self, number: int, url: str) -> None:
        """One connection, until it is closed."""
        code = None
        try:
            await self._intake.below(MOST // 2)
            telemetry.count("GatewayConnections")
            async with _open(url) as socket:
                self._socket = socket
                await self._happened.put((number, self.session.opened))
                try:
                    async for raw in socket:
                        await self._happened.put((number, _received(self.session, raw)))
                except ConnectionClosed:
                    pass
            code = socket.close_code
        except (OSError, TimeoutError, InvalidHandshake, InvalidURI, ConnectionClosed) as error:
            log.warning("no connection", extra={**self._ids, "error": type(error).__name__})
        finally:
            self._socket = None
        log.info("connection ended", extra={**self._ids, "code": code or 0})
        await self._happened.put((number, _closed(self.session, code)))

    async def _send(self, frame: frames.Frame) -> None:
        socket = self._socket
        if socket is None:
            return
        try:
            async with asyncio.timeout(_SEND_WITHIN):
                await socket.send(frames.encoded(frame))
        except ConnectionClosed:
            pass  # the end of the connection follows
        except TimeoutError:
            socket.transport.abort()

    def _close(self, code: int) -> None:
        task = asyncio.create_task(self._close_socket(self._number, self._connection, code))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _close_socket(self, number: int, connection: asyncio.Task[None] | None, code: int) -> None:
        """Close the socket, or stop opening it. Then the end of the connection has happened in any case."""
        if self._socket is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_WITHIN + 1):
                    await self._socket.close(code)
        if connection is not None and not connection.done():
            done, _ = await asyncio.wait([connection], timeout=1)
            if not done:
                connection.cancel()
                await self._happened.put((number, _closed(self.session, None)))

    async def _permission(self) -> None:
        """Ask whether the session may identify, once all events of the earlier one are stored."""
        await self._intake.below(0)
        found = await self._ask()
        match found:
            case Permitted(url=url):
                await self._happened.put((_ALWAYS, lambda now: self.session.permitted(url, now)))
            case Refused(seconds=seconds):
                await self._happened.put((_ALWAYS, lambda now: self.session.refused(seconds, now)))
            case Forbidden(code=code):
                await self._happened.put((_ALWAYS, lambda _: self.session.forbidden(code)))

    async def _shut(self) -> None:
        """Close the socket, also if the loop was cancelled: with a code after which the session can be resumed."""
        if self._socket is not None:
            self._close(4000)
        if self._asking is not None:
            self._asking.cancel()
        if self._closing:
            await asyncio.wait(set(self._closing), timeout=_CLOSE_WITHIN)
        for task in (*self._closing, self._connection):
            if task is not None:
                task.cancel()


def _open(url: str) -> connect:
    """The WebSocket to `url`. Discord has heartbeats of its own, and compresses nothing without being asked."""
    return connect(
        url,
        ssl=_tls() if url.startswith("wss://") else None,
        open_timeout=_OPEN_WITHIN,
        close_timeout=_CLOSE_WITHIN,
        ping_interval=None,
        compression=None,
        max_size=_LARGEST,
        proxy=None,
    )


@cache
def _tls() -> ssl.SSLContext:
    """The TLS settings, with the certificate authorities of the HTTP client."""
    return httpx.create_ssl_context()


def _received(session: Session, raw: str | bytes) -> Callable[[float], list[Action]]:
    return lambda now: session.received(raw, now)


def _closed(session: Session, code: int | None) -> Callable[[float], list[Action]]:
    return lambda now: session.closed(code, now)
