"""Text that may contain markup: which of it the bot wrote, and the escape of everything else.

Both platforms read tags and marks in a text and have no escape for them. A text is built of pieces that know their
origin, and is escaped when all pieces of a call are joined. So no two pieces form a tag that neither of them contains.
"""

import re
from collections.abc import Iterable
from typing import Literal, NamedTuple

from parley.text import utf8_size

_BREAK = "\u200b"
"""A zero-width space. It keeps a sequence from being read as markup."""
Origin = Literal[0, 1, 2]
RAW: Origin = 0
"""Text: nothing in it is markup."""
MARKUP: Origin = 1
"""Markup that the bot wrote and that may contain a text of a person."""
OWN: Origin = 2
"""A tag or a mention that a renderer made."""
NOBODY: Literal[3] = 3
"""Above all origins: no text may contain the sequence."""


class Piece(NamedTuple):
    """A part of a text."""

    text: str
    origin: Origin = RAW


Pieces = tuple[Piece, ...]


class Rule(NamedTuple):
    """A sequence that the platform reads as markup, and what is written in place of the match."""

    pattern: re.Pattern[str]
    """Matches up to the first character of the mark, and looks ahead."""
    allowed: Origin | Literal[3]
    """The least origin that may write it."""
    written: str = f"\\g<0>{_BREAK}"
    """A template of `re.Match.expand`: the mark is broken after its first character."""
    length: int = 2
    """Characters of the mark, from its first one, that must have the origin."""


TAGS: tuple[Rule, ...] = (Rule(re.compile(r"<(?=[\s/]*(?:a(?![a-z0-9_])|@))", re.IGNORECASE), OWN),)
"""The rules of a text message: links are tags. A robot mentions with `<@`."""
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
"""Characters that a platform may drop, which would join the characters around them. XML cannot hold most of them."""


def raw(text: str) -> Pieces:
    """`text` as pieces."""
    return (Piece(text),)


def lines(*parts: Pieces) -> Pieces:
    """`parts` below each other, without the empty ones."""
    joined: list[Piece] = []
    for part in parts:
        if any(piece.text for piece in part):
            joined += [Piece("\n"), *part] if joined else part
    return tuple(joined)


def finish(pieces: Iterable[Piece], rules: tuple[Rule, ...] = TAGS) -> str:
    """The text of `pieces`, in which only the bot's own markup is markup."""
    parts = [Piece(_CONTROL.sub("\ufffd", text), origin) for text, origin in pieces]
    text = "".join(part.text for part in parts)
    if not any(rule.pattern.search(text) for rule in rules):
        return text
    origins = b"".join(bytes((part.origin,)) * len(part.text) for part in parts)
    broken = [
        (match.start(), match.end(), match.expand(rule.written))
        for rule in rules
        for match in rule.pattern.finditer(text)
        if min(origins[match.end() - 1 : match.end() - 1 + rule.length]) < rule.allowed
    ]
    written, done = list[str](), 0
    for start, end, shown in sorted(broken):
        if start >= done:  # two rules for one character break it once
            written += [text[done:start], shown]
            done = end
    return "".join([*written, text[done:]])


def size(pieces: Iterable[Piece], rules: tuple[Rule, ...] = TAGS) -> int:
    """Bytes of the finished text."""
    return utf8_size(finish(pieces, rules))
