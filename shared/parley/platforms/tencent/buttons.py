"""A button's id and value in the one string that both platforms give a button."""

import re

from parley.model import Button

_PACKED = re.compile(r"=([0-9]{1,4})=(.*)", re.DOTALL)


def pack(button: Button) -> str:
    """The key of `button`: its id alone, or with its value behind it and its length before it."""
    if not button.value and not button.id.startswith("="):
        return button.id
    return f"={len(button.id)}={button.id}{button.value}"


def unpack(key: str) -> tuple[str, str]:
    """The id and value in a key that `pack` made; any other key is an id by itself."""
    packed = _PACKED.fullmatch(key)
    if packed is None or int(packed[1]) > len(packed[2]):
        return key, ""
    length = int(packed[1])
    return packed[2][:length], packed[2][length:]
