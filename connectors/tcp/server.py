"""One instance: its connections, its open conversations, and its end."""

import asyncio
import ssl
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from connectors.tcp.connection import Connection
from connectors.tcp.feeds import Feed, Feeds, Page
from connectors.tcp.limits import Limits, Places
from connectors.tcp.notices import Notice
from connectors.tcp.service import Service
from connectors.tcp.session import Action, Check, Job, Session
from connectors.tcp.tls import Plain, Tls
from parley.adapter import Acknowledge, App, Client, Rejected, Store, Tell, Watch
from parley.engine import telemetry
from parley.engine.batch import describe
from parley.engine.telemetry import log
from parley.platforms.http import sockets
from parley.platforms.http.frames import Error

_LIFE, _RENEW_BEFORE = 900, 600
"""Seconds for which this instance is notified of a conversation, and the rest of them at which that is renewed."""
_LOOK, _RENEW = 1.0, 20.0
"""Seconds between two looks at the deadlines of connections, and between two at what has to be renewed."""
_DRAIN, _CLEAN = 20.0, 5.0
"""Seconds in which what is in flight is answered, and in which presence is removed, when the program ends."""
_AT_ONCE = 16
"""Requests at once that remove or renew presence."""
_BACKLOG = 1024
_THREADS = 32
_MEASURED = 60.0

_Result = TypeVar("_Result")
_FAILED = Rejected(503, "unavailable")


