"""Renders replies as one markdown text and at most one template card: an answer of a smart bot has room for no more.

| segment | shown as |
|---|---|
| text, markdown, links, others | markdown |
| picture by its address | a picture in the markdown |
| other media by their address | a link |
| card with buttons to press | `template_card`, after its longer texts as markdown |
| other cards | markdown |

What has no room is the rest of the reply. It is sent to the `response_url` of the message.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from parley.markdown import Dialect, in_dialect
from parley.model import (
    AnySegment,
    Audio,
    Card,
    File,
    Image,
    Markdown,
    Outgoing,
    Reply,
    Text,
    Video,
    digest,
)
from parley.platforms.tencent.markup import MARKUP, OWN, Piece, Pieces
from parley.platforms.tencent.plain import Style, groups
from parley.platforms.wecom.cards import card_markdown, card_messages
from parley.platforms.wecom.render import MARKDOWN_RULES, as_markdown
from parley.platforms.wecom_bot.content_limits import LIMITS
from parley.text import utf8_size

_LIMIT = LIMITS.markdown.most
_DIALECT = Dialect()
_LINE = Text(text="\n")


class Plan(NamedTuple):
    """What one answer carries: a text, a template card, the first `sent` replies, and `rest` of the next one."""

    content: str = ""
    card: dict[str, Any] | None = None
    sent: int = 0
    rest: Reply | None = None


def plan(replies: Sequence[Outgoing]) -> Plan:
    """Plan an answer with as many of `replies` as fit, in order. A reply to another place or a recall ends it."""
    joined: tuple[AnySegment, ...] = ()
    for number, out in enumerate(replies):
        if out.reply.op == "recall" or out.reply.to is not None:
            return Plan(STYLE.text(joined), None, number)
        texts, others = _leading_texts(out.reply)
        first, *later = list(groups(texts, STYLE)) or [[]]
        longer = _joined(joined, first)
        if utf8_size(STYLE.text(longer)) > _LIMIT:
            return Plan(STYLE.text(joined), None, number)
        joined = longer
        if others and not later:
            with_card = _with_card(joined, out, others, number)
            return with_card or _cut(joined, out, others, number)
        if later:
            return _cut(joined, out, (*(segment for group in later for segment in group), *others), number)
    return Plan(STYLE.text(joined), None, len(replies))


def _leading_texts(reply: Reply) -> tuple[tuple[AnySegment, ...], tuple[AnySegment, ...]]:
    """The segments of `reply` up to its first card with buttons to press, and the rest."""
    segments: list[AnySegment] = []
    for segment in in_dialect(reply.segments, _DIALECT):
        segments += [segment] if not isinstance(segment, Card) or _is_pressed(segment) else _card_texts(segment)
    place = next((place for place, each in enumerate(segments) if isinstance(each, Card)), len(segments))
    return tuple(segments[:place]), tuple(segments[place:])


def _is_pressed(card: Card) -> bool:
    return any(not button.url for button in card.buttons)


def _card_texts(card: Card) -> tuple[AnySegment, ...]:
    """A card without buttons to press, on lines of its own."""
    pictures = [part for image in card.images for part in (image, _LINE)]
    return (*pictures, *card_markdown(replace(card, image="", images=())), _LINE)


def _with_card(
    joined: tuple[AnySegment, ...], out: Outgoing, others: tuple[AnySegment, ...], number: int
) -> Plan | None:
    """The plan of an answer with the first card of `others`. None if its texts have no room after `joined`."""
    card, rest = others[0], others[1:]
    if not isinstance(card, Card):
        return None
    # The rest of a reply is planned again: with other segments, and so with another id.
    task_id = digest(out.id, *out.dropped, str(len(others)))[:32]
    messages = list(card_messages(replace(card, image="", images=()), task_id, interactive=True))
    words = (
        part.content["content"] for part in messages if not isinstance(part, Card) and part.kind != "template_card"
    )
    shown = [part.content for part in messages if not isinstance(part, Card) and part.kind == "template_card"]
    pictures = (part for image in card.images for part in (image, _LINE))
    content = STYLE.text(_joined(joined, [*pictures, Markdown(text="\n".join(words))]))
    if not shown or utf8_size(content) > _LIMIT:
        return None
    left = replace(out.reply, segments=rest) if rest else None
    return Plan(content, shown[0], number if left else number + 1, left)


def _cut(joined: tuple[AnySegment, ...], out: Outgoing, rest: tuple[AnySegment, ...], number: int) -> Plan:
    return Plan(STYLE.text(joined), None, number, replace(out.reply, segments=rest))


def _joined(joined: tuple[AnySegment, ...], added: Iterable[AnySegment]) -> tuple[AnySegment, ...]:
    """The segments of two replies as one text, each on lines of its own."""
    added = tuple(added)
    if not STYLE.text(added):
        return joined
    return (*joined, _LINE, *added) if joined else added


def _write(segment: AnySegment) -> Pieces:
    match segment:
        case Image(url=url, name=name) if url:
            return Piece("![", OWN), Piece(name or "image"), Piece(f"]({url})", OWN)
        case Audio(url=url, name=name) | Video(url=url, name=name) | File(url=url, name=name) if url:
            return Piece("[", MARKUP), Piece(name or url), Piece(f"]({url})", OWN)
        case _:
            return as_markdown(segment)


STYLE = Style(_write, MARKDOWN_RULES, _LIMIT)
"""Markdown of smart bots. Text that is not markdown shows as it is."""
