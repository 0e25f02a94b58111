"""Menus and forms as template cards (WeCom docs: Send application messages > Template cards > Vote, Multiple choice).

Each of them is a card of its own, with a button that submits the choice.
"""

from collections.abc import Iterable
from typing import Any

from parley.model import Select, label_of
from parley.model.instant import Choice, Form, Input
from parley.platforms.tencent.buttons import pack
from parley.platforms.wecom.card_types import MENUS, VOTE
from parley.platforms.wecom.content_limits import LIMITS
from parley.text import utf8_size

_CHOICES, _KEY = LIMITS.menu_choices.most, LIMITS.button_key.most
_INPUTS, _INPUT_CHOICES = 3, 10
"""Menus of one card for several, and choices of each."""
_CHOICE = 128
"""Bytes of the id of a choice."""
_SUBMIT = "OK"


def shows_select(select: Select) -> bool:
    """Whether a vote can show `select`."""
    return _are_shown(select.choices, _CHOICES) and 0 < utf8_size(pack(select)) <= _KEY and utf8_size(select.id) <= _KEY


def shows_form(form: Form) -> bool:
    """Whether a card can show `form`: it has choices only, and few of them. No card has an input for text or a date."""
    inputs = form.inputs
    fit = all(_are_shown(each.choices, _INPUT_CHOICES) and 0 < utf8_size(each.id) <= _KEY for each in inputs)
    are_choices = all(each.kind == "choice" and each.required for each in inputs)
    return 1 <= len(inputs) <= _INPUTS and are_choices and fit and 0 < utf8_size(pack(form)) <= _KEY


def vote(select: Select, task_id: str) -> dict[str, Any]:
    """The card for a menu."""
    return {
        "card_type": VOTE,
        "main_title": {"title": label_of(select.label)},
        "task_id": task_id,
        "checkbox": {"question_key": select.id, "option_list": _options(select.choices), "mode": 0},
        "submit_button": {"text": _SUBMIT, "key": pack(select)},
    }


def menus(form: Form, task_id: str) -> dict[str, Any]:
    """The card for a form."""
    return {
        "card_type": MENUS,
        "main_title": {"title": label_of(form.title)},
        "task_id": task_id,
        "select_list": [_menu(field) for field in form.inputs],
        "submit_button": {"text": label_of(form.submit, _SUBMIT), "key": pack(form)},
    }


def _menu(field: Input) -> dict[str, Any]:
    chosen = {"selected_id": field.value} if field.value else {}
    return {"question_key": field.id, "title": label_of(field.label), **chosen, "option_list": _options(field.choices)}


def _options(choices: Iterable[Choice]) -> list[dict[str, str]]:
    return [{"id": str(each.value), "text": label_of(each.label, str(each.value))} for each in choices]


def _are_shown(choices: tuple[Choice, ...], most: int) -> bool:
    values = [str(each.value) for each in choices]
    return 1 <= len(set(values)) == len(values) <= most and all(0 < utf8_size(value) <= _CHOICE for value in values)
