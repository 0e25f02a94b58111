"""Portions: several calls of a large counted limit, reserved with one write.

A process keeps a portion in memory and takes its calls from it for `_SECONDS`. Never above the limit: all calls of a
portion are counted when it is written, and each begins within `LATE` seconds of that, as `sliding_window` requires.
What is left then is lost: the window counts calls that were never made.

So that little is lost, a portion is as large as this process has lately needed, twice the last one at most, and a
hundredth of the limit at most. And it is taken only while half of the limit is free: near the limit, every call counts.
"""

import math
from dataclasses import dataclass

from parley.adapter import Bucket
from parley.engine.sliding_window import LATE

_SECONDS = LATE - 2
"""Seconds for which calls are taken from a portion. Each waits a second for other limits at most, and then begins."""
_LARGEST = 100
"""A portion is this part of the limit at most. A limit below twice this number has no portions."""


@dataclass(slots=True)
class Portion:
    """`calls` calls that were reserved at the unix second `reserved`, of which `left` were not made."""

    calls: int
    reserved: float
    left: int

    def take(self, now: float) -> bool:
        """Take one of the calls. False if there is none, or if they are too old."""
        if not self.left or now > self.reserved + _SECONDS:
            return False
        self.left -= 1
        return True


def portion_size(last: Portion | None, bucket: Bucket, now: float) -> int:
    """The number of calls for the next portion of a process whose last one is `last`: 1 if it shall have none."""
    if last is None:
        return 1
    used = last.calls - last.left
    needed = math.ceil(used * _SECONDS / max(now - last.reserved, 0.001))
    largest = min(limit.calls for limit in bucket.limits) // _LARGEST
    return max(1, min(needed, 2 * used, largest))
