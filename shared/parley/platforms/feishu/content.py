"""The content of a message as segments (Feishu docs: Receive message content).

`content` is JSON inside a string. A message type without a reader, and content that cannot be read, become `Other`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

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
from parley.platforms.feishu.values import Object, text_or_json
from parley.untrusted import array, decode_json, mapping, scalar

_TEXT_FIELDS = ("text", "title", "topic", "summary", "content")
"""Fields that hold the visible text of message types without a reader, in order of preference."""


class Mentions(NamedTuple):
    """The mentions in a message."""

    by_key: Mapping[str, Mention]
    """By placeholder (`@_user_1`)."""
    bot_ids: frozenset[str]
    """The ids of this bot among them."""

    @classmethod
    def of(cls, mentions: Any, bot_open_id: str) -> "Mentions":
        """From `message.mentions`. Without `bot_open_id`, every mentioned bot counts as this one.

        A bot needs an extra permission to receive messages that mention other bots only.
        """
        by_key: dict[str, Mention] = {}
        bot_ids: set[str] = set()
        for entry in array(mentions):
            fields = mapping(entry)
            key, bot = scalar(fields.get("key")), fields.get("mentioned_type") == "bot"
            if not key:
                continue
            mention = Mention(id=user_id(fields.get("id")) or key, name=scalar(fields.get("name")), bot=bot)
            by_key[key] = mention
            if mention.id == bot_open_id if bot_open_id else bot:
                bot_ids.add(mention.id)
        return cls(by_key, frozenset(bot_ids))


NO_MENTIONS = Mentions({}, frozenset())
_ALL = Mention(id="all")


def user_id(value: Any) -> str:
    """The open id of `{open_id, union_id, user_id}`; else the union id, else the user id. A string is itself the id."""
    if isinstance(value, str):
        return value
    ids = mapping(value)
    return scalar(ids.get("open_id")) or scalar(ids.get("union_id")) or scalar(ids.get("user_id"))


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
    return tuple(_join_texts(found))


def text_without_bot(content: Iterable[AnySegment], bot_ids: frozenset[str]) -> str:
    """The text of `content` without the mentions of this bot, and without the double space that they would leave."""
    rest: list[AnySegment] = []
    after_bot = False
    for segment in content:
        if isinstance(segment, Mention) and segment.id in bot_ids:
            after_bot = True
            continue
        if after_bot and isinstance(segment, Text) and _ends_with_space(rest):
            segment = Text(text=segment.text.removeprefix(" "))  # noqa: PLW2901
        after_bot = False
        rest.append(segment)
    return plain_text(tuple(rest))


def _ends_with_space(content: list[AnySegment]) -> bool:
    return bool(content) and isinstance(last := content[-1], Text) and last.text.endswith(" ")


def _join_texts(content: Iterable[AnySegment]) -> Iterator[AnySegment]:
    """`content` with adjacent texts joined and without empty ones."""
    pending: list[str] = []
    for segment in content:
        if isinstance(segment, Text):
            pending.append(segment.text)
            continue
        if joined := "".join(pending):
            yield Text(text=joined)
        pending.clear()
        yield segment
    if joined := "".join(pending):
        yield Text(text=joined)


def _with_mentions(raw: str, mentions: Mentions) -> Iterator[AnySegment]:
    """`raw` with its placeholders (`@_user_1`) as mentions. The longest key that matches wins."""
    if not mentions.by_key and "@_all" not in raw:
        yield Text(text=raw)
        return
    start = 0
    for match in _placeholders(tuple(mentions.by_key)).finditer(raw):
        yield Text(text=raw[start : match.start()])
        yield mentions.by_key.get(match[0], _ALL)
        start = match.end()
    yield Text(text=raw[start:])


@lru_cache(maxsize=256)
def _placeholders(keys: tuple[str, ...]) -> re.Pattern[str]:
    # `@_all` has no entry in `mentions` (unverified). If it has one, the entry is used.
    longest_first = sorted({"@_all", *keys}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)))


def _text(fields: Object, mentions: Mentions) -> Iterable[AnySegment]:
    return _with_mentions(scalar(fields.get("text")), mentions)


def _post(fields: Object, mentions: Mentions) -> Iterator[AnySegment]:
    body = fields
    if "content" not in fields:
        # Sent posts are wrapped in a locale, received ones are not. A forwarded one may be either (unverified).
        body = next((inner for value in fields.values() if "content" in (inner := mapping(value))), fields)
    if title := scalar(body.get("title")):
        yield Text(text=f"{title}\n")
    for number, line in enumerate(array(body.get("content"))):
        if number:
            yield Text(text="\n")
        for element in array(line) or [line]:
            yield from _post_element(mapping(element), mentions)


def _post_element(element: Object, mentions: Mentions) -> Iterator[AnySegment]:
    match scalar(element.get("tag")):
        case "text":
            yield Text(text=scalar(element.get("text")))
        case "md":
            yield Markdown(text=scalar(element.get("text")))
        case "a":
            yield Link(url=scalar(element.get("href")), title=scalar(element.get("text")))
        case "at":
            yield _post_mention(element, mentions)
        case "img":
            yield Image(key=scalar(element.get("image_key")))
        case "media":
            yield Video(key=scalar(element.get("file_key")), cover=scalar(element.get("image_key")))
        case "emotion":
            yield Other(name="emotion", text=f"[{scalar(element.get('emoji_type'))}]", data=_scalars(element, "tag"))
        case "hr":
            yield Markdown(text="\n---\n")
        case "code_block":
            yield Markdown(text=f"```{scalar(element.get('language')).lower()}\n{scalar(element.get('text'))}\n```")
        case tag:
            yield Other(name=tag or "unknown", text=scalar(element.get("text")), data=_scalars(element, "tag", "text"))


def _post_mention(element: Object, mentions: Mentions) -> Mention:
    key = scalar(element.get("user_id"))
    if key in {"@_all", "all"}:
        return _ALL
    return mentions.by_key.get(key) or Mention(id=key, name=scalar(element.get("user_name")))


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
    """A card. Feishu delivers it in another form than it was sent in, so only its text is read."""
    found: list[str] = [scalar(fields.get("title"))]
    level: list[Any] = [fields.get("elements")]
    while level:
        part = level.pop()
        if isinstance(part, list):
            level.extend(reversed(part))  # pyright: ignore[reportUnknownArgumentType]
        elif isinstance(part, dict):
            element = mapping(part)
            found.append(scalar(element.get("text")) or scalar(element.get("content")))
            level.append(element.get("elements"))
    return [Other(name="interactive", text="\n".join(filter(None, found)))]


def _other(kind: str, fields: Object) -> Other:
    text = next((text for name in _TEXT_FIELDS if (text := scalar(fields.get(name)))), "")
    return Other(name=kind or "unknown", text=text, data=_scalars(fields))


def _named_file(kind: str) -> Callable[[Object, Mentions], Iterable[AnySegment]]:
    return lambda fields, _mentions: [Other(name=kind, text=scalar(fields.get("file_name")), data=_scalars(fields))]


def _scalars(fields: Object, *without: str) -> dict[str, str]:
    return {name: text_or_json(value) for name, value in fields.items() if name not in without and not _nested(value)}


def _nested(value: Any) -> bool:
    return value is None or isinstance(value, dict | list)


_READERS: Mapping[str, Callable[[Object, Mentions], Iterable[AnySegment]]] = {
    "text": _text,
    "post": _post,
    "image": _image,
    "file": _file,
    "folder": _named_file("folder"),
    "audio": _audio,
    "media": _video,
    "location": _location,
    "interactive": _interactive,
}
