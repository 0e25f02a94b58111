"""Reads JSON that comes from outside and may have any shape.

`decode_json` raises ValueError. The other functions never raise: a value of the wrong type reads as the empty value
of the type that is asked for, and so does None, which is what `dict.get` returns for a missing field.
"""

import re
from typing import Any

import msgspec

MAX_DEPTH = 100
"""Levels of nesting. Messages of the platforms have far fewer; a much deeper value overflows an encoder's stack."""

_LONE_SURROGATE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)


def decode_json(data: bytes, max_depth: int = MAX_DEPTH) -> Any:
    """Decode strict JSON: UTF-8, no NaN, nothing after the value, at most `max_depth` levels of nesting.

    A lone surrogate, which is half of an emoji, becomes U+FFFD. Raises ValueError.
    """
    try:
        value = _decode(data)
    except ValueError:
        repaired = _LONE_SURROGATE.sub(rb"\\ufffd", data)
        if repaired == data:
            raise
        value = _decode(repaired)
    if data.count(b"[") + data.count(b"{") > max_depth and _is_deeper(value, max_depth):
        raise ValueError("nested too deep")
    return value


def mapping(value: Any) -> dict[str, Any]:
    """`value` if it is an object, else an empty dictionary."""
    return value if isinstance(value, dict) else {}  # pyright: ignore[reportUnknownVariableType]


def array(value: Any) -> list[Any]:
    """`value` if it is an array, else an empty list."""
    return value if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType]


def mappings(value: Any) -> list[dict[str, Any]]:
    """The objects of an array. Empty objects and values of other types are left out."""
    return [item for item in array(value) if item and isinstance(item, dict)]


def text(value: Any) -> str:
    """`value` if it is a string, else an empty string."""
    return value if isinstance(value, str) else ""


def scalar(value: Any) -> str:
    """`value` as text if it is a string or a number, else an empty string. A boolean is no number."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def texts(value: Any) -> tuple[str, ...]:
    """The strings of an array. Values of other types are left out."""
    return tuple(item for item in array(value) if isinstance(item, str))


def integer(value: Any) -> int | None:
    """`value` if it is an integer, else None. A boolean is no integer."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _decode(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _is_deeper(value: Any, limit: int) -> bool:
    level: list[Any] = [value]
    for _ in range(limit):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return False
    return True


def _children(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else array(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
