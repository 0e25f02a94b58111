"""Reading JSON that may hold anything at any place: wrong shapes become empty values, never an exception."""

import re
from typing import Any

import msgspec

Object = dict[str, Any]

_LONE_SURROGATE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
_MAX_DEPTH = 100
"""No message of the platform is nested deeper; what is would overflow the stack of whoever writes it as JSON again."""


def decode(data: bytes) -> Any:
    """JSON, strictly: no NaN, nothing after the value, at most `_MAX_DEPTH` levels. Half an emoji becomes U+FFFD.

    Raises ValueError.
    """
    try:
        value = _decode(data)
    except ValueError:
        mended = _LONE_SURROGATE.sub(rb"\\ufffd", data)
        if mended == data:
            raise
        value = _decode(mended)
    if data.count(b"[") + data.count(b"{") > _MAX_DEPTH and _deeper_than(value, _MAX_DEPTH):
        raise ValueError("nested too deep")
    return value


def _decode(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _deeper_than(value: Any, limit: int) -> bool:
    level: list[Any] = [value]
    for _ in range(limit):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return False
    return True


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return value if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType]


def obj(value: Any) -> Object:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}  # pyright: ignore[reportUnknownVariableType]


def items(value: Any) -> list[Any]:
    """`value` if it is an array, else an empty one."""
    return value if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType]


def text(value: Any) -> str:
    """`value` if it is a string, the digits of a number, else an empty string."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def flat(value: Any) -> str:
    """`value` as a string: itself if it is one, else its JSON; empty for null."""
    if isinstance(value, str):
        return value
    return "" if value is None else json_text(value)


def json_text(value: Any) -> str:
    """JSON as text, for the places where Feishu wants JSON inside a string."""
    return msgspec.json.encode(value).decode()


def seconds(value: Any) -> float:
    """Unix seconds from a timestamp in seconds, milliseconds, microseconds or nanoseconds; 0 where it is none.

    Feishu mixes the units (messages ms, contact and card events us, v1 `ts` and menus s): the size tells which it is.
    """
    digits = text(value)
    if not digits.isascii() or not digits.replace(".", "", 1).isdigit() or len(digits) > 40:
        return 0
    number = float(digits)
    while number >= 1e11:
        number /= 1000
    return number
