"""Packs a button's id and value into the single key that both platforms give a button."""

import re

from parley.model import Button

_PACKED = re.compile(r"=([0-9]{1,4})=(.*)", re.DOTALL)


def pack(button: Button) -> str:
    """The key of `button`: its id, or `=<length of the id>=<id><value>` if it has a value."""
    if not button.value and not button.id.startswith("="):
        return button.id
    return f"={len(button.id)}={button.id}{button.value}"


def unpack(key: str) -> tuple[str, str]:
    """The id and the value in a key that `pack` made. Any other key is an id without a value."""
    packed = _PACKED.fullmatch(key)
    if packed is None or int(packed[1]) > len(packed[2]):
        return key, ""
    length = int(packed[1])
    return packed[2][:length], packed[2][length:]
