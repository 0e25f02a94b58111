"""Discord's ids. Discord docs: Reference › Snowflakes."""

import re

from parley.untrusted import text

_SNOWFLAKE = re.compile(r"[0-9]{1,20}")
_EPOCH = 1_420_070_400_000
"""Milliseconds from 1970 to the first second of 2015."""


def snowflake(value: object) -> str:
    """`value` if it is a Discord id, else an empty string."""
    found = text(value)
    return found if _SNOWFLAKE.fullmatch(found) else ""


def created_at(id_: str) -> int:
    """The unix second in which the object with this id was created."""
    return ((int(id_) >> 22) + _EPOCH) // 1000
