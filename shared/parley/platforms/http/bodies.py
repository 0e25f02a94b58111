"""The message that a client posts: a documented subset of the unified message."""

from typing import Annotated, Literal, TypeVar

import msgspec

from parley.model import digest
from parley.untrusted import decode_json, mapping

T = TypeVar("T")


class Press(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A press of a button, a choice from a menu, or a form that is sent."""

    id: Annotated[str, msgspec.Meta(min_length=1)]
    value: str = ""
    message_id: str = ""
    """The id of the reply that holds the card."""
    form: dict[str, str] = {}
    options: tuple[str, ...] = ()


MAX_SIZE = 10_485_760
"""Bytes of media. A bot can download as many."""
MIME = r"^[A-Za-z0-9][A-Za-z0-9.+-]{0,63}/[A-Za-z0-9][A-Za-z0-9.+-]{0,63}$"
MEDIA_ID = r"^[0-9a-f]{48}$"
Name = Annotated[str, msgspec.Meta(max_length=255)]


class MediaRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Media that a client wants to upload."""

    type: Annotated[str, msgspec.Meta(pattern=MIME)]
    """The media type, such as `image/png`."""
    size: Annotated[int, msgspec.Meta(ge=1, le=MAX_SIZE)]
    """Bytes. An upload of another size is refused."""


class MediaUpload(msgspec.Struct, frozen=True, kw_only=True):
    """Where the client uploads the media."""

    id: str
    """A message names the media by it."""
    method: Literal["PUT"] = "PUT"
    url: str
    headers: dict[str, str]
    """The headers that the upload must have."""
    expires_in: int
    """Seconds for which the address is valid."""


class Attached(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Uploaded media in a message."""

    id: Annotated[str, msgspec.Meta(pattern=MEDIA_ID)]
    type: Annotated[str, msgspec.Meta(pattern=MIME)]
    """The media type with which they were uploaded."""
    name: Name = ""


class Posted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a client posts. The token says who sends it."""

    text: str = ""
    room: str = ""
    """Empty: the direct chat of the person with the bot."""
    thread: str = ""
    reply_to: str = ""
    """The id of the message or reply that it answers."""
    locale: str = ""
    media: Annotated[tuple[Attached, ...], msgspec.Meta(max_length=10)] = ()
    action: Press | None = None


def posted_in(body: bytes) -> Posted:
    """The message in `body`. Raises ValueError, which names the field and never its value."""
    found = _decoded(body, Posted)
    if found.action is not None and (found.text or found.media):
        raise ValueError("A message has either `action`, or `text` and `media`.")
    if found.action is None and not found.text.strip() and not found.media:
        raise ValueError("The message is empty: `text`, `media` or `action` is missing.")
    return found


def media_in(body: bytes) -> MediaRequest:
    """The media that `body` announces. Raises ValueError, as `posted_in`."""
    return _decoded(body, MediaRequest)


def _whole(document: object) -> object:
    """`document`, in which 4.0 is an integer, as JSON Schema says."""
    fields = mapping(document)
    size = fields.get("size")
    return {**fields, "size": int(size)} if isinstance(size, float) and size.is_integer() else document


def _decoded(body: bytes, kind: type[T]) -> T:
    try:
        document = decode_json(body)
    except ValueError as error:
        raise ValueError("The body is not JSON.") from error
    try:
        return msgspec.convert(_whole(document), kind)
    except msgspec.ValidationError as error:
        raise ValueError(f"{error}.") from error


def fingerprint(posted: Posted) -> str:
    """Equal for bodies that mean the same: the order of fields, white space and empty fields do not count."""
    return digest(msgspec.json.encode(posted, order="deterministic").decode())
