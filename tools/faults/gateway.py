"""API Gateway's WebSockets.

Each handshake, frame and end of a connection is a call of the function of sockets, and each frame to a client is a call
of `PostToConnection`. A fault at one of them is also the end of a connection: before the frame comes, or after it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

from botocore.exceptions import ClientError, ConnectionClosedError

from parley.journal.watchers import LIFE
from tools.faults.injector import FaultInjector
from tools.faults.policies import Fault
from tools.faults.scheduler import Scheduler

_NOTICED = (0.0, 0.0, 20.0)
"""Seconds until a client notices that its connection is lost."""
_ENDS = (0.0, 5.0, 600.0, None)
"""Seconds until API Gateway tells the function of the end. None: it never does."""


class GoneError(ClientError):
    """The connection has ended."""

    def __init__(self) -> None:
        super().__init__({"Error": {"Code": "GoneException", "Message": ""}}, "PostToConnection")


class Socket(Protocol):
    """The client's end of a connection."""

    def receive(self, data: bytes) -> None:
        """A frame has come."""
        ...

    def closed(self) -> None:
        """The connection is lost."""
        ...


@dataclass(slots=True)
class _Open:
    socket: Socket
    invoke: Callable[[Mapping[str, Any]], int]
    since: float


class Gateway:
    """API Gateway: its open connections, and the client `apigatewaymanagementapi`."""

    class exceptions:  # noqa: N801
        """As boto3 names them."""

        GoneException = GoneError

    def __init__(self, injector: FaultInjector, scheduler: Scheduler, random: Random) -> None:
        self._injector, self.scheduler, self.random = injector, scheduler, random
        self._open: dict[str, _Open] = {}
        self.made = 0

    # --- what functions call ------------------------------------------------------------------------------------------

    def post_to_connection(self, ConnectionId: str, Data: bytes) -> None:  # noqa: N803
        """Send a frame. Raises ClientError and ConnectionClosedError."""
        fault, is_coin = self._before("PostToConnection")
        if fault is Fault.ERROR and is_coin:
            raise ClientError({"Error": {"Code": "LimitExceededException", "Message": ""}}, "PostToConnection")
        if fault is Fault.ERROR:
            self.lose(ConnectionId)
        found = self._there(ConnectionId)
        if found is None:
            raise GoneError
        if fault is Fault.RESPONSE_LOST and is_coin:
            self.lose(ConnectionId)  # it has left, and does not arrive
        else:
            found.socket.receive(Data)
        if fault is not None:
            self._injector.after(fault)
        if fault is Fault.RESPONSE_LOST and not is_coin:
            raise ConnectionClosedError(endpoint_url="https://aws.local")

    def delete_connection(self, ConnectionId: str) -> None:  # noqa: N803
        """End a connection. Raises ClientError and ConnectionClosedError."""
        fault, _ = self._before("DeleteConnection")
        if fault is Fault.ERROR:
            raise ClientError({"Error": {"Code": "LimitExceededException", "Message": ""}}, "DeleteConnection")
        known = ConnectionId in self._open
        self.lose(ConnectionId)
        if fault is not None:
            self._injector.after(fault)
        if fault is Fault.RESPONSE_LOST:
            raise ConnectionClosedError(endpoint_url="https://aws.local")
        if not known:
            raise GoneError

    def _before(self, kind: str) -> tuple[Fault | None, bool]:
        """The fault of a call, and which of its two kinds."""
        fault = self._injector.before(kind)
        return fault, fault is not None and self.random.random() < 0.5

    # --- what clients do ----------------------------------------------------------------------------------------------

    def connect(self, socket: Socket, event: Mapping[str, Any], invoke: Callable[[Mapping[str, Any]], int]) -> str:
        """The id of a new connection; empty if the handshake is refused or fails."""
        self.made += 1
        id_ = f"c{self.made}"
        status = invoke({**event, "requestContext": {"eventType": "CONNECT", "connectionId": id_}})
        if status not in (200, 0):
            return ""
        self._open[id_] = _Open(socket, invoke, self.scheduler.clock())
        if status == 200:
            return id_
        self.lose(id_, noticed=False)
        return ""

    def send(self, id_: str, frame: str) -> None:
        """A client sends a frame: it arrives soon, unless the connection ends before."""
        self.scheduler.at(self.scheduler.clock(), lambda: self._message(id_, frame))

    def _message(self, id_: str, frame: str) -> None:
        found = self._there(id_)
        if found is None:
            return
        context = {"eventType": "MESSAGE", "connectionId": id_}
        status = found.invoke({"body": frame, "requestContext": context})
        if status == 0:
            self.lose(id_)
        elif status != 200 and id_ in self._open:
            found.socket.receive(b'{"message": "Internal server error"}')

    def lose(self, id_: str, *, noticed: bool = True) -> None:
        """A connection ends. Its client notices it sooner or later; the function may never hear of it."""
        found = self._open.pop(id_, None)
        if found is None:
            return
        now = self.scheduler.clock()
        if noticed:
            self.scheduler.at(now + self.random.choice(_NOTICED), found.socket.closed)
        if (after := self.random.choice(_ENDS)) is not None:
            context = {"eventType": "DISCONNECT", "connectionId": id_}
            self.scheduler.at(now + after, lambda: _ignore(found.invoke({"requestContext": context})))

    def _there(self, id_: str) -> _Open | None:
        found = self._open.get(id_)
        if found is not None and self.scheduler.clock() >= found.since + LIFE:
            self.lose(id_)
            return None
        return found


def _ignore(_status: int) -> None:
    """API Gateway does not repeat the end of a connection."""
