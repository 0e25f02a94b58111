"""Segments as Feishu's own messages (Feishu docs: Send message content).

| what | becomes |
|---|---|
| words and mentions | `text` |
| with links, or with words that `text` would take for markup | `post` of plain elements |
| with markdown | `post` of one `md` element, mentions and links written in it |
| image, file, opus sound, mp4 film | a message of its own |
| another sound or film | a file |
| card | `interactive` |
| location, quote without an id, anything else | its words |

A message over the size limit becomes several.
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
from parley.platforms.feishu.cards import card, split_buttons, without_mentions
from parley.platforms.feishu.values import Object
from parley.text import split

TEXT_LIMIT = 148_000
"""Bytes of a text request's content: 150 KB with room for what is around it."""
RICH_LIMIT = 28_000
"""The same for posts and cards: 30 KB, of which style tags take more inside than they show."""
WEBHOOK_LIMIT = 18_000
"""The same for all that goes to a webhook: 20 KB."""


Word = Text | Markdown | Mention | Link
"""What words are made of, once everything without a form has become text."""


class Rendered(NamedTuple):
    """One message: `msg_type` and the decoded `content`."""

    kind: str
    content: Object


class Form(NamedTuple):
    """One way to write words: how a segment looks in it, how a message is made of segments, and how long it may be."""

    written: Callable[[Word], str | list[list[Object]]]
    message: Callable[[Iterable[Word]], Rendered]
    limit: int


class Style(NamedTuple):
    """The forms of words that a destination knows, and the size of its cards."""

    plain: Form
    post: Form
    markdown: Form
    card_limit: int


def parts(segments: Iterable[AnySegment], style: "Style | None" = None) -> Iterator[Rendered | AnyMedia]:
    """The messages that say `segments`, in order; media come as they are, to be uploaded first."""
    style = style or CHAT
    run: list[AnySegment] = []
    for segment in segments:
        match segment:
            case Image() | File() | Audio() | Video() if segment.key or segment.url or segment.data:
                yield from words(run, style)
                run.clear()
                yield segment
            case Card():
                yield from words(run, style)
                run.clear()
                yield from _cards(segment, style)
            case _:
                run.append(segment)
    yield from words(run, style)


def words(run: Iterable[AnySegment], style: "Style | None" = None) -> Iterator[Rendered]:
    """The messages that say a run of segments without media and cards; none if there is nothing to read in it."""
    style = style or CHAT
    said = [_word(segment) for segment in run]
    if any(isinstance(word, Markdown) for word in said):
        form = style.markdown
    elif all(isinstance(word, Mention) or _is_plain(word) for word in said):
        form = style.plain
    else:
        form = style.post
    for group in _groups(said, form):
        if plain_text(tuple(group)):
            yield form.message(group)


def wire_size(value: object) -> int:
    """Bytes that `value` takes in a request, in which content is JSON within JSON."""
    return len(msgspec.json.encode(msgspec.json.encode(value).decode()))


def _word(segment: AnySegment) -> Word:
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


def _is_plain(word: Word) -> bool:
    """Whether `text` shows it as it is: it knows tags (`<at>`, `<b>`) and links (`[title](address)`)."""
    return isinstance(word, Text) and "<" not in word.text and "](" not in word.text


def _groups(said: list[Word], form: Form) -> Iterator[list[Word]]:
    group: list[Word] = []
    used = 0
    for word in said:
        for piece in _pieces(word, form):
            size = wire_size(form.written(piece))
            if group and used + size > form.limit:
                yield group
                group, used = [], 0
            group.append(piece)
            used += size
    yield group


def _pieces(word: Word, form: Form) -> Iterator[Word]:
    if wire_size(form.written(word)) <= form.limit:
        yield word
        return
    kind = Markdown if isinstance(word, Markdown) else Text
    whole = word.text if isinstance(word, Text | Markdown) else plain_text((word,))
    for part in split(whole, form.limit, lambda part: wire_size(form.written(kind(text=part)))):
        yield kind(text=part)


