"""The buttons, menus and form of a card, so that Discord takes all of them: one that it would refuse costs the whole
message.

Discord docs: Components › Action Row, Button, String Select, Custom ID.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from parley.model import Button, Card, Select, label_of
from parley.model.instant import Choice
from parley.platforms.discord import custom_id
from parley.platforms.discord.content_limits import BUTTONS_IN_ROW, LIMITS
from parley.platforms.discord.instant import distinct, option
from parley.platforms.discord.markdown import address, escape
from parley.platforms.discord.split import shorten

_LABEL, _URL = LIMITS.button_label.most, LIMITS.button_url.most
_CHOICES, _PLACEHOLDER = LIMITS.menu_choices.most, 150
_STYLES = {"default": 2, "primary": 1, "danger": 4}
_LINK_STYLE = 5
_SELECT = 3


@dataclass(slots=True)
class Components:
    """Rows of menus and buttons. `links`: lines of markdown for addresses that no button can open. `unshown`: the
    reasons why a button or menu is left out, which name the limit.
    """

    rows: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    links: list[str] = field(default_factory=list[str])
    unshown: list[str] = field(default_factory=list[str])
    times: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    """How often each id and value has occurred. Discord takes each `custom_id` once a message."""

    @classmethod
    def of(cls, card: Card) -> "Components":
        """The components of one card. A form is a button that opens it. A label that is missing is the id; a second
        button with the same id and value gets a `custom_id` of its own.
        """
        components = cls()
        for select in card.selects:
            components.rows += components._menus(select)
        opener = (
            (Button(id=form.id, value=form.value, label=form.title, style="primary"),) if (form := card.form) else ()
        )
        shown = list(components._buttons((*opener, *card.buttons)))
        components.rows += [{"type": 1, "components": list(row)} for row in _rows(shown)]
        return components

    def _menus(self, select: Select) -> Iterator[dict[str, Any]]:
        """The rows of a menu: one for each 25 choices."""
        choices = distinct(select.choices)
        lost = len(select.choices) - len(choices)
        if lost:
            self._leave_out("menu", select.label, f"{lost} choices have no value of 1 to 100 characters of their own")
        for start in range(0, len(choices), _CHOICES):
            row = self._menu(select, choices[start : start + _CHOICES])
            if row:
                yield row

    def _menu(self, select: Select, choices: tuple[Choice, ...]) -> dict[str, Any] | None:
        try:
            id_ = self._custom_id(select.id, select.value)
        except ValueError as error:
            self._leave_out("menu", select.label, str(error))
            return None
        placeholder = {"placeholder": shorten(select.label.strip(), _PLACEHOLDER)} if select.label.strip() else {}
        menu = {"type": _SELECT, "custom_id": id_, "options": [option(each, "") for each in choices], **placeholder}
        return {"type": 1, "components": [menu]}

    def _buttons(self, buttons: tuple[Button, ...]) -> Iterator[dict[str, Any]]:
        for button in buttons:
            if button.url and not _opens(button.url):
                self.links.append(escape(f"{button.label} {button.url}".strip()))
                continue
            try:
                yield self._button(button)
            except ValueError as error:
                self._leave_out("button", button.label or button.id, str(error))

    def _button(self, button: Button) -> dict[str, Any]:
        """The JSON of a button. Raises ValueError."""
        label = shorten(label_of(button.label, button.id, "↗"), _LABEL)
        if button.url:
            return {"type": 2, "style": _LINK_STYLE, "label": label, "url": address(button.url)}
        id_ = self._custom_id(button.id, button.value)
        return {"type": 2, "style": _STYLES[button.style], "label": label, "custom_id": id_}

    def _custom_id(self, id_: str, value: str) -> str:
        """A `custom_id` that the card does not have yet. Raises ValueError."""
        self.times[id_, value] += 1
        return custom_id.join(id_, value, self.times[id_, value])

    def _leave_out(self, kind: str, label: str, reason: str) -> None:
        self.unshown.append(f'the {kind} "{shorten(label, 40)}": {reason}')


def _rows(buttons: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(buttons), BUTTONS_IN_ROW):
        yield buttons[start : start + BUTTONS_IN_ROW]


def _opens(url: str) -> bool:
    return bool(address(url)) and len(address(url)) <= _URL
