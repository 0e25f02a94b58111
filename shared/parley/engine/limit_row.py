"""The row of a bucket, and the write that reserves a call in it.

| attribute | contents |
|---|---|
| `tat` | the time at which a spaced bucket is free again (`spacing`); the end of a pause if nothing is spaced |
| `count`, `room`, `marks` | the calls of the counted limits (`sliding_window`) |
| `portions` | the unix seconds at which the leased portions end (`portions`) |
| `ttl` | two days after the last reservation |
"""

from collections.abc import Iterator
from typing import NamedTuple

from parley.adapter import Bucket, Limit
from parley.engine import sliding_window
from parley.engine.portions import USABLE, Lease, most_portions, share, tail
from parley.engine.sliding_window import Marks, counted
from parley.engine.spacing import DIGITS, Spacing, is_spaced, spacing
from parley.journal.table import Item, Value, get_number, get_text

MAX_WAIT = 1.0
"""Seconds that a worker sleeps until its reserved time."""
TTL = 2 * 86_400
"""Seconds from the last reservation to the end of the row. Longer than any period."""
_SAME_PORTIONS = "(#portions = :portions OR attribute_not_exists(#portions))"
_FREE = "(attribute_not_exists(#tat) OR #tat <= :now)"


class LimitRow(NamedTuple):
    """The row of a bucket as a process saw it at the unix second `seen`. `marks`: those of each counted limit. `ends`:
    those of the portions.
    """

    tat: float
    calls: int
    room: int
    marks: tuple[Marks, ...]
    ends: tuple[float, ...] = ()
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


def listed(row: LimitRow, bucket: Bucket, now: float) -> tuple[float, ...]:
    """The ends of the portions that have a share of the limit `now`."""
    return tuple(end for end in row.ends if now < end + tail(bucket))


def pace(row: LimitRow, bucket: Bucket, now: float) -> Spacing | None:
    """The pace of a single call that is reserved `now`: that of the limit less the shares of all portions.

    None if the calls are only counted. In a bucket that is free, it is the pace for as many portions as there can be.
    Then others may lease one without an effect on this reservation.
    """
    if not is_spaced(bucket):
        return None
    portions = most_portions(bucket) if _is_free(row, now) else len(listed(row, bucket, now))
    return spacing(Limit(bucket.limit - share(bucket) * portions, bucket.period))


def _is_free(row: LimitRow, now: float) -> bool:
    """Whether nobody is expected to wait. A bucket that was busy when it was seen is expected to be busy for as long
    again, because others go on calling.
    """
    return row.tat + max(0.0, row.tat - row.seen) <= now


def read(item: Item, bucket: Bucket, now: float) -> LimitRow:
    """The row in `item`, which is seen `now`; a new row if `item` is empty."""
    limits = counted(bucket)
    room = get_number(item, "room") or _first_room(bucket)
    marks = sliding_window.from_text(get_text(item, "marks"), len(limits))
    ends = tuple(map(float, get_text(item, "portions").split()))
    return LimitRow(get_number(item, "tat") or 0.0, int(get_number(item, "count") or 0), int(room), marks, ends, now)


def free_from(row: LimitRow, bucket: Bucket, now: float) -> float:
    """The unix second from which a reservation can succeed, by what is known of the row; `now` if it may at once."""
    spaced = pace(row, bucket, now)
    ahead = spaced.burst + MAX_WAIT if spaced else 0
    times = [now, row.tat - ahead + MAX_WAIT / 2] if row.tat > now + ahead else [now]
    if row.is_full:
        times += (sliding_window.free_at(marks, row.calls, limit, now) for marks, limit in _windows(row, bucket))
    return max(times)


def after_calls(row: LimitRow, bucket: Bucket, calls: int, now: float) -> LimitRow:
    """`row` after a write that has reserved `calls` calls, with the marks that have to be set `now`.

    A mark is as old as if all calls that it counts had been reserved by themselves: those of a portion may begin until
    its end.
    """
    now = _reserved_by(row, now)
    windows = _windows(row, bucket)
    marks = tuple(sliding_window.with_calls(marks, row.calls, calls, limit, now) for marks, limit in windows)
    return row._replace(marks=marks)


