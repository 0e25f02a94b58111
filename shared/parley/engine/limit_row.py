"""The row of a bucket, and the write that reserves a call in it.

| attribute | contents |
|---|---|
| `tat` | the time at which a spaced bucket is free again (`spacing`); the end of a pause if nothing is spaced |
| `count`, `room`, `marks` | the calls of the counted limits (`sliding_window`) |
| `ttl` | two days after the last reservation |
"""

from collections.abc import Iterator
from typing import NamedTuple

from parley.adapter import Bucket, Limit
from parley.engine import sliding_window
from parley.engine.sliding_window import Marks
from parley.engine.spacing import DIGITS, Spacing, spacing
from parley.journal.table import Item, Value, get_number, get_text

MAX_WAIT = 1.0
"""Seconds that a worker sleeps until its reserved time."""
TTL = 2 * 86_400
"""Seconds from the last reservation to the end of the row. Longer than any period."""
_COUNTED_FROM = 60.0
"""Seconds. Shorter periods are spaced."""
_FREE = "(attribute_not_exists(#tat) OR #tat <= :now)"


class LimitRow(NamedTuple):
    """The row of a bucket as a process saw it at the unix second `seen`. `marks`: those of each counted limit."""

    tat: float
    calls: int
    room: int
    marks: tuple[Marks, ...]
    seen: float = 0.0

    @property
    def is_full(self) -> bool:
        """Whether `room` has to be raised before another call."""
        return self.calls > self.room


class Write(NamedTuple):
    """The arguments of `table.update`, or a part of them."""

    change: str
    condition: str
    values: dict[str, Value]


def spaced(bucket: Bucket) -> Spacing | None:
    """The pace of the calls of `bucket`; None if they are only counted."""
    return spacing(bucket.limits[0]) if bucket.period < _COUNTED_FROM else None


def counted(bucket: Bucket) -> tuple[Limit, ...]:
    """The limits of `bucket` whose calls are counted."""
    return bucket.limits[1:] if bucket.period < _COUNTED_FROM else bucket.limits


def read(item: Item, bucket: Bucket, now: float) -> LimitRow:
    """The row in `item`, which is seen `now`; a new row if `item` is empty."""
    limits = counted(bucket)
    room = get_number(item, "room") or _first_room(bucket)
    marks = sliding_window.from_text(get_text(item, "marks"), len(limits))
    return LimitRow(get_number(item, "tat") or 0.0, int(get_number(item, "count") or 0), int(room), marks, now)


def call_at(row: LimitRow, bucket: Bucket, now: float) -> float:
    """The time of the call that was reserved at `now`, given the row after it."""
    pace = spaced(bucket)
    return max(now, row.tat - pace.interval - pace.burst) if pace else now


def free_from(row: LimitRow, bucket: Bucket, now: float) -> float:
    """The unix second from which a reservation can succeed, by what is known of the row; `now` if it may at once."""
    pace = spaced(bucket)
    ahead = pace.burst + MAX_WAIT if pace else 0
    times = [now, row.tat - ahead + MAX_WAIT / 2] if row.tat > now + ahead else [now]
    if row.is_full:
        times += (sliding_window.free_at(marks, row.calls, limit, now) for marks, limit in _windows(row, bucket))
    return max(times)


def after_calls(row: LimitRow, bucket: Bucket, calls: int, now: float) -> LimitRow:
    """`row` after a write that has reserved `calls` calls, with the marks that have to be set `now`."""
    windows = _windows(row, bucket)
    marks = tuple(sliding_window.with_calls(marks, row.calls, calls, limit, now) for marks, limit in windows)
    return row._replace(marks=marks)


def after_refusal(row: LimitRow, bucket: Bucket, now: float) -> LimitRow:
    """`row` after a write that was refused, with the marks that have to be set `now`."""
    if not row.is_full:
        return row
    windows = _windows(row, bucket)
    return row._replace(marks=tuple(sliding_window.when_full(marks, row.calls, limit, now) for marks, limit in windows))


def store_marks(row: LimitRow) -> Write:
    """The write that stores the marks of `row`."""
    return Write("SET #marks = :marks", "", {"marks": sliding_window.as_text(row.marks)})


def has_plenty(row: LimitRow, bucket: Bucket, now: float) -> bool:
    """Whether `row` was seen before, its calls are only counted, and half of its limits is free."""
    half = min(limit.calls for limit in bucket.limits) // 2
    return spaced(bucket) is None and row.calls > 0 and row.calls <= _room(row, bucket, now) - half


def reservation(row: LimitRow, bucket: Bucket, now: float, calls: int = 1) -> Write:
    """The write that reserves `calls` calls. It fails if the row has changed so that it needs another one."""
    parts = Write("#ttl = :ttl", "", {"ttl": int(now) + TTL}), _space(row, bucket, now), _count(row, bucket, now, calls)
    return Write(
        "SET " + ", ".join(filter(None, (part.change for part in parts))),
        " AND ".join(filter(None, (part.condition for part in parts))),
        {name: value for part in parts for name, value in part.values.items()},
    )


def _space(row: LimitRow, bucket: Bucket, now: float) -> Write:
    """The part of a reservation about `tat`.

    DynamoDB has no max(), so a busy bucket and an idle one take different writes. A bucket that was busy when it was
    seen is expected to be busy for as long again, because others go on calling.
    """
    pace = spaced(bucket)
    if pace is None:
        return Write("", _FREE, {"now": now})
    if row.tat + max(0.0, row.tat - row.seen) <= now:
        return Write("#tat = :fresh", _FREE, {"now": now, "fresh": round(now + pace.interval, DIGITS)})
    most = round(now + pace.burst + MAX_WAIT, DIGITS)
    values: dict[str, Value] = {"now": now, "most": most, "step": pace.interval}
    return Write("#tat = #tat + :step", "#tat > :now AND #tat <= :most", values)


def _count(row: LimitRow, bucket: Bucket, now: float, calls: int) -> Write:
    """The part of a reservation about `count`. If the row is full, or several calls are reserved, it raises `room`."""
    if not counted(bucket):
        return Write("", "", {})
    if row.is_full or calls > 1:
        room = _room(row, bucket, now)
        values: dict[str, Value] = {"calls": calls, "room": room, "most": room - calls + 1}
        return Write("#count = #count + :calls, #room = :room", "#count <= :most", values)
    return Write(
        "#count = if_not_exists(#count, :none) + :calls, #room = if_not_exists(#room, :room)",
        "(attribute_not_exists(#count) OR #count <= #room)",
        {"none": 0, "calls": calls, "room": _first_room(bucket)},
    )


def _room(row: LimitRow, bucket: Bucket, now: float) -> int:
    """The highest `count` at which another call may be reserved, by what is known of the row."""
    return max(row.room, min(sliding_window.room(marks, limit, now) for marks, limit in _windows(row, bucket)))


def _first_room(bucket: Bucket) -> int:
    return min((limit.calls - 1 for limit in counted(bucket)), default=0)


def _windows(row: LimitRow, bucket: Bucket) -> Iterator[tuple[Marks, Limit]]:
    return zip(row.marks, counted(bucket), strict=True)
