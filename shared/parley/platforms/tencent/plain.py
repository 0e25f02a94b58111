"""Renders segments as the plain text that both platforms show. It may contain links as tags.

Long text is cut into parts of the allowed size.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from msgspec.structs import replace

from parley.fences import split_markdown
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
    Quote,
    Select,
    Text,
    Video,
    field_line,
    names_in,
    plain_text,
)
from parley.platforms.tencent import markdown
from parley.platforms.tencent.content_limits import TEXT
from parley.platforms.tencent.markup import OWN, TAGS, Piece, Pieces, Rule, finish, lines, raw, size
from parley.text import split, utf8_size

Writer = Callable[[AnySegment], Pieces]
"""Renders one segment."""

DIALECT = Dialect(tables="lines", rules=False, code=False)
"""The markdown that `strip_markdown` makes readable."""
LIMIT = TEXT.most
"""Bytes of a text in UTF-8."""
_WEB_ADDRESS = re.compile(r"https?://[^\s\"<>]+", re.IGNORECASE)
_WORD = re.compile(r"\S")


class Style(NamedTuple):
    """How a kind of text is written: each segment, its markup, its largest size in bytes."""

    write: Writer
    rules: tuple[Rule, ...] = TAGS
    limit: int = LIMIT

    def text(self, segments: Iterable[AnySegment]) -> str:
        """The text of `segments`. White space around it is dropped."""
        return finish((piece for segment in segments for piece in self.write(segment)), self.rules).strip()


def as_text(segment: AnySegment) -> Pieces:
    """`segment` as text. A link becomes a tag; a tag that is part of a text is shown as it is."""
    match segment:
        case Text(text=text):
            return raw(text)
        case Markdown(text=text):
            return strip_markdown(text)
        case Link():
            return lines(anchor(segment.url, segment.title), raw(segment.description))
        case Image() | File() | Audio() | Video() if segment.url:
            return anchor(segment.url, plain_text((segment,)))
        case Image() | File() | Audio() | Video():
            return raw(media_text(segment))
        case Card():
            return card_text(segment, (anchor(button.url, button.label) for button in segment.buttons if button.url))
        case Quote(text=text):
            return raw(quote_text(text))
        case _:
            return raw(plain_text((segment,)))


def media_text(media: AnyMedia) -> str:
    """The words for media that are not shown. Media without an address are lost here, and the words say so."""
    text = plain_text((media,))
    is_lost = media.has_content and not media.url and text.endswith("]")
    return f"{text[:-1]}: cannot be sent here]" if is_lost else text


def quote_text(text: str) -> str:
    """A quote on lines of its own; empty without words."""
    quoted = "\n> ".join(text.strip().splitlines())
    return f"\n> {quoted}\n" if quoted else ""


def card_text(card: Card, buttons: Iterable[Pieces]) -> Pieces:
    """A card as lines: its title, its pictures, its text, its fields, and `buttons`, which the caller has rendered."""
    head = (raw(card.title), raw(names_in(card)), *map(as_text, card.images))
    return lines(*head, as_text(card.body), *field_lines(card), *buttons)


def field_lines(card: Card) -> Iterator[Pieces]:
    """The fields of a card, one line each."""
    return (raw(field_line(field)) for field in card.fields)


def anchor(url: str, title: str = "") -> Pieces:
    """A link that shows `title`. If a tag cannot contain the address, the title and the bare address."""
    label = re.sub(r"\s+", " ", title).strip()
    if not _WEB_ADDRESS.fullmatch(url):
        return raw(f"{label} {url}".strip())
    return tag(url, label or url)


def tag(address: str, label: str) -> Pieces:
    """A link with the text `label`. The caller has checked the address."""
    return Piece(f'<a href="{address}">', OWN), Piece(label), Piece("</a>", OWN)


def bare(url: str, title: str = "") -> Pieces:
    """A link without tags: its title and its address."""
    return raw(f"{title} {url}".strip())


def strip_markdown(text: str, link: markdown.Link = anchor) -> Pieces:
    """Markdown as readable text, without its marks. `link` renders links; code has none."""
    return markdown.strip_markdown(text, link)


def untagged(text: str) -> str:
    """Markdown as text for a place that shows no tags."""
    return finish(strip_markdown(text, bare))


def untagged_text(card: Card) -> str:
    """The names, the text and the fields of a card, for a place that shows no tags."""
    text = raw(card.text) if card.literal else strip_markdown(card.text, bare)
    return finish(lines(raw(names_in(card)), text, *field_lines(card)))


def groups(segments: Iterable[AnySegment], style: Style) -> Iterator[list[AnySegment]]:
    """`segments` in groups. The text of a group has at most `style.limit` bytes.

    A long text is cut after a sentence or a word of its source, so no tag is cut. A link that is too long for one group
    becomes text.
    """
    group: list[AnySegment] = []
    most = 0
    """An upper bound of the group's size: joining two pieces adds at most one escape."""
    for segment in segments:
        for part in _parts(segment, style):
            needed = size(style.write(part), style.rules)
            fits = not needed or most + needed + _ESCAPE <= style.limit
            if group and not fits and utf8_size(style.text([*group, part])) > style.limit:
                yield group
                group, most = [], 0
            group.append(part)
            most += needed + _ESCAPE if needed else 0
    if group:
        yield group


