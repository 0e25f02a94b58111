"""Interactive cards in JSON 2.0 (Feishu docs: Feishu Cards > Card JSON 2.0 structure)."""

import re
from collections.abc import Iterator

import msgspec

from parley.model import Button, Card
from parley.platforms.feishu.events import BUTTON
from parley.platforms.feishu.values import Object

_BUTTONS = 50
"""Buttons of one card: a card has at most 200 elements, and a button takes two with its column."""
_TYPES = {"default": "default", "primary": "primary", "danger": "danger"}
_MENTION = re.compile(r"<(?=/?at)", re.IGNORECASE)


def card(shown: Card) -> Object:
    """`shown` as card JSON. `update_multi` is what allows the card to be edited later."""
    body = [*_image(shown), *_markdown(shown), *_rows(shown.buttons)]
    header: Object = {"header": {"title": {"tag": "plain_text", "content": shown.title}}} if shown.title else {}
    return {"schema": "2.0", "config": {"update_multi": True}, **header, "body": {"elements": body}}


def without_mentions(markdown: str) -> str:
    """`markdown` in which nothing addresses anybody: who is mentioned is said by a segment, not by a repeated text.

    Feishu's markdown takes character references, so that the text still shows as it was.
    """
    return _MENTION.sub("&#60;", markdown)


def split_buttons(shown: Card) -> Iterator[Card]:
    """`shown`, and further cards for the buttons that are too many for one."""
    yield msgspec.structs.replace(shown, buttons=shown.buttons[:_BUTTONS])
    for start in range(_BUTTONS, len(shown.buttons), _BUTTONS):
        yield Card(buttons=shown.buttons[start : start + _BUTTONS])


def _image(shown: Card) -> list[Object]:
    alt = {"tag": "plain_text", "content": ""}
    return [{"tag": "img", "img_key": shown.image, "alt": alt}] if shown.image else []


def _markdown(shown: Card) -> list[Object]:
    return [{"tag": "markdown", "content": shown.text}] if shown.text else []


def _rows(buttons: tuple[Button, ...]) -> list[Object]:
    """The buttons side by side; those that do not fit go on to the next line."""
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
