"""Sockets: connections that clients hold, the frames in them, and what the engine does with each frame."""

from typing import NamedTuple, Protocol, runtime_checkable

import msgspec

from parley.adapter.app import App
from parley.adapter.inbound import Accepted, Client, Rejected, Request, Response
from parley.model import Outgoing


class Position(NamedTuple):
    """The replies of a conversation that follow: those after the number `cursor`, up to `last`. `more`: there are more
    than these.
    """

    cursor: int
    last: int
    more: bool = False


class Tell(msgspec.Struct, frozen=True):
    """A frame for the client. `closes`: the connection ends after it."""

    data: bytes
    closes: bool = False


class Store(msgspec.Struct, frozen=True):
    """A message, and the frame `done` for when it is stored. `key`: the client's name for it."""

    accepted: Accepted
    done: bytes
    key: str


class Watch(msgspec.Struct, frozen=True):
    """The client wants the replies of the conversation with that key: those after the number `after`, and each that
    comes. None: those after the last one that the person has acknowledged; without one, only those that come.
    """

    conversation: str
    room: str
    after: int | None = None


class Acknowledge(msgspec.Struct, frozen=True):
    """The client has handled all replies of the conversation with that key, up to the number `cursor`."""

    conversation: str
    room: str
    cursor: int


Action = Tell | Store | Watch | Acknowledge
"""What the engine does with a frame."""


@runtime_checkable
class SupportsSockets(Protocol):
    """The module `sockets` of a platform whose clients hold connections."""

    def connecting(self, request: Request) -> tuple[str, Request]:
        """The ticket of a handshake, empty if it has none; and the request with which `receive` checks its token."""
        ...

    def connected(self, request: Request) -> Response:
        """The response to a handshake that is accepted."""
        ...

    def ticket_response(self, request: Request, app: App, ticket: str, lasts: int, url: str) -> Response:
        """The response with a new ticket, which lasts that many seconds, and the address to connect to."""
        ...

    def action(self, data: str | bytes, client: Client, app: App, now: float) -> Action:
        """What to do with a frame of the client. Never raises."""
        ...

    def opened(self, watch: Watch, position: Position) -> bytes:
        """The frame that precedes the replies of a conversation."""
        ...

    def reply(self, room: str, number: int, out: Outgoing | None, client: Client) -> bytes:
        """The frame of the reply with that number. None: it has expired."""
        ...

    def refused(self, rejected: Rejected, about: Store | Watch | Acknowledge | None = None) -> Tell:
        """The frame that says that a frame was refused."""
        ...


@runtime_checkable
class SupportsNotices(Protocol):
    """An `outbound` module of a platform whose clients hold connections: see `Call.notifies`."""

    def notice(self, out: Outgoing, number: int | None, *, visible: bool) -> bytes:
        """The frame for those that watch the conversation of `out`, whose number in its mailbox is `number`. None: the
        bot works on it. `visible`: whether they may see it.
        """
        ...
