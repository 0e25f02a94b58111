"""Splits text into parts of a platform's maximum length, and removes characters that reorder it on a screen."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator

_BREAKS = (
    re.compile(r"\n\s*\n"),
    re.compile(r"\n"),
    re.compile(r"[。！？；…]|[.!?;](?=\s)"),
    re.compile(r"[，、]|\s"),
)
"""Places to cut, the best first: paragraph, line, sentence, word."""

_JOINER = "\u200d"
_SKIN = re.compile("[\U0001f3fb-\U0001f3ff]")
_FLAG_HALF = re.compile("[\U0001f1e6-\U0001f1ff]")
_LONGEST = 100
"""Code points of a visible character. Unicode's limit for marks on one letter is 30 (UAX #15, stream-safe text)."""

_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f]")
"""Characters that show nothing and change the order of the others: "invoice<U+202E>fdp.exe" looks like
"invoiceexe.pdf". Arabic and Hebrew are shown from right to left without them (Unicode UAX #9)."""


def without_direction(text: str, instead: str = "") -> str:
    """`text` in the order in which a program reads it: with `instead` for each character that changes the direction of
    writing. Use it for texts of others: of persons, of language models.
    """
    return _DIRECTION.sub(instead, text)


_GAP = re.compile(r"\s{100,}")
"""White space that shows nothing but emptiness."""


def shrink_gaps(text: str) -> str:
    """`text` with each run of 100 or more white-space characters as one paragraph break, or one space within a line.

    A text that is too long is cut at white space, and such a run would fill a part of its own.
    """
    return _GAP.sub(lambda gap: "\n\n" if "\n" in gap[0] else " ", text)


_BLANK = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2060-\u2064\u2800\u3164\ufeff\uffa0\ufff9-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f]"
    "|[\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef]{3,}"
)
"""Characters that show nothing and are not white space for Python: fillers, soft hyphens, tags. Joiners and variation
selectors are part of a visible character (an emoji has two of them side by side), but not in a longer run."""


def one_line(text: str) -> str:
    """`text` as one line, for a person's words within a text of the bot: white space of any kind is one space, and so
    are characters that show nothing, such as the Hangul filler. What `without_direction` drops is dropped.
    """
    return " ".join(_BLANK.sub(" ", without_direction(text)).split())


def join_without(words: Iterable[tuple[bool, str]]) -> str:
    """The texts of `words` that are not marked with True, without the double space that a marked one would leave."""
    kept: list[str] = []
    after_gap = False
    for is_left_out, word in words:
        if is_left_out:
            after_gap = True
            continue
        kept.append(word.removeprefix(" ") if after_gap and (not kept or kept[-1].endswith(" ")) else word)
        after_gap = False
    return "".join(kept).strip()


def utf8_size(text: str) -> int:
    """Length in UTF-8 bytes, as WeCom and WeChat count."""
    return len(text.encode("utf-8", "surrogatepass"))


def utf16_size(text: str) -> int:
    """Length in UTF-16 units, the safe count for Discord."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def split(text: str, limit: int, size: Callable[[str], int] = len) -> Iterator[str]:
    """`text` in parts whose `size` is at most `limit`. `size` counts at least one for each character.

    A part ends at a paragraph, line, sentence or word if there is such a place in its second half. A visible character
    (an emoji with its skin tone) is not cut, unless it is longer than `limit`. White space at a cut is dropped. Empty
    text gives no parts. In a text that exceeds `limit`, long runs of white space are shortened first (`shrink_gaps`).
    """
    rest = text.strip()
    if size(rest) > limit:
        rest = shrink_gaps(rest)
    while rest:
        if len(rest) <= limit and size(rest) <= limit:
            yield rest
            return
        fitting = _fitting(rest, limit, size)
        part = rest[: _between_characters(rest, len(fitting))]
        cut = _cut(part)
        yield part[:cut].rstrip()
        rest = rest[cut:].lstrip()


def _fitting(text: str, limit: int, size: Callable[[str], int]) -> str:
    """The longest prefix within `limit`, at least one character, so that splitting ends."""
    low, high = 1, max(1, min(len(text), limit))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if size(text[:middle]) <= limit else (low, middle - 1)
    return text[:low]


def _between_characters(text: str, cut: int) -> int:
    """The last place at or before `cut` between two visible characters; `cut` itself if there is none nearby."""
    nearby = range(cut, max(0, cut - _LONGEST), -1)
    return next((place for place in nearby if not _joined(text, place)), cut)


def _joined(text: str, place: int) -> bool:
    """Whether the code points around `place` form one visible character: the common part of Unicode's rules for
    grapheme clusters (UAX #29)."""
    if place >= len(text):
        return False
    after, before = text[place], text[place - 1]
    if _FLAG_HALF.match(after):
        halves = 0
        while halves < place and _FLAG_HALF.match(text[place - 1 - halves]):
            halves += 1
        return halves % 2 == 1
    return _JOINER in (before, after) or bool(_SKIN.match(after)) or unicodedata.category(after)[0] == "M"


def _cut(part: str) -> int:
    for pattern in _BREAKS:
        ends = [match.end() for match in pattern.finditer(part) if match.end() > len(part) // 2]
        if ends:
            return ends[-1]
    return len(part)
