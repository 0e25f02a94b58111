"""Messages and events as the unified model (WeCom docs: Receiving messages, Receiving events; WeChat docs: Receiving
ordinary messages, Receiving event pushes). Both platforms use the same elements; what differs is noted.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from parley.adapter import App
from parley.model import (
    Action,
    AnySegment,
    Audio,
    Content,
    Context,
    File,
    Image,
    Kind,
    Link,
    Location,
    Message,
    Other,
    Sender,
    Text,
    Video,
    digest,
)
from parley.platforms.tencent.fields import Fields, degrees, inner, integer, text

_MIMES = {"amr": "audio/amr", "speex": "audio/speex", "mp3": "audio/mpeg"}
_CREDENTIALS = ("ResponseCode", "Token", "SuiteTicket", "AuthCode")
"""What a callback hands out and nobody else may have: not kept in `raw`, and not part of a message's identity, since a
repetition may well carry a new one."""


class Source(NamedTuple):
    """Where a message came from, and what all messages of it share."""

    app: App
    fields: Fields
    stamp: int
    """Unix seconds of the callback, for what says no time of its own."""
    tenant: str = ""


def message(source: Source) -> Message:
    """An ordinary message."""
    found = segments(source.fields)
    words = "".join(part.text for part in found if isinstance(part, Text | Audio)).strip()
    media = tuple(part for part in found if isinstance(part, Image | File | Audio | Video))
    return _message(source, "message", Content(text=words, attachments=media), segments=found)


def event(source: Source, name: str) -> Message:
    """An event that nobody has to press a button for. What was chosen or scanned is its text."""
    fields = source.fields
    place = _location(fields, "Latitude", "Longitude", "") if name == "location" else None
    return _message(
        source,
        "event",
        Content(text=_said(fields)),
        event=name,
        segments=() if place is None else (place,),
        # The result of a template or mass message names the message.
        reply_to=text(fields, "MsgID"),
    )


def press(source: Source, action: Action, label: str = "", *, reply_token: str = "", until: int = 0) -> Message:
    """A press of a button. `reply_token`, sealed: the right to change the card until then."""
    content = Content(text=label)
    return _message(source, "action", content, action=action, reply_token=reply_token, until=until)


def _message(
    source: Source, kind: Kind, content: Content, *, reply_token: str = "", until: int = 0, **more: Any
) -> Message:
    app, fields = source.app, source.fields
    return Message(
        id=identity(fields),
        platform=app.platform,
        app=app.name,
        kind=kind,
        sender=_sender(fields),
        content=content,
        timestamp=created(source),
        context=Context(tenant=source.tenant, private=True, reply_token=reply_token, reply_token_expires=until),
        raw=without_credentials(fields),
        **more,
    )


def created(source: Source) -> int:
    """Unix seconds at which it happened."""
    fields = source.fields
    return integer(text(fields, "CreateTime")) or integer(text(fields, "TimeStamp")) or source.stamp


def identity(fields: Fields) -> str:
    """What is the same at each delivery of one message. Events have no id: a hash of all they say.

    The docs name sender and second, which is not enough: an import of contacts is many events of `sys` in one second
    that differ in the member only, as two presses of a menu may in the key.
    """
    known = text(fields, "MsgId")
    if known:
        return known
    told = msgspec.json.encode(without_credentials(fields), order="sorted").decode()
    return f"event-{digest('tencent event', told)[:40]}"


def without_credentials(fields: Fields) -> Fields:
    """`fields` as they may be kept."""
    return {name: value for name, value in fields.items() if name not in _CREDENTIALS}


def _sender(fields: Fields) -> Sender:
    who = text(fields, "FromUserName")
    if who and who != "sys":
        return Sender(id=who)
    return Sender(id=who or text(fields, "AuthCorpId") or text(fields, "SuiteId"), kind="system")


def _said(fields: Fields) -> str:
    """The scene of a QR code, the content of a scanned one, the key of a menu."""
    scanned = text(inner(fields, "ScanCodeInfo"), "ScanResult")
    return scanned or text(fields, "EventKey").removeprefix("qrscene_")


def segments(fields: Fields) -> tuple[AnySegment, ...]:
    """The segments of an ordinary message; one that has no form here is kept as `Other`."""
    kind = text(fields, "MsgType")
    reader = _READERS.get(kind)
    found = reader(fields) if reader else None
    return (found or _other(kind, fields),)


def _text(fields: Fields) -> AnySegment:
    return Text(text=text(fields, "Content"))


def _image(fields: Fields) -> AnySegment:
    return Image(key=text(fields, "MediaId"), url=text(fields, "PicUrl"))


def _voice(fields: Fields) -> AnySegment:
    form = text(fields, "Format").lower()
    return Audio(key=text(fields, "MediaId"), mime=_MIMES.get(form, ""), text=text(fields, "Recognition"))


def _video(fields: Fields) -> AnySegment:
    return Video(key=text(fields, "MediaId"), cover=text(fields, "ThumbMediaId"))


def _file(fields: Fields) -> AnySegment:
    """Documented nowhere, and seen: the name is in one of three places."""
    name = text(fields, "FileName") or text(fields, "Title") or text(fields, "Name")
    size = integer(text(fields, "FileSize") or text(fields, "FileTotalLen"))
    return File(key=text(fields, "MediaId"), name=name, size=size)


def _link(fields: Fields) -> AnySegment:
    return Link(
        url=text(fields, "Url"),
        title=text(fields, "Title"),
        description=text(fields, "Description"),
        image=text(fields, "PicUrl"),
    )


def _place(fields: Fields) -> AnySegment | None:
    # X is the latitude here, against every custom.
    return _location(fields, "Location_X", "Location_Y", "Label")


def _location(fields: Fields, latitude: str, longitude: str, label: str) -> Location | None:
    north, east = degrees(text(fields, latitude)), degrees(text(fields, longitude))
    if north is None or east is None:
        return None
    return Location(latitude=north, longitude=east, name=text(fields, label))


_KNOWN = ("ToUserName", "FromUserName", "CreateTime", "MsgType", "MsgId", "AgentID", *_CREDENTIALS)


def _other(kind: str, fields: Fields) -> Other:
    said = text(fields, "Content") or text(fields, "Title") or text(fields, "Description")
    data = {name: value for name, value in fields.items() if isinstance(value, str) and name not in _KNOWN}
    return Other(name=kind or "unknown", text=said, data=data)


_READERS: Mapping[str, Callable[[Fields], AnySegment | None]] = {
    "text": _text,
    "image": _image,
    "voice": _voice,
    "video": _video,
    "shortvideo": _video,
    "file": _file,
    "location": _place,
    "link": _link,
}
