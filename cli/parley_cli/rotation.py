"""Replacing one value of a configuration, with an overlap of both values if the configuration has a place for it."""

from typing import Any, NamedTuple

from msgspec.structs import fields

from parley.platforms import config_type
from parley_cli.problems import Problem

_PREVIOUS = "previous_"
_OVERLAP = (
    "The value before stays valid. Now change it in the platform's console. When nothing uses it any more: `parley app "
    "rotate {app} {field} --end{options}`."
)
_REPLACED = (
    "The value before is gone. If the platform's console still has it, change it there now: until both are the same, "
    "callbacks or replies fail, and the platform retries them."
)
_ENDED = "The value before is no longer valid."


class Rotated(NamedTuple):
    """The new fields, whether the value before stays valid, and what the person does next."""

    values: dict[str, Any]
    overlaps: bool
    do: str


def rotated(platform: str, values: dict[str, Any], field: str, new: str) -> Rotated:
    """`values` with a new value of `field`. Raises Problem if there is no such field or no new value."""
    kinds = _check(platform, field)
    if not new:
        raise Problem("The new value is empty.")
    before = values.get(field)
    if isinstance(before, list):  # such as `webhook_secrets`: all that are listed are valid, and the first one signs
        return Rotated(values | {field: [new, *before]}, overlaps=True, do=_OVERLAP)
    if before == new:
        raise Problem(f"{field} has this value already.")
    previous = f"{_PREVIOUS}{field}"
    if previous in kinds and before:
        return Rotated(values | {field: new, previous: before}, overlaps=True, do=_OVERLAP)
    return Rotated(values | {field: _typed(new, kinds[field])}, overlaps=False, do=_REPLACED)


def ended(platform: str, values: dict[str, Any], field: str) -> Rotated:
    """`values` without the value before of `field`. Raises Problem if there is none."""
    _check(platform, field)
    before = values.get(field)
    if isinstance(before, list) and len(before) > 1:
        return Rotated(values | {field: before[:1]}, overlaps=False, do=_ENDED)
    previous = f"{_PREVIOUS}{field}"
    if not values.get(previous):
        raise Problem(f"{field} has one value only: there is no overlap to end.")
    left = {name: value for name, value in values.items() if name != previous}
    return Rotated(left, overlaps=False, do=_ENDED)


def _typed(new: str, kind: Any) -> str | int | bool:
    """A value that was typed, as a value of the field. A wrong one stays a text, which the configuration refuses."""
    if kind is bool and new in ("true", "false"):
        return new == "true"
    return int(new) if kind is int and new.isdecimal() else new


def _check(platform: str, field: str) -> dict[str, Any]:
    """The types of all fields, by name."""
    kinds = {each.name: each.type for each in fields(config_type(platform))}
    if field not in kinds:
        raise Problem(f"There is no field {field!r}.", f"The fields are {', '.join(sorted(kinds))}.")
    return kinds
