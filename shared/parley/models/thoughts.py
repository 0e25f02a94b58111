"""Thoughts: what a reasoning model writes between `<think>` and `</think>`. They are not part of its answer.

They come before the answer; tags in the middle of it are text. Some servers write the first tag into the prompt: then
all before a lone `</think>` is thought, if the tag begins or ends its line, outside of code, and text follows. So it is
if the tag stands directly after a word or a sentence. A text about such tags puts them into code, or sets them off.
"""

import re

_TAG = re.compile(r"(?<!`)<(/?)think>", re.IGNORECASE)
"""Not in code: `<think>`."""
_BEGINNING = re.compile(r"`?(?:</?(?:t(?:h(?:i(?:nk?)?)?)?)?)?\Z", re.IGNORECASE)
"""The end of a piece that the next one may complete to a tag."""
_LONE = re.compile(r"(?:^[ \t]*</think>|(?<!`)</think>[ \t]*\n)\s*(?=\S)", re.IGNORECASE | re.MULTILINE)
_GLUED = re.compile(r"(?<=[a-z0-9.!?。！？…])</think>[ \t]*(?=[^\s,.;:!?)'\"`，。、；：！？）’”])", re.IGNORECASE)
"""Within its line, directly after a word or a sentence. Chinese has no spaces: there it is only after a sentence."""
_LAST = re.compile(r"(?<!`)</think>\s*\Z", re.IGNORECASE)
_FENCE = "```"


class WithoutThoughts:
    """The text of an answer that comes in pieces. `text`: what is no thought so far, from its first word."""

    __slots__ = ("_depth", "_is_tagged", "_rest", "_thought", "text")

    def __init__(self) -> None:
        self.text = ""
        self._rest = ""
        """What may be the beginning of a tag, before there is a text."""
        self._thought: list[str] = []
        """The pieces of the thought that has no end yet, with the tags in it."""
        self._depth = 0
        """Of the thought: a model can write of thoughts in a thought."""
        self._is_tagged = False
        """Whether the first tag has been read."""

    def add(self, piece: str) -> None:
        """Add a piece."""
        if self.text:
            self._write(piece)
            return
        self._rest += piece
        while found := self._next_tag():
            self._is_tagged = True
            self._thought.append(self._rest[: found.end()])
            self._rest = self._rest[found.end() :]
            thought = "".join(self._thought)
            if not _is_in_code(thought, len(thought)):
                self._depth = max(0, self._depth + (-1 if found[1] else 1))
            if not self._depth:
                self._thought.clear()
        start = _BEGINNING.search(self._rest)
        size = start.start() if start else len(self._rest)
        if self._depth:
            self._thought.append(self._rest[:size])
            self._rest = self._rest[size:]
        elif size or self._rest.startswith("`"):
            self._flush()

    def end(self) -> str:
        """The whole text: no more pieces follow. If a thought has no end, the text is what follows the last end tag."""
        if self._depth:
            thought = "".join((*self._thought, self._rest))
            ends = [found.end() for found in _TAG.finditer(thought) if found[1]]
            self._rest = thought[ends[-1] :].lstrip() if ends else ""
        self._flush()
        last = None if self._is_tagged else _LAST.search(self.text)
        if last and not _is_in_code(self.text, last.start()):
            self.text = self.text[: last.start()]
        return self.text

    def _next_tag(self) -> re.Match[str] | None:
        if self._depth:
            return _TAG.search(self._rest)
        self._rest = self._rest.lstrip()
        return _TAG.match(self._rest)

    def _flush(self) -> None:
        rest, self._rest = self._rest, ""
        self._write(rest)

    def _write(self, piece: str) -> None:
        self.text += piece
        if self._is_tagged or "</" not in self.text:
            return
        found = _end_of_thought(self.text)
        if found:
            self.text, self._is_tagged = self.text[found:], True


def _end_of_thought(text: str) -> int:
    """Where the answer begins after a thought without a first tag. 0 if there is no such thought."""
    lone = (found for found in _LONE.finditer(text) if not _is_in_code(text, found.start()))
    glued = (found for found in _GLUED.finditer(text) if not _is_quoted(text, found.start()))
    return min((found.end() for found in (next(lone, None), next(glued, None)) if found), default=0)


def _is_quoted(text: str, place: int) -> bool:
    """Whether a tag at `place` is in code, also within its line, or has a first tag in the text."""
    line = text.rfind("\n", 0, place) + 1
    has_first = any(not found[1] for found in _TAG.finditer(text, 0, place))
    return has_first or text.count("`", line, place) % 2 == 1 or _is_in_code(text, place)


def _is_in_code(text: str, place: int) -> bool:
    return text.count(_FENCE, 0, place) % 2 == 1


def without_thoughts(text: str) -> str:
    """`text` without thoughts, also one that has no end."""
    found = WithoutThoughts()
    found.add(text)
    return found.end()
