"""Renders segments as messages of an app (WeCom docs: Send application messages).

| segment | message |
|---|---|
| text | `text`, links as tags |
| text with markdown | `markdown` |
| links with a description or picture | `news` with up to eight articles |
| JPG or PNG; AMR; MP4 | `image`; `voice`; `video` |
| other media | `file` |
| card with buttons | `template_card` (`parley.platforms.wecom.cards`) |
| mention, location, quote, others | `text`. Mentions have no form of their own: a chat with an app has two members |

Passive replies have messages of their own (`parley.platforms.tencent.passive`).
"""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

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
from parley.platforms.tencent.media import IMAGE, MEGABYTE, VIDEO, VOICE, MediaType, has_content, has_format
from parley.platforms.tencent.plain import LIMIT, as_text, texts
from parley.platforms.tencent.render import Rendered, article, has_preview

FILE = MediaType("file", 20 * MEGABYTE, "file")
_ARTICLES = 8
_MARKUP = re.compile(r"\*(?=\*)|\](?=\()|<")
_MENTION = re.compile(r"<(?=@)")
_SEPARATED = "\\g<0>\u200b"
"""WeCom's markdown has no escapes. A zero-width space separates the characters of a mark instead."""


def messages(segments: Iterable[AnySegment]) -> Iterator[Rendered | AnyMedia | Card]:
    """The messages for `segments`, in order. Media and cards are returned as they are: they need further calls."""
    for kind, group in groupby(segments, kind_of):
        match kind:
            case "text":
                yield from text_messages(list(group))
            case "articles":
                yield from news_messages([segment for segment in group if isinstance(segment, Link)])
            case _:
                yield from (segment for segment in group if isinstance(segment, Image | Audio | Video | File | Card))


def kind_of(segment: AnySegment) -> str:
    """The kind of message for `segment`: `text`, `articles`, `media` or `card`."""
    match segment:
        case Image() | Audio() | Video() | File() if has_content(segment):
            return "media"
        case Card():
            return "card"
        case _:
            return "articles" if has_preview(segment) else "text"


def text_messages(segments: list[AnySegment]) -> Iterator[Rendered]:
    """The text or markdown messages for adjacent segments that are shown as text."""
    has_markdown = any(isinstance(segment, Markdown) for segment in segments)
    kind, write = ("markdown", as_markdown) if has_markdown else ("text", as_text)
    for text in texts(segments, write, LIMIT):
        yield Rendered(kind, {"content": text})


def news_messages(links: list[Link]) -> Iterator[Rendered]:
    """The messages that show `links` as articles."""
    for start in range(0, len(links), _ARTICLES):
        yield Rendered("news", {"articles": [article(link) for link in links[start : start + _ARTICLES]]})


def as_markdown(segment: AnySegment) -> str:
    """`segment` in WeCom's subset of markdown. Text that is not markdown looks the same as in a text message."""
    match segment:
        case Markdown(text=text):
            return _MENTION.sub(_SEPARATED, text)
        case Link(url=url, title=title, description=description):
            rest = f"\n{escape_markdown(description)}" if description else ""
            return f"[{escape_markdown(title or url)}]({url}){rest}"
        case Text(text=text):
            return escape_markdown(text)
        case _:
            return escape_markdown(plain_text((segment,)))


def escape_markdown(text: str) -> str:
    """`text`, changed so that markdown shows it as it is."""
    return _MARKUP.sub(_SEPARATED, text)


def media_type_of(media: AnyMedia) -> MediaType:
    """The type as which `media` is sent. A media id does not show the format; the type of the segment decides then."""
    match media:
        case Image() if media.key or has_format(media, "jpg", "jpeg", "png"):
            return IMAGE
        case Audio() if media.key or has_format(media, "amr"):
            return VOICE
        case Video() if media.key or has_format(media, "mp4"):
            return VIDEO
        case _:
            return FILE
