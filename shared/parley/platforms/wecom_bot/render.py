"""Renders replies as one markdown text and at most one template card: an answer of a smart bot has room for no more.

| segment | shown as |
|---|---|
| text, markdown, links, others | markdown |
| picture by its address | a picture in the markdown |
| JPG or PNG with its data | `msg_item` of the last answer of the stream |
| other media by their address | a link |
| card with buttons to press, a menu or a form | `template_card` (`cards`), after its longer texts as markdown |
| other cards | markdown |

What has no room is the rest of the reply. It is sent to the `response_url` of the message, which takes one message: the
texts that follow are joined to it.
"""

from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from parley.markdown import Dialect, in_dialect
from parley.model import (
    AnySegment,
    Audio,
    Card,
    File,
    Image,
    Outgoing,
    Reply,
    Text,
    Video,
    digest,
    plain_text,
)
from parley.platforms.tencent.markup import MARKUP, OWN, Piece, Pieces
from parley.platforms.tencent.plain import Style, groups
from parley.platforms.wecom.cards import card_markdown
from parley.platforms.wecom.render import MARKDOWN_RULES, as_markdown
from parley.platforms.wecom_bot.cards import split, template_card
from parley.platforms.wecom_bot.content_limits import LIMITS
from parley.platforms.wecom_bot.images import InlineImages, taken
from parley.text import utf8_size

_LIMIT = LIMITS.markdown.most
_DIALECT = Dialect()
_LINE = Text(text="\n")


class Plan(NamedTuple):
    """What one answer carries: a text, images, a template card, the first `sent` replies, and not `rest` of the next
    one.
    """

    content: str = ""
    images: InlineImages = ()
    card: dict[str, Any] | None = None
    sent: int = 0
    rest: Reply | None = None


def plan(replies: Sequence[Outgoing], *, carries_images: bool = False) -> Plan:
    """Plan an answer with as many of `replies` as fit, in order. A reply to another place or a recall ends it.

    Texts that it has no room for are the rest of the last one of them, as many as one message can hold.
    """
    return _with_rest_joined(_planned(replies, carries_images=carries_images), replies)


def _planned(replies: Sequence[Outgoing], *, carries_images: bool) -> Plan:
    """See `plan`, without the texts that are joined."""
    answer = _Answer(carries_images)
    for number, out in enumerate(replies):
        if out.reply.op == "react":
            continue  # there are no reactions
        if out.reply.op == "recall" or out.reply.to is not None:
            return answer.planned(number)
        texts, card, others = _leading_texts(out.reply)
        first, *later = list(groups(texts, STYLE)) or [[]]
        if not answer.add(first):
            return answer.planned(number)
        if later:
            left = (*(segment for group in later for segment in group), *([card] if card else ()), *others)
            return answer.planned(number, rest=replace(out.reply, segments=left))
        if card is not None:
            # The rest of a reply is planned again: with other segments, and so with another id.
            shown = template_card(card, digest(out.id, *out.dropped, str(len(others)))[:32])
            left = replace(out.reply, segments=others) if others else None
            return answer.planned(number if left else number + 1, shown, left)
    return answer.planned(len(replies))


def _with_rest_joined(planned: Plan, replies: Sequence[Outgoing]) -> Plan:
    """`planned`, with the texts that follow it as the rest of the last one of them: they are one message."""
    following = replies[planned.sent :]
    if not following:
        return planned
    first, *others = following
    if planned.rest is None and not _is_text(first.reply):
        return planned
    rest = planned.rest or first.reply
    number = planned.sent
    for out in takewhile(lambda out: _is_text(out.reply) and out.message_key == first.message_key, others):
        joined = replace(out.reply, segments=(*rest.segments, _LINE, *out.reply.segments))
        if not _is_text(joined):
            break
        rest, number = joined, number + 1
    return planned if number == planned.sent else planned._replace(sent=number, rest=rest)


def last_texts_joined(replies: Sequence[Reply]) -> list[Reply]:
    """`replies` whose last texts are one reply, as far as one message can hold them. Edits among them stay: they are
    answers to the press itself.
    """
    found = [reply for reply in replies if reply.op != "react"]
    last = [*takewhile(lambda place: found[place].op == "edit" or _is_text(found[place]), reversed(range(len(found))))]
    later: int | None = None
    for place in last:
        if not _is_text(found[place]):
            continue
        both = _both(found[place], found[later]) if later is not None else found[place]
        if not _is_text(both):
            break
        found[place] = both
        if later is not None:
            del found[later]
        later = place
    return [*found, *(reply for reply in replies if reply.op == "react")]


def _both(first: Reply, second: Reply) -> Reply:
    """Two texts as one. Nothing is private in an answer of a smart bot."""
    segments = (*first.segments, _LINE, *second.segments)
    return replace(first, segments=segments, private=first.private and second.private)


def _is_text(reply: Reply) -> bool:
    """Whether one message of text holds the whole of a new reply to the message."""
    texts, card, _ = _leading_texts(reply)
    return reply.op == "send" and reply.to is None and card is None and len(list(groups(texts, STYLE))) <= 1


def beginning(reply: Reply) -> str:
    """The text of a reply that grows, as much of it as has room."""
    texts, _, _ = _leading_texts(reply)
    first, *_ = list(groups(texts, STYLE)) or [[]]
    return STYLE.text(first)


def welcome(replies: Sequence[Outgoing]) -> str:
    """The words of `replies`. Empty if one of them is no message to the person."""
    if any(out.reply.to is not None or out.reply.op != "send" for out in replies):
        return ""
    return "\n".join(filter(None, (plain_text(out.reply.segments) for out in replies)))


class _Answer(msgspec.Struct):
    """The text and the images of an answer, which grow reply by reply."""

    carries_images: bool
    joined: tuple[AnySegment, ...] = ()
    images: InlineImages = ()

    def add(self, segments: Iterable[AnySegment]) -> bool:
        """Add a reply, on lines of its own. False if it has no room: then the answer is as before."""
        added, images = taken(segments, self.images) if self.carries_images else (tuple(segments), ())
        joined = (*self.joined, _LINE, *added) if self.joined else added
        if not STYLE.text(added):
            joined = self.joined
        if utf8_size(STYLE.text(joined)) > _LIMIT:
            return False
        self.joined, self.images = joined, images
        return True

    def planned(self, sent: int, card: dict[str, Any] | None = None, rest: Reply | None = None) -> Plan:
        """The answer, with `card`."""
        return Plan(STYLE.text(self.joined), self.images, card, sent, rest)


def _leading_texts(reply: Reply) -> tuple[list[AnySegment], Card | None, tuple[AnySegment, ...]]:
    """The segments of `reply` up to its first card with something to press, that card, and the rest. What the template
    card has no room for is the last of the texts.
    """
    texts: list[AnySegment] = []
    segments = in_dialect(reply.segments, _DIALECT)
    for place, segment in enumerate(segments):
        if not isinstance(segment, Card):
            texts.append(segment)
        elif not segment.is_pressable:
            texts += _card_texts(segment)
        else:
            before, core = split(segment)
            if before != Card() or segment.images:
                texts += _card_texts(replace(before, images=segment.images))
            return texts, core, tuple(segments[place + 1 :])
    return texts, None, ()


def _card_texts(card: Card) -> tuple[AnySegment, ...]:
    """A card without buttons to press, on lines of its own."""
    pictures = [part for image in card.images for part in (image, _LINE)]
    return (*pictures, *card_markdown(replace(card, image="", images=())), _LINE)


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
