"""Presses of buttons, choices in selects, and submitted forms.

Discord docs: Components › Reference; Receiving and Responding › Message Component / Modal Submit Data Structure.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from parley.model import Action, AnySegment, Text
from parley.platforms.discord import custom_id
from parley.platforms.discord.resolved import Kind, Resolved
from parley.untrusted import integer, mapping, mappings, text, texts

_TEXT_INPUT = 4
_KINDS: dict[int, Kind] = {5: "user", 6: "role", 7: "mentionable", 8: "channel", 19: "attachment"}
"""Component types whose values are ids."""


@dataclass(frozen=True, slots=True)
class ActionData:
    """An action, and its content as segments: chosen people, roles and channels, or the text and files of a form."""

    action: Action
    segments: tuple[AnySegment, ...] = ()


def component_action(data: Mapping[str, Any], resolved: Resolved, message_id: str) -> ActionData:
    """A press of a button or a choice in a select. `Action.id` is empty if Discord sent none."""
    id_, value = custom_id.part(text(data.get("custom_id")))
    values = texts(data.get("values"))
    kind = _KINDS.get(integer(data.get("component_type")) or 0)
    segments = tuple(resolved.segment(kind, chosen) for chosen in values) if kind else ()
    return ActionData(Action(id=id_, value=value, message_id=message_id, options=values), segments)


def form_action(data: Mapping[str, Any], resolved: Resolved, message_id: str) -> ActionData:
    """A submitted form. `Action.form` has each field as text, with several choices on separate lines."""
    id_, value = custom_id.part(text(data.get("custom_id")))
    fields = {text(field.get("custom_id")): field for field in _fields(data)}
    form = {name: _field_text(field) for name, field in fields.items() if name}
    segments = tuple(segment for field in fields.values() for segment in _field_segments(field, resolved))
    return ActionData(Action(id=id_, value=value, message_id=message_id, form=form), segments)


def _fields(data: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The fields. Today's forms have each one in a label, older forms have them in rows."""
    for component in mappings(data.get("components")):
        labelled = mapping(component.get("component"))
        yield from [labelled] if labelled else mappings(component.get("components"))


def _field_text(field: Mapping[str, Any]) -> str:
    value = field.get("value")
    if isinstance(value, bool):
        return str(value).lower()
    return text(value) or "\n".join(texts(field.get("values")))


def _field_segments(field: Mapping[str, Any], resolved: Resolved) -> Iterator[AnySegment]:
    type_ = integer(field.get("type"))
    if type_ == _TEXT_INPUT and text(field.get("value")):
        yield Text(text=f"{field['value']}\n")
    elif type_ in _KINDS:
        yield from (resolved.segment(_KINDS[type_], value) for value in texts(field.get("values")))
