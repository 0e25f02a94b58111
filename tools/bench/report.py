"""The tables of the benchmarks: printed, and written into docs/benchmarks.md.

The document has a pair of comments around each table. A command replaces what is between them, and leaves the rest.
"""

import os
import platform
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"


@dataclass(frozen=True)
class Table:
    """A table. `name` is its name in the document, and `command` writes it there."""

    name: str
    command: str
    title: str
    columns: tuple[str, ...]
    """The first one is the column of names."""
    rows: tuple[tuple[str, ...], ...]
    settings: str = ""
    """How it was measured: `9 fresh processes each`."""

    def text(self) -> str:
        """The table for a terminal."""
        every = [self.columns, *self.rows]
        widths = [max(len(row[number]) for row in every) for number in range(len(self.columns))]
        first, *others = widths
        lines = (
            "  ".join(
                [row[0].ljust(first), *(cell.rjust(width) for cell, width in zip(row[1:], others, strict=True))]
            ).rstrip()
            for row in every
        )
        return "\n".join(
            [f"{self.title} ({self.settings})" if self.settings else self.title, *(f"  {x}" for x in lines)]
        )

    def markdown(self) -> str:
        """The table for the document, with the date, the machine and the command."""
        rows = [self.columns, ("---", *("--:" for _ in self.columns[1:])), *self.rows]
        table = "\n".join(f"| {' | '.join(row)} |".replace("|  |", "| |") for row in rows)
        facts = ", ".join(filter(None, (self.settings, machine())))
        return f"{table}\n\n`{self.command}` on {time.strftime('%Y-%m-%d')}: {facts}."


def machine() -> str:
    """This machine, in a few words."""
    return f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores"


def write(tables: Iterable[Table], file: Path = FILE) -> None:
    """Write `tables` into the document."""
    text = file.read_text()
    for table in tables:
        text = replaced(text, table.name, table.markdown())
    file.write_text(text)


def replaced(text: str, name: str, content: str) -> str:
    """`text` with `content` between the comments of `name`. Raises ValueError if they are missing."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    pattern = re.compile(f"(?<={re.escape(begin)}\n).*?(?={re.escape(end)})", re.DOTALL)
    if len(pattern.findall(text)) != 1:
        raise ValueError(f"the document needs one pair of the comments {begin} and {end}")
    return pattern.sub(lambda _found: f"{content}\n", text)
