"""Cards as template cards with buttons (WeCom docs: Send application messages > Template cards; Update template cards).

A template card has room for a title, a short text and six buttons. What does not fit goes before it as markdown,
further buttons into further cards.
"""

from collections.abc import Iterator
from typing import Any

from parley.adapter import UndeliverableError
from parley.model import Button, Card, Markdown
from parley.platforms.tencent.buttons import pack
from parley.platforms.tencent.plain import bare, unmarked
from parley.platforms.wecom.render import Rendered, plainly, words
from parley.text import utf8_size

_BUTTONS = 6
_TEXT = 160
_TITLE = 36
"""Characters; the docs advise against more, since the client cuts them."""
_KEY = 1024
_STYLES = {"primary": 1, "danger": 2, "default": 4}
"""Blue, red, grey; the docs show the numbers in a picture only (unverified)."""


def messages(card: Card, task_id: str, *, interactive: bool) -> Iterator[Rendered]:
    """The messages that show `card`. Where buttons cannot be `interactive`, they are told in words."""
    if card.image:
        yield Rendered("image", {"media_id": card.image})
    if not interactive or not card.buttons or _too_long(card):
        yield from words([Markdown(text=in_words(card))])
        return
    text = unmarked(card.text, bare)
    if len(text) > _TEXT:
        yield from words([Markdown(text=in_words(Card(title=card.title, text=card.text)))])
        text = ""
    for number, start in enumerate(range(0, len(card.buttons), _BUTTONS)):
        some = card.buttons[start : start + _BUTTONS]
        shown = template(card.title, text, some, f"{task_id}-{number}" if number else task_id)
        yield Rendered("template_card", shown)
        text = ""


def replacement(card: Card, task_id: str) -> dict[str, Any]:
    """The one template card that another becomes. Raises UndeliverableError if `card` takes more than one."""
    if len(card.buttons) > _BUTTONS or _too_long(card):
        raise UndeliverableError(
            f"a card that replaces another has at most {_BUTTONS} buttons, of at most {_KEY} bytes"
        )
    return template(card.title, unmarked(card.text, bare), card.buttons, task_id)


def template(title: str, text: str, buttons: tuple[Button, ...], task_id: str) -> dict[str, Any]:
    """A card of the type `button_interaction`. It has to have a title: without one, the text or the labels are it."""
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


def in_words(card: Card) -> str:
    """A card as markdown."""
    title = f"**{plainly(card.title)}**" if card.title else ""
    buttons = (f"[{plainly(b.label)}]({b.url})" if b.url else f"[{plainly(b.label)}]" for b in card.buttons)
    return "\n".join(part for part in (title, card.text, *buttons) if part)


def _too_long(card: Card) -> bool:
    return any(utf8_size(pack(button)) > _KEY for button in card.buttons)


def _button(button: Button) -> dict[str, Any]:
    shown = {"text": button.label, "style": _STYLES[button.style]}
    return shown | ({"type": 1, "url": button.url} if button.url else {"type": 0, "key": pack(button)})
