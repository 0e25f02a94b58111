"""Frames of the sockets: JSON objects whose `type` says what they are, the same on WebSocket and TCP.

On WebSocket, a frame is a text message. On TCP, four bytes with its length precede it (big endian, without a sign).
"""

from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from msgspec import Meta, json
from msgspec.structs import replace

from parley.adapter import Rejected
from parley.errors import ParleyError
from parley.model import Outgoing, media_of
from parley.platforms.http.media import stored
from parley.platforms.http.problems import problem
from parley.platforms.http.replies import shown
from parley.untrusted import decode_json, mapping, parse_integer, text

VERSION = 1
"""The version of the protocol, which `hello` and `ready` name."""
MAX_FRAME = 131_072
"""Bytes of a frame, in both directions: the limit of API Gateway for a message."""
MAX_PUSH = 28 * 1024
"""Bytes of a frame that is pushed on WebSocket. API Gateway takes 32 KB at once."""
CLOSING = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.REQUEST_ENTITY_TOO_LARGE})
"""The statuses of errors after which the connection is closed."""

Cursor = Annotated[str, Meta(pattern=r"^[0-9]{1,15}\Z")]
"""The number of a reply in its conversation. The numbers of a conversation follow one another without a gap."""
Key = Annotated[str, Meta(pattern=r"^[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?\Z")]
"""See the header Idempotency-Key: `parley.platforms.http.inbound.KEY`."""


class FrameError(ParleyError):
    """A frame that cannot be read. `rejected` says why; see `error_frame`."""

    def __init__(self, rejected: Rejected) -> None:
        super().__init__(rejected.detail)
        self.rejected = rejected


# --- from the client --------------------------------------------------------------------------------------------------


class Hello(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="hello"):
    """The first frame. `token` and `app` on TCP only: on WebSocket, the connection has a person from the start."""

    version: int = VERSION
    token: str = ""
    app: str = ""


class Open(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="open"):
    """The client wants the replies of a conversation: those after `after`, and each that comes.

    None: those after the last one that the person has acknowledged; without one, only those that come.
    """

    room: str = ""
    after: Cursor | None = None


class Ack(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="ack"):
    """The client has handled all replies of a conversation up to `cursor`. It gets no answer."""

    cursor: Cursor
    room: str = ""


class Ping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="ping"):
    """The client is there. The answer is `pong`."""


class Post(msgspec.Struct, frozen=True):
    """A frame `message`. `body`: that of the same `POST /v1/{app}/messages`, whose header Idempotency-Key is `key`."""

    key: str
    body: bytes


ClientFrame = Hello | Open | Ack | Ping | Post
_MESSAGE = "message"
_TYPES = "hello, open, message, ack, ping"


def decode(data: bytes | str) -> ClientFrame:
    """The frame in `data`. Raises FrameError."""
    data = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    if len(data) > MAX_FRAME:
        raise _refused(Rejected(413, "too_large"), f"The frame has more than {MAX_FRAME} bytes.")
    try:
        document = decode_json(data)
    except ValueError as error:
        raise _malformed("The frame is not JSON.") from error
    fields = mapping(document)
    if fields.get("type") == _MESSAGE:
        return _post(fields)
    try:
        return msgspec.convert(document, Hello | Open | Ack | Ping)
    except msgspec.ValidationError as error:
        known = text(fields.get("type")) in _TYPES.split(", ")
        raise _malformed(f"{error}." if known else f"The `type` of the frame is not one of {_TYPES}.") from error


def _post(fields: dict[str, Any]) -> Post:
    body = {name: value for name, value in fields.items() if name not in ("type", "key")}
    try:
        return Post(msgspec.convert(fields.get("key"), Key), json.encode(body))
    except msgspec.ValidationError as error:
        raise _malformed("`key` is missing: 1 to 255 printable ASCII characters, new for each message.") from error


def _malformed(detail: str) -> FrameError:
    return _refused(Rejected(400, "malformed", detail), detail)


def _refused(rejected: Rejected, detail: str) -> FrameError:
    return FrameError(described(rejected, detail))


# --- to the client ----------------------------------------------------------------------------------------------------


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="ready"):
    """The answer to `hello`. `until`: Unix second at which the connection ends."""

    person: str
    until: int
    version: int = VERSION


class Opened(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="opened"):
    """The answer to `open`: the replies after `cursor` follow, up to the number `last`.

    `more`: there are more than these, and the client sends `open` again once it has them.
    """

    room: str
    cursor: Cursor
    last: Cursor
    more: bool = False


class Reply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="reply"):
    """A reply, as `parley.platforms.http.replies.shown` shows it.

    Without one, this person may not see it or it has expired; but if `large`, the client reads it by HTTP: it is too
    large for a frame, or it has media without an address.
    """

    room: str
    cursor: Cursor
    reply: dict[str, Any] | None = None
    large: bool = False


class Typing(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="typing"):
    """The bot works on a message of the conversation."""

    room: str


class Accepted(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="accepted"):
    """The message with that key is stored, and the bot will get it. `id`: its id."""

    key: str
    id: str


class Pong(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="pong"):
    """The answer to `ping`."""


class Error(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="error"):
    """The same as a problem document. `key`: that of the refused message. `retry_after`: seconds."""

    status: int
    error: str
    detail: str = ""
    key: str = ""
    room: str | None = None
    """The conversation that was not opened, or whose replies were not acknowledged."""
    retry_after: int | None = None


ServerFrame = Ready | Opened | Reply | Typing | Accepted | Pong | Error


def encode(frame: ServerFrame) -> bytes:
    """`frame` as JSON, without the length that precedes it on TCP."""
    return json.encode(frame)


def reply_frame(room: str, number: int, out: Outgoing | None, person: str, limit: int) -> bytes:
    """The frame of the reply with that number, for the person with that id, in at most `limit` bytes.

    None: the reply has expired. `room`: the name of the room, empty in the direct chat.
    """
    visible = out is not None and (not out.reply.private or out.to.user_id == person)
    frame = Reply(room=room, cursor=str(number), reply=shown(out) if out is not None and visible else None)
    encoded = encode(frame)
    by_http = len(encoded) > limit or (out is not None and visible and _lacks_addresses(out))
    return encode(replace(frame, reply=None, large=True)) if by_http else encoded


def _lacks_addresses(out: Outgoing) -> bool:
    """Whether the reply has media in the bucket of this deployment, and `out` has no address of them."""
    media = media_of(out.reply.segments)
    return any(each.source and not each.data and not each.url and stored(each.source) for each in media)


def described(rejected: Rejected, detail: str) -> Rejected:
    """`rejected`, whose error frame has that `detail`: a sentence for the author of the client."""
    return replace(rejected, response=problem(rejected, detail))


def error_frame(rejected: Rejected, key: str = "", room: str | None = None) -> Error:
    """What the client gets for a frame that is refused. `rejected.response`: a problem document, if it has one."""
    response = rejected.response or problem(rejected)
    detail = text(mapping(json.decode(response.body)).get("detail"))
    retry_after = parse_integer(response.headers.get("Retry-After", ""))
    return Error(
        status=rejected.status, error=rejected.reason, detail=detail, key=key, room=room, retry_after=retry_after
    )
