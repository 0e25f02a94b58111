"""Interactive cards in JSON 2.0 (Feishu docs: Feishu Cards > Card JSON 2.0 structure)."""

import re
from collections.abc import Iterator

import msgspec

from parley.model import Button, Card
from parley.platforms.feishu.events import BUTTON
from parley.platforms.feishu.values import Object

_MAX_BUTTONS = 50
"""Buttons of one card. A card has at most 200 elements, and a button takes two: itself and its column."""
_TYPES = {"default": "default", "primary": "primary", "danger": "danger"}
_MENTION = re.compile(r"<(?=/?at)", re.IGNORECASE)


def card_json(card: Card) -> Object:
    """`card` as card JSON. `update_multi` allows the card to be edited later."""
    elements = [*_image(card), *_markdown(card), *_buttons(card.buttons)]
    header: Object = {"header": {"title": {"tag": "plain_text", "content": card.title}}} if card.title else {}
    return {"schema": "2.0", "config": {"update_multi": True}, **header, "body": {"elements": elements}}


def escape_mentions(markdown: str) -> str:
    """`markdown` with its `<at>` tags escaped. Only a `Mention` segment may notify a person, not text of the bot.

    Feishu's markdown takes character references, so the text looks the same to a reader.
    """
    return _MENTION.sub("&#60;", markdown)


def split_buttons(card: Card) -> Iterator[Card]:
    """`card`, and further cards with the buttons that exceed the limit of one."""
    yield msgspec.structs.replace(card, buttons=card.buttons[:_MAX_BUTTONS])
    for start in range(_MAX_BUTTONS, len(card.buttons), _MAX_BUTTONS):
        yield Card(buttons=card.buttons[start : start + _MAX_BUTTONS])


def _image(card: Card) -> list[Object]:
    alt = {"tag": "plain_text", "content": ""}
    return [{"tag": "img", "img_key": card.image, "alt": alt}] if card.image else []


def _markdown(card: Card) -> list[Object]:
    return [{"tag": "markdown", "content": card.text}] if card.text else []


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
        "text": {"tag": "plain_text", "content": button.label},
        "type": _TYPES[button.style],
        "behaviors": [behavior],
    }
