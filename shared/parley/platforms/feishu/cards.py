"""Interactive cards in JSON 2.0 (Feishu docs: Feishu Cards > Card JSON 2.0 structure)."""

from collections.abc import Callable, Iterable, Iterator

import msgspec

from parley.model import Button, Card, CardField, Select, label_of
from parley.platforms.feishu.content_limits import LIMITS
from parley.platforms.feishu.events import BUTTON
from parley.platforms.feishu.forms import form_element, menu, plain
from parley.platforms.feishu.values import Object

_MAX_BUTTONS = LIMITS.buttons.most
_MAX_ELEMENTS = 200
_CONTAINERS = ("elements", "columns")
_TYPES = {"default": "default", "primary": "primary", "danger": "danger"}


def card_json(card: Card, content: str) -> Object:
    """`card` as card JSON, with the final markdown `content` as its text. `update_multi` allows later edits."""
    markdown: list[Object] = [{"tag": "markdown", "content": content}] if content else []
    elements = [
        *_images(card),
        *markdown,
        *_fields(card.fields),
        *map(_select, card.selects),
        *([form_element(card.form)] if card.form else []),
        *_buttons(card.buttons),
    ]
    header: Object = {"header": {"title": plain(card.title)}} if card.title else {}
    return {"schema": "2.0", "config": {"update_multi": True}, **header, "body": {"elements": elements}}


def split_buttons(card: Card, fits: Callable[[Card], bool]) -> Iterator[Card]:
    """`card`, and further cards with the buttons that exceed the limits of one: their number, and `fits`. A button that
    does not fit alone has a card of its own.
    """
    shown = msgspec.structs.replace(card, buttons=())
    for button in card.buttons:
        longer = msgspec.structs.replace(shown, buttons=(*shown.buttons, button))
        if shown.buttons and (len(shown.buttons) == _MAX_BUTTONS or not fits(longer)):
            yield shown
            longer = Card(buttons=(button,))
        shown = longer
    yield shown


def has_room(card: Card) -> bool:
    """Whether `card` has no more elements than Feishu takes."""
    return _count(card_json(card, "…")["body"]) <= _MAX_ELEMENTS


def _count(element: Object) -> int:
    inner = [each for name in _CONTAINERS for each in element.get(name, ())]
    return len(inner) + sum(map(_count, inner))


def _images(card: Card) -> list[Object]:
    keys = (card.image, *(image.key for image in card.images))
    return [{"tag": "img", "img_key": key, "alt": plain("")} for key in keys if key]


def _fields(fields: Iterable[CardField]) -> Iterator[Object]:
    """The fields: two short ones side by side, a long one on lines of its own."""
    row: list[Object] = []
    for field in fields:
        column: Object = {"tag": "column", "width": "weighted", "weight": 1, "elements": _field(field)}
        if row and (not field.short or len(row) == 2):
            yield _row(row)
            row = []
        row.append(column)
        if not field.short:
            yield _row(row)
            row = []
    if row:
        yield _row(row)


def _row(columns: list[Object]) -> Object:
    return {"tag": "column_set", "flex_mode": "stretch", "columns": columns}


def _field(field: CardField) -> list[Object]:
    """A field as plain text, so that nothing in it is markup."""
    label: Object = {**plain(field.label), "text_size": "notation", "text_color": "grey"}
    return [{"tag": "div", "text": text} for text in (label, plain(field.value)) if text["content"].strip()]


def _select(select: Select) -> Object:
    behaviors = [{"type": "callback", "value": {BUTTON: select.id, "value": select.value}}]
    return {**menu(select.choices, select.label), "behaviors": behaviors}


def _buttons(buttons: tuple[Button, ...]) -> list[Object]:
    """The buttons side by side. Feishu wraps them to the next line if they do not fit."""
    columns = [{"tag": "column", "width": "auto", "elements": [_button(button)]} for button in buttons]
    return [{"tag": "column_set", "flex_mode": "flow", "columns": columns}] if columns else []


def _button(button: Button) -> Object:
    if button.url:
        behavior: Object = {"type": "open_url", "default_url": button.url}
    else:
        behavior = {"type": "callback", "value": {BUTTON: button.id, "value": button.value}}
    return {
        "tag": "button",
        "text": plain(label_of(button.label, button.id)),
        "type": _TYPES[button.style],
        "behaviors": [behavior],
    }
