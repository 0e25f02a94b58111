"""Message cards: their validation and their parts for the page. Facts: Feishu docs, Feishu cards › JSON structure."""

import html
import json
from collections.abc import Iterator
from typing import Any

from playground.platforms.buttons import find_number
from playground.platforms.feishu import forms
from playground.platforms.feishu.card_markdown import check_markdown, check_tables
from playground.platforms.feishu.errors import FeishuError, bad_parameter, card_error
from playground.platforms.model import NamedButton, Part, Press

CARD_BYTES = 30 * 1024
MAX_ELEMENTS = 200
_BOTH = frozenset(
    "div markdown hr img column_set column button select_static multi_select_static overflow date_picker picker_time "
    "picker_datetime select_person multi_select_person input form checker select_img chart table person person_list "
    "collapsible_panel img_combination interactive_container".split()
)
_ONLY_1 = frozenset({"action", "note"})
_PRESSED = ("button", forms.SELECT)
_LEAVES = frozenset({"note", "table"})
"""Elements whose lists hold texts or settings instead of elements."""

Card = dict[str, Any]


def check_card(content: str) -> Card:
    """The card in `content`. Raises FeishuError."""
    card = json_object(content)
    if card.get("type") == "template":
        data = card.get("data")
        if not isinstance(data, dict) or not data.get("template_id"):
            raise card_error(200550, "template_id is required")
        return card
    if is_v2(card):
        if not isinstance(card.get("body", {}), dict) or not isinstance(_elements(card), list):
            raise card_error(200621, "parse card json err, body.elements must be an array")
    elif not isinstance(card.get("elements", card.get("i18n_elements", [])), list | dict) or not (
        card.get("elements") or card.get("i18n_elements") or card.get("header")
    ):
        raise card_error(200621, "parse card json err, the card has neither elements nor header")
    _check_elements(card)
    return card


def json_object(content: str) -> dict[str, Any]:
    """The JSON object in the `content` of a message. Raises FeishuError."""
    try:
        value = json.loads(content)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise bad_parameter("content is not a string in json format")
    return value


def _check_elements(card: Card) -> None:
    known = _BOTH if is_v2(card) else _BOTH | _ONLY_1
    count = tables = 0
    for element in walk(card):
        count += 1
        tag = element.get("tag")
        if tag in _ONLY_1 and is_v2(card):
            raise card_error(200861, f"cards of schema V2 no longer support this capability; unsupported tag {tag}")
        if tag not in known:
            raise card_error(200621, f"parse card json err, unknown tag {tag!r}")
        tables += _check_element(element)
    check_tables(tables)
    if is_v2(card) and count > MAX_ELEMENTS:
        raise card_error(200860, f"card has more than {MAX_ELEMENTS} elements")


def _check_element(element: Card) -> int:
    """The number of tables in `element`. Raises FeishuError."""
    match element.get("tag"):
        case "markdown":
            if not isinstance(element.get("content"), str):
                raise card_error(200621, "parse card json err, markdown needs content")
            return check_markdown(element["content"])
        case "button":
            if not isinstance(element.get("text", {}), dict):
                raise card_error(200621, "parse card json err, button text must be an object")
            _check_addresses(element)
        case "img":
            if not str(element.get("img_key") or "").startswith("img_"):
                raise card_error(200570, "invalid image key")
        case "form":
            forms.check_form(element)
        case _:
            forms.check_element(element)
    return int(element.get("tag") == "table")


def _check_addresses(button: Card) -> None:
    """Raises FeishuError for a button that opens something else than a web page."""
    opened = [button.get("url"), *(b.get("default_url") for b in button.get("behaviors") or [] if isinstance(b, dict))]
    for address in opened:
        if address and not str(address).startswith(("http://", "https://")):
            raise card_error(200740, "invalid url of button")


def is_v2(card: Card) -> bool:
    """Whether the card follows JSON 2.0."""
    return str(card.get("schema", "")) == "2.0"


def is_shared(card: Card) -> bool:
    """Whether everybody sees the same card, so that it can be updated: `update_multi`, the default in 2.0."""
    config = card.get("config")
    value = config.get("update_multi") if isinstance(config, dict) else None
    return value is True or (value is None and (is_v2(card) or card.get("type") == "template"))


def _elements(card: Card) -> Any:
    return (card.get("body") or {}).get("elements", []) if is_v2(card) else card.get("elements", [])


def walk(card: Card) -> Iterator[Card]:
    """All elements of `card` in reading order, each container before its elements. Raises FeishuError."""
    yield from _walk(_elements(card))


def _walk(elements: Any) -> Iterator[Card]:
    if not isinstance(elements, list):
        raise card_error(200621, "parse card json err, elements must be an array")
    for element in elements:
        if not isinstance(element, dict):
            raise card_error(200621, "parse card json err, an element must be an object")
        yield element
        for inner in () if element.get("tag") in _LEAVES else ("elements", "actions", "columns"):
            if inner in element:
                yield from _walk(element[inner])


def pressable(card: Card) -> list[Card]:
    """The buttons and menus of `card` in reading order. The page names each by its number. The button of a form stands
    for all of the form.
    """
    inside = [id(each) for form in forms_of(card) for each in _walk(form["elements"]) if not forms.submits(each)]
    return [each for each in walk(card) if each.get("tag") in _PRESSED and id(each) not in inside]


