"""Segments as Feishu messages (Feishu docs: Send message content).

| segments | message |
|---|---|
| text and mentions | `text` |
| with links, or with text that `text` would interpret as markup | `post` of plain elements |
| with markdown | `post` of one `md` element, which contains the mentions and links |
| image, file, Opus audio, MP4 video | a message of its own |
| other audio or video | `file` |
| card | `interactive` |
| location, quote without an id, anything else | its plain text |

Content over the size limit becomes several messages.
"""

import html
import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import msgspec

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
from parley.platforms.feishu.cards import card_json, escape_mentions, split_buttons
from parley.platforms.feishu.values import Object
from parley.text import split

TEXT_LIMIT = 148_000
"""Bytes of the content of a text message. Feishu's limit is 150 KB for the whole request."""
RICH_LIMIT = 28_000
"""The same for posts and cards: Feishu's limit is 30 KB. Inside, Feishu adds style tags that count."""
WEBHOOK_LIMIT = 18_000
"""The same for every message to a webhook: Feishu's limit is 20 KB."""


Inline = Text | Markdown | Mention | Link
"""The segments that a text consists of. All others are converted to text first."""


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
    for segment in segments:
        match segment:
            case Image() | File() | Audio() | Video() if segment.key or segment.url or segment.data:
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
    elif all(isinstance(inline, Mention) or _is_plain(inline) for inline in inlines):
        form = style.plain
    else:
        form = style.post
    for group in _groups(inlines, form):
        if plain_text(tuple(group)):
            yield form.message(group)


def _inline(segment: AnySegment) -> Inline:
    match segment:
        case Text() | Markdown():
            return segment
        case Mention(id=id_) if id_:
            return segment
        case Link(url=url) if re.match(r"https?://\S+$", url):
            return segment
        case Quote(text=text) if text:
            return Text(text=f"> {text}\n")
        case _:
            return Text(text=plain_text((segment,)))


def _is_plain(inline: Inline) -> bool:
    """Whether a `text` message shows it unchanged. `text` interprets tags (`<at>`, `<b>`) and `[title](address)`."""
    return isinstance(inline, Text) and "<" not in inline.text and "](" not in inline.text


def _groups(inlines: list[Inline], form: Form) -> Iterator[list[Inline]]:
    """`inlines` in groups that fit one message each."""
    group: list[Inline] = []
    used = 0
    for inline in inlines:
        for piece in _pieces(inline, form):
            size = wire_size(form.written(piece))
            if group and used + size > form.limit:
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
    for part in split(whole, form.limit, lambda part: wire_size(form.written(kind(text=part)))):
        yield kind(text=part)


def _cards(card: Card, style: Style) -> Iterator[Rendered]:
    """`card` as one or more messages.

    The text that exceeds the card's limit precedes the card. A card that is too large even without its text becomes
    plain text.
    """
    for one in split_buttons(msgspec.structs.replace(card, text=escape_mentions(card.text))):
        spare = style.card_limit - wire_size(card_json(msgspec.structs.replace(one, text="")))
        if spare < style.card_limit // 4:
            yield from _text_messages([Text(text=plain_text((one,)))], style)
            continue
        *before, last = list(split(one.text, spare, wire_size)) or [""]
        yield from _text_messages((Markdown(text=part) for part in before), style)
        yield Rendered("interactive", card_json(msgspec.structs.replace(one, text=last)))


# --- text -------------------------------------------------------------------------------------------------------------


def _tagged(inline: Inline) -> str:
    if isinstance(inline, Mention):
        return _at_tag(inline)
    return plain_text((inline,)) if isinstance(inline, Link) else inline.text


def _at_tag(mention: Mention) -> str:
    return f'<at user_id="{html.escape(mention.id)}">{html.escape(mention.name)}</at>'


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

_MARKUP = re.compile(r"[*_~`\[\]<>]")


def _markdown(inline: Inline) -> str:
    return _at_tag(inline) if isinstance(inline, Mention) else _any_markdown(inline)


def _card_markdown(inline: Inline) -> str:
    """The markdown of a card. Its syntax for a mention differs from that of a post."""
    if isinstance(inline, Mention):
        return f"<at id={html.escape(inline.id)}></at>"
    return _any_markdown(inline)


def _any_markdown(inline: Text | Markdown | Link) -> str:
    match inline:
        case Markdown(text=text):
            return escape_mentions(text)
        case Link(url=url, title=title, description=description):
            address = url.replace("(", "%28").replace(")", "%29")
            return f"[{_literal(title or url)}]({address})" + (f"\n{_literal(description)}" if description else "")
        case Text(text=text):
            return _literal(text)


def _literal(text: str) -> str:
    """`text` with its markup characters as character references, so that markdown shows it unchanged.

    The card docs define the references for the markdown of cards. That `md` in posts takes them too is unverified.
    """
    return _MARKUP.sub(lambda match: f"&#{ord(match[0])};", text)


def _markdown_message(group: Iterable[Inline]) -> Rendered:
    return _post([[{"tag": "md", "text": "".join(map(_markdown, group)).strip()}]])


def _card_message(group: Iterable[Inline]) -> Rendered:
    return Rendered("interactive", card_json(Card(text="".join(map(_card_markdown, group)).strip())))


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
