"""Discord's JSON without trusting its shape: what is missing or of another type reads as empty."""

import re
from typing import Any, cast

_SNOWFLAKE = re.compile(r"[0-9]{1,20}")
_EPOCH = 1_420_070_400_000
"""Milliseconds from 1970 to the first second of 2015 (Discord docs: Reference › Snowflakes)."""


def mapping(value: object) -> dict[str, Any]:
    """`value` if it is an object."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def mappings(value: object) -> list[dict[str, Any]]:
    """The objects in `value` if it is an array."""
    items = cast("list[object]", value) if isinstance(value, list) else []
    return [found for item in items if (found := mapping(item))]


def text(value: object) -> str:
    """`value` if it is a string."""
    return value if isinstance(value, str) else ""


def texts(value: object) -> tuple[str, ...]:
    """The strings in `value` if it is an array."""
    items = cast("list[object]", value) if isinstance(value, list) else []
    return tuple(item for item in items if isinstance(item, str))


def whole(value: object) -> int | None:
    """`value` if it is an integer."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def snowflake(value: object) -> str:
    """`value` if it is the id of something on Discord."""
    found = text(value)
    return found if _SNOWFLAKE.fullmatch(found) else ""


def created(id_: str) -> int:
    """The unix second in which the thing with this snowflake was made."""
    return ((int(id_) >> 22) + _EPOCH) // 1000


def display_name(user: dict[str, Any], member: dict[str, Any] | None = None) -> str:
    """What people see: the name in the guild, else the display name, else the account's."""
    names = (text((member or {}).get("nick")), text(user.get("global_name")), text(user.get("username")))
    return next((name for name in names if name), "")
