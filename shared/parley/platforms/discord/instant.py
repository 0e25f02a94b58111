"""Instant answers, which Discord expects in the response to the callback: completions, and forms to open.

Discord docs: Receiving and Responding › Interaction Callback Type; Components › Label, Text Input, String Select.
"""

from typing import Any

import msgspec

from parley.adapter import App, Response
from parley.model import Message
from parley.model.instant import Choice, Choices, Form, Input, Instant
from parley.platforms.discord import custom_id

_MAX_CHOICES, _MAX_INPUTS = 25, 5
_LABEL, _DESCRIPTION, _PLACEHOLDER, _CHOICE = 45, 100, 100, 100
_STYLES = {"line": 1, "paragraph": 2}


def instant(message: Message, result: Instant, app: App) -> Response:
    """See `parley.adapter.SupportsInstantAnswers.instant`."""
    completing = message.command is not None and bool(message.command.focused)
    match result:
        case Choices(choices=choices) if completing:
            return _response(8, {"choices": [choice_json(choice) for choice in _fitting(choices)]})
        case Form() if not completing:
            return _response(9, _form(result))
        case _:
            raise ValueError(f"{app.platform}: choices answer a completion, a form answers a command or a button")


def _response(type_: int, data: dict[str, Any]) -> Response:
    return Response(200, msgspec.json.encode({"type": type_, "data": data}))


def _fitting(choices: tuple[Choice, ...]) -> tuple[Choice, ...]:
    """The choices that Discord accepts. A value that is too long is left out: cut, it would mean something else."""
    return tuple(choice for choice in choices if len(str(choice.value)) <= _CHOICE)[:_MAX_CHOICES]


def choice_json(choice: Choice) -> dict[str, Any]:
    """`choice` of an option, for a completion or a command's definition."""
    return {"name": (choice.label or str(choice.value))[:_CHOICE], "value": choice.value}


def _form(form: Form) -> dict[str, Any]:
    if not 1 <= len(form.inputs) <= _MAX_INPUTS:
        raise ValueError(f"form {form.id}: Discord shows 1 to {_MAX_INPUTS} inputs, not {len(form.inputs)}")
    return {
        "custom_id": custom_id.join(form.id, form.value),
        "title": form.title[:_LABEL],
        "components": [_label(field) for field in form.inputs],
    }


def _label(field: Input) -> dict[str, Any]:
    label: dict[str, Any] = {"type": 18, "label": field.label[:_LABEL], "component": _component(field)}
    return label | ({"description": field.help[:_DESCRIPTION]} if field.help else {})


def _component(field: Input) -> dict[str, Any]:
    shared: dict[str, Any] = {"custom_id": field.id, "required": field.required}
    if field.placeholder:
        shared["placeholder"] = field.placeholder[:_PLACEHOLDER]
    if field.kind == "choice":
        options = [_option(choice, field.value) for choice in _fitting(field.choices)]
        return {"type": 3, **shared, "options": options}
    lengths = {"min_length": field.min_length, "max_length": field.max_length}
    set_ = {name: length for name, length in lengths.items() if length}
    value = {"value": field.value} if field.value else {}
    return {"type": 4, "style": _STYLES[field.kind], **shared, **set_, **value}


def _option(choice: Choice, chosen: str) -> dict[str, Any]:
    value = str(choice.value)
    return {"label": choice.label[:_CHOICE], "value": value} | ({"default": True} if value == chosen else {})
