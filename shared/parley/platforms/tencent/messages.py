"""Converts messages and events to the unified model. Both platforms use the same fields; differences are noted.

WeCom docs: Receiving messages, Receiving events. WeChat docs: Receiving ordinary messages, Receiving event pushes.
"""

import re
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
from parley.platforms.tencent.fields import Fields
from parley.untrusted import mapping, parse_integer, text

_MIMES = {"amr": "audio/amr", "speex": "audio/speex", "mp3": "audio/mpeg"}
_CREDENTIALS = ("ResponseCode", "Token", "SuiteTicket", "AuthCode", "WelcomeCode")
"""Fields with credentials. They are left out of `raw`."""
_RENEWED = ("ResponseCode", "SuiteTicket")
"""Credentials that a repeated delivery may renew (unverified). They are no part of a message's identity. `Token` and
`AuthCode` are: two events of one second may differ in nothing else."""
_UNSUPPORTED = re.compile(r"[【\[]收到不支持的消息类型[，,]\s*暂无法显示[】\]]")
"""The words by which the platform announces a sticker or another message that it does not pass on. No person wrote
them."""


class Source(NamedTuple):
    """A callback that has been authenticated."""

    app: App
    fields: Fields
    received: int
    """Unix seconds of the callback, for messages without a time of their own."""
    tenant: str = ""


def message(source: Source) -> Message:
    """An ordinary message."""
    found = segments(source.fields)
    content_text = "".join(part.text for part in found if isinstance(part, Text | Audio)).strip()
    media = tuple(part for part in found if isinstance(part, Image | File | Audio | Video))
    return _message(source, "message", Content(text=content_text, attachments=media), segments=found)


def event(source: Source, name: str, *, reply_token: str = "", expires: int = 0) -> Message:
    """An event other than a button press. Its text is the key of a menu item, or the content of a scanned code.

    `reply_token`: a sealed credential that came with the event, valid until `expires` (unix time).
    """
    fields = source.fields
    place = _location(fields, "Latitude", "Longitude", "") if name == "location" else None
    return _message(
        source,
        "event",
        Content(text=_event_text(fields)),
        event=name,
        reply_token=reply_token,
        expires=expires,
        segments=() if place is None else (place,),
        # The result of a template message or of a mass message has the id of that message.
        reply_to=text(fields.get("MsgID")),
    )


def press(source: Source, action: Action, label: str = "", *, reply_token: str = "", expires: int = 0) -> Message:
    """A button press. `reply_token`: the sealed code that allows one update of the card until `expires` (unix time)."""
    content = Content(text=label)
    return _message(source, "action", content, action=action, reply_token=reply_token, expires=expires)


def _message(
    source: Source, kind: Kind, content: Content, *, reply_token: str = "", expires: int = 0, **values: Any
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
        context=Context(tenant=source.tenant, private=True, reply_token=reply_token, reply_token_expires=expires),
        raw=without_credentials(fields),
        **values,
    )


def created(source: Source) -> int:
    """The unix second at which the message or event was created."""
    fields = source.fields
    return parse_integer(fields.get("CreateTime")) or parse_integer(fields.get("TimeStamp")) or source.received


def identity(fields: Fields) -> str:
    """The id that all deliveries of one message share: `MsgId`, or for events, which have none, a hash of their fields.

    The docs recommend sender and second as the key of an event. These are not unique: an import of contacts sends many
    events of `sys` in one second that differ in the member only. Two presses of a menu may differ in the key only.
    """
    if id_ := text(fields.get("MsgId")):
        return id_
    distinguishing = {name: value for name, value in fields.items() if name not in _RENEWED}
    content = msgspec.json.encode(distinguishing, order="sorted").decode()
    return f"event-{digest('tencent event', content)[:40]}"


def without_credentials(fields: Fields) -> Fields:
    """`fields` as they may be stored."""
    return {name: value for name, value in fields.items() if name not in _CREDENTIALS}


def _sender(fields: Fields) -> Sender:
    name = text(fields.get("FromUserName"))
    if name and name != "sys":
        return Sender(id=name)
    return Sender(id=name or text(fields.get("AuthCorpId")) or text(fields.get("SuiteId")), kind="system")


def _event_text(fields: Fields) -> str:
    """The content of a scanned code, the scene of the account's own QR code, or the key of a menu item."""
    scanned = text(mapping(fields.get("ScanCodeInfo")).get("ScanResult"))
    return scanned or text(fields.get("EventKey")).removeprefix("qrscene_")


def segments(fields: Fields) -> tuple[AnySegment, ...]:
    """The segments of an ordinary message. A message of an unknown type, or without its fields, becomes `Other`."""
    kind = text(fields.get("MsgType"))
    reader = _READERS.get(kind)
    found = reader(fields) if reader else None
    return (found or _other(kind, fields),)


def _text(fields: Fields) -> AnySegment:
    content = text(fields.get("Content"))
    if _UNSUPPORTED.fullmatch(content.strip()):
        return Other(name="unsupported", text=content)
    return Text(text=content)


def _image(fields: Fields) -> AnySegment:
    return Image(key=text(fields.get("MediaId")), url=text(fields.get("PicUrl")))


def _voice(fields: Fields) -> AnySegment:
    format_ = text(fields.get("Format")).lower()
    return Audio(key=text(fields.get("MediaId")), mime=_MIMES.get(format_, ""), text=text(fields.get("Recognition")))


def _video(fields: Fields) -> AnySegment:
    return Video(key=text(fields.get("MediaId")), cover=text(fields.get("ThumbMediaId")))


def _file(fields: Fields) -> AnySegment:
    """A file. Its fields are not documented; the name has been seen in three of them."""
    name = text(fields.get("FileName")) or text(fields.get("Title")) or text(fields.get("Name"))
    size = parse_integer(text(fields.get("FileSize")) or text(fields.get("FileTotalLen")))
    return File(key=text(fields.get("MediaId")), name=name, size=size)


def _link(fields: Fields) -> AnySegment:
    return Link(
        url=text(fields.get("Url")),
        title=text(fields.get("Title")),
        description=text(fields.get("Description")),
        image=text(fields.get("PicUrl")),
    )


def _place(fields: Fields) -> AnySegment | None:
    # X is the latitude, contrary to common use.
    return _location(fields, "Location_X", "Location_Y", "Label")


def _location(fields: Fields, latitude: str, longitude: str, label: str) -> Location | None:
    north, east = degrees(text(fields.get(latitude))), degrees(text(fields.get(longitude)))
    if north is None or east is None:
        return None
    return Location(latitude=north, longitude=east, name=text(fields.get(label)))


def degrees(value: str) -> float | None:
    """The latitude or longitude in a text; None if it is not a finite decimal number."""
    digits = value.strip()
    return float(digits) if re.fullmatch(r"[+-]?[0-9]{1,3}(\.[0-9]{0,20})?", digits) else None


_KNOWN = ("ToUserName", "FromUserName", "CreateTime", "MsgType", "MsgId", "AgentID", *_CREDENTIALS)


def _other(kind: str, fields: Fields) -> Other:
    label = text(fields.get("Content")) or text(fields.get("Title")) or text(fields.get("Description"))
    data = {name: value for name, value in fields.items() if isinstance(value, str) and name not in _KNOWN}
    return Other(name=kind or "unknown", text=label, data=data)


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
