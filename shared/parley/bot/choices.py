"""The choices of a question or an argument: people tell them apart by how they look."""

import re
from collections.abc import Iterable

from parley.text import one_line
from parley.width import half_width

_UNSEEN = "[\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef]"
"""Joiners and variation selectors: `one_line` leaves them where they are part of a visible character."""


def problem_of(choices: Iterable[str]) -> str:
    """What people cannot choose among `choices`, and what to write instead; empty if there is nothing.

    Each choice shows something, and no two look the same on one line. Width, white space and the form of an accent do
    not count. Case does: `m` and `M` look different, and people type them so.
    """
    known: dict[str, int] = {}
    for number, choice in enumerate(choices, 1):
        look = _look(choice)
        if not look:
            return f"choice {number} shows nothing: write a text that people can see"
        if known.setdefault(look, number) != number:
            return (
                f"choices {known[look]} and {number} look the same to people, {look!r}: write texts that differ in "
                "more than white space, width and characters that show nothing"
            )
    return ""


def _look(text: str) -> str:
    """`text` as people see it, in half width."""
    line = one_line(text)
    return line if line.isascii() else one_line(half_width(re.sub(_UNSEEN, "", line)))
