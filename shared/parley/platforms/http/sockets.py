"""Sockets: handshakes, tickets, and what each frame of a client asks for. See `parley.adapter.SupportsSockets`.

A message goes through the same code as that of `POST /v1/{app}/messages`.
"""

from http import HTTPStatus

import msgspec
from msgspec.structs import replace

from parley.adapter import (
    Acknowledge,
    Action,
    App,
    Client,
    Headers,
    Position,
    Rejected,
    Request,
    Response,
    Store,
    Tell,
    Watch,
)
from parley.model import Outgoing
from parley.platforms.http import frames
from parley.platforms.http.config import Config
from parley.platforms.http.frames import FrameError, Hello, Open, Ping, Post
from parley.platforms.http.inbound import CONNECT, conversation, receive_from, shared
from parley.platforms.http.persons import Person

PROTOCOL = "parley.v1"
"""The sub-protocol of a WebSocket. A browser can send its token as a second one: `bearer.TOKEN`."""
_BEARER = "bearer."
_ENDED = "The connection has ended: its token has expired, or it lasted too long. Please connect again."
_NO_CURSOR = "The conversation has no reply with the number `cursor` yet."
_NOT_NOW = "The conversation is not available, or too many connections watch it. Please send the frame again later."
_TOO_MANY = "You send too many of these frames. Please send this one again later."
_DETAILS: dict[int, str] = {HTTPStatus.BAD_REQUEST: _NO_CURSOR, HTTPStatus.TOO_MANY_REQUESTS: _TOO_MANY}
_SWITCHED_OFF = "The app has no sockets."


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """What a client that cannot send its token during the handshake connects with."""

    ticket: str
    """It is good once."""
    expires_in: int
    """Seconds for which it is good."""
    url: str
    """Where to connect, with the ticket."""


def connecting(request: Request) -> tuple[str, Request]:
    """See `parley.adapter.SupportsSockets`. A ticket counts before a token."""
    offered = _offered(request)
    token = next((each.removeprefix(_BEARER) for each in offered if each.startswith(_BEARER)), "")
    headers = {**request.headers, "authorization": f"Bearer {token}"} if token else request.headers
    asked = replace(request, method=CONNECT, headers=Headers(headers), query={})
    return request.query.get("ticket", ""), asked


def connected(request: Request) -> Response:
    """See `parley.adapter.SupportsSockets`. A browser closes the connection unless its sub-protocol is named."""
    return Response(headers={"Sec-WebSocket-Protocol": PROTOCOL} if PROTOCOL in _offered(request) else {})


def ticket_response(request: Request, app: App, ticket: str, lasts: int, url: str) -> Response:
    """See `parley.adapter.SupportsSockets`."""
    body = msgspec.json.encode(Ticket(ticket=ticket, expires_in=lasts, url=url))
    return shared(Response(201, body), request, app)


def action(data: str | bytes, client: Client, app: App, now: float) -> Action:
    """See `parley.adapter.SupportsSockets`. A `token` in `hello` is not read."""
    if client.until <= now:
        return refused(frames.described(Rejected(401, "stale"), _ENDED))
    config: Config = app.config
    if not config.sockets:
        return replace(refused(frames.described(Rejected(403, "not_allowed"), _SWITCHED_OFF)), closes=True)
    try:
        frame = frames.decode(data)
    except FrameError as error:
        return refused(error.rejected)
    match frame:
        case Hello(version=frames.VERSION):
            return Tell(frames.encode(frames.Ready(person=client.person, until=client.until)))
        case Hello():
            return _wrong_version()
        case Ping():
            return Tell(frames.encode(frames.Pong()))
        case Post():
            return _post(frame, client, app, now)
        case _:
            return _about_room(frame, client, app)


def opened(watch: Watch, position: Position) -> bytes:
    """See `parley.adapter.SupportsSockets`."""
    cursor, last, more = position
    return frames.encode(frames.Opened(room=watch.room, cursor=str(cursor), last=str(last), more=more))


def reply(room: str, number: int, out: Outgoing | None, client: Client) -> bytes:
    """See `parley.adapter.SupportsSockets`."""
    return frames.reply_frame(room, number, out, client.person, frames.MAX_PUSH)


def refused(rejected: Rejected, about: Store | Watch | Acknowledge | None = None) -> Tell:
    """See `parley.adapter.SupportsSockets`."""
    if isinstance(about, Watch | Acknowledge) and rejected.response is None:
        rejected = frames.described(rejected, _DETAILS.get(rejected.status, _NOT_NOW))
    key = about.key if isinstance(about, Store) else ""
    room = about.room if isinstance(about, Watch | Acknowledge) else None
    return Tell(frames.encode(frames.error_frame(rejected, key, room)), rejected.status in frames.CLOSING)


def _offered(request: Request) -> list[str]:
    """The sub-protocols that a client offers."""
    return [each.strip() for each in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]


def _wrong_version() -> Tell:
    detail = f"The server speaks version {frames.VERSION}."
    return replace(refused(frames.described(Rejected(400, "malformed"), detail)), closes=True)


def _post(frame: Post, client: Client, app: App, now: float) -> Action:
    request = Request("POST", Headers({"Idempotency-Key": frame.key}), body=frame.body)
    found = receive_from(_person(client), request, app, now)
    if isinstance(found, Rejected):
        error = frames.error_frame(found, frame.key)
        return Tell(frames.encode(error), error.status in frames.CLOSING)
    done = frames.Accepted(key=frame.key, id=found.messages[0].id)
    return Store(found, frames.encode(done), frame.key)


def _about_room(frame: Open | frames.Ack, client: Client, app: App) -> Action:
    key = conversation(_person(client), frame.room, app)
    if isinstance(key, Rejected):
        return Tell(frames.encode(frames.error_frame(key, room=frame.room)))
    if isinstance(frame, frames.Ack):
        return Acknowledge(key, frame.room, int(frame.cursor))
    return Watch(key, frame.room, None if frame.after is None else int(frame.after))


def _person(client: Client) -> Person:
    return Person(client.person, client.name, client.rooms, client.until)
