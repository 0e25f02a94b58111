"""The template card of a card: an answer has room for one, with buttons, or one menu, or a form of choices.

WeCom docs: Smart bots › Template cards.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec.structs import replace

from parley.adapter import Element
from parley.links import with_web_addresses
from parley.model import Card, Outgoing, Reply, plain_text
from parley.model.instant import Form
from parley.platforms.tencent.plain import untagged_text
from parley.platforms.wecom import menus
from parley.platforms.wecom.cards import button_cards, head, key_size, replacement
from parley.platforms.wecom_bot.content_limits import LIMITS
from parley.text import split as split_text

_NO_PAGE = "https://work.weixin.qq.com"
_TEXT = LIMITS.card_text.most
_LINKS = 3
"""Links of a card without buttons to press."""


def native(card: Card) -> tuple[Element, ...]:
    """The elements of `card` that its template card shows: its buttons to press, else a menu, else its form."""
    pressed = tuple(button for button in card.buttons if not button.url)
    fit = len(card.buttons) <= LIMITS.buttons.most and all(key_size(each) <= LIMITS.button_key.most for each in pressed)
    if pressed and fit:
        return pressed
    choices = (*filter(menus.shows_select, card.selects), *filter(menus.shows_form, _forms(card)))
    return choices[:1]


def numbered(card: Card) -> Iterator[Element]:
    """The elements of `card` to press that have no room in its template card."""
    shown = native(card)
    pressed = (button for button in card.buttons if not button.url)
    yield from (element for element in (*card.selects, *_forms(card), *pressed) if element not in shown)


def split(card: Card) -> tuple[Card, Card]:
    """`card`, whose elements to press are all native, in two: a card without them that precedes, and one that has room
    in a template card. Pictures are in neither.
    """
    card = replace(card, image="", images=())
    if _has_buttons(card):
        before, _ = head(card)
        fields = () if before.fields else card.fields
        return before, card if before == Card() else Card(title=card.title, fields=fields, buttons=card.buttons)
    before = replace(card, selects=(), form=None)
    core = Card(selects=card.selects, form=card.form)
    return (Card(), replace(core, title=card.title)) if before == Card(title=card.title) else (before, core)


def template_card(card: Card, task_id: str) -> dict[str, Any]:
    """The template card of the second card of `split`."""
    if _has_buttons(card):
        return next(button_cards(card, head(card)[1])) | {"task_id": task_id}
    shown = menus.menus(card.form, task_id) if card.form and not card.selects else menus.vote(card.selects[0], task_id)
    if card.title.strip():
        shown["main_title"] = {"title": card.title, "desc": shown["main_title"]["title"]}
    return shown


def updated_card(replies: Sequence[Outgoing], task_id: str, *, cuts: bool = False) -> dict[str, Any] | None:
    """The card that takes the place of the one with the id `task_id`, whose button was pressed. None if the first reply
    is no edit of that card, or has no room in a card. `cuts`: a text that is too long is cut before its last line.
    """
    first = replies[0].reply if replies else Reply()
    if first.op != "edit" or first.to is not None or first.target not in {"", task_id} or len(first.segments) != 1:
        return None
    segment = with_web_addresses(first.segments)[0]
    card = segment if isinstance(segment, Card) else Card(title=plain_text(first.segments))
    has_room = bool(native(card)) if _has_buttons(card) else len(card.buttons) <= _LINKS
    if card.image or card.images or card.selects or card.form or not has_room:
        return None
    shown = replacement(card, task_id) if _has_buttons(card) else _notice(card, task_id)
    text, title = shown.get("sub_title_text", ""), shown["main_title"]["title"]
    if cuts and len(text) > _TEXT:
        text = shown["sub_title_text"] = _cut(text)
    return shown if len(text) <= _TEXT and len(title) <= _TEXT else None


def _cut(text: str) -> str:
    """The beginning of `text`, and its last line."""
    start, _, last = text.rpartition("\n")
    return f"{next(split_text(start, _TEXT - len(last) - 2), '')}…\n{last}"


def _notice(card: Card, task_id: str) -> dict[str, Any]:
    """A card without buttons to press. It must have the address of a page that it opens."""
    text = untagged_text(replace(card, buttons=()))
    links = [{"type": 1, "title": button.label, "url": button.url} for button in card.buttons]
    title, text = (card.title, text) if card.title.strip() else (text or "…", "")
    return {
        "card_type": "text_notice",
        "main_title": {"title": title},
        **({"sub_title_text": text} if text else {}),
        **({"jump_list": links} if links else {}),
        "card_action": {"type": 1, "url": card.buttons[0].url if links else _NO_PAGE},
        "task_id": task_id,
    }


def _has_buttons(card: Card) -> bool:
    return any(not button.url for button in card.buttons)


def _forms(card: Card) -> tuple[Form, ...]:
    return (card.form,) if card.form else ()
