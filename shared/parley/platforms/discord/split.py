"""Splits markdown into parts of Discord's maximum length. Code blocks stay whole, or are closed and reopened.

Lengths are in UTF-16 units. Discord does not document its unit; this one gives the larger count.
"""

import re
from collections.abc import Iterator

from parley.platforms.discord.content_limits import LIMITS
from parley.text import shrink_gaps, split, utf16_size

LIMIT = LIMITS.text.most
"""Length of a message's content."""
_BLOCK = re.compile(r"```(?:(?P<language>[\w+#.-]{0,30})\n)?.*?```", re.DOTALL)
_CUT_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*(\\)$")
_CUT_MENTION = re.compile(r"(<(?:[@#:/at][^<>\s]{0,60})?)$")
_CUT_ADDRESS = re.compile(r"(https?://[^\s<]{0,500})$")
_CLOSE = "\n```"
_LINE_MARK = re.compile(r"(?:#{1,3}|-#|>{1,3}|[-+])(?=\s)|>(?=\S)|\d{1,9}(?=[.)]\s)")
"""Marks that mean something at the start of a line only: heading, small text, quote, list."""
_WORDS_BACK = 8
_AHEAD = 200
"""Characters after a cut that say whether it is between two visible characters."""


def parts(markdown: str, limit: int = LIMIT) -> Iterator[str]:
    """`markdown` in parts of at most `limit`, which must be at least a few dozen. Blank text gives no part."""
    rest = markdown.strip()
    if utf16_size(rest) > limit:
        rest = shrink_gaps(rest)
    while utf16_size(rest) > limit:
        part, rest = _cut(rest, limit)
        yield part
    if rest:
        yield rest


def _cut(text: str, limit: int) -> tuple[str, str]:
    """The first part of `text`, which exceeds `limit`, and the rest."""
    end = _fitting(text, limit)
    before = 0
    for block in _BLOCK.finditer(text):
        if block.start() >= end:
            break
        if block.end() <= end:
            before = block.end()
        elif block.start() > limit // 2 or (block.start() and utf16_size(block[0]) <= limit):
            return _at(text, block.start())
        else:
            return _within(text, block, limit)
    if before > limit // 2:
        return _at(text, before)
    return _at(text, _prose_end(text, before, limit))


def _at(text: str, cut: int) -> tuple[str, str]:
    """Both sides of a cut. A cut within a line does not turn a word of the line into a mark at the start of one."""
    place = _before_marks(text, cut)
    before, rest = text[:place].rstrip(), text[place:].lstrip()
    mark = _mark_after(text, place)
    if mark:
        rest = f"{mark[0]}\\{rest[mark.end() - mark.start() :]}" if mark[0].isdigit() else f"\\{rest}"
    return before, rest


def _mark_after(text: str, cut: int) -> re.Match[str] | None:
    """The mark with which the text after `cut` would begin; None if it stands at the start of a line already."""
    before, rest = len(text[:cut].rstrip()), len(text) - len(text[cut:].lstrip())
    return None if not before or "\n" in text[before:rest] else _LINE_MARK.match(text, rest)


def _before_marks(text: str, cut: int) -> int:
    """`cut`, or a cut some words before it after which no mark stands; `cut` if there is none nearby."""
    place = cut
    for _ in range(_WORDS_BACK):
        if _mark_after(text, place) is None:
            return place
        before = text[:place].rstrip()
        place = max(before.rfind(" "), before.rfind("\n"))
        if place <= cut // 2:
            break
    return cut


def _prose_end(text: str, before: int, limit: int) -> int:
    """The index at which to cut the text after `before`. No escape, mention or address is cut in two."""
    lead = len(text[before:]) - len(text[before:].lstrip())
    room = limit - utf16_size(text[: before + lead])
    # The whole rest would be read for each part: that is quadratic.
    near = text[before : before + lead + max(room, 0) + _AHEAD]
    cut = before + lead + len(next(split(near, room, utf16_size)))
    for pattern in (_CUT_MENTION, _CUT_ADDRESS, _CUT_ESCAPE):
        token = pattern.search(text, 0, cut)
        if token and token.start(1):
            cut = token.start(1)
    return cut


def _within(text: str, block: re.Match[str], limit: int) -> tuple[str, str]:
    """A cut through a code block that exceeds one part: after a line, if the part contains a line end."""
    opening = f"```{block['language'] or ''}\n"
    start = block.start() + len(opening if block["language"] is not None else "```")
    end = max(start + 1, _fitting(text, limit - len(_CLOSE)))
    line = text.rfind("\n", start + 1, end)
    cut = line if line > 0 else end
    rest = text[cut:].removeprefix("\n")
    return text[:cut] + _CLOSE, opening + rest


def _fitting(text: str, limit: int) -> int:
    """The number of characters of `text` that fit `limit`."""
    end = min(len(text), limit)
    while (over := utf16_size(text[:end]) - limit) > 0:
        end -= (over + 1) // 2
    return end


def clip(text: str, limit: int) -> str:
    """The first `limit` characters of `text`."""
    return text[: _fitting(text, limit)]


def shorten(text: str, limit: int) -> str:
    """`text` if it has at most `limit` characters, else its beginning and an ellipsis. No escape is cut in two."""
    if utf16_size(text) <= limit:
        return text
    start = text[: _fitting(text, limit - 1)]
    cut = _CUT_ESCAPE.search(start)
    return f"{start[: cut.start(1)] if cut else start}…"
