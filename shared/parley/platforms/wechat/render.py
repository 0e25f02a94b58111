"""Renders segments as customer-service messages (WeChat docs: Customer-service messages).

| segment | message |
|---|---|
| text, markdown | `text` without markdown's marks; links as tags |
| link with a picture | `news` with one article |
| PNG, JPEG or GIF; AMR or MP3; MP4 | `image`; `voice`; `video` |
| other media | `text` with a link; WeChat has no file messages |
| card with buttons | `msgmenu` below the text; buttons with an address as links below it |
| menu of a card | `msgmenu` of its choices |
| form of a card | a numbered line, which the bot makes (`parley.bot.numbered`) |
| `Other` named `miniprogram`, `template`, `subscription`, `typing` | the message or call of that name |
| `Other` named `transfer_customer_service` | nothing: it works in passive replies only |
| mention, location, quote, others | `text` |

Passive replies have messages of their own (`parley.platforms.tencent.passive`).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import groupby
from typing import Any

from msgspec.structs import replace

from parley.model import AnyMedia, AnySegment, Audio, Button, Card, File, Image, Link, Other, Select, Video, label_of
from parley.platforms.tencent.buttons import pack, pack_choice
from parley.platforms.tencent.markup import NOBODY, TAGS, Rule, finish, lines, raw
from parley.platforms.tencent.media import WECHAT_FORMATS, media_type_of
from parley.platforms.tencent.plain import Style, anchor, as_text, texts
from parley.platforms.tencent.render import Rendered, article, has_picture
from parley.platforms.wechat.content_limits import LIMITS
from parley.text import utf8_size

_MENU_ITEMS = LIMITS.buttons.most
_MENU_TEXT = LIMITS.card_text.most - len("…\n".encode())
"""Bytes of a card's text above a menu."""
_MOST_MESSAGES = 5
"""Messages that a person may be sent after one of theirs. WeChat refuses the next ones for good (45047)."""
_UNESCAPED = (Rule(re.compile(r"\\(?=u[0-9a-fA-F]{4})"), NOBODY),)
"""WeChat refuses a body that contains `\\uXXXX`, also as words of a person (40033)."""
_ADDRESSES = ("url", "picurl", "page", "pagepath")
"""Fields with an address: a mark in it would make it another one, and it has a form of its own for a backslash."""
_RULES = (*TAGS, *_UNESCAPED)
_finished = partial(finish, rules=_RULES)
SPECIAL = ("miniprogram", "template", "subscription", "typing")


def messages(segments: Iterable[AnySegment]) -> Iterator[Rendered]:
    """The messages for `segments`, in order. Media are uploaded already: they have their media ids."""
    for kind, group in groupby(segments, _kind_of):
        if kind == "text":
            yield from text_messages(group)
        else:
            for segment in group:
                yield from _single(segment)


def text_messages(segments: Iterable[AnySegment]) -> Iterator[Rendered]:
    """The text messages for adjacent segments that are shown as text."""
    for text in texts(segments, Style(as_text, _RULES)):
        yield Rendered("text", {"content": text})


def _media_message(media: AnyMedia) -> Rendered:
    if isinstance(media, Image):
        return Rendered("image", {"media_id": media.key})
    if isinstance(media, Audio):
        return Rendered("voice", {"media_id": media.key})
    cover = media.cover if isinstance(media, Video) else ""
    thumb = {"thumb_media_id": cover} if cover else {}
    return Rendered("video", {"media_id": media.key, **thumb, "title": _sendable(media.name), "description": ""})


def _sendable(text: str) -> str:
    """`text` outside a text message, where nothing is markup."""
    return finish(raw(text), _UNESCAPED)


def _sendable_in(fields: Mapping[str, str]) -> dict[str, str]:
    return {name: text.replace("\\", "%5C") if name in _ADDRESSES else _sendable(text) for name, text in fields.items()}


def _kind_of(segment: AnySegment) -> str:
    match segment:
        case Image() | Audio() | Video() | File() if segment.has_content and media_type_of(segment, WECHAT_FORMATS):
            return "media"
        case Card():
            return "card"
        case Other(name=name) if name in SPECIAL:
            return "special"
        case _:
            # A person may be sent few messages, and an article takes one, so a link without a picture stays text.
            return "article" if has_picture(segment) else "text"


