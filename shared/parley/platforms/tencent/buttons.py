"""Packs the id and value of a button or menu into the single key that both platforms give a button.

A key is the id; or `=<length of the id>=<id><value>` if there is a value; or, for a choice of a menu,
`+<length of the menu's key>+<the menu's key><value of the choice>`.
"""

import re
from typing import NamedTuple

from parley.model import Button, Select
from parley.model.instant import Choice, Form

_PACKED = re.compile(r"=([0-9]{1,4})=(.*)", re.DOTALL)
_CHOSEN = re.compile(r"\+([0-9]{1,4})\+(.*)", re.DOTALL)


class Key(NamedTuple):
    """The content of a key. `options`: the value of the choice, for a menu."""

    id: str
    value: str
    options: tuple[str, ...] = ()


def pack(element: Button | Select | Form) -> str:
    """The key of `element`."""
    if not element.value and not element.id.startswith(("=", "+")):
        return element.id
    return f"={len(element.id)}={element.id}{element.value}"


def pack_choice(select: Select, choice: Choice) -> str:
    """The key of `choice`, one of those of `select`."""
    key = pack(select)
    return f"+{len(key)}+{key}{choice.value}"


def unpack(key: str) -> Key:
    """The content of a key that `pack` or `pack_choice` made. Any other key is an id without a value."""
    chosen = _cut(_CHOSEN, key)
    id_, value = _cut(_PACKED, chosen[0] if chosen else key) or (chosen[0] if chosen else key, "")
    return Key(id_, value, (chosen[1],) if chosen else ())


def _cut(pattern: re.Pattern[str], key: str) -> tuple[str, str] | None:
    packed = pattern.fullmatch(key)
    if packed is None or int(packed[1]) > len(packed[2]):
        return None
    length = int(packed[1])
    return packed[2][:length], packed[2][length:]
