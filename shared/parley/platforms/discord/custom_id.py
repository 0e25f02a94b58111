"""The `custom_id` of a button or form: one string of at most 100 characters for Parley's id and value.

It is `id`, or `id?value` if there is a value. In the second form, `%` and `?` in the id are percent-encoded. An id that
another program made, without `?`, is read unchanged. Discord takes each `custom_id` once a message, so a second button
with the same id and value gets `?2?` before it, a third one `?3?`. No id without such a mark begins with `?`.
"""

import re

from parley.platforms.discord.content_limits import LIMITS
from parley.text import utf16_size

_NUMBER = re.compile(r"\?[0-9]{1,2}\?(.+)", re.DOTALL)
LIMIT = LIMITS.button_key.most


def join(id_: str, value: str = "", number: int = 1) -> str:
    """The `custom_id` for an id and a value. `number` counts the buttons of a message with the same id and value.

    Raises ValueError if the id is empty, or if the result exceeds 100 characters, counted in UTF-16 units.
    """
    if not id_:
        raise ValueError(f"the id is empty; Discord takes 1 to {LIMIT} characters")
    escaped = id_.replace("%", "%25").replace("?", "%3F")
    joined = f"{escaped}?{value}" if value or "?" in id_ else id_
    numbered = f"?{number}?{joined}" if number > 1 else joined
    if utf16_size(numbered) > LIMIT:
        raise ValueError(f"id and value have {utf16_size(numbered)} characters together; Discord takes 1 to {LIMIT}")
    return numbered


def part(custom_id: str) -> tuple[str, str]:
    """The id and the value in a `custom_id`: the reverse of `join`."""
    numbered = _NUMBER.fullmatch(custom_id)
    id_, mark, value = (numbered[1] if numbered else custom_id).partition("?")
    return (id_.replace("%3F", "?").replace("%25", "%"), value) if mark else (id_, "")
