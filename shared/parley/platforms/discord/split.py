"""Splits markdown into parts of Discord's maximum length. Code blocks stay whole, or are closed and reopened.

Lengths are in UTF-16 units. Discord does not document its unit; this one gives the larger count.
"""

import re
from collections.abc import Iterator

from parley.text import split, utf16_size

LIMIT = 2000
"""Length of a message's content. Discord docs: Message › Create Message. The OpenAPI file's 4000 is not for bots."""
_BLOCK = re.compile(r"```(?:(?P<language>[\w+#.-]{0,30})\n)?.*?```", re.DOTALL)
_CUT_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*(\\)$")
_CUT_MENTION = re.compile(r"(<(?:[@#:/at][^<>\s]{0,60})?)$")
_CLOSE = "\n```"


def parts(markdown: str, limit: int = LIMIT) -> Iterator[str]:
    """`markdown` in parts of at most `limit`, which must be at least a few dozen. Blank text gives no part."""
    rest = markdown.strip()
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
    return text[:cut].rstrip(), text[cut:].lstrip()


def _prose_end(text: str, before: int, limit: int) -> int:
    """The index at which to cut the text after `before`. No escape and no mention is cut in two."""
    lead = len(text[before:]) - len(text[before:].lstrip())
    room = limit - utf16_size(text[: before + lead])
    cut = before + lead + len(next(split(text[before:], room, utf16_size)))
    for pattern in (_CUT_MENTION, _CUT_ESCAPE):
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


def shorten(text: str, limit: int) -> str:
    """`text` if it has at most `limit` characters, else its beginning and an ellipsis."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
