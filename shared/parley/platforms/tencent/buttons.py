r"""Packs the id and value of a button or menu into the single key that both platforms give a button.

A key is the id; or `=<length of the id>=<id><value>` if there is a value; or, for a choice of a menu,
`+<length of the menu's key>+<the menu's key><value of the choice>`.

WeChat refuses a body that contains `\uXXXX`. A key with that is `~u~<key>`, with each `%` as `%25` and each `\` as
`%5C`.
"""

import re
from typing import NamedTuple
from urllib.parse import unquote

from parley.model import Button, Select
from parley.model.instant import Choice, Form

_PACKED = re.compile(r"=([0-9]{1,4})=(.*)", re.DOTALL)
_CHOSEN = re.compile(r"\+([0-9]{1,4})\+(.*)", re.DOTALL)
_QUOTED = "~u~"
_REFUSED = re.compile(r"\\u[0-9a-fA-F]{4}")


class Key(NamedTuple):
    """The content of a key. `options`: the value of the choice, for a menu."""

    id: str
    value: str
    options: tuple[str, ...] = ()


def pack(element: Button | Select | Form) -> str:
    """The key of `element`."""
    return _quoted(_key(element))


def _key(element: Button | Select | Form) -> str:
    if not element.value and not element.id.startswith(("=", "+")):
        return element.id
    return f"={len(element.id)}={element.id}{element.value}"


def pack_choice(select: Select, choice: Choice) -> str:
    """The key of `choice`, one of those of `select`."""
    key = _key(select)
    return _quoted(f"+{len(key)}+{key}{choice.value}")


def _quoted(key: str) -> str:
    if not _REFUSED.search(key) and not key.startswith(_QUOTED):
        return key
    return _QUOTED + key.replace("%", "%25").replace("\\", "%5C")


def unpack(key: str) -> Key:
    """The content of a key that `pack` or `pack_choice` made. Any other key is an id without a value."""
    if key.startswith(_QUOTED):
        key = unquote(key.removeprefix(_QUOTED))
    chosen = _cut(_CHOSEN, key)
    id_, value = _cut(_PACKED, chosen[0] if chosen else key) or (chosen[0] if chosen else key, "")
    return Key(id_, value, (chosen[1],) if chosen else ())


def _cut(pattern: re.Pattern[str], key: str) -> tuple[str, str] | None:
    packed = pattern.fullmatch(key)
    if packed is None or int(packed[1]) > len(packed[2]):
        return None
    length = int(packed[1])
    return packed[2][:length], packed[2][length:]
