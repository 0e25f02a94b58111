"""The parts of a text that can have intents of their own: `is it open today and remind me at 9`."""

import re
from collections.abc import Sequence

from parley.intents.features import LONGEST, is_frequent, words

Span = tuple[int, int]

_JOINTS = re.compile(
    r"(?<![0-9])[,.:]+|[,.:]+(?![0-9])|[;!?，。；！？、：\n]+|\b(?:and|then|also|plus|but)\b"
    r"|然后|顺便|另外|并且|而且|同时|以及"
    # "Still has how much", and "and also"
    r"|还有(?![多几没什谁哪吗呢余剩一二两三四五六七八九十百千0-9])"
    # Single characters that are not a part of a word: 再见, 不再, 一并, 合并, 和平, 温和
    r"|(?<![不一])再(?![见次三也度说来])|(?<![一合])并(?![不没非发行])|(?<![温暖柔平缓饱])和(?![平气睦谐好])",
    re.IGNORECASE,
)
_SHORTEST = 2
"""Words, or Chinese characters, of a part."""


def clauses(text: str, values: Sequence[Span] = ()) -> list[str]:
    """The parts of `text`, without those that are too short to say anything. Empty if there is one part only.

    `values`: where dates, durations and numbers stand. None of them is split, and a part that says nothing else belongs
    to the one before it; the first one to the one after it.
    """
    text = text[:LONGEST]
    found: list[Span] = []
    for part in _parts(text, values):
        if _length(text[slice(*part)]) < _SHORTEST:
            continue
        is_more = found and (_is_value(text, part, values) or _is_value(text, found[-1], values))
        found.append((found.pop()[0], part[1]) if is_more else part)
    return [text[start:end].strip() for start, end in found] if len(found) > 1 else []


def _parts(text: str, values: Sequence[Span]) -> list[Span]:
    joints = [
        joint.span()
        for joint in _JOINTS.finditer(text)
        if not any(start < joint.end() and joint.start() < end for start, end in values)
    ]
    starts, ends = [0, *(end for _, end in joints)], [*(start for start, _ in joints), len(text)]
    return list(zip(starts, ends, strict=True))


def _is_value(text: str, part: Span, values: Sequence[Span]) -> bool:
    """Whether a part says nothing but a value: `in an hour and a half`."""
    inside = [(start, end) for start, end in values if part[0] <= start and end <= part[1]]
    rest = text[slice(*part)]
    for start, end in inside:
        rest = rest[: start - part[0]] + " " * (end - start) + rest[end - part[0] :]
    says = (word for word in words(rest) if not is_frequent(word))
    return bool(inside) and sum(_SHORTEST if word.isascii() else len(word) for word in says) < _SHORTEST


def _length(part: str) -> int:
    return sum(1 if word.isascii() else len(word) for word in words(part))
