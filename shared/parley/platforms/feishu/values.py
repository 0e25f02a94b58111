"""Values that Feishu writes in a way of its own: time stamps of mixed units, and JSON inside strings."""

from typing import Any

import msgspec

from parley.untrusted import scalar

Object = dict[str, Any]
"""A JSON object, received or to be sent."""


def text_or_json(value: Any) -> str:
    """`value` if it is a string, an empty string for null, else its JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else json_text(value)


def json_text(value: Any) -> str:
    """`value` as JSON text. Feishu's message API takes `content` as JSON inside a string."""
    return msgspec.json.encode(value).decode()


def scalars(fields: Object, *without: str) -> dict[str, str]:
    """The texts, numbers and booleans of `fields` as text, except those named in `without`."""
    return {
        name: text_or_json(value)
        for name, value in fields.items()
        if name not in without and value is not None and not isinstance(value, dict | list)
    }


def unix_seconds(value: Any) -> float:
    """Unix seconds from a time stamp in seconds, milliseconds, microseconds or nanoseconds; 0 if it is not a number.

    Feishu mixes the units: messages have ms, contact and card events us, v1 `ts` and menu events s. The size of the
    number tells the unit.
    """
    digits = scalar(value)
    if not digits.isascii() or not digits.replace(".", "", 1).isdigit() or len(digits) > 40:
        return 0
    number = float(digits)
    while number >= 1e11:
        number /= 1000
    return number
