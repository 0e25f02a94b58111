"""The printed table. A Chinese character is two columns wide in a terminal."""

import unicodedata

from tools.demo.case import Case, Result

_GAP = "  "


class Table:
    """Columns as wide as the widest text of `cases`. A longer result only moves the time to the right."""

    def __init__(self, cases: list[Case]) -> None:
        self._sent = max((_width(case.sent) for case in cases), default=0)
        self._expected = max((_width(case.expected) for case in cases), default=0)

    def head(self) -> str:
        """The row with the names of the columns."""
        return self._line("", "sent", "expected", "got", "ms")

    def row(self, result: Result) -> str:
        """The row of one result."""
        ms = "-" if result.ms is None else f"{result.ms:.0f}"
        return self._line("ok" if result.ok else "FAIL", result.case.sent, result.case.expected, result.got, ms)

    def _line(self, mark: str, sent: str, expected: str, got: str, ms: str) -> str:
        cells = (
            _padded(mark, 4),
            _padded(sent, self._sent),
            _padded(expected, self._expected),
            _padded(got, self._expected),
        )
        return f"{_GAP.join(cells)}{_GAP}{ms:>6}"


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
