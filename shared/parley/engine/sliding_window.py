"""Counted calls: a sliding window. For limits over a minute or more.

The row of a bucket holds `count`, the number of calls that were ever reserved, and `room`, the highest `count` at which
another call may be reserved. A mark records that `count` had reached a value by some time. Once the calls up to a mark
have left the window, `room` is raised.

Never above the limit: call number n is reserved only when a mark of n - limit or more is `period + LATE` seconds old. A
call begins within `LATE` seconds of its reservation. So at least `period` seconds lie between the beginnings of call
number n - limit and call number n. For calls that are reserved in portions, see `portions`.

Never far below the limit: there is a mark for each tenth of it, and each tenth is free again `LATE` seconds after its
period. These are a tenth of a minute.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

from parley.adapter import Bucket, Limit
from parley.engine.spacing import is_spaced

LATE = 6.0
"""Seconds from a reservation to the arrival of its call at the platform, differences between clocks included."""
_TENTHS = 10
"""Marks for the calls of one limit."""


class Mark(NamedTuple):
    """The first `calls` calls were reserved by the unix second `at`."""

    calls: int
    at: float


Marks = tuple[Mark, ...]
"""The marks of one limit, the oldest first."""


def counted(bucket: Bucket) -> tuple[Limit, ...]:
    """The limits of `bucket` whose calls are counted."""
    return bucket.limits[1:] if is_spaced(bucket) else bucket.limits


def room(marks: Marks, limit: Limit, now: float) -> int:
    """The highest `count` at which another call may be reserved, by `marks`."""
    gone = (mark.calls for mark in marks if mark.at + limit.period + LATE <= now)
    return max(gone, default=0) + limit.calls - 1


def free_at(marks: Marks, count: int, limit: Limit, now: float) -> float:
    """The unix second at which a call after the first `count` may be reserved; `now` if it may be at once."""
    if count <= room(marks, limit, now):
        return now
    return min((mark.at for mark in _due(marks, count, limit)), default=now) + limit.period + LATE


def with_calls(marks: Marks, count: int, calls: int, limit: Limit, now: float) -> Marks:
    """`marks` after `calls` calls, the last one with number `count`, were reserved by `now`: with a new one if they
    complete a tenth of the limit.
    """
    tenth = max(1, limit.calls // _TENTHS)
    return _with_mark(marks, count, limit, now) if count // tenth > (count - calls) // tenth else marks


def when_full(marks: Marks, count: int, limit: Limit, now: float) -> Marks:
    """`marks` when no call after the first `count` is possible: with a new one if none of them will make it possible.

    Such a mark is missing if the process that had to set it died.
    """
    return marks if _due(marks, count, limit) else _with_mark(marks, count, limit, now)


def _with_mark(marks: Marks, count: int, limit: Limit, now: float) -> Marks:
    needed = (mark for mark in marks if count - limit.calls < mark.calls < count)
    return (*needed, Mark(count, math.ceil(now * 10) / 10))


def _due(marks: Marks, count: int, limit: Limit) -> Marks:
    """The marks after which a call after the first `count` is possible."""
    return tuple(mark for mark in marks if mark.calls + limit.calls > count)


def as_text(marks: Iterable[Marks]) -> str:
    """The marks of several limits in one attribute."""
    return ";".join(" ".join(f"{mark.calls}@{mark.at}" for mark in one) for one in marks)


def from_text(text: str, number: int) -> tuple[Marks, ...]:
    """The marks of `number` limits in `text`; none for those that it does not contain."""
    found: list[Marks] = [tuple(map(_mark, one.split())) for one in text.split(";")]
    return tuple(found[:number] + [()] * (number - len(found)))


def _mark(text: str) -> Mark:
    calls, _, at = text.partition("@")
    return Mark(int(calls), float(at))
