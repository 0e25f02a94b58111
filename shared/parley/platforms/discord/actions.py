"""Presses of buttons, choices in selects, and forms that were sent off.

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
_NAMED: dict[int, Kind] = {5: "user", 6: "role", 7: "mentionable", 8: "channel", 19: "attachment"}
"""Component types whose values are ids of something."""


@dataclass(frozen=True, slots=True)
class Done:
    """An action and what was said with it: the people that were chosen, the words and files of a form."""

    action: Action
    segments: tuple[AnySegment, ...] = ()


def press_of(data: Mapping[str, Any], resolved: Resolved, message_id: str) -> Done:
    """A press of a button or a choice in a select; the id is empty where Discord sent none."""
    id_, value = custom_id.part(text(data.get("custom_id")))
    values = texts(data.get("values"))
    kind = _NAMED.get(integer(data.get("component_type")) or 0)
    segments = tuple(resolved.named(kind, chosen) for chosen in values) if kind else ()
    return Done(Action(id=id_, value=value, message_id=message_id, options=values), segments)


def form_of(data: Mapping[str, Any], resolved: Resolved, message_id: str) -> Done:
    """A form that was sent off. `Action.form` holds each field as text, several choices on lines of their own."""
    id_, value = custom_id.part(text(data.get("custom_id")))
    fields = {text(field.get("custom_id")): field for field in _fields(data)}
    form = {name: _written(field) for name, field in fields.items() if name}
    segments = tuple(segment for field in fields.values() for segment in _said(field, resolved))
    return Done(Action(id=id_, value=value, message_id=message_id, form=form), segments)


def _fields(data: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The fields, in labels as today or in rows as in forms made earlier."""
    for holder in mappings(data.get("components")):
        label = mapping(holder.get("component"))
        yield from [label] if label else mappings(holder.get("components"))


def _written(field: Mapping[str, Any]) -> str:
    value = field.get("value")
    if isinstance(value, bool):
        return str(value).lower()
    return text(value) or "\n".join(texts(field.get("values")))


def _said(field: Mapping[str, Any], resolved: Resolved) -> Iterator[AnySegment]:
    type_ = integer(field.get("type"))
    if type_ == _TEXT_INPUT and text(field.get("value")):
        yield Text(text=f"{field['value']}\n")
    elif type_ in _NAMED:
        yield from (resolved.named(_NAMED[type_], value) for value in texts(field.get("values")))
