"""Instant answers, which Discord expects in the response to the callback: completions, and forms to open.

Discord docs: Receiving and Responding › Interaction Callback Type; Components › Label, Text Input, String Select.
"""

from typing import Any

import msgspec

from parley.adapter import App, Response
from parley.model import Message, label_of
from parley.model.instant import Choice, Choices, Form, Input, Instant
from parley.platforms.discord import custom_id
from parley.platforms.discord.content_limits import LIMITS
from parley.platforms.discord.split import clip
from parley.text import utf16_size

_MAX_CHOICES, _MAX_INPUTS = LIMITS.completions.most, LIMITS.inputs.most
_TITLE, _LABEL, _HELP = LIMITS.form_title.most, LIMITS.input_label.most, LIMITS.input_help.most
_CHOICE_LABEL, _CHOICE = LIMITS.choice_label.most, LIMITS.choice_value.most
_ID, _INPUT = LIMITS.input_id.most, LIMITS.input_text.most
_LARGEST = 2**53
"""Discord docs: Option Type: integers and numbers are between -2^53 and 2^53."""
_STYLES = {"line": 1, "paragraph": 2, "date": 1}
_DATE = "YYYY-MM-DD"


def instant(message: Message, result: Instant, app: App) -> Response:
    """See `parley.adapter.SupportsInstantAnswers.instant`."""
    return Response(200, msgspec.json.encode(answer_json(message, result)))


def answer_json(message: Message, result: Instant) -> dict[str, Any]:
    """The JSON that shows `result`. Raises ValueError, with the limit, if Discord would refuse it."""
    completing = message.command is not None and bool(message.command.focused)
    match result:
        case Choices(choices=choices) if completing:
            return {"type": 8, "data": {"choices": [choice_json(choice) for choice in _fitting(choices)]}}
        case Form() if not completing:
            return {"type": 9, "data": _form(result)}
        case _:
            raise ValueError("Discord: choices answer a completion, a form answers a command or a button")


def _fitting(choices: tuple[Choice, ...]) -> tuple[Choice, ...]:
    """The choices that Discord accepts in one place."""
    return distinct(choices)[:_MAX_CHOICES]


def distinct(choices: tuple[Choice, ...]) -> tuple[Choice, ...]:
    """The choices that Discord accepts. A value that is empty or too long is left out: mended, it would mean something
    else. So is a value that is already offered.
    """
    offered = {str(choice.value): choice for choice in reversed(choices) if is_valid_value(choice.value)}
    return tuple(choice for choice in choices if offered.get(str(choice.value)) is choice)


def is_valid_value(value: str | float) -> bool:
    """Whether Discord takes `value` for a choice."""
    if isinstance(value, str):
        return bool(value.strip()) and utf16_size(value) <= _CHOICE
    return -_LARGEST <= value <= _LARGEST  # false for NaN


def choice_json(choice: Choice) -> dict[str, Any]:
    """`choice` of an option, for a completion or a command's definition."""
    return {"name": _choice_label(choice), "value": choice.value}


def _choice_label(choice: Choice) -> str:
    return clip(label_of(choice.label, str(choice.value)), _CHOICE_LABEL)


def form_problem(form: Form) -> str:
    """Why Discord would not open `form`; empty if it would."""
    try:
        _form(form)
    except ValueError as error:
        return str(error)
    return ""


def _form(form: Form) -> dict[str, Any]:
    """The form as a modal. Raises ValueError, with the limit, if Discord would refuse it."""
    where = f"form {form.id[:_ID]!r}"
    if not 1 <= len(form.inputs) <= _MAX_INPUTS:
        raise ValueError(f"{where}: Discord shows 1 to {_MAX_INPUTS} inputs, not {len(form.inputs)}")
    if not form.title.strip():
        raise ValueError(f"{where}: the title is empty; a form needs 1 to {_TITLE} characters")
    if len({field.id for field in form.inputs}) < len(form.inputs):
        raise ValueError(f"{where}: two inputs have the same id")
    return {
        "custom_id": custom_id.join(form.id, form.value),
        "title": clip(form.title.strip(), _TITLE),
        "components": [_label(field, where) for field in form.inputs],
    }


def _label(field: Input, where: str) -> dict[str, Any]:
    where = f"{where}, input {field.id[:_ID]!r}"
    if not 1 <= utf16_size(field.id) <= _ID:
        raise ValueError(f"{where}: an id has 1 to {_ID} characters")
    if not field.label.strip():
        raise ValueError(f"{where}: the label is empty; it has 1 to {_LABEL} characters")
    label: dict[str, Any] = {"type": 18, "label": clip(field.label.strip(), _LABEL)}
    label["component"] = _select(field, where) if field.kind == "choice" else _text_input(field, where)
    return label | ({"description": clip(field.help, _HELP)} if field.help.strip() else {})


def _shared(field: Input) -> dict[str, Any]:
    shared: dict[str, Any] = {"custom_id": field.id, "required": field.required}
    placeholder = field.placeholder or (_DATE if field.kind == "date" else "")
    return shared | ({"placeholder": clip(placeholder, _HELP)} if placeholder else {})


def _select(field: Input, where: str) -> dict[str, Any]:
    options = [option(choice, field.value) for choice in _fitting(field.choices)]
    if not options:
        raise ValueError(f"{where}: no choice has a value of 1 to {_CHOICE} characters")
    return {"type": 3, **_shared(field), "options": options}


def _text_input(field: Input, where: str) -> dict[str, Any]:
    most = min(field.max_length or _INPUT, _INPUT)
    if not 0 <= field.min_length <= most or most < 1:
        raise ValueError(f"{where}: lengths from {field.min_length} to {most}; Discord takes 0 to {_INPUT}")
    if field.value and not field.min_length <= utf16_size(field.value) <= most:
        raise ValueError(f"{where}: the initial value has not {field.min_length} to {most} characters")
    lengths = {"min_length": field.min_length, "max_length": most if field.max_length else 0}
    set_ = {name: length for name, length in lengths.items() if length}
    value = {"value": field.value} if field.value else {}
    return {"type": 4, "style": _STYLES[field.kind], **_shared(field), **set_, **value}


def option(choice: Choice, chosen: str) -> dict[str, Any]:
    """`choice` of a menu. `chosen`: the value that is chosen at first."""
    value = str(choice.value)
    return {"label": _choice_label(choice), "value": value} | ({"default": True} if value == chosen else {})
