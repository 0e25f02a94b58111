"""Renders cards as template cards (WeCom docs: Send application messages > Template cards; Update template
cards).

A template card has room for a title, a short text, six short fields and six buttons. A longer text or field is sent as
markdown before the card. More buttons, menus and forms are sent as further cards.
"""

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

from msgspec.structs import replace

from parley.adapter import UndeliverableError
from parley.model import AnySegment, Button, Card, CardField, Link, Markdown, Text, field_line, label_of, mention_text
from parley.platforms.tencent.buttons import pack
from parley.platforms.tencent.plain import untagged_text
from parley.platforms.tencent.render import Rendered
from parley.platforms.wecom import menus
from parley.platforms.wecom.card_types import BUTTONS
from parley.platforms.wecom.content_limits import LIMITS
from parley.platforms.wecom.render import text_messages
from parley.text import shrink_gaps, split, utf8_size

_BUTTONS = LIMITS.buttons.most
_TEXT = LIMITS.card_text.most
_TITLE = 36
"""Characters. The docs advise against more, because the client cuts them off."""
_SENTENCE = re.compile(r"[。！？](?![。！？])|(?<![0-9])[.!?](?=\s)")
_KEY = LIMITS.button_key.most
_FIELDS, _VALUE = LIMITS.card_fields.most, LIMITS.field_value.most
_STYLES = {"primary": 1, "danger": 2, "default": 4}
"""Blue, red, grey. The docs show the numbers in a picture only (unverified)."""


def card_messages(card: Card, task_id: str, *, interactive: bool) -> Iterator[Rendered]:
    """The messages that show `card`. If the place does not show template cards (`interactive`), it becomes markdown."""
    for key in (card.image, *(image.key for image in card.images)):
        if key:
            yield Rendered("image", {"media_id": key})
    if not interactive or not card.buttons or _has_long_key(card):
        yield from text_messages(card_markdown(card))
        contents = _menus(card) if interactive else iter(())
    else:
        before, text = head(card)
        yield from text_messages(card_markdown(before))
        contents = chain(button_cards(card, text), _menus(card))
    for number, content in enumerate(contents):
        yield Rendered("template_card", content | {"task_id": f"{task_id}-{number}" if number else task_id})


def head(card: Card) -> tuple[Card, str]:
    """The part of `card` that precedes its template card, and the text inside that one."""
    bare = replace(card, buttons=(), fields=() if _has_short_fields(card) else card.fields)
    text = untagged_text(bare)
    return (bare, "") if len(text) > _TEXT else (Card(), text)


def _has_short_fields(card: Card) -> bool:
    """Whether a template card shows all fields in full."""
    values = (field.value for field in card.fields)
    return len(card.fields) <= _FIELDS and all("\n" not in value and 0 < len(value) <= _VALUE for value in values)


def button_cards(card: Card, text: str) -> Iterator[dict[str, Any]]:
    """The template cards, without ids, for the buttons of `card`; the first one has `text` and the short fields."""
    fields = card.fields if _has_short_fields(card) else ()
    for start in range(0, len(card.buttons), _BUTTONS):
        yield template_card(card.title, text, card.buttons[start : start + _BUTTONS], "", fields)
        text, fields = "", ()


def _menus(card: Card) -> Iterator[dict[str, Any]]:
    """The cards for the menus and the form of `card`, as far as WeCom has such cards (`parley.bot.numbered`)."""
    yield from (menus.vote(select, "") for select in card.selects if menus.shows_select(select))
    if card.form and menus.shows_form(card.form):
        yield menus.menus(card.form, "")


def replacement(card: Card, task_id: str) -> dict[str, Any]:
    """The template card that replaces another. Raises UndeliverableError if `card` does not fit into one."""
    if len(card.buttons) > LIMITS.edited_buttons.most or _has_long_key(card):
        most = LIMITS.edited_buttons.most
        raise UndeliverableError(f"a card that replaces another has at most {most} buttons, of at most {_KEY} bytes")
    fields = card.fields if _has_short_fields(card) else ()
    text = untagged_text(replace(card, fields=() if fields else card.fields))
    return template_card(card.title, text, card.buttons, task_id, fields)


def others(card: Card) -> tuple[Card, ...]:
    """The menus and the form of `card`, for which a card that replaces another has no room."""
    return (Card(selects=card.selects, form=card.form),) if card.selects or card.form else ()


def template_card(
    title: str, text: str, buttons: tuple[Button, ...], task_id: str, fields: tuple[CardField, ...] = ()
) -> dict[str, Any]:
    """A card with buttons. It must have a title; without one, the first line of the text or the labels become it."""
    if not title.strip():
        labels = " / ".join(button.label for button in buttons)[:_TITLE].strip()
        title, text = _title_of(text) if text.strip() else (labels or "…", "")
    return {
        "card_type": BUTTONS,
        "main_title": {"title": title},
        **({"sub_title_text": text} if text else {}),
        **({"horizontal_content_list": [_field(field) for field in fields]} if fields else {}),
        "task_id": task_id,
        "button_list": [_button(button) for button in buttons],
    }


def _title_of(text: str) -> tuple[str, str]:
    """The title of a card without one, and the text under it. Nothing is shown twice.

    The title is the first line. Of a long line, it is the first sentences; or else the first words, with an ellipsis.
    """
    text = shrink_gaps(text.strip())
    first, _, rest = text.partition("\n")
    if len(first) <= _TITLE:
        return first, rest.strip()
    ends = [found.end() for found in _SENTENCE.finditer(first) if found.end() <= _TITLE]
    start = first[: ends[-1]] if ends else next(split(first, _TITLE - 1))
    under = text.removeprefix(start).lstrip()
    return (start, under) if ends else (f"{start}…", under)


def card_markdown(card: Card, *, by_id: bool = False) -> list[AnySegment]:
    """A card as markdown, for a place that shows no template cards. `by_id`: whether a mention there needs no name.

    A button, menu or form that causes a callback would be dead there, so only buttons with an address are shown.
    """
    parts: list[list[AnySegment]] = []
    if card.title:
        parts.append([Markdown(text="**"), Text(text=card.title), Markdown(text="**")])
    if shown := [mention for mention in card.mentions if by_id or mention_text(mention)]:
        names: list[AnySegment] = [part for mention in shown for part in (mention, Text(text=" "))]
        parts.append(names[:-1])
    if card.text:
        parts.append([card.body])
    parts.extend([Text(text=line)] for field in card.fields if (line := field_line(field)))
    parts.extend([Link(url=button.url, title=button.label)] for button in card.buttons if button.url)
    return [segment for number, part in enumerate(parts) for segment in ([Markdown(text="\n")] * bool(number) + part)]


def _has_long_key(card: Card) -> bool:
    return any(key_size(button) > _KEY for button in card.buttons)


def key_size(button: Button) -> int:
    """Bytes of the key of `button`, which holds its id and value. A button with an address has no key."""
    return 0 if button.url else utf8_size(pack(button))


def _field(field: CardField) -> dict[str, Any]:
    return {"keyname": label_of(field.label), "value": field.value}


def _button(button: Button) -> dict[str, Any]:
    look = {"text": label_of(button.label, button.id), "style": _STYLES[button.style]}
    return look | ({"type": 1, "url": button.url} if button.url else {"type": 0, "key": pack(button)})
