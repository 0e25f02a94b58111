"""Prints or writes docs/cost.md: `python -m tools.cost [--write]`.

`--write` also writes the figures with which `parley cost` estimates a bill.
"""

import json
import sys
from pathlib import Path
from typing import Any

from tools.cost import bill
from tools.cost.cases import CASES, STANDARD, WAYS, Ledger, measured
from tools.cost.document import document
from tools.cost.figures import PER_MONTH, PRICES

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docs" / "cost.md"
FIGURES = ROOT / "cli" / "parley_cli" / "figures.json"


def figures(ledger: Ledger) -> dict[str, Any]:
    """Dollars of a million standard messages, and of an alarm in a month."""
    names = {True: "at once", False: "queue"}
    sums = {names[way]: round(bill.total(ledger[STANDARD, way].average, at_once=way), 2) for way in WAYS}
    alarm = PER_MONTH["metric of an alarm"]
    return {"date": str(PRICES["date"]), "region": PRICES["region"], "per_million": sums, "alarm": alarm}


def main(arguments: list[str]) -> int:
    """Print or write the document. Returns the exit status."""
    ledger = measured(CASES)
    text = document(ledger)
    if arguments == ["--write"]:
        FILE.write_text(text)
        FIGURES.write_text(f"{json.dumps(figures(ledger), indent=2)}\n")
        print(f"written: {FILE.relative_to(ROOT)}, {FIGURES.relative_to(ROOT)}")
    else:
        print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
