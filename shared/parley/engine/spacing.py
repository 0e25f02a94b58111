"""Spaced calls: each call reserves a time of its own. For limits over less than a minute.

Generic cell rate algorithm (GCRA). The row of a bucket holds the theoretical arrival time `tat`, at which the bucket is
free again. A reservation advances it by the interval and gets the time before.

Never above the limit: in any window of `period` at most burst + rate * period + 1 calls begin. The rate is therefore
the limit less the burst, less two: one for that last call, and one for the time between here and the platform. Never
far below the limit: the burst is a twentieth of it.
"""

from typing import NamedTuple

from parley.adapter import Bucket, Limit

_NO_BURST_BELOW = 60
"""Limits below this number get no burst."""
_SPACED_BELOW = 60.0
"""Seconds. The calls under a limit over a longer period are counted."""
LATEST = 0.2
"""Part of the period by which a call may be late. Later, it waits again: it would meet the calls after it."""
DIGITS = 6
"""Decimal places of all times in a row. Then our floating-point numbers and DynamoDB's decimal ones compare alike."""


class Spacing(NamedTuple):
    """The pace of a limit: seconds between two calls, and seconds by which a burst may run ahead."""

    interval: float
    burst: float


def is_spaced(bucket: Bucket) -> bool:
    """Whether the calls under the first limit of `bucket` are spaced."""
    return bucket.period < _SPACED_BELOW


def spacing(limit: Limit) -> Spacing:
    """The pace that keeps `limit` in every window of its period.

    A small limit gets no burst and a pace 5 % below the limit: calls that leave 200 ms apart do not arrive exactly 200
    ms apart.
    """
    burst = limit.calls // 20 if limit.calls >= _NO_BURST_BELOW else 0
    rate = limit.calls - burst - 2 if burst else limit.calls * 0.95
    interval = round(limit.period / rate, DIGITS)
    return Spacing(interval, burst * interval)
