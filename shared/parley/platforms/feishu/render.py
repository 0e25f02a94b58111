"""Segments as Feishu messages (Feishu docs: Send message content).

| segments | message |
|---|---|
| text and mentions | `text` |
| with links, or with text that `text` would interpret as markup | `post` of plain elements |
| with markdown | `post` of one `md` element, which contains the mentions and links |
| image, file, Opus audio, MP4 video | a message of its own |
| other audio or video | `file` |
| card | `interactive`, with its mentions in the first line |
| location, quote without an id, anything else | its plain text |

Content over the size limit becomes several messages.
"""

import html
import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import msgspec

from parley.fences import split_markdown
from parley.links import with_web_addresses
from parley.markdown import without_pictures
from parley.model import (
    AnyMedia,
    AnySegment,
    Audio,
    Card,
    File,
    Image,
    Link,
    Markdown,
    Mention,
    Quote,
    Text,
    Video,
    plain_text,
)
from parley.platforms.feishu.cards import card_json, has_room, split_buttons
from parley.platforms.feishu.content_limits import LIMITS, least_text
from parley.platforms.feishu.markdown import (
    Inline,
    acceptable,
    card_markdown,
    is_http,
    joined,
    markdown_of,
    safe,
)
from parley.platforms.feishu.values import Object
from parley.text import split

TEXT_LIMIT = LIMITS.text.most
"""Bytes of the content of a text message."""
RICH_LIMIT = LIMITS.card.most
"""The same for posts and cards."""
WEBHOOK_LIMIT = LIMITS.webhook.most
"""The same for every message to a webhook."""

_ID = re.compile(r"[\w.@+-]{1,128}")
"""An id of Feishu. Any other text could be several attributes of a tag."""


class Rendered(NamedTuple):
    """One message: `msg_type` and the decoded `content`."""

    kind: str
    content: Object


class Form(NamedTuple):
    """A form of text message: how it shows a segment, how segments make a message, and its limit in bytes."""

    written: Callable[[Inline], str | list[list[Object]]]
    message: Callable[[Iterable[Inline]], Rendered]
    limit: int


class Style(NamedTuple):
    """The forms of text that a destination supports, and its limit for a card in bytes."""

    plain: Form
    post: Form
    markdown: Form
    card_limit: int


def parts(segments: Iterable[AnySegment], style: "Style | None" = None) -> Iterator[Rendered | AnyMedia]:
    """The messages that show `segments`, in order. Media are returned as they are: the caller uploads them."""
    style = style or CHAT
    run: list[AnySegment] = []
    for segment in with_web_addresses(segments):
        match segment:
            case Image() | File() | Audio() | Video() if segment.has_content:
                yield from _text_messages(run, style)
                run.clear()
                yield segment
            case Card():
                yield from _text_messages(run, style)
                run.clear()
                yield from _cards(segment, style)
            case _:
                run.append(segment)
    yield from _text_messages(run, style)


def wire_size(value: object) -> int:
    """Bytes of `value` in a request, where content is JSON inside a JSON string."""
    return len(msgspec.json.encode(msgspec.json.encode(value).decode()))


def _text_messages(run: Iterable[AnySegment], style: Style) -> Iterator[Rendered]:
    """The messages for `run`, which has no media and no cards. None if its text is empty."""
    inlines = [_inline(segment) for segment in run]
    if any(isinstance(inline, Markdown) for inline in inlines):
        form = style.markdown
    elif _is_plain(inlines):
        form = style.plain
    else:
        form = style.post
    for group in _groups(inlines, form):
        if any(isinstance(inline, Mention) for inline in group) or plain_text(tuple(group)):
            yield form.message(group)


def _inline(segment: AnySegment) -> Inline:
    match segment:
        case Text() | Markdown():
            return segment
        case Mention(id=id_) if _ID.fullmatch(id_):
            return segment
        case Link(url=url) if is_http(url):
            return segment
        case Quote(text=text) if text:
            return Text(text=f"> {text}\n")
        case _:
            return Text(text=plain_text((segment,)))


def _is_plain(inlines: list[Inline]) -> bool:
    """Whether a `text` message shows them unchanged. `text` interprets tags (`<at>`, `<b>`) and `[title](address)`,
    also if two segments together make one.
    """
    if any(isinstance(inline, Link) for inline in inlines):
        return False
    text = "".join(inline.text if isinstance(inline, Text) else " " for inline in inlines)
    return "<" not in text and "](" not in text


def _groups(inlines: list[Inline], form: Form) -> Iterator[list[Inline]]:
    """`inlines` in groups that fit one message each. The parts of a text that is split are in different messages, so
    that the words at a cut never come together.
    """
    group: list[Inline] = []
    used = 0
    for inline in inlines:
        for number, piece in enumerate(_pieces(inline, form)):
            size = wire_size(form.written(piece))
            if group and (number or used + size > form.limit):
                yield group
                group, used = [], 0
            group.append(piece)
            used += size
    yield group


def _pieces(inline: Inline, form: Form) -> Iterator[Inline]:
    """`inline` itself, or its text in several pieces if it exceeds the limit."""
    if wire_size(form.written(inline)) <= form.limit:
        yield inline
        return
    kind = Markdown if isinstance(inline, Markdown) else Text
    whole = inline.text if isinstance(inline, Text | Markdown) else plain_text((inline,))
    cut = split_markdown if kind is Markdown else split
    for part in cut(whole, form.limit, lambda part: wire_size(form.written(kind(text=part)))):
        yield kind(text=part)


