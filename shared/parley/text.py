"""Cutting text to the length a platform takes."""

import re
from collections.abc import Callable, Iterator

_BREAKS = (
    re.compile(r"\n\s*\n"),
    re.compile(r"\n"),
    re.compile(r"[。！？；…]|[.!?;](?=\s)"),
    re.compile(r"[，、]|\s"),
)
"""From the best place to cut to the worst: paragraph, line, sentence, word."""


def utf8_size(text: str) -> int:
    """Length in UTF-8 bytes, as WeCom and WeChat count."""
    return len(text.encode("utf-8", "surrogatepass"))


def utf16_size(text: str) -> int:
    """Length in UTF-16 units, the safe way to count for Discord."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def split(text: str, limit: int, size: Callable[[str], int] = len) -> Iterator[str]:
    """`text` in parts of at most `limit` by `size`, cut at a paragraph, line, sentence or word if one ends in the
    second half of the part, never inside a character. White space at a cut is dropped; an empty text gives nothing.
    """
    rest = text.strip()
    while rest:
        if size(rest) <= limit:
            yield rest
            return
        part = _fitting(rest, limit, size)
        cut = _cut(part)
        yield part[:cut].rstrip()
        rest = rest[cut:].lstrip()


def _fitting(text: str, limit: int, size: Callable[[str], int]) -> str:
    """The longest prefix within `limit`; one character at least, so that splitting always ends."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if size(text[:middle]) <= limit else (low, middle - 1)
    return text[:low]


def _cut(part: str) -> int:
    for pattern in _BREAKS:
        ends = [match.end() for match in pattern.finditer(part) if match.end() > len(part) // 2]
        if ends:
            return ends[-1]
    return len(part)
