"""The content of a message as segments (Feishu docs: Receive message content).

`content` is JSON inside a string. A type that has no form here, and content that cannot be read, become `Other`.
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

_WORDS = ("text", "title", "topic", "summary", "content")
"""Where the types without a form of their own keep the words that a person would see, in this order."""


class People(NamedTuple):
    """Who is mentioned in a message: by placeholder, and which of them are this bot."""

    by_key: Mapping[str, Mention]
    me: frozenset[str]

    @classmethod
    def of(cls, mentions: Any, bot_open_id: str) -> "People":
        """From `message.mentions`. Without `bot_open_id`, any bot is taken for this one: only bots with a permission
        of their own see messages that mention others alone.
        """
        by_key: dict[str, Mention] = {}
        me: set[str] = set()
        for entry in array(mentions):
            fields = mapping(entry)
            key, bot = scalar(fields.get("key")), fields.get("mentioned_type") == "bot"
            if not key:
                continue
            mention = Mention(id=user_id(fields.get("id")) or key, name=scalar(fields.get("name")), bot=bot)
            by_key[key] = mention
            if mention.id == bot_open_id if bot_open_id else bot:
                me.add(mention.id)
        return cls(by_key, frozenset(me))


NOBODY = People({}, frozenset())
_ALL = Mention(id="all")


def user_id(value: Any) -> str:
    """The open id of a `{open_id, union_id, user_id}`; the next best where it is not there."""
    if isinstance(value, str):
        return value
    ids = mapping(value)
    return scalar(ids.get("open_id")) or scalar(ids.get("union_id")) or scalar(ids.get("user_id"))


def segments(kind: str, content: Any, people: People = NOBODY) -> tuple[AnySegment, ...]:
    """The segments of a message of `message_type` `kind`. Never raises."""
    try:
        fields = decode_json(content.encode()) if isinstance(content, str) else content
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        return (Other(name=kind or "unknown"),)
    read = _READERS.get(kind)
    found = read(mapping(fields), people) if read else [_other(kind, mapping(fields))]
    return tuple(merged(found))


def words(found: Iterable[AnySegment], me: frozenset[str]) -> str:
    """What was said, without the mentions of this bot."""
    kept: list[AnySegment] = []
    after_me = False
    for segment in found:
        if isinstance(segment, Mention) and segment.id in me:
            after_me = True
            continue
        if after_me and isinstance(segment, Text) and _ends_with_space(kept):
            segment = Text(text=segment.text.removeprefix(" "))  # noqa: PLW2901
        after_me = False
        kept.append(segment)
    return plain_text(tuple(kept))


def _ends_with_space(kept: list[AnySegment]) -> bool:
    return bool(kept) and isinstance(last := kept[-1], Text) and last.text.endswith(" ")


def merged(found: Iterable[AnySegment]) -> Iterator[AnySegment]:
    """`found` with neighbouring texts joined and empty ones left out."""
    pending: list[str] = []
    for segment in found:
        if isinstance(segment, Text):
            pending.append(segment.text)
            continue
        if joined := "".join(pending):
            yield Text(text=joined)
        pending.clear()
        yield segment
    if joined := "".join(pending):
        yield Text(text=joined)


def with_mentions(said: str, people: People) -> Iterator[AnySegment]:
    """`said` with its placeholders (`@_user_1`) as mentions; the longest key that fits wins."""
    if not people.by_key and "@_all" not in said:
        yield Text(text=said)
        return
    start = 0
    for match in _placeholders(tuple(people.by_key)).finditer(said):
        yield Text(text=said[start : match.start()])
        yield people.by_key.get(match[0], _ALL)
        start = match.end()
    yield Text(text=said[start:])


@lru_cache(maxsize=256)
def _placeholders(keys: tuple[str, ...]) -> re.Pattern[str]:
    # `@_all` comes without an entry in `mentions` (unverified; one that has an entry is used as it is).
    longest_first = sorted({"@_all", *keys}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)))


def _text(fields: Object, people: People) -> Iterable[AnySegment]:
    return with_mentions(scalar(fields.get("text")), people)


def _post(fields: Object, people: People) -> Iterator[AnySegment]:
    body = fields
    if "content" not in fields:
        # Sent posts are wrapped by locale, received ones are not; a forwarded one may be either (unverified).
        body = next((inner for value in fields.values() if "content" in (inner := mapping(value))), fields)
    if title := scalar(body.get("title")):
        yield Text(text=f"{title}\n")
    for number, line in enumerate(array(body.get("content"))):
        if number:
            yield Text(text="\n")
        for element in array(line) or [line]:
            yield from _post_element(mapping(element), people)


def _post_element(element: Object, people: People) -> Iterator[AnySegment]:
    match scalar(element.get("tag")):
        case "text":
            yield Text(text=scalar(element.get("text")))
        case "md":
            yield Markdown(text=scalar(element.get("text")))
        case "a":
            yield Link(url=scalar(element.get("href")), title=scalar(element.get("text")))
        case "at":
            yield _post_mention(element, people)
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


def _post_mention(element: Object, people: People) -> Mention:
    who = scalar(element.get("user_id"))
    if who in {"@_all", "all"}:
        return _ALL
    return people.by_key.get(who) or Mention(id=who, name=scalar(element.get("user_name")))


def _image(fields: Object, _people: People) -> Iterable[AnySegment]:
    return [Image(key=scalar(fields.get("image_key")))]


def _file(fields: Object, _people: People) -> Iterable[AnySegment]:
    return [File(key=scalar(fields.get("file_key")), name=scalar(fields.get("file_name")))]


def _audio(fields: Object, _people: People) -> Iterable[AnySegment]:
    return [Audio(key=scalar(fields.get("file_key")), seconds=_duration(fields))]


def _video(fields: Object, _people: People) -> Iterable[AnySegment]:
    return [
        Video(
            key=scalar(fields.get("file_key")),
            name=scalar(fields.get("file_name")),
            cover=scalar(fields.get("image_key")),
            seconds=_duration(fields),
        )
    ]


def _duration(fields: Object) -> float | None:
    milliseconds = _degrees(fields.get("duration"))
    return None if milliseconds is None else milliseconds / 1000


def _location(fields: Object, _people: People) -> Iterable[AnySegment]:
    latitude, longitude = _degrees(fields.get("latitude")), _degrees(fields.get("longitude"))
    if latitude is None or longitude is None:
        return [_other("location", fields)]
    return [Location(latitude=latitude, longitude=longitude, name=scalar(fields.get("name")))]


def _degrees(value: Any) -> float | None:
    """A number that is given as one or as a string; None for anything else, infinities among them."""
    digits = scalar(value)
    if len(digits) > 40 or not re.fullmatch(r"-?[0-9]+(\.[0-9]*)?", digits):
        return None
    return float(digits)


def _interactive(fields: Object, _people: People) -> Iterable[AnySegment]:
    """A card somebody posted. It arrives in another shape than it was sent in, so only its words are kept."""
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
    said = next((said for name in _WORDS if (said := scalar(fields.get(name)))), "")
    return Other(name=kind or "unknown", text=said, data=_scalars(fields))


def _named_file(kind: str) -> Callable[[Object, People], Iterable[AnySegment]]:
    return lambda fields, _people: [Other(name=kind, text=scalar(fields.get("file_name")), data=_scalars(fields))]


def _scalars(fields: Object, *without: str) -> dict[str, str]:
    return {name: text_or_json(value) for name, value in fields.items() if name not in without and not _nested(value)}


def _nested(value: Any) -> bool:
    return value is None or isinstance(value, dict | list)


_READERS: Mapping[str, Callable[[Object, People], Iterable[AnySegment]]] = {
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
