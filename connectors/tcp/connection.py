"""The socket of one client: an asyncio protocol that drives the state machine of its session.

Nothing is held for a client that is idle: all connections read into one buffer, and a task exists only while an action
needs an answer. What a client sends while its session does not read stays in the socket, and so with the client.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from connectors.tcp.framing import framed
from connectors.tcp.limits import Limits
from connectors.tcp.session import Action, Check, Close, Job, Phase, Send, Session
from connectors.tcp.tls import BrokenError, Plain, Tls
from parley.adapter import Acknowledge, App, Store, Watch

_READ = 65_536
_UNSENT = 65_536
"""Bytes that wait to be sent, above which a client counts as blocked. One frame may come on top."""


class Host(Protocol):
    """What a connection needs of the instance that holds it."""

    limits: Limits
    buffer: memoryview

    def admit(self, connection: "Connection", address: str) -> bool:
        """Whether there is room for a new connection."""
        ...

    def begin(self, connection: "Connection", now: float) -> tuple[Session, Tls | Plain]:
        """The session and the encryption of a connection that is admitted."""
        ...

    async def answer(self, connection: "Connection", job: Job) -> list[Action]:
        """Carry out `job`, and let the session of `connection` know."""
        ...

    def weigh(self, connection: "Connection", change: int) -> bool:
        """Note that a connection holds `change` bytes more. False if all of them hold too many."""
        ...

    def freed(self, connection: "Connection") -> None:
        """The client reads again."""
        ...

    def gone(self, connection: "Connection") -> None:
        """The connection has ended."""
        ...


class Connection(asyncio.BufferedProtocol):
    """One client. `clock` only goes forward."""

    __slots__ = (
        "_clock",
        "_closing_at",
        "_held",
        "_host",
        "_jobs",
        "_throttle",
        "_tls",
        "_transport",
        "_work",
        "address",
        "app",
        "session",
    )

    def __init__(self, host: Host, clock: Callable[[], float] = time.monotonic) -> None:
        self._host, self._clock = host, clock
        self.address = ""
        self.app: App | None = None
        """The app of the client, once it is known."""
        self.session: Session | None = None
        self._tls: Tls | Plain = Plain()
        self._transport: asyncio.Transport | None = None
        self._jobs: deque[Job] | None = None
        self._work: asyncio.Task[None] | None = None
        self._throttle: asyncio.TimerHandle | None = None
        self._closing_at: float | None = None
        self._held = 0

    @property
    def unsent(self) -> int:
        """Bytes that wait to be sent."""
        return self._transport.get_write_buffer_size() if self._transport else 0

    # --- asyncio ------------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.BaseProtocol`."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # it is that of a stream
        self._transport = transport
        self.address = str((transport.get_extra_info("peername") or ("",))[0])
        if not self._host.admit(self, self.address):
            transport.abort()
            return
        transport.set_write_buffer_limits(high=_UNSENT)
        self.session, self._tls = self._host.begin(self, self._clock())

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        """See `asyncio.BufferedProtocol`: the bytes are copied out of it before anything else is read."""
        return self._host.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """See `asyncio.BufferedProtocol`."""
        session = self.session
        if session is None or session.phase is Phase.CLOSED:
            return
        try:
            data = self._tls.received(bytes(self._host.buffer[:nbytes]))
        except BrokenError:
            self._write(self._tls.outgoing())
            session.ended()
            self.cut()
            return
        self._write(self._tls.outgoing())
        self.act(session.received(data, self._clock()))
        if self._tls.is_over and self._transport:
            self._write(self._tls.end())
            self._transport.close()

    def eof_received(self) -> bool:
        """See `asyncio.BaseProtocol`: the client sends nothing more, and the connection is closed."""
        return False

    def pause_writing(self) -> None:
        """See `asyncio.BaseProtocol`."""
        if self.session:
            self.session.blocked(self._clock())

    def resume_writing(self) -> None:
        """See `asyncio.BaseProtocol`."""
        if self.session:
            self.act(self.session.unblocked(self._clock()))
            self._host.freed(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """See `asyncio.BaseProtocol`."""
        if self._throttle:
            self._throttle.cancel()
        if self._jobs:
            self._jobs.clear()
        self._transport = None
        if self.session:
            self.session.ended()
            self._weigh()
            self._host.gone(self)

    # --- the session --------------------------------------------------------------------------------------------------

    def act(self, actions: list[Action]) -> None:
        """Carry out what the session has decided."""
        for action in actions:
            match action:
                case Send(frame=frame):
                    self._send(frame)
                case Close():
                    self._close()
                case Check() | Store() | Watch() | Acknowledge():
                    self._begin(action)
        if self.session and not self._weigh() and self.session.phase is not Phase.CLOSED:
            self.act(self.session.overflow())
        self._pace()

    def tick(self) -> None:
        """Look whether a moment has come that the session waits for."""
        self._throttle = None
        self._weigh()
        now = self._clock()
        if self._closing_at is not None and self._closing_at <= now:
            self.cut()
        elif self.session and self.session.wake_at <= now:
            self.act(self.session.tick(now))

    def cut(self) -> None:
        """End the connection at once."""
        if self._transport:
            self._transport.abort()

    # --- steps --------------------------------------------------------------------------------------------------------

    def _begin(self, job: Job) -> None:
        self._jobs = deque() if self._jobs is None else self._jobs
        self._jobs.append(job)
        if self._work is None:
            self._work = asyncio.get_running_loop().create_task(self._answer_all())

    async def _answer_all(self) -> None:
        try:
            while self._jobs:
                self.act(await self._host.answer(self, self._jobs.popleft()))
        finally:
            self._work, self._jobs = None, None

    def _send(self, frame: bytes) -> None:
        try:
            self._write(self._tls.sealed(framed(frame)))
        except BrokenError:
            self.cut()

    def _write(self, data: bytes) -> None:
        if data and self._transport and not self._transport.is_closing():
            self._transport.write(data)

    def _close(self) -> None:
        """Send the end, and read until the client has closed too: if bytes are unread, the system would throw away
        what was sent last, which says why.
        """
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        self._write(self._tls.end())
        try:
            transport.write_eof()
        except OSError:  # the client is gone
            transport.abort()
        self._closing_at = self._clock() + self._host.limits.close_within

    def _pace(self) -> None:
        """Read from the socket, or leave the bytes there, as the session wants it."""
        session, transport = self.session, self._transport
        if session is None or transport is None or transport.is_closing():
            return
        if session.is_reading or session.phase is Phase.CLOSED:
            transport.resume_reading()
        else:
            transport.pause_reading()
        if session.throttled_until and self._throttle is None:
            delay = max(0.0, session.throttled_until - self._clock())
            self._throttle = asyncio.get_running_loop().call_later(delay, self.tick)

    def _weigh(self) -> bool:
        """Note how many bytes this connection holds, read and unsent. False if all connections hold too many."""
        held = (self.session.held if self.session else 0) + self.unsent
        change, self._held = held - self._held, held
        return self._host.weigh(self, change)
