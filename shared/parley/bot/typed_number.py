"""The number of a line or a choice, as people type it."""

import re
from itertools import accumulate

from parley.width import half_width

_NUMBER = re.compile(r"([0-9]{1,4})(?:\s*[、)]|[.：:](?![0-9])|(?=\s)|\Z)")
_LONGEST = 10
"""Characters of a number with its mark."""


def typed_number(text: str) -> tuple[int, str] | None:
    """The number at the start of `text` and what follows it, as it was typed: `1`, `1.`, `2、`, `2)`, `３：`, `⒈`.

    None for every other text: Python does not read a number of thousands of digits.
    """
    text = text.strip()
    # Some characters stand for several ones (`⒈` for `1.`), so places differ from those in `text`.
    head = [half_width(each) for each in text[:_LONGEST]]
    found = _NUMBER.match("".join(head) + text[_LONGEST:])
    if found is None:
        return None
    used = next(count for count, end in enumerate(accumulate(map(len, head)), 1) if end >= found.end())
    return int(found[1]), text[used:]
