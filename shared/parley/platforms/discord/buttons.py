"""The buttons of a card, so that Discord takes all of them: one that it would refuse costs the whole message.

Discord docs: Components › Action Row, Button, Custom ID.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from parley.model import Button
from parley.platforms.discord import custom_id
from parley.platforms.discord.content_limits import BUTTONS_IN_ROW, LIMITS
from parley.platforms.discord.markdown import address, escape
from parley.platforms.discord.split import shorten

_LABEL, _URL = LIMITS.button_label.most, LIMITS.button_url.most
_STYLES = {"default": 2, "primary": 1, "danger": 4}
_LINK_STYLE = 5


@dataclass(frozen=True, slots=True)
class Buttons:
    """Rows of buttons. `links`: lines of markdown for addresses that no button can open. `unshown`: the reasons why
    buttons are left out, which name the limit.
    """

    rows: tuple[dict[str, Any], ...]
    links: tuple[str, ...]
    unshown: tuple[str, ...]

    @classmethod
    def of(cls, buttons: tuple[Button, ...]) -> "Buttons":
        """The buttons of one card. A label that is missing is the id; a second button with the same id and value gets a
        `custom_id` of its own.
        """
        shown: list[dict[str, Any]] = []
        links: list[str] = []
        unshown: list[str] = []
        times: Counter[tuple[str, str]] = Counter()
        for button in buttons:
            if button.url and not _opens(button.url):
                links.append(escape(f"{button.label} {button.url}".strip()))
                continue
            times[button.id, button.value] += not button.url
            try:
                shown.append(_button(button, times[button.id, button.value]))
            except ValueError as error:
                unshown.append(f'the button "{shorten(button.label or button.id, 40)}": {error}')
        rows = (shown[start : start + BUTTONS_IN_ROW] for start in range(0, len(shown), BUTTONS_IN_ROW))
        return cls(tuple({"type": 1, "components": row} for row in rows), tuple(links), tuple(unshown))


def _opens(url: str) -> bool:
    return bool(address(url)) and len(address(url)) <= _URL


def _button(button: Button, number: int) -> dict[str, Any]:
    """The JSON of a button, the `number`th one with its id and value. Raises ValueError."""
    label = shorten(button.label.strip() or button.id.strip() or "↗", _LABEL)
    if button.url:
        return {"type": 2, "style": _LINK_STYLE, "label": label, "url": address(button.url)}
    id_ = custom_id.join(button.id, button.value, number)
    return {"type": 2, "style": _STYLES[button.style], "label": label, "custom_id": id_}