def after_refusal(row: LimitRow, bucket: Bucket, now: float) -> LimitRow:
    """`row` after a write that was refused, with the marks that have to be set `now`."""
    if not row.is_full:
        return row
    now = _reserved_by(row, now)
    windows = _windows(row, bucket)
    return row._replace(marks=tuple(sliding_window.when_full(marks, row.calls, limit, now) for marks, limit in windows))


def _reserved_by(row: LimitRow, now: float) -> float:
    return max(now, *(end - USABLE for end in row.ends)) if row.ends else now


def store_marks(row: LimitRow) -> Write:
    """The write that stores the marks of `row`."""
    return Write("SET #marks = :marks", "", {"marks": sliding_window.as_text(row.marks)})


def has_plenty(row: LimitRow, bucket: Bucket, now: float) -> bool:
    """Whether nobody waited when the row was seen, the bucket is idle, and a quarter of what is counted is free."""
    spaced = pace(row, bucket, now)
    if spaced and (row.tat >= row.seen + 2 * spaced.interval or row.tat > _idle_since(spaced, now)):
        return False
    quarter = min((limit.calls for limit in counted(bucket)), default=0) // 4
    return not counted(bucket) or 0 < row.calls <= _room(row, bucket, now) - quarter


def reservation(row: LimitRow, bucket: Bucket, now: float, lease: Lease | None = None) -> Write:
    """The write that reserves a call, or those of `lease`. It fails if the row has changed so that it needs another
    one.
    """
    calls = lease.calls if lease else 1
    parts = (
        Write("#ttl = :ttl", "", {"ttl": int(now) + TTL}),
        _space(row, bucket, now, lease),
        _count(row, bucket, now, calls),
        _list(row, lease),
    )
    return Write(
        "SET " + ", ".join(filter(None, (part.change for part in parts))),
        " AND ".join(filter(None, (part.condition for part in parts))),
        {name: value for part in parts for name, value in part.values.items()},
    )


def _space(row: LimitRow, bucket: Bucket, now: float, lease: Lease | None) -> Write:
    """The part of a reservation about `tat`. For a lease, it fails unless the bucket is idle.

    DynamoDB has no max(), so a busy bucket and a free one take different writes. The one for a busy bucket fails if the
    portions are not those of `row`.
    """
    spaced = pace(row, bucket, now)
    if spaced is None:
        return Write("", _FREE, {"now": now})
    if lease or _is_free(row, now):
        since = _idle_since(spaced, now) if lease else now
        return Write("#tat = :fresh", _FREE, {"now": since, "fresh": round(now + spaced.interval, DIGITS)})
    latest = round(now + spaced.burst + MAX_WAIT, DIGITS)
    values: dict[str, Value] = {"now": now, "latest": latest, "step": spaced.interval, "portions": _as_text(row.ends)}
    return Write("#tat = #tat + :step", f"#tat >= :now AND #tat <= :latest AND {_SAME_PORTIONS}", values)


def _idle_since(spaced: Spacing, now: float) -> float:
    """The unix second since which a bucket must be free to be idle: for as long as another call would take it."""
    return round(now - spaced.interval, DIGITS)


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


def _list(row: LimitRow, lease: Lease | None) -> Write:
    """The part of a reservation about `portions`."""
    if lease is None:
        return Write("", "", {})
    values: dict[str, Value] = {"portions": _as_text(row.ends), "listed": _as_text(lease.listed)}
    return Write("#portions = :listed", _SAME_PORTIONS, values)


def _as_text(ends: tuple[float, ...]) -> str:
    return " ".join(map(str, ends))


def _room(row: LimitRow, bucket: Bucket, now: float) -> int:
    """The highest `count` at which another call may be reserved, by what is known of the row."""
    return max(row.room, min(sliding_window.room(marks, limit, now) for marks, limit in _windows(row, bucket)))


def _first_room(bucket: Bucket) -> int:
    return min((limit.calls - 1 for limit in counted(bucket)), default=0)


def _windows(row: LimitRow, bucket: Bucket) -> Iterator[tuple[Marks, Limit]]:
    return zip(row.marks, counted(bucket), strict=True)
