"""Interactive cards in JSON 2.0 (Feishu docs: Feishu Cards > Card JSON 2.0 structure)."""

from collections.abc import Callable, Iterator

import msgspec

from parley.model import Button, Card
from parley.platforms.feishu.content_limits import LIMITS
from parley.platforms.feishu.events import BUTTON
from parley.platforms.feishu.values import Object

_MAX_BUTTONS = LIMITS.buttons.most
_TYPES = {"default": "default", "primary": "primary", "danger": "danger"}


def card_json(card: Card, content: str) -> Object:
    """`card` as card JSON, with the final markdown `content` as its text. `update_multi` allows later edits."""
    markdown: list[Object] = [{"tag": "markdown", "content": content}] if content else []
    elements = [*_image(card), *markdown, *_buttons(card.buttons)]
    header: Object = {"header": {"title": {"tag": "plain_text", "content": card.title}}} if card.title else {}
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


def _image(card: Card) -> list[Object]:
    alt = {"tag": "plain_text", "content": ""}
    return [{"tag": "img", "img_key": card.image, "alt": alt}] if card.image else []


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
        "text": {"tag": "plain_text", "content": button.label.strip() or button.id or "…"},
        "type": _TYPES[button.style],
        "behaviors": [behavior],
    }
