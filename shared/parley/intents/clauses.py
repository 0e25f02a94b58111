"""The parts of a text that can have intents of their own: `is it open today and remind me at 9`."""

import re

from parley.intents.features import LONGEST, words

_JOINTS = re.compile(
    r"[,;.!?:，。；！？、：\n]+|\b(?:and|then|also|plus|but)\b|然后|顺便|还有|另外|并且|而且|同时|以及|[再并和]",
    re.IGNORECASE,
)
_SHORTEST = 2
"""Words, or Chinese characters, of a part."""


def clauses(text: str) -> list[str]:
    """The parts of `text`, without those that are too short to say anything. Empty if there is one part only."""
    parts = [part.strip() for part in _JOINTS.split(text[:LONGEST])]
    found = [part for part in parts if _length(part) >= _SHORTEST]
    return found if len(found) > 1 else []


def _length(part: str) -> int:
    return sum(1 if word.isascii() else len(word) for word in words(part))