_ESCAPE = 3
"""Bytes of an escape."""


def texts(segments: Iterable[AnySegment], style: Style) -> Iterator[str]:
    """The texts of `segments`, each of at most `style.limit` bytes. Empty texts are left out."""
    for group in groups(segments, style):
        if text := style.text(group):
            yield text


def _card_parts(card: Card) -> tuple[AnySegment, ...]:
    """Smaller segments that show the same as `card`, whose plain text would lose its buttons: its words and the rest,
    or two halves of its menus, of its choices or of its buttons, or the label of its button.
    """
    line = Text(text="\n")
    if card.title or card.text or names_in(card) or card.fields:
        heads = (card.title, names_in(card))
        words = (part for text in heads if text for part in (Text(text=text), line))
        facts = (part for field in card.fields for part in (Text(text=field_line(field)), line))
        rest = Card(buttons=card.buttons, selects=card.selects)
        return (*words, card.body, line, *facts, rest)
    if card.selects and (card.buttons or len(card.selects) > 1):
        return Card(selects=card.selects[:1]), line, Card(selects=card.selects[1:], buttons=card.buttons)
    if card.selects:
        return _halves(card.selects[0])
    half = len(card.buttons) // 2
    if half:
        return Card(buttons=card.buttons[:half]), line, Card(buttons=card.buttons[half:])
    return (Text(text=card.buttons[0].label),)


def _halves(select: Select) -> tuple[AnySegment, ...]:
    half = len(select.choices) // 2
    if not half:
        return (Text(text=select.label),)
    parts = (replace(select, choices=each) for each in (select.choices[:half], select.choices[half:]))
    first, second = (Card(selects=(part,)) for part in parts)
    return first, Text(text="\n"), second


def _parts(segment: AnySegment, style: Style) -> Iterator[AnySegment]:
    """`segment`, cut into parts of the allowed size. White space at a cut is one space or line end of the next part."""
    if size(style.write(segment), style.rules) <= style.limit:
        yield segment
        return
    if isinstance(segment, Card) and (segment.selects or any(not button.url for button in segment.buttons)):
        for part in _card_parts(segment):
            yield from _parts(part, style)
        return
    source = segment if isinstance(segment, Text | Markdown) else Text(text=plain_text((segment,)))

    def size_of(part: str) -> int:
        return utf8_size(style.text((replace(source, text=part),)))

    if isinstance(source, Markdown) and "```" in source.text:
        for number, part in enumerate(split_markdown(source.text, style.limit, size_of)):
            yield replace(source, text=f"\n{part}" if number else part)
        return
    place = 0
    for part in split(source.text, style.limit, size_of):
        word = _WORD.search(source.text, place)
        start = word.start() if word else place
        gap = source.text[place:start] if place else ""
        space = "\n" if "\n" in gap else " " if gap else ""
        yield replace(source, text=space + part)
        place = start + len(part)
