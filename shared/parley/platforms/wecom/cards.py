"""Renders cards as template cards with buttons (WeCom docs: Send application messages > Template cards; Update template
cards).

A template card has room for a title, a short text and six buttons. A longer text is sent as markdown before the card.
More buttons are sent as further cards.
"""

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from parley.adapter import UndeliverableError
from parley.model import AnySegment, Button, Card, Link, Markdown, Text
from parley.platforms.tencent.buttons import pack
from parley.platforms.tencent.plain import untagged_text
from parley.platforms.tencent.render import Rendered
from parley.platforms.wecom.content_limits import LIMITS
from parley.platforms.wecom.render import text_messages
from parley.text import utf8_size

_BUTTONS = LIMITS.buttons.most
_TEXT = LIMITS.card_text.most
_TITLE = 36
"""Characters. The docs advise against more, because the client cuts them off."""
_KEY = LIMITS.button_key.most
_STYLES = {"primary": 1, "danger": 2, "default": 4}
"""Blue, red, grey. The docs show the numbers in a picture only (unverified)."""


def card_messages(card: Card, task_id: str, *, interactive: bool) -> Iterator[Rendered]:
    """The messages that show `card`. If the place does not show template cards (`interactive`), it becomes markdown."""
    if card.image:
        yield Rendered("image", {"media_id": card.image})
    if not interactive or not card.buttons or _has_long_key(card):
        yield from text_messages(card_markdown(card))
        return
    text = untagged_text(card)
    if len(text) > _TEXT:
        yield from text_messages(card_markdown(replace(card, buttons=())))
        text = ""
    for number, start in enumerate(range(0, len(card.buttons), _BUTTONS)):
        buttons = card.buttons[start : start + _BUTTONS]
        content = template_card(card.title, text, buttons, f"{task_id}-{number}" if number else task_id)
        yield Rendered("template_card", content)
        text = ""


def replacement(card: Card, task_id: str) -> dict[str, Any]:
    """The template card that replaces another. Raises UndeliverableError if `card` does not fit into one."""
    if len(card.buttons) > LIMITS.edited_buttons.most or _has_long_key(card):
        most = LIMITS.edited_buttons.most
        raise UndeliverableError(f"a card that replaces another has at most {most} buttons, of at most {_KEY} bytes")
    return template_card(card.title, untagged_text(card), card.buttons, task_id)


def template_card(title: str, text: str, buttons: tuple[Button, ...], task_id: str) -> dict[str, Any]:
    """A card of the type `button_interaction`. It must have a title; without one, the text or the labels become it."""
    if not title.strip():
        labels = " / ".join(button.label for button in buttons)[:_TITLE].strip()
        short = 0 < len(text) <= _TITLE and "\n" not in text
        title, text = (text, "") if short else (labels or "…", text)
    return {
        "card_type": "button_interaction",
        "main_title": {"title": title},
        **({"sub_title_text": text} if text else {}),
        "task_id": task_id,
        "button_list": [_button(button) for button in buttons],
    }


def card_markdown(card: Card) -> list[AnySegment]:
    """A card as markdown, for a place that shows no template cards.

    A button that causes a callback would be dead there, so only buttons with an address are shown.
    """
    parts: list[list[AnySegment]] = []
    if card.title:
        parts.append([Markdown(text="**"), Text(text=card.title), Markdown(text="**")])
    if card.mentions:
        names: list[AnySegment] = [part for mention in card.mentions for part in (mention, Text(text=" "))]
        parts.append(names[:-1])
    if card.text:
        parts.append([Markdown(text=card.text)])
    parts.extend([Link(url=button.url, title=button.label)] for button in card.buttons if button.url)
    return [segment for number, part in enumerate(parts) for segment in ([Markdown(text="\n")] * bool(number) + part)]


def _has_long_key(card: Card) -> bool:
    return any(key_size(button) > _KEY for button in card.buttons)


def key_size(button: Button) -> int:
    """Bytes of the key of `button`, which holds its id and value. A button with an address has no key."""
    return 0 if button.url else utf8_size(pack(button))


def _button(button: Button) -> dict[str, Any]:
    look = {"text": button.label, "style": _STYLES[button.style]}
    return look | ({"type": 1, "url": button.url} if button.url else {"type": 0, "key": pack(button)})
