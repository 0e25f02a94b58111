"""Modals and autocomplete choices: their validation, and the submitted values.

Facts: Discord docs, Interaction Callback Data › Modal, Autocomplete; Components › Label, Text Input, String Select.
"""

from typing import Any

from playground.platforms.base import NotFoundError
from playground.platforms.discord.accounts import Modal

_TEXT, _SELECT, _LABEL = 4, 3, 18
_MAX_CHOICES, _MAX_INPUTS, _MAX_OPTIONS = 25, 5, 25
_TITLE, _NAME, _ID, _VALUE, _LABEL_TEXT = 45, 45, 100, 4000, 100


def is_choices(choices: Any) -> bool:
    """Whether Discord accepts these autocomplete choices."""
    return isinstance(choices, list) and len(choices) <= _MAX_CHOICES and all(_is_choice(each) for each in choices)


def _is_choice(choice: Any) -> bool:
    if not isinstance(choice, dict) or not 1 <= len(str(choice.get("name") or "")) <= _LABEL_TEXT:
        return False
    value = choice.get("value")
    if isinstance(value, int | float):
        return -(2**53) <= value <= 2**53
    return isinstance(value, str) and 1 <= len(value) <= _LABEL_TEXT


def is_modal(data: dict[str, Any]) -> bool:
    """Whether Discord accepts this modal."""
    holders = data.get("components") or []
    if not 1 <= len(holders) <= _MAX_INPUTS or not 1 <= len(data.get("title") or "") <= _TITLE:
        return False
    inputs = [component for holder in holders for component in inside(holder)]
    ids = [str(component.get("custom_id") or "") for component in (data, *inputs)]
    named = all(1 <= len(id_) <= _ID for id_ in ids) and len(set(ids[1:])) == len(inputs)
    return named and all(_is_holder(holder) for holder in holders) and all(_is_input(each) for each in inputs)


def inside(holder: dict[str, Any]) -> list[dict[str, Any]]:
    """The inputs of a label, or of an action row in older modals."""
    return [holder["component"]] if "component" in holder else list(holder.get("components") or ())


def _is_holder(holder: dict[str, Any]) -> bool:
    if holder.get("type") != _LABEL:
        return True
    described = len(holder.get("description") or "") <= _LABEL_TEXT
    return described and 1 <= len(holder.get("label") or "") <= _NAME and "component" in holder


def _is_input(component: dict[str, Any]) -> bool:
    if len(component.get("placeholder") or "") > (_LABEL_TEXT if component.get("type") == _TEXT else 150):
        return False
    if component.get("type") == _SELECT:
        options = component.get("options") or []
        values = {str(option.get("value") or "") for option in options}
        texts = [*values, *(str(option.get("label") or "") for option in options)]
        lengths_fit = all(1 <= len(text) <= _LABEL_TEXT for text in texts)
        return 1 <= len(options) <= _MAX_OPTIONS and lengths_fit and len(values) == len(options)
    least, most = component.get("min_length", 0), component.get("max_length", _VALUE)
    value = component.get("value") or ""
    lengths_fit = 0 <= least <= most <= _VALUE and most >= 1 and (not value or least <= len(value) <= most)
    return component.get("style") in (1, 2) and lengths_fit


def submitted(modal: Modal, form: dict[str, Any]) -> list[dict[str, Any]]:
    """The components of a submitted modal. Raises NotFoundError for values that Discord's client does not send."""
    found: list[dict[str, Any]] = []
    for holder in modal.data["components"]:
        for component in inside(holder):
            value = form.get(component["custom_id"], component.get("value", ""))
            filled = {"type": component["type"], "custom_id": component["custom_id"]} | _filled(component, value)
            found.append({"type": holder["type"], "component": filled})
    return found


def _filled(component: dict[str, Any], value: Any) -> dict[str, Any]:
    id_ = component["custom_id"]
    if component.get("required", True) and value in ("", []):
        raise NotFoundError(f"the form requires {id_}; Discord's client does not send it without")
    if component["type"] == _TEXT:
        least, most = component.get("min_length", 0), component.get("max_length", _VALUE)
        if value and not least <= len(value) <= most:
            raise NotFoundError(f"{id_}: {least} to {most} characters; Discord's client sends nothing else")
        return {"value": value}
    many = [str(each) for each in (value if isinstance(value, list) else [value]) if each]
    offered = [str(option["value"]) for option in component.get("options") or ()]
    if component["type"] == _SELECT and not set(many).issubset(offered):
        raise NotFoundError(f"{id_} offers {', '.join(offered)}")
    return {"values": many}
