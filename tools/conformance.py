"""`make conformance`: runs every test vector through the deployed code.

The vectors are in `tests/vectors`, or in the folder that PARLEY_VECTORS names. The exit status is 1 if one fails.
"""

import os
import sys
from collections import Counter
from pathlib import Path

from tests.conformance.kit import adapters
from tests.conformance.vectors import FOLDER, load, run


def main() -> int:
    """Run all vectors. Returns the exit status."""
    folder = Path(os.environ.get("PARLEY_VECTORS") or FOLDER)
    known = adapters()
    try:
        results = [run(vector, known) for vector in load(folder)]
    except ValueError as error:
        sys.exit(f"conformance: {error}")
    if not results:
        sys.exit(f"conformance: no vectors in {folder}")
    for result in results:
        if result.verdict != "passed":
            print(result.line)
    counts = Counter(result.verdict for result in results)
    print(
        f"conformance: {counts['passed']} passed, {counts['failed']} failed, {counts['not applicable']} not applicable"
    )
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