def _cards(shown: Card, style: Style) -> Iterator[Rendered]:
    """The card; words that it has no room for go before it, and its words alone if even then it is too large."""
    for one in split_buttons(msgspec.structs.replace(shown, text=without_mentions(shown.text))):
        spare = style.card_limit - wire_size(card(msgspec.structs.replace(one, text="")))
        if spare < style.card_limit // 4:
            yield from words([Text(text=plain_text((one,)))], style)
            continue
        *before, last = list(split(one.text, spare, wire_size)) or [""]
        yield from words((Markdown(text=part) for part in before), style)
        yield Rendered("interactive", card(msgspec.structs.replace(one, text=last)))


# --- text -------------------------------------------------------------------------------------------------------------


def _tagged(word: Word) -> str:
    if isinstance(word, Mention):
        return f'<at user_id="{html.escape(word.id)}">{html.escape(word.name)}</at>'
    return plain_text((word,)) if isinstance(word, Link) else word.text


def _text_message(group: Iterable[Word]) -> Rendered:
    return Rendered("text", {"text": "".join(map(_tagged, group)).strip()})


# --- post -------------------------------------------------------------------------------------------------------------


def _lines(word: Word) -> list[list[Object]]:
    match word:
        case Mention(id=id_):
            return [[{"tag": "at", "user_id": id_}]]
        case Link(url=url, title=title, description=description):
            rest = [[{"tag": "text", "text": description}]] if description else []
            return [[{"tag": "a", "text": title or url, "href": url}], *rest]
        case Text(text=text) | Markdown(text=text):
            return [[{"tag": "text", "text": line}] if line else [] for line in text.split("\n")]


def _post_message(group: Iterable[Word]) -> Rendered:
    lines: list[list[Object]] = [[]]
    for word in group:
        first, *rest = _lines(word)
        lines[-1].extend(first)
        lines.extend(rest)
    return post(lines)


def post(lines: list[list[Object]]) -> Rendered:
    """A post. Only sent ones carry the locale around them."""
    return Rendered("post", {"zh_cn": {"content": lines}})


# --- markdown ---------------------------------------------------------------------------------------------------------

_MARKUP = re.compile(r"[*_~`\[\]<>]")


def _markdown(word: Word) -> str:
    if isinstance(word, Mention):
        return f'<at user_id="{html.escape(word.id)}">{html.escape(word.name)}</at>'
    return _any_markdown(word)


def _card_markdown(word: Word) -> str:
    """A card's markdown has a mention syntax of its own."""
    if isinstance(word, Mention):
        return f"<at id={html.escape(word.id)}></at>"
    return _any_markdown(word)


def _any_markdown(word: Text | Markdown | Link) -> str:
    match word:
        case Markdown(text=text):
            return without_mentions(text)
        case Link(url=url, title=title, description=description):
            address = url.replace("(", "%28").replace(")", "%29")
            return f"[{_literal(title or url)}]({address})" + (f"\n{_literal(description)}" if description else "")
        case Text(text=text):
            return _literal(text)


def _literal(text: str) -> str:
    """`text` such that markdown shows it as it is: character references, as the card docs have it for their markdown
    (that `md` in posts takes them too is unverified)."""
    return _MARKUP.sub(lambda match: f"&#{ord(match[0])};", text)


def _markdown_message(group: Iterable[Word]) -> Rendered:
    return post([[{"tag": "md", "text": "".join(map(_markdown, group)).strip()}]])


def _card_message(group: Iterable[Word]) -> Rendered:
    return Rendered("interactive", card(Card(text="".join(map(_card_markdown, group)).strip())))


def _style(plain: Form, post: Form, markdown: Form, limit: int) -> Style:
    """A style in which no message takes more than `limit`, but for a text where texts may be longer."""
    return Style(plain, post._replace(limit=limit), markdown._replace(limit=limit), limit)


_TEXT = Form(_tagged, _text_message, TEXT_LIMIT)
_POST = Form(_lines, _post_message, RICH_LIMIT)
_CARD = Form(_card_markdown, _card_message, RICH_LIMIT)

CHAT = _style(_TEXT, _POST, Form(_markdown, _markdown_message, RICH_LIMIT), RICH_LIMIT)
"""What apps can say in a chat."""

WEBHOOK = _style(_TEXT._replace(limit=WEBHOOK_LIMIT), _POST, _CARD, WEBHOOK_LIMIT)
"""What a group's webhook takes: no `md` in posts, so that markdown goes out as a card without a title."""

CARDS = _style(_CARD, _CARD, _CARD, RICH_LIMIT)
"""For where a card has to be replaced: all words are cards."""
