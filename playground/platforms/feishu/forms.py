"""Menus and forms of cards: their validation, and what a person sends with them.

Facts: Feishu docs, Feishu cards › Components › Form container, Input, Select, Date picker; Card callback. The codes of
the errors are not documented for each field (unverified).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from playground.platforms.base import NotFoundError, Press
from playground.platforms.feishu.errors import card_error
from playground.platforms.model import Part

Element = dict[str, Any]
SELECT = "select_static"
_INPUT, _DATE = "input", "date_picker"
_FILLED = (SELECT, _INPUT, _DATE)
_MAX_TEXT = 1000
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def check_form(form: Element) -> None:
    """Raises FeishuError for a form that Feishu refuses."""
    elements = list(_inside(form))
    if not form.get("name"):
        raise card_error(200621, "parse card json err, form needs name")
    if not any(submits(element) for element in elements):
        raise card_error(200621, "parse card json err, form needs a submit button")
    names = [str(element.get("name") or "") for element in elements if element.get("tag") in (*_FILLED, "button")]
    if "" in names or len(set(names)) < len(names):
        raise card_error(200621, "parse card json err, the elements of a form need unique names")


def check_element(element: Element) -> None:
    """Raises FeishuError for a menu or input that Feishu refuses."""
    if element.get("tag") == SELECT:
        options = element.get("options")
        valid = isinstance(options, list) and all(_text(o.get("text")) and o.get("value") for o in options)
        if not valid or not options or len({option["value"] for option in options}) < len(options):
            raise card_error(200621, "parse card json err, select_static needs options with text and value")
    if element.get("tag") == _INPUT and not 1 <= element.get("max_length", _MAX_TEXT) <= _MAX_TEXT:
        raise card_error(200621, "parse card json err, max_length of input must be 1 to 1000")
    if element.get("tag") == _DATE and not _DAY.fullmatch(element.get("initial_date", "2026-01-01")):
        raise card_error(200621, "parse card json err, initial_date must be yyyy-MM-dd")


def chosen(select: Element, press: Press) -> Element:
    """The `action` of a choice from a menu. Raises NotFoundError."""
    offered = [option["value"] for option in select["options"]]
    if len(press.options) != 1 or press.options[0] not in offered:
        raise NotFoundError(f"choose one of {', '.join(offered)}")
    return {"option": press.options[0], "tag": SELECT}


def submitted(form: Element, press: Press) -> Element:
    """The `form_value` of a submitted form. Raises NotFoundError for values that Feishu's client does not send."""
    inputs = {element["name"]: element for element in _inside(form) if element.get("tag") in _FILLED}
    unknown = press.form.keys() - inputs.keys()
    if unknown:
        raise NotFoundError(f"the form has no input {min(unknown)!r}; it has {', '.join(inputs)}")
    return {name: _filled(element, str(press.form.get(name, _first(element)))) for name, element in inputs.items()}


def _first(element: Element) -> str:
    """The value of an input that a person leaves as it is."""
    return str(element.get("default_value") or element.get("initial_option") or element.get("initial_date") or "")


def _filled(element: Element, value: str) -> str:
    name, tag = element["name"], element["tag"]
    if not value:
        if element.get("required"):
            raise NotFoundError(f"the form requires {name}; Feishu's client does not send it without")
        return ""
    if tag == SELECT and value not in (option["value"] for option in element["options"]):
        raise NotFoundError(f"{name} offers {', '.join(option['value'] for option in element['options'])}")
    if tag == _DATE:
        if not _DAY.fullmatch(value):
            raise NotFoundError(f"{name} is a date such as 2026-12-31")
        return f"{value} +0800"
    if tag == _INPUT and len(value) > element.get("max_length", _MAX_TEXT):
        raise NotFoundError(f"{name} takes at most {element['max_length']} characters")
    return value


def select_part(select: Element, number: int) -> Part:
    """A menu for the page."""
    placeholder = _text(select.get("placeholder"))
    options = _options(select)
    words = " / ".join(option["label"] for option in options)
    return {
        "kind": "select",
        "id": number,
        "placeholder": placeholder,
        "options": options,
        "disabled": bool(select.get("disabled")),
        "text": f"▾ {placeholder}: {words}",
    }


def form_part(form: Element, number: int) -> Part:
    """A form for the page. `number`: that of its submit button."""
    title, label = "", ""
    inputs: list[Part] = []
    button = ""
    for element in _inside(form):
        match element.get("tag"):
            case "div" | "markdown":
                title, label = title or label, _text(element.get("text")) or str(element.get("content") or "")
            case "button":
                button = _text(element.get("text"))
            case tag if tag in _FILLED:
                inputs.append(_input(element, label))
                label = ""
            case _:
                pass
    lines = [title, *(f"{each['label']}: [{each['id']}]" for each in inputs)]
    words = "\n".join(filter(None, lines))
    return {"kind": "form", "id": number, "title": title, "inputs": inputs, "submit": button, "text": words}


def _input(element: Element, label: str) -> Part:
    tag = element["tag"]
    kind = {SELECT: "choice", _DATE: "date"}.get(tag, "line")
    many = element.get("input_type") == "multiline_text"
    return {
        "id": element["name"],
        "label": label or _text(element.get("label")) or element["name"],
        "kind": "paragraph" if many else kind,
        "required": bool(element.get("required")),
        "placeholder": _text(element.get("placeholder")),
        "value": _first(element),
        "max_length": element.get("max_length", 0),
        "options": _options(element) if tag == SELECT else [],
    }


def _options(select: Element) -> list[Part]:
    return [{"label": _text(option["text"]), "value": option["value"]} for option in select["options"]]


def submits(element: Element) -> bool:
    """Whether `element` submits the form that it is in."""
    return element.get("form_action_type") == "submit" or element.get("action_type") == "form_submit"


def _inside(form: Element) -> Iterator[Element]:
    for name in ("elements", "columns"):
        for element in form.get(name) or ():
            yield element
            yield from _inside(element)


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return str(value.get("content") or "")
    return str(value or "")
