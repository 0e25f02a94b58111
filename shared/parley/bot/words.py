"""The words of a line that a person typed: quoted strings, full-width white space and Chinese punctuation."""

import re
from datetime import date, datetime

_QUOTES = {'"': '"', "“": "”", "「": "」", "『": "』", "'": "'", "‘": "’"}
_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"\S+")
_SEPARATORS = "，、；。"
"""Chinese punctuation that ends an argument that is no text."""
_SEPARATED_SPACE = re.compile(rf"[\s{_SEPARATORS}]*")
_SEPARATED_WORD = re.compile(rf"[^\s{_SEPARATORS}]+")
_LISTED_SPACE = re.compile(rf"[\s{_SEPARATORS},;]*")
_LISTED_WORD = re.compile(rf"[^\s{_SEPARATORS},;]+")
_LONGEST_DATE = 60


class Words:
    """Reads the words of `line` from left to right, in linear time."""

    def __init__(self, line: str) -> None:
        self._line = line
        self._at = 0
        self._closing: dict[str, int] = {}
        """The next place of a closing quotation mark; the length of the line if there is none."""

    @property
    def rest(self) -> str:
        """The rest of the line, without white space around it."""
        return self._line[self._at :].strip()

    @property
    def done(self) -> bool:
        """Whether only white space is left."""
        return _match(_SPACE, self._line, self._at) == len(self._line)

    def text(self) -> str:
        """The next word, up to white space, or the text between quotation marks."""
        return self._next(_SPACE, _WORD)

    def value(self, kind: type[date] | None = None) -> str:
        """The next word that is no text: Chinese punctuation ends it too. Empty at the end.

        `kind`: `date` or `datetime`, which can have several words.
        """
        return self._date(_SEPARATED_SPACE, kind) or self._next(_SEPARATED_SPACE, _SEPARATED_WORD)

    def item(self, kind: type[date] | None = None) -> str:
        """The next word of a list: a comma or semicolon ends it too. Empty at the end. `kind`: as above."""
        return self._date(_LISTED_SPACE, kind) or self._next(_LISTED_SPACE, _LISTED_WORD)

    def skip(self) -> None:
        """Go on after white space and Chinese punctuation."""
        self._at = _match(_SEPARATED_SPACE, self._line, self._at)

    def _date(self, space: re.Pattern[str], kind: type[date] | None) -> str:
        """The next words that are a date, or a date with a time of the day; empty if they are none."""
        if kind is None:
            return ""
        from parley.bot.dates import leading_date  # noqa: PLC0415  # most bots take no date

        start = _match(space, self._line, self._at)
        length = leading_date(self._line[start : start + _LONGEST_DATE], with_clock=kind is datetime)
        if length:
            self._at = start + length
        return self._line[start : start + length]

    def _next(self, space: re.Pattern[str], word: re.Pattern[str]) -> str:
        start = _match(space, self._line, self._at)
        end = self._quoted(start, space)
        if end:
            self._at = end + 1
            return self._line[start + 1 : end]
        self._at = _match(word, self._line, start)
        return self._line[start : self._at]

    def _quoted(self, start: int, space: re.Pattern[str]) -> int:
        """The place of the mark that closes a quotation from `start`; 0 if none starts there, or if it ends in the
        middle of a word.
        """
        mark = _QUOTES.get(self._line[start : start + 1])
        if mark is None:
            return 0
        if self._closing.get(mark, 0) <= start:
            found = self._line.find(mark, start + 1)
            self._closing[mark] = found if found >= 0 else len(self._line)
        end = self._closing[mark]
        is_end = end + 1 == len(self._line) or _match(space, self._line, end + 1) > end + 1
        return end if end < len(self._line) and is_end else 0


def _match(pattern: re.Pattern[str], line: str, at: int) -> int:
    """The end of the match at `at`; `at` if there is none."""
    found = pattern.match(line, at)
    return found.end() if found else at