def _cards(card: Card, style: Style) -> Iterator[Rendered]:
    """`card` as one or more messages.

    The text that exceeds the card's limit precedes the card. A card that is too large even without its text and with
    one button becomes plain text.
    """
    for one in split_card(card, style.card_limit):
        room = style.card_limit - size_without_text(one)
        if room < least_text(style.card_limit):
            words = plain_text((msgspec.structs.replace(one, mentions=()),))
            yield from _text_messages([*_mention_line(one), Text(text=words)], style)
            continue
        *before, last = _bodies(one, room)
        for part in before:
            yield from _text_messages([part], style)
        content = joined([*_mention_line(one), last], _card_at, card_markdown)
        yield Rendered("interactive", card_json(one, content))


def _bodies(card: Card, room: int) -> list[Text | Markdown]:
    """The text of `card` in parts of at most `room` bytes each; one empty part for a card without text."""
    body = card.body
    cut = split_markdown if isinstance(body, Markdown) else split
    texts = cut(body.text, room, lambda part: wire_size(_card_markdown(msgspec.structs.replace(body, text=part))))
    return [msgspec.structs.replace(body, text=part) for part in texts] or [msgspec.structs.replace(body, text="")]


def _mention_line(card: Card) -> list[Inline]:
    """The mentions of `card`, and the end of their line. Those that are not possible are names."""
    line = [inline for mention in card.mentions for inline in (_inline(mention), Text(text=" "))]
    return [*line[:-1], Text(text="\n")] if line else []


def split_card(card: Card, limit: int) -> Iterator[Card]:
    """`card` as cards that have room for text within `limit` bytes, or one button only."""
    most = limit - least_text(limit)
    return split_buttons(acceptable(card), lambda one: size_without_text(one) <= most and has_room(one))


def size_without_text(card: Card) -> int:
    """Bytes of `card` in a request, without its text."""
    return wire_size(card_json(card, "".join(map(_card_markdown, _mention_line(card)))))


# --- text -------------------------------------------------------------------------------------------------------------


def _tagged(inline: Inline) -> str:
    if isinstance(inline, Mention):
        return _at_tag(inline)
    return plain_text((inline,)) if isinstance(inline, Link) else inline.text


def _at_tag(mention: Mention) -> str:
    """The tag of a mention in a text or post. Feishu shows the person's own name; brackets in it could make a link."""
    name = mention.name.replace("[", "").replace("]", "")
    return f'<at user_id="{html.escape(mention.id)}">{html.escape(name)}</at>'


def _card_at(mention: Mention) -> str:
    """The same in a card, where the id has no quotation marks."""
    return f"<at id={mention.id}></at>"


def _text_message(group: Iterable[Inline]) -> Rendered:
    return Rendered("text", {"text": "".join(map(_tagged, group)).strip()})


# --- post -------------------------------------------------------------------------------------------------------------


def _lines(inline: Inline) -> list[list[Object]]:
    match inline:
        case Mention(id=id_):
            return [[{"tag": "at", "user_id": id_}]]
        case Link(url=url, title=title, description=description):
            rest = [[{"tag": "text", "text": description}]] if description else []
            return [[{"tag": "a", "text": title or url, "href": url}], *rest]
        case Text(text=text) | Markdown(text=text):
            return [[{"tag": "text", "text": line}] if line else [] for line in text.split("\n")]


def _post_message(group: Iterable[Inline]) -> Rendered:
    lines: list[list[Object]] = [[]]
    for inline in group:
        first, *rest = _lines(inline)
        lines[-1].extend(first)
        lines.extend(rest)
    return _post(lines)


def _post(lines: list[list[Object]]) -> Rendered:
    """A post to be sent. Only sent posts are wrapped in a locale, received ones are not."""
    return Rendered("post", {"zh_cn": {"content": lines}})


# --- markdown ---------------------------------------------------------------------------------------------------------


def _markdown(inline: Inline) -> str:
    """For the size of `inline` in a post."""
    return _at_tag(inline) if isinstance(inline, Mention) else safe(markdown_of(inline))


def _card_markdown(inline: Inline) -> str:
    """For the size of `inline` in a card."""
    return _card_at(inline) if isinstance(inline, Mention) else card_markdown(markdown_of(inline))


def _markdown_message(group: Iterable[Inline]) -> Rendered:
    return _post([[{"tag": "md", "text": joined(group, _at_tag, lambda text: safe(without_pictures(text)))}]])


def _card_message(group: Iterable[Inline]) -> Rendered:
    return Rendered("interactive", card_json(Card(), joined(group, _card_at, card_markdown)))


def _style(plain: Form, post: Form, markdown: Form, limit: int) -> Style:
    """A style whose messages have at most `limit` bytes. Plain text keeps its own limit."""
    return Style(plain, post._replace(limit=limit), markdown._replace(limit=limit), limit)


_TEXT = Form(_tagged, _text_message, TEXT_LIMIT)
_POST = Form(_lines, _post_message, RICH_LIMIT)
_CARD = Form(_card_markdown, _card_message, RICH_LIMIT)

CHAT = _style(_TEXT, _POST, Form(_markdown, _markdown_message, RICH_LIMIT), RICH_LIMIT)
"""The messages of an app in a chat."""

WEBHOOK = _style(_TEXT._replace(limit=WEBHOOK_LIMIT), _POST, _CARD, WEBHOOK_LIMIT)
"""The messages of a group's webhook. Its posts have no `md` element, so markdown becomes a card without a title."""

CARDS = _style(_CARD, _CARD, _CARD, RICH_LIMIT)
"""The messages that can replace a card: all text becomes cards."""
