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

from parley.markdown import Dialect
from parley.model import (
    AnyMedia,
    AnySegment,
    Audio,
    Card,
    File,
    Image,
    Link,
    Markdown,
    Media,
    Quote,
    Text,
    Video,
    plain_text,
)
from parley.platforms.tencent.markup import MARKUP, TAGS, Piece, Pieces, Rule, raw
from parley.platforms.tencent.media import VIDEO, WECOM_FORMATS, MediaType
from parley.platforms.tencent.media import media_type_of as known_type_of
from parley.platforms.tencent.plain import Style, as_text, media_text, quote_text, texts
from parley.platforms.tencent.render import Rendered, article, has_preview
from parley.platforms.wecom.content_limits import LIMITS

DIALECT = Dialect(tables="lines", code_blocks=False, rules=False, pictures=False)
FILE = MediaType("file", LIMITS.file.most, "file")
_ARTICLES = LIMITS.links.most
_LINE = r"^[^\S\n]*(?:[#>](?=.)|[-+=|:](?=[-+=|: \t]|$)|\*(?=[ \t]|$))"
"""The mark of a heading, quote, list, rule or table at the start of a line."""
MARKDOWN_RULES = (
    *TAGS,
    Rule(re.compile(_LINE, re.MULTILINE), MARKUP, "\u200b\\g<0>", length=1),
    Rule(re.compile(r"\*(?=\*)|\](?=\()|<"), MARKUP),
    Rule(re.compile("`"), MARKUP, "ˋ", length=1),
)
"""WeCom's markdown has no escapes. The characters of a mark are separated instead, a mark at the start of a line gets a
zero-width space before it, and a letter that looks the same stands for a backtick.
"""


def messages(segments: Iterable[AnySegment]) -> Iterator[Rendered | Card]:
    """The messages for `segments`, in order. Media are uploaded already: they have their media ids.

    Cards are returned as they are: their form depends on the place.
    """
    for kind, group in groupby(segments, kind_of):
        match kind:
            case "text":
                yield from text_messages(list(group))
            case "articles":
                yield from news_messages([segment for segment in group if isinstance(segment, Link)])
            case "media":
                yield from (_media_message(segment) for segment in group if isinstance(segment, Media))
            case _:
                yield from (segment for segment in group if isinstance(segment, Card))


def kind_of(segment: AnySegment) -> str:
    """The kind of message for `segment`: `text`, `articles`, `media` or `card`."""
    match segment:
        case Image() | Audio() | Video() | File() if segment.has_content:
            return "media"
        case Card():
            return "card"
        case _:
            return "articles" if has_preview(segment) else "text"


def text_messages(segments: list[AnySegment]) -> Iterator[Rendered]:
    """The text or markdown messages for adjacent segments that are shown as text."""
    has_markdown = any(isinstance(segment, Markdown) for segment in segments)
    kind, style = ("markdown", Style(as_markdown, MARKDOWN_RULES)) if has_markdown else ("text", Style(as_text))
    for text in texts(segments, style):
        yield Rendered(kind, {"content": text})


def news_messages(links: list[Link]) -> Iterator[Rendered]:
    """The messages that show `links` as articles."""
    for start in range(0, len(links), _ARTICLES):
        yield Rendered("news", {"articles": [article(link) for link in links[start : start + _ARTICLES]]})


def as_markdown(segment: AnySegment) -> Pieces:
    """`segment` in WeCom's subset of markdown. Text that is not markdown looks the same as in a text message."""
    match segment:
        case Markdown(text=text):
            return (Piece(text, MARKUP),)
        case Link(url=url, title=title, description=description):
            link = (Piece("[", MARKUP), Piece(title or url), Piece(f"]({url})", MARKUP))
            return (*link, Piece(f"\n{description}")) if description else link
        case Text(text=text):
            return raw(text)
        case Quote(text=text):
            return _quote(text)
        case Image() | Audio() | Video() | File():
            return raw(media_text(segment))
        case _:
            return raw(plain_text((segment,)))


def _quote(text: str) -> Pieces:
    """A quote on lines of its own. Only the marks at the beginning of its lines are markup."""
    return tuple(Piece(part, MARKUP if part == "\n> " else 0) for part in re.split("(\n> )", quote_text(text)))


def _media_message(media: AnyMedia) -> Rendered:
    media_type = media_type_of(media)
    title = {"title": media.name, "description": ""} if media_type is VIDEO and media.name else {}
    return Rendered(media_type.name, {"media_id": media.key, **title})


def media_type_of(media: AnyMedia) -> MediaType:
    """The type as which `media` is sent."""
    return known_type_of(media, WECOM_FORMATS) or FILE
