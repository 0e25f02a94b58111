"""The content of a message as segments (Feishu docs: Receive message content).

`content` is JSON inside a string. A message type without a reader, and content that cannot be read, become `Other`.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from parley.model import (
    AnySegment,
    Audio,
    File,
    Image,
    Link,
    Location,
    Markdown,
    Mention,
    Other,
    Text,
    Video,
    plain_text,
)
from parley.platforms.feishu.card_text import card_text
from parley.platforms.feishu.mentions import NO_MENTIONS, Mentions
from parley.platforms.feishu.post import attached_files, plain_post, read_post, spoken_link
from parley.platforms.feishu.values import Object, scalars
from parley.text import join_without
from parley.untrusted import array, decode_json, mapping, scalar

FORWARD = "merge_forward"
"""The type of a message that forwards others. Its own content has no text of them."""
_TEXT_FIELDS = ("text", "title", "topic", "summary", "content")
"""Fields that hold the visible text of message types without a reader, in order of preference."""
_FIELD = re.compile(r"\{([A-Za-z_]{1,40})\}")
"""A field in the template of a system message, such as `{from_user}`."""


def segments(kind: str, content: Any, mentions: Mentions = NO_MENTIONS) -> tuple[AnySegment, ...]:
    """The segments of a message of `message_type` `kind`. Never raises."""
    try:
        fields = decode_json(content.encode()) if isinstance(content, str) else content
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        return (Other(name=kind or "unknown"),)
    read = _READERS.get(kind)
    found = read(mapping(fields), mentions) if read else [_other(kind, mapping(fields))]
    return _join_texts(found)


def text_without_bot(content: Iterable[AnySegment], bot_ids: frozenset[str]) -> str:
    """The words of `content` without the mentions of this bot, and without the double space that they would leave."""
    return join_without((isinstance(one, Mention) and one.id in bot_ids, _spoken(one)) for one in content)


def _spoken(segment: AnySegment) -> str:
    """The words that a person wrote in `segment`: none for media and for content without words."""
    match segment:
        case Text(text=text) | Markdown(text=text) | Other(text=text):
            return text
        case Link():
            return spoken_link(segment)
        case Mention() | Location():
            return plain_text((segment,))
        case _:
            return ""


def _join_texts(content: Iterable[AnySegment]) -> tuple[AnySegment, ...]:
    """`content` with adjacent texts joined, and without empty texts and markdown."""
    found: list[AnySegment] = []
    pending: list[str] = []
    for segment in content:
        if isinstance(segment, Text):
            pending.append(segment.text)
            continue
        if isinstance(segment, Markdown) and not segment.text:
            continue
        if joined := "".join(pending):
            found.append(Text(text=joined))
        pending.clear()
        found.append(segment)
    if joined := "".join(pending):
        found.append(Text(text=joined))
    return tuple(found)


def _text(fields: Object, mentions: Mentions) -> list[AnySegment]:
    return [*mentions.in_text(scalar(fields.get("text"))), *attached_files(fields)]


def _image(fields: Object, _mentions: Mentions) -> Iterable[AnySegment]:
    return [Image(key=scalar(fields.get("image_key")))]


def _file(fields: Object, _mentions: Mentions) -> Iterable[AnySegment]:
    return [File(key=scalar(fields.get("file_key")), name=scalar(fields.get("file_name")))]


def _audio(fields: Object, _mentions: Mentions) -> Iterable[AnySegment]:
    return [Audio(key=scalar(fields.get("file_key")), seconds=_duration(fields))]


def _video(fields: Object, _mentions: Mentions) -> Iterable[AnySegment]:
    return [
        Video(
            key=scalar(fields.get("file_key")),
            name=scalar(fields.get("file_name")),
            cover=scalar(fields.get("image_key")),
            seconds=_duration(fields),
        )
    ]


def _duration(fields: Object) -> float | None:
    milliseconds = _number(fields.get("duration"))
    return None if milliseconds is None else milliseconds / 1000


def _location(fields: Object, _mentions: Mentions) -> Iterable[AnySegment]:
    latitude, longitude = _number(fields.get("latitude")), _number(fields.get("longitude"))
    if latitude is None or longitude is None:
        return [_other("location", fields)]
    return [Location(latitude=latitude, longitude=longitude, name=scalar(fields.get("name")))]


def _number(value: Any) -> float | None:
    """A decimal number, given as a number or a string; None for anything else, such as infinity."""
    digits = scalar(value)
    if len(digits) > 40 or not re.fullmatch(r"-?[0-9]+(\.[0-9]*)?", digits):
        return None
    return float(digits)


def _interactive(fields: Object, _mentions: Mentions) -> Iterable[AnySegment]:
    return [Other(name="interactive", text=card_text(fields))]


def _todo(fields: Object, _mentions: Mentions) -> Iterable[AnySegment]:
    """A task. Its summary is a post."""
    summary = plain_post(fields.get("summary")) or scalar(fields.get("summary"))
    return [Other(name="todo", text=summary, data=scalars(fields))]


def _vote(fields: Object, _mentions: Mentions) -> Iterable[AnySegment]:
    """A vote: its topic and its options."""
    options = (scalar(option) or _first_text(mapping(option)) for option in array(fields.get("options")))
    words = "\n".join(filter(None, (_first_text(fields), *options)))
    return [Other(name="vote", text=words, data=scalars(fields))]


def _system(fields: Object, _mentions: Mentions) -> Iterable[AnySegment]:
    """A notice of Feishu: a template with names in braces, or the text of a divider."""
    template = scalar(fields.get("template"))
    words = _FIELD.sub(lambda field: _names(fields.get(field[1])), template) or _first_text(
        mapping(fields.get("divider_text"))
    )
    return [Other(name="system", text=words, data=scalars(fields))]


def _names(value: Any) -> str:
    return ", ".join(filter(None, map(scalar, array(value)))) or scalar(value)


def _first_text(fields: Object) -> str:
    return next((text for name in _TEXT_FIELDS if (text := scalar(fields.get(name)))), "")


def _other(kind: str, fields: Object) -> Other:
    return Other(name=kind or "unknown", text=_first_text(fields), data=scalars(fields))


def _named_file(kind: str) -> Callable[[Object, Mentions], Iterable[AnySegment]]:
    return lambda fields, _mentions: [Other(name=kind, text=scalar(fields.get("file_name")), data=scalars(fields))]


_READERS: Mapping[str, Callable[[Object, Mentions], Iterable[AnySegment]]] = {
    "text": _text,
    "post": read_post,
    "image": _image,
    "file": _file,
    "folder": _named_file("folder"),
    "audio": _audio,
    "media": _video,
    "location": _location,
    "interactive": _interactive,
    "todo": _todo,
    "vote": _vote,
    "system": _system,
}
