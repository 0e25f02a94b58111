"""Splits markdown into parts of a platform's maximum length: code that is cut is a code block in each part."""

import re
from collections.abc import Callable, Iterator

from parley.text import shrink_gaps, split

_FENCE = re.compile(r"^[ \t]*(`{3,})([^`\n]{0,100})$", re.MULTILINE)
_LINE_END = re.compile(r"\s*\n")
_AHEAD = 200
"""Characters after a cut that say whether it is a good one."""


def split_markdown(text: str, limit: int, size: Callable[[str], int] = len) -> Iterator[str]:
    """`text` in parts as `parley.text.split` makes them, for a text that is markdown.

    A code block that is cut is closed, and opened again in the next part, where its lines keep their indentation. If
    the fences alone take half of the limit, the parts are those of any text.
    """
    fences = list(_FENCE.finditer(text)) if "```" in text and size(text) > limit else []
    if not fences or max(size(f"{each[0].strip()}\n\n{each[1]}") for each in fences) > limit // 2:
        yield from split(text, limit, size)
        return
    longest = max((_closing(each[1]) for each in fences), key=len)
    rest, opening = shrink_gaps(text.strip()), ""
    while rest:
        opened = f"{opening}\n" if opening else ""
        lead = rest[: len(rest) - len(rest.lstrip())]

        def framed(part: str, before: str = opened + lead) -> int:
            return size(f"{before}{part}{longest}")

        part = lead + next(split(rest[: limit + _AHEAD], limit, framed))
        rest = rest[len(part) :]
        line_end = _LINE_END.match(rest)
        rest = rest[line_end.end() :] if line_end else rest.lstrip()
        opening, whole = _whole(opening, part, is_last=not rest)
        if whole.strip():
            yield whole


def _whole(opening: str, part: str, *, is_last: bool) -> tuple[str, str]:
    """The fence that is open after `part`, and `part` in whole code blocks. `opening`: the fence open before it."""
    lines, first = part.split("\n"), opening
    if opening and _is_closing(lines[0], opening):  # nothing of the block is left
        del lines[0]
        first = opening = ""
    started = -1
    for number, line in enumerate(lines):
        if opening:
            opening = "" if _is_closing(line, opening) else opening
        elif (found := _FENCE.fullmatch(line)) is not None:
            opening, started = f"{found[1]}{found[2].rstrip()}", number
    if opening and started == len(lines) - 1 and not is_last:  # the block begins in the next part
        del lines[started]
        return opening, "\n".join([*([first] if first else []), *lines]).rstrip()
    whole = [*([first] if first else []), *lines]
    return opening, "\n".join(whole) + ("" if is_last else _closing(opening))


def _is_closing(line: str, opening: str) -> bool:
    ticks = line.strip()
    return not ticks.strip("`") and len(ticks) >= len(opening) - len(opening.lstrip("`"))


def _closing(opening: str) -> str:
    """The end of a part in which the fence `opening` is open; empty without one."""
    return f"\n{'`' * (len(opening) - len(opening.lstrip('`')))}" if opening else ""