class Server:
    """Holds the connections. `tls`: None for connections without TLS. `service` is used in threads only."""

    def __init__(
        self,
        service: Service,
        limits: Limits,
        tls: ssl.SSLContext | None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.limits, self.buffer = limits, memoryview(bytearray(65_536))
        self.connections: set[Connection] = set()
        self.held = 0
        """Bytes that all connections hold."""
        self._service, self._tls, self._clock, self._wall = service, tls, clock, wall
        self._addresses, self._known = Places(limits.connections_of_address), Places(limits.connections_of_person)
        # Slow messages do not keep anybody from reading, and a slow issuer of tokens keeps nobody who is known.
        self._pools = {kind: ThreadPoolExecutor(_THREADS, kind) for kind in ("check", "store", "read")}
        self.feeds = Feeds(self._read)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._listening: asyncio.Server | None = None
        self._refused = 0

    @property
    def is_idle(self) -> bool:
        """Whether nothing is held for any client."""
        return not (self.connections or self._addresses or self._known or self.held or self.feeds.by_key)

    # --- its life -----------------------------------------------------------------------------------------------------

    async def start(self, host: str, port: int) -> int:
        """Accept connections. Returns the port."""
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(lambda: Connection(self, self._clock), host, port, backlog=_BACKLOG)
        for forever in (self._look(), self._renew()):
            self._spawn(forever)
        return self._listening.sockets[0].getsockname()[1]

    def notified(self, notice: Notice) -> None:
        """A deliverer has sent a notice."""
        if notice.is_typing:
            self.feeds.typing(notice.conversation)
        else:
            self.feeds.wake(notice.conversation)

    def missed_notices(self) -> None:
        """SQS was away: deliverers may have sent notices that are lost."""
        self.feeds.wake_all()

    async def drain(self) -> None:
        """Accept nothing more, answer what is in flight, close all connections, and remove the presence."""
        if self._listening:
            self._listening.close()
        for connection in list(self.connections):
            if connection.session:
                connection.act(connection.session.drain())
        until = self._clock() + _DRAIN
        while self.connections and self._clock() < until:
            for connection in list(self.connections):
                connection.tick()
            await asyncio.sleep(0.05)
        for connection in list(self.connections):
            connection.cut()
        try:
            async with asyncio.timeout(_CLEAN):
                await self._each(list(self.feeds.by_key.values()), self._settle)
        except TimeoutError:
            log.warning("presence left", extra={"conversations": len(self.feeds.by_key)})
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)

    async def _look(self) -> None:
        measured = self._clock()
        while True:
            await asyncio.sleep(_LOOK)
            for connection in list(self.connections):
                connection.tick()
            if self._clock() - measured >= _MEASURED:
                measured = self._clock()
                telemetry.count("TcpConnections", len(self.connections))
                telemetry.count("TcpConnectionsRefused", self._refused)
                self._refused = 0

    async def _renew(self) -> None:
        """Stay notified of the open conversations. Each of them is looked at, in case a notice was lost."""
        while True:
            await asyncio.sleep(_RENEW)
            soon = self._wall() + _RENEW_BEFORE
            await self._each([feed for feed in self.feeds.by_key.values() if feed.watched_until < soon], self._settle)

    # --- connections: see `connectors.tcp.connection.Host` ------------------------------------------------------------

    def admit(self, connection: Connection, address: str) -> bool:
        """Whether there is room for a new connection, in all and for its address."""
        if len(self.connections) >= self.limits.connections or not self._addresses.take(address):
            self._refused += 1
            return False
        self.connections.add(connection)
        return True

    def begin(self, connection: Connection, now: float) -> tuple[Session, Tls | Plain]:  # noqa: ARG002
        """The session of a connection, and its encryption."""
        return Session(self.limits, now), Tls(self._tls) if self._tls else Plain()

    def weigh(self, connection: Connection, change: int) -> bool:  # noqa: ARG002
        """Note that a connection holds `change` bytes more."""
        self.held += change
        return change <= 0 or self.held <= self.limits.held

    def freed(self, connection: Connection) -> None:
        """The client reads again: it gets what was held back."""
        for key in list(connection.session.sent) if connection.session else ():
            self.feeds.wake(key)

    def gone(self, connection: Connection) -> None:
        """The connection has ended."""
        self.connections.discard(connection)
        self._addresses.give(connection.address)
        session = connection.session
        if session is None or session.client is None:
            return
        self._known.give(session.client.key)
        for key in session.sent:
            feed = self.feeds.by_key.get(key)
            if feed is not None:
                feed.members.discard(connection)
                if not feed.is_needed:
                    self._spawn(self._settle(feed))

    async def answer(self, connection: Connection, job: Job) -> list[Action]:
        """Carry out `job`, and let the session know."""
        session = connection.session
        if session is None:
            return []
        try:
            return await self._do(connection, session, job)
        except Exception as error:  # noqa: BLE001  # one frame may not stop the connections of all others
            telemetry.count("TcpErrors")
            log.error("failed", extra={"job": type(job).__name__, "error": describe(error)})
            return session.failed(job, _FAILED, self._clock())

    async def _do(self, connection: Connection, session: Session, job: Job) -> list[Action]:
        if isinstance(job, Check):
            found = await self._call("check", self._service.check, job.hello, connection.address)
            return self._checked(connection, session, found)
        client, app = session.client, connection.app
        if client is None or app is None:
            raise RuntimeError("nobody is known yet")
        match job:
            case Watch():
                return await self._open(connection, session, job, client)
            case Store():
                refused = await self._call("store", self._service.store, job, app)
                told = sockets.refused(refused, job) if refused else Tell(job.done)
            case Acknowledge():
                refused = await self._call("read", self._service.acknowledge, job, client)
                told = sockets.refused(refused, job) if refused else None
        return session.answered(told, self._clock())

    def _checked(self, connection: Connection, session: Session, found: tuple[Client, App] | Rejected) -> list[Action]:
        if isinstance(found, Rejected):
            extra = {"platform": "http", "reason": found.reason, "detail": found.detail}
            log.warning("client refused", extra=extra)
            return session.rejected(found)
        client, app = found
        if not self._known.take(client.key):
            return session.refuse(Error(status=429, error="too_many", detail="The person has too many connections."))
        connection.app = app
        ends_in = max(0.0, client.until - self._wall())
        interpret = partial(self._service.interpret, client=client, app=app)
        actions = session.checked(client, interpret, ends_in, self._clock())
        if session.client is None:  # the connection has ended meanwhile
            self._known.give(client.key)
        return actions

    # --- conversations ------------------------------------------------------------------------------------------------

    async def _open(self, connection: Connection, session: Session, watch: Watch, client: Client) -> list[Action]:
        feed = self.feeds.get(watch.conversation, watch.room)
        feed.joining += 1
        try:
            # Notices begin before the place from which replies are read is known: none lies between.
            failed = await self._watch(feed)
            found = failed or await self._call("read", self._service.open, watch, client)
            if isinstance(found, Rejected):
                return session.failed(watch, found, self._clock())
            actions = session.watching(watch, found.cursor, sockets.opened(watch, found), self._clock())
            if connection in self.connections:
                feed.members.add(connection)
                asyncio.get_running_loop().call_soon(self.feeds.wake, feed.key)
            return actions
        finally:
            feed.joining -= 1
            if not feed.is_needed:
                self._spawn(self._settle(feed))

    async def _watch(self, feed: Feed) -> Rejected | None:
        async with feed.lock:
            if feed.watched_until > self._wall() + _RENEW_BEFORE / 2:
                return None
            until = int(self._wall()) + _LIFE
            failed = await self._call("read", self._service.watch, feed.key, until, feed.watched_until)
            if failed is None:
                feed.watched_until = until
            return failed

    async def _settle(self, feed: Feed) -> None:
        """Renew the presence in a conversation that is open; remove it from one that is not."""
        if feed.is_needed:
            await self._watch(feed)
            self.feeds.wake(feed.key)
            return
        async with feed.lock:
            if feed.is_needed:
                return
            if feed.watched_until:
                until, feed.watched_until = feed.watched_until, 0
                await self._call("read", self._service.forget, feed.key, until)
            self.feeds.drop(feed)

    # --- threads ------------------------------------------------------------------------------------------------------

    async def _read(self, key: str, after: int) -> Page:
        return await self._call("read", self._service.read, key, after)

    async def _call(self, pool: str, function: Callable[..., _Result], *arguments: Any) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._pools[pool], function, *arguments)

    async def _each(self, feeds: list[Feed], step: Callable[[Feed], Any]) -> None:
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(feed: Feed) -> None:
            async with gate:
                await step(feed)

        await asyncio.gather(*map(one, feeds), return_exceptions=True)

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
