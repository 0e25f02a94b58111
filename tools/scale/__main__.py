"""Prints or writes docs/scale.md, or tries the model: `python -m tools.scale [--write | --seed N]`."""

import argparse
import sys
from pathlib import Path
from random import SystemRandom

from tools.cost.cases import STANDARD, measured
from tools.scale import model, trials
from tools.scale.document import document

FILE = Path(__file__).parents[2] / "docs" / "scale.md"


def text() -> str:
    """The document."""
    return document(model.needs(measured([STANDARD])), trials.run())


def main() -> int:
    """Return the exit status: 1 if a run contradicts the model."""
    parser = argparse.ArgumentParser(prog="python -m tools.scale", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the document")
    parser.add_argument("--try", dest="tries", action="store_true", help="run the trials with a seed and compare")
    parser.add_argument("--seed", type=int, help="of the trials (default: a new one)")
    options = parser.parse_args()
    if options.tries:
        return _try(options.seed if options.seed is not None else SystemRandom().randrange(10**6))
    if options.write:
        FILE.write_text(text())
        print(f"written: {FILE.relative_to(FILE.parents[1])}")
    else:
        print(text(), end="")
    return 0


def _try(seed: int) -> int:
    wrong = 0
    for found in trials.run(seed):
        said = trials.contradictions(found)
        wrong += len(said)
        print(f"seed {seed}: {found}\n  " + ("; ".join(f"NOT TRUE: {each}" for each in said) or "as the model says"))
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
