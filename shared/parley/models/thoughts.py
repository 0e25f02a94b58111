"""Thoughts: what a reasoning model writes between `<think>` and `</think>`. They are not part of its answer.

Some servers write the first tag into the prompt: then all before a lone `</think>` is thought. A tag in code, after a
backtick, is text.
"""

import re

_TAG = re.compile(r"(?<!`)<(/?)think>", re.IGNORECASE)
_BEGINNING = re.compile(r"`?(?:</?(?:t(?:h(?:i(?:nk?)?)?)?)?)?\Z", re.IGNORECASE)
"""The end of a piece that the next one may complete to a tag."""


class WithoutThoughts:
    """The text of an answer that comes in pieces. `text`: what is certainly no thought so far, from its first word."""

    __slots__ = ("_inside", "_opened", "_rest", "text")

    def __init__(self) -> None:
        self.text = ""
        self._rest = ""
        """What may be the beginning of a tag."""
        self._inside = self._opened = False

    def add(self, piece: str) -> None:
        """Add a piece."""
        self._rest += piece
        while found := _TAG.search(self._rest):
            before, self._rest = self._rest[: found.start()], self._rest[found.end() :]
            self._write(before)
            if found[1] and not self._opened:
                self.text = ""
            self._inside, self._opened = not found[1], True
        end = _BEGINNING.search(self._rest)
        self._flush(end.start() if end else len(self._rest))

    def end(self) -> str:
        """The whole text: no more pieces follow."""
        self._flush(len(self._rest))
        return self.text

    def _flush(self, size: int) -> None:
        self._write(self._rest[:size])
        self._rest = self._rest[size:]

    def _write(self, piece: str) -> None:
        if not self._inside:
            self.text += piece if self.text else piece.lstrip()


def without_thoughts(text: str) -> str:
    """`text` without thoughts, also one that has no end."""
    found = WithoutThoughts()
    found.add(text)
    return found.end()
