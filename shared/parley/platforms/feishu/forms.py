"""Menus and forms of a card (Feishu docs: Feishu Cards > Components > Interactive components, Form container)."""

from collections.abc import Iterable

from parley.model import label_of
from parley.model.instant import Choice, Form, Input
from parley.platforms.feishu.content_limits import LIMITS
from parley.platforms.feishu.events import BUTTON, DATES
from parley.platforms.feishu.values import Object

_MAX_TEXT = LIMITS.input_text.most
_SUBMIT = "parley.submit"
"""The name of the button that submits a form. Each name is unique in its card."""


def plain(text: str) -> Object:
    """A text in which nothing is markup."""
    return {"tag": "plain_text", "content": text}


def menu(choices: Iterable[Choice], placeholder: str) -> Object:
    """A menu from which one value is chosen."""
    options = [{"text": plain(label_of(each.label, str(each.value))), "value": str(each.value)} for each in choices]
    return {"tag": "select_static", "placeholder": plain(placeholder), "options": options}


def form_element(form: Form) -> Object:
    """`form` in a card. Its button delivers the inputs, and which of them are dates."""
    dates = [field.id for field in form.inputs if field.kind == "date"]
    value: Object = {BUTTON: form.id, "value": form.value} | ({DATES: dates} if dates else {})
    title: list[Object] = [{"tag": "div", "text": plain(form.title)}] if form.title.strip() else []
    button: Object = {
        "tag": "button",
        "name": _SUBMIT,
        "text": plain(label_of(form.submit)),
        "type": "primary",
        "form_action_type": "submit",
        "behaviors": [{"type": "callback", "value": value}],
    }
    inputs = [element for field in form.inputs for element in _input(field)]
    return {"tag": "form", "name": form.id, "elements": [*title, *inputs, button]}


def _input(field: Input) -> list[Object]:
    named: Object = {"name": field.id, "required": field.required}
    placeholder = label_of(field.placeholder, field.label)
    match field.kind:
        case "choice":
            chosen: Object = {"initial_option": field.value} if field.value else {}
            element = {**menu(field.choices, placeholder), **named, **chosen}
        case "date":
            chosen = {"initial_date": field.value} if field.value else {}
            element = {"tag": "date_picker", "placeholder": plain(placeholder), **named, **chosen}
        case "line" | "paragraph":
            element = {"tag": "input", **named, **_text(field)}
    words = "\n".join(filter(None, (field.label.strip(), field.help.strip())))
    return [*([{"tag": "div", "text": plain(words)}] if words else []), element]


def _text(field: Input) -> Object:
    """What an input for text has beside its name. Feishu knows no smallest length."""
    lines: Object = {"input_type": "multiline_text", "rows": 3} if field.kind == "paragraph" else {}
    placeholder: Object = {"placeholder": plain(field.placeholder)} if field.placeholder else {}
    value: Object = {"default_value": field.value} if field.value else {}
    return {**lines, **placeholder, **value, "max_length": min(field.max_length or _MAX_TEXT, _MAX_TEXT)}
