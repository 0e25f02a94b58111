"""Portions: several calls under the limits of a bucket, reserved with one write.

A process that calls again and again leases a portion. For up to a minute, it takes its calls from the portion, in
memory. So that little is lost, a portion is as large as the process has lately needed. One is leased only while the
bucket is far from its limits; near them, each call is reserved by itself.

Never above a spaced limit: the row lists the ends of all portions. A portion has `share` calls in any period, and the
process that leased it counts them. While n portions are listed, single calls are spaced for the limit less n shares, or
further apart. A portion is used from two periods after its lease to its end, and it is listed until two periods after
its end. Take any window of one period with a call from each of n portions. It begins a period after their leases at the
earliest, and it ends a period after their ends at the latest. So all n were listed when the single calls of the window
were reserved, and these calls and the n shares together are within the limit. The second of the two periods is for
clocks that differ and for calls that are late. No call that was reserved before a lease begins long after it, because
the bucket is idle at a lease.

Never above a counted limit: all calls of a portion are counted when it is leased. A mark is as old as if they had been
reserved by themselves, the last one at the end of the portion. Calls that were not made by then are lost: the window
counts them.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from parley.adapter import Bucket
from parley.engine.sliding_window import LATE, counted
from parley.engine.spacing import DIGITS, LATEST, is_spaced

USABLE = LATE - 1
"""Seconds in which a reserved call begins. One is left for the way to the platform and for clocks that differ."""
_LONGEST = 60.0
"""Seconds for which a portion is leased at most. The shortest is leased for `USABLE`."""
_PARTS = 20
"""A portion has this part of a counted limit at most. A limit below ten times this number has no portions."""
_GROWTH = 4
"""A portion has at most this number of times the calls that were taken from the one before."""
_WORTH = 16
"""Calls in a minute for which a portion is worth its writes."""
_MOST = 20
"""Portions at the same time."""


class Lease(NamedTuple):
    """A portion of `calls` calls that a process leases until `ends`.

    `listed`: the ends of all portions with it. `last`: the process's portion before this one, if the row lists it until
    now. Then this one goes on from it.
    """

    calls: int
    ends: float
    listed: tuple[float, ...]
    last: "Portion | None"


class Portion(msgspec.Struct):
    """`calls` calls of `bucket` that were reserved at `reserved`, of which `left` are left, for the time from `begins`
    to `ends`. `made`: the times of the latest ones, as many as its share. All times are unix seconds. A single call is
    a portion of one.
    """

    bucket: Bucket
    reserved: float
    calls: int
    left: int
    begins: float
    ends: float
    made: tuple[float, ...] = ()

    def has_calls(self, now: float) -> bool:
        """Whether a call can be taken now or later. Each waits a second for other limits at most, and then begins."""
        return self.left > 0 and now <= self.ends - 1

    def take(self, now: float) -> bool:
        """Take one of the calls. False if there is none for this moment."""
        if not self.has_calls(now) or now < self.begins or not self._has_share(now):
            return False
        self.left -= 1
        self.made = (*self.made, now)[-share(self.bucket) :]
        return True

    def moved(self, now: float) -> None:
        """The call that was taken last begins `now`, or up to `LATEST` of a period later."""
        if self.made:
            self.made = (*self.made[:-1], now)

    def _has_share(self, now: float) -> bool:
        if not is_spaced(self.bucket) or len(self.made) < share(self.bucket):
            return True
        return now >= self.made[0] + self.bucket.period * (1 + LATEST)


def share(bucket: Bucket) -> int:
    """The calls of one portion in any period of a spaced bucket."""
    return max(2, bucket.limit // 10)


def most_portions(bucket: Bucket) -> int:
    """The number of portions of `bucket` at the same time. Those of a spaced one have two fifths of its limit at most.

    None if a portion would have less than ten calls, or could not be used for most of its time.
    """
    if tail(bucket) > _LONGEST / 10 or any(limit.calls < 10 * _PARTS for limit in counted(bucket)):
        return 0
    return bucket.limit * 2 // 5 // share(bucket) if is_spaced(bucket) else _MOST


def new_lease(last: Portion | None, bucket: Bucket, listed: Sequence[float], now: float) -> Lease | None:
    """The portion that a process needs, if it needs one and there may be another one beside those that are `listed`.

    `last`: what the process reserved last.
    """
    if last is None or last.has_calls(now):
        return None
    used, most = last.calls - last.left, _largest(bucket)
    rate = used / max(now - last.reserved, 0.001)
    calls = min(math.ceil(rate * _LONGEST), _GROWTH * used, most) if rate * _LONGEST >= _WORTH else 1
    others = list(listed)
    goes_on = last.calls > 1 and last.ends in others
    if goes_on:
        others.remove(last.ends)
    if calls <= 1 or len(others) >= most_portions(bucket):
        return None
    begins = now if goes_on else now + tail(bucket)
    ends = round(begins + min(max(calls / rate, USABLE), _LONGEST), DIGITS)
    return Lease(calls, ends, (*others, ends), last if goes_on else None)


def _largest(bucket: Bucket) -> int:
    """The most calls of a portion."""
    most = [limit.calls // _PARTS for limit in counted(bucket)]
    if is_spaced(bucket):
        most.append(int(share(bucket) * _LONGEST / bucket.period))
    return min(most)


def reserved(bucket: Bucket, now: float, lease: Lease | None) -> Portion:
    """What was reserved `now`, and its first call taken: the portion `lease`, or a single call."""
    if lease is None:
        return Portion(bucket, now, 1, 0, now, now + USABLE)
    begins, made = (lease.last.begins, lease.last.made) if lease.last else (now + tail(bucket), ())
    return Portion(bucket, now, lease.calls, lease.calls - 1, begins, lease.ends, made)


def tail(bucket: Bucket) -> float:
    """Seconds from the lease of a portion to its first use, and from its end until it is not listed any more."""
    return 2 * bucket.period if is_spaced(bucket) else 0.0