def forms_of(card: Card) -> list[Card]:
    """The forms of `card`."""
    return [element for element in walk(card) if element.get("tag") == "form"]


def action_of(card: Card, element: Card, press: Press) -> Card:
    """The `action` of the callback for a press of `element`. Raises NotFoundError for what no client sends."""
    action: Card = {"value": button_value(element), "tag": "button", "timezone": "Asia/Shanghai"}
    if element["tag"] == forms.SELECT:
        return action | forms.chosen(element, press)
    action |= {"name": element["name"]} if element.get("name") else {}
    form = next((each for each in forms_of(card) if any(one is element for one in _walk(each["elements"]))), None)
    filled = forms.submitted(form, press) if form else dict(press.form)
    action |= {"form_value": filled} if filled else {}
    return action | ({"options": list(press.options)} if press.options else {})


def button_value(button: Card) -> Any:
    """The value that a press of `button` sends to the bot; None if the button only opens a link."""
    for behavior in button.get("behaviors") or ():
        if behavior.get("type") == "callback":
            return behavior.get("value")
    return button.get("value")


def button_url(button: Card) -> str:
    """The URL that `button` opens; empty if it opens none."""
    for behavior in button.get("behaviors") or ():
        if behavior.get("type") == "open_url":
            return str(behavior.get("default_url") or "")
    return str(button.get("url") or (button.get("multi_url") or {}).get("url") or "")


def label_of(element: Card) -> str:
    """The label of a button or menu."""
    return _text(element.get("text") or element.get("placeholder"))


def find_button(card: Card, wanted: NamedButton) -> Card | None:
    """The button or menu with that id, label, name, value or number."""
    listed = pressable(card)
    number = find_number(wanted, map(_names, listed))
    return None if number is None else listed[number]


def _names(button: Card) -> list[str]:
    value = button_value(button)
    id_, *others = value.values() if isinstance(value, dict) and value else [value]
    return [str(id_), label_of(button), str(button.get("name") or ""), *map(str, others)]


def card_part(card: Card) -> Part:
    """The part of `card` for the page."""
    header = card.get("header") or {}
    if card.get("type") == "template":
        blocks: list[Part] = [{"kind": "text", "text": json.dumps(card["data"], ensure_ascii=False, indent=1)}]
    else:
        numbers = iter(range(10**6))
        blocks = _blocks(_elements(card), numbers)
    return {
        "kind": "card",
        "title": _text(header.get("title")),
        "color": header.get("template") or "",
        "blocks": blocks,
    }


def _blocks(elements: Any, numbers: Iterator[int]) -> list[Part]:
    blocks: list[Part] = []
    for element in elements if isinstance(elements, list) else []:
        for block in _block(element, numbers):
            if block["kind"] == "buttons" and blocks and blocks[-1]["kind"] == "buttons":
                blocks[-1]["buttons"] += block["buttons"]
            else:
                blocks.append(block)
    return blocks


def _block(element: Card, numbers: Iterator[int]) -> list[Part]:
    tag = element.get("tag")
    if tag == "button":
        number = next(numbers)
        return [{"kind": "buttons", "buttons": [_button(element, number)]}]
    if tag == forms.SELECT:
        return [forms.select_part(element, next(numbers))]
    if tag == "form":
        return [forms.form_part(element, next(numbers))]
    if tag == "markdown":
        return [_words(element | {"tag": "lark_md"})]
    if tag == "div":
        texts = [element.get("text"), *(f.get("text") for f in element.get("fields") or ())]
        return [_words(text) for text in texts if text]
    if tag == "note":
        return [{"kind": "text", "text": " ".join(_text(e) for e in element.get("elements") or ()), "small": True}]
    if tag == "img":
        return [{"kind": "image", "key": element["img_key"], "alt": _text(element.get("alt"))}]
    if tag == "hr":
        return [{"kind": "rule"}]
    inner = [element[name] for name in ("elements", "actions", "columns") if name in element]
    found = [block for elements in inner for block in _blocks(elements, numbers)]
    return found or [{"kind": "text", "text": f"[{tag}]", "small": True}]


def _words(text: Any) -> Part:
    """A text of a card: markdown, or plain."""
    source = _text(text)
    if isinstance(text, dict) and text.get("tag") == "lark_md":
        return {"kind": "markdown", "text": html.unescape(source), "source": source, "dialect": "feishu"}
    small = isinstance(text, dict) and text.get("text_size") == "notation"
    return {"kind": "text", "text": source} | ({"small": True} if small else {})


def _button(button: Card, number: int) -> Part:
    style = str(button.get("type") or "default").removesuffix("_filled")
    return {
        "id": number,
        "label": _text(button.get("text")) or f"#{number}",
        "style": style if style in ("primary", "danger") else "default",
        "url": button_url(button) if button_value(button) is None else "",
        "disabled": bool(button.get("disabled")),
    }


def _text(text: Any) -> str:
    if isinstance(text, str):
        return text
    return str(text.get("content") or "") if isinstance(text, dict) else ""


def check_shared(before: Card, after: Card) -> None:
    """An update needs `update_multi` in the old and in the new card. Raises FeishuError."""
    if not (is_shared(before) and is_shared(after)):
        raise FeishuError(230099, "Failed to update the card, ext=ErrCode: 300090; ErrMsg: update_multi must be true; ")
