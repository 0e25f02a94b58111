"""Renders segments as the plain text that both platforms show. It may contain links as tags.

Long text is cut into parts of the allowed size.
"""

import re
from collections.abc import Callable, Iterable, Iterator

import msgspec

from parley.model import AnySegment, Audio, Card, File, Image, Link, Markdown, Text, Video, plain_text
from parley.text import split, utf8_size

Writer = Callable[[AnySegment], str]
"""Renders one segment as text."""

LIMIT = 2048
"""Bytes of a text in UTF-8. The platforms refuse a longer text, or cut it off without an error."""
_LINK_TAG = re.compile(r"<(?=/?a\b)", re.IGNORECASE)
_ZERO_WIDTH_SPACE = "\u200b"
"""Keeps `<` from opening a tag. The platforms have no escape for it."""
_WEB_ADDRESS = re.compile(r"(https?|weixin)://[^\s\"<>]+")
_CODE_OR_LINK = re.compile(
    r"```[\w+#.-]{0,30}\n?(?P<block>.*?)```"
    r"|`(?P<code>[^`\n]+)`"
    r"|!?\[(?P<title>[^\[\]\n]{0,500})\]\((?P<url>[^()\s]{1,2000})\)",
    re.DOTALL,
)
_MARKS = (
    (re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*"), r"\1"),
    (re.compile(r"(?<!\w)__(?=\S)(.+?)(?<=\S)__(?!\w)"), r"\1"),
    (re.compile(r"~~(?=\S)(.+?)(?<=\S)~~"), r"\1"),
    (re.compile(r"\*(?=[^\s*])([^*\n]+?)(?<=\S)\*"), r"\1"),
    (re.compile(r"(?<!\w)_(?=[^\s_])([^_\n]+?)(?<=\S)_(?!\w)"), r"\1"),
    (re.compile(r"^#{1,6} +", re.MULTILINE), ""),
    (re.compile(r"^( *)[-*+] +", re.MULTILINE), r"\1• "),
)


def as_text(segment: AnySegment) -> str:
    """`segment` as text. A link becomes a tag; a tag that is part of a text is shown as it is."""
    match segment:
        case Markdown(text=text):
            return strip_markdown(text)
        case Link():
            rest = f"\n{literal(segment.description)}" if segment.description else ""
            return anchor(segment.url, segment.title) + rest
        case Image() | File() | Audio() | Video() if segment.url:
            return anchor(segment.url, plain_text((segment,)))
        case Card():
            buttons = (anchor(b.url, b.label) if b.url else f"[{literal(b.label)}]" for b in segment.buttons)
            return card_text(segment, buttons)
        case _:
            return literal(segment.text if isinstance(segment, Text) else plain_text((segment,)))


def card_text(card: Card, buttons: Iterable[str]) -> str:
    """A card as lines: its title, its text, and `buttons`, which the caller has rendered."""
    return "\n".join(part for part in (literal(card.title), strip_markdown(card.text), *buttons) if part)


def literal(text: str) -> str:
    """`text`, changed so that no part of it becomes a link."""
    return _LINK_TAG.sub(f"<{_ZERO_WIDTH_SPACE}", text)


def anchor(url: str, title: str = "") -> str:
    """A link that shows `title`. If a tag cannot contain the address, the title and the bare address."""
    label = re.sub(r"\s+", " ", literal(title)).strip()
    if not _WEB_ADDRESS.fullmatch(url):
        return f"{label} {literal(url)}".strip()
    return f'<a href="{url}">{label or url}</a>'


def bare(url: str, title: str = "") -> str:
    """A link without tags: its title and its address."""
    return f"{title} {url}".strip()


def strip_markdown(markdown: str, link: Callable[[str, str], str] = anchor) -> str:
    """Markdown as readable text, without its marks. `link` renders links; code is unchanged."""
    placeholders: list[str] = []

    def replace(match: re.Match[str]) -> str:
        if match["url"] is not None:
            placeholders.append(link(match["url"], match["title"]))
        else:
            placeholders.append(literal(match["block"] if match["code"] is None else match["code"]))
        return f"\ue000{len(placeholders) - 1}\ue001"

    text = _CODE_OR_LINK.sub(replace, re.sub("[\ue000\ue001]", "", markdown))
    text = literal(text)
    for pattern, plain in _MARKS:
        text = pattern.sub(plain, text)
    return re.sub("\ue000([0-9]+)\ue001", lambda match: placeholders[int(match[1])], text)


def groups(segments: Iterable[AnySegment], write: Writer, limit: int) -> Iterator[list[AnySegment]]:
    """`segments` in groups. The text of a group has at most `limit` bytes.

    A long text is cut after a sentence or a word of its source, so no tag is cut. A link that is too long for one group
    becomes text.
    """
    group: list[AnySegment] = []
    used = 0
    for segment in segments:
        for piece in _pieces(segment, write, limit):
            size = utf8_size(write(piece))
            if group and used + size > limit:
                yield group
                group, used = [], 0
            group.append(piece)
            used += size
    if group:
        yield group


def group_text(group: Iterable[AnySegment], write: Writer) -> str:
    """The text of a group."""
    return "".join(map(write, group)).strip()


def texts(segments: Iterable[AnySegment], write: Writer, limit: int) -> Iterator[str]:
    """The texts of `segments`, each of at most `limit` bytes. Empty texts are left out."""
    for group in groups(segments, write, limit):
        if text := group_text(group, write):
            yield text


def _pieces(segment: AnySegment, write: Writer, limit: int) -> Iterator[AnySegment]:
    if utf8_size(write(segment)) <= limit:
        yield segment
        return
    source = segment if isinstance(segment, Text | Markdown) else Text(text=plain_text((segment,)))
    for part in split(source.text, limit, lambda part: utf8_size(write(msgspec.structs.replace(source, text=part)))):
        yield msgspec.structs.replace(source, text=part)
