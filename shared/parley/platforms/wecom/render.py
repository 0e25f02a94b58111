"""Segments as WeCom's own messages (WeCom docs: Send application messages).

| what | becomes |
|---|---|
| words | `text`, with links as tags |
| words with markdown among them | `markdown` |
| links with a description or picture | `news`, eight at a time |
| JPG or PNG, AMR, MP4 | `image`, `voice`, `video` |
| other media | `file` |
| card with buttons | `template_card` (see `cards`) |
| mention, location, quote, anything else | its words: there is nobody to mention in a chat of two |
"""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, NamedTuple

from parley.model import (
    AnyMedia,
    AnySegment,
    Audio,
    Card,
    File,
    Image,
    Link,
    Markdown,
    Text,
    Video,
    plain_text,
)
from parley.platforms.tencent.media import MEGABYTE, MediaType, has_content, has_format
from parley.platforms.tencent.plain import LIMIT, texts, written
from parley.platforms.wecom.passive import is_article

_ARTICLES = 8
_MARKUP = re.compile(r"\*(?=\*)|\](?=\()|<")
_MENTION = re.compile(r"<(?=@)")
_APART = "\\g<0>\u200b"
"""WeCom's markdown knows no escapes: a space without width keeps the characters of a mark apart."""

IMAGE = MediaType("image", 10 * MEGABYTE, "image.png")
VOICE = MediaType("voice", 2 * MEGABYTE, "voice.amr")
VIDEO = MediaType("video", 10 * MEGABYTE, "video.mp4")
FILE = MediaType("file", 20 * MEGABYTE, "file")


class Rendered(NamedTuple):
    """One message: `msgtype`, and what stands under that name."""

    kind: str
    content: dict[str, Any]


def parts(segments: Iterable[AnySegment]) -> Iterator[Rendered | AnyMedia | Card]:
    """The messages that say `segments`, in order; media and cards come as they are: they need more than rendering."""
    for sort, group in groupby(segments, kind_of):
        match sort:
            case "words":
                yield from words(list(group))
            case "articles":
                yield from news([segment for segment in group if isinstance(segment, Link)])
            case _:
                yield from (segment for segment in group if isinstance(segment, Image | Audio | Video | File | Card))


def kind_of(segment: AnySegment) -> str:
    """What `segment` is told as: `words`, `articles`, `media`, `card`."""
    match segment:
        case Image() | Audio() | Video() | File() if has_content(segment):
            return "media"
        case Card():
            return "card"
        case _:
            return "articles" if is_article(segment) else "words"


def words(run: list[AnySegment]) -> Iterator[Rendered]:
    """The messages that say a run of words."""
    marked = any(isinstance(segment, Markdown) for segment in run)
    kind, write = ("markdown", markdown) if marked else ("text", written)
    for text in texts(run, write, LIMIT):
        yield Rendered(kind, {"content": text})


def news(links: list[Link]) -> Iterator[Rendered]:
    """The messages that show `links` as articles."""
    for start in range(0, len(links), _ARTICLES):
        articles = [
            {"title": link.title or link.url, "description": link.description, "url": link.url, "picurl": link.image}
            for link in links[start : start + _ARTICLES]
        ]
        yield Rendered("news", {"articles": articles})


def markdown(segment: AnySegment) -> str:
    """`segment` in WeCom's subset of markdown. What is text stays as it looks."""
    match segment:
        case Markdown(text=text):
            return _MENTION.sub(_APART, text)
        case Link(url=url, title=title, description=description):
            rest = f"\n{plainly(description)}" if description else ""
            return f"[{plainly(title or url)}]({url}){rest}"
        case Text(text=text):
            return plainly(text)
        case _:
            return plainly(plain_text((segment,)))


def plainly(text: str) -> str:
    """`text` such that markdown shows it as it is."""
    return _MARKUP.sub(_APART, text)


def media_type_of(media: AnyMedia) -> MediaType:
    """As what `media` is shown. With a handle of its own nothing tells what the bytes are: the segment does."""
    match media:
        case Image() if media.key or has_format(media, "jpg", "jpeg", "png"):
            return IMAGE
        case Audio() if media.key or has_format(media, "amr"):
            return VOICE
        case Video() if media.key or has_format(media, "mp4"):
            return VIDEO
        case _:
            return FILE
