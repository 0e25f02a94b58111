"""Prints or writes docs/cost.md: `python -m tools.cost [--write]`."""

import sys
from pathlib import Path

from tools.cost.cases import CASES, measured
from tools.cost.document import document

FILE = Path(__file__).parents[2] / "docs" / "cost.md"


def main(arguments: list[str]) -> int:
    """Print or write the document. Returns the exit status."""
    text = document(measured(CASES))
    if arguments == ["--write"]:
        FILE.write_text(text)
        print(f"written: {FILE.relative_to(FILE.parents[1])}")
    else:
        print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