def _single(segment: AnySegment) -> Iterator[Rendered]:
    match segment:
        case Image() | Audio() | Video() | File():
            yield _media_message(segment)
        case Card():
            yield from _card(segment)
        case Other():
            yield Rendered(segment.name, special(segment))
        case Link():
            yield Rendered("news", {"articles": [_sendable_in(article(segment))]})
        case _:
            raise AssertionError(segment)  # pragma: no cover


# --- cards ------------------------------------------------------------------------------------------------------------


def _card(card: Card) -> Iterator[Rendered]:
    """The pictures, the text and the menus of a card. If it has menus, the last part of the text is above the first.

    A text that leaves no message for the menus is cut before its last part, with `…` in place of the rest.
    """
    pictures = [key for key in (card.image, *(image.key for image in card.images)) if key]
    yield from (Rendered("image", {"media_id": key}) for key in pictures)
    items = [button for button in card.buttons if not button.url]
    parts = _parts(replace(card, image="", images=(), selects=(), buttons=() if items else card.buttons))
    head = ""
    if items:
        head = parts.pop() if parts and utf8_size(parts[-1]) <= _MENU_TEXT else _finished(raw(card.title))
        head = head if utf8_size(head) <= _MENU_TEXT else ""
    menus = [*_buttons(card, items), *(menu for select in card.selects for menu in _menu(select))]
    if menus and len(pictures) + len(parts) + len(menus) > _MOST_MESSAGES:
        del parts[max(0, _MOST_MESSAGES - len(pictures) - len(menus)) :]
        head = f"…\n{head}".strip()
    yield from (Rendered("text", {"content": part}) for part in parts)
    for menu in menus:
        above, head = "\n".join(filter(None, (head, menu.content["head_content"]))), ""
        yield Rendered("msgmenu", {**menu.content, "head_content": above})


def _parts(card: Card) -> list[str]:
    """The text of a card in messages."""
    has_text = card.title or card.text or card.fields or card.mentions or card.buttons
    return list(texts([card], Style(as_text, _RULES))) if has_text else []


def _buttons(card: Card, items: list[Button]) -> Iterator[Rendered]:
    """The menus of the buttons `items`, with those that open an address below the last one."""
    tail = _finished(lines(*(anchor(button.url, button.label) for button in card.buttons if button.url)))
    for start in range(0, len(items), _MENU_ITEMS):
        is_last = start + _MENU_ITEMS >= len(items)
        shown = [
            {"id": pack(button), "content": _finished(raw(label_of(button.label, button.id)))}
            for button in items[start : start + _MENU_ITEMS]
        ]
        yield Rendered("msgmenu", {"head_content": "", "list": shown, "tail_content": tail if is_last else ""})


def _menu(select: Select) -> Iterator[Rendered]:
    """A menu: its label above its choices."""
    head = _finished(raw(select.label))
    for start in range(0, len(select.choices), _MENU_ITEMS):
        shown = [
            {"id": pack_choice(select, choice), "content": _finished(raw(label_of(choice.label, str(choice.value))))}
            for choice in select.choices[start : start + _MENU_ITEMS]
        ]
        yield Rendered("msgmenu", {"head_content": head, "list": shown, "tail_content": ""})
        head = ""


# --- segments with a message or call of their own ---------------------------------------------------------------------


def special(segment: Other) -> dict[str, Any]:
    """The content of an `Other` named in `SPECIAL`, from its `data`.

    * `miniprogram`: title, appid, pagepath, thumb_media_id.
    * `template`, `subscription`: template_id, url or page, appid, pagepath, and `data.<field>` for each field.
    * `typing`: nothing.
    """
    data = _sendable_in(segment.data)
    if segment.name not in {"template", "subscription"}:
        return data
    fields = {name[5:]: {"value": value} for name, value in data.items() if name.startswith("data.")}
    program = {"appid": data["appid"], "pagepath": data.get("pagepath", "")} if data.get("appid") else None
    where = {name: data[name] for name in ("template_id", "url", "page") if data.get(name)}
    return {**where, **({"miniprogram": program} if program else {}), "data": fields}
