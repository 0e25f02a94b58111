"""Rate limits, shared by all instances: each call is reserved in DynamoDB, and waits until it may be made.

Each bucket has a row, and a reservation is one write to it. Calls under a limit over less than a minute are spaced
(`spacing`), because the platform would refuse a part of a burst. Calls under a limit over a minute or more are counted
(`sliding_window`): nobody waits as long as the window has room. One write reserves in both limits of a bucket. Far from
the limits, a process reserves several calls with one write (`portions`).

A reply that waits longer than `MAX_WAIT` goes back to the queue, where it keeps its order. Shorter waits are slept
here, because a queue counts in whole seconds.

A call that draws from several buckets reserves in the spaced ones first: in the narrowest, where it waits before it
reserves in the next. The last one, which most calls share, is met exactly; the earlier ones are advanced to the time of
the call. The counted ones follow, which need no sleep. There a reservation that is not used remains counted, and this
process may use it for another call, for a few seconds. So the widest comes first. A very large limit is divided over
several rows, because one row takes 1,000 writes a second.
"""

import math
import random
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from parley.adapter import BreakerFailure, Bucket, Limit, Pause
from parley.engine import limit_row, portions, telemetry
from parley.engine.limit_row import MAX_WAIT, TTL, LimitRow, Write
from parley.engine.portions import USABLE, Lease, Portion
from parley.engine.spacing import DIGITS, LATEST, Spacing, is_spaced, spacing
from parley.errors import RetryAfter
from parley.journal import table as t
from parley.journal.table import Item, item_in, limit_pk

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_PER_ROW = 200.0
"""Calls a second for which one row is enough: as many writes, and as many again that are refused."""
_LATE = 0.04
"""Part of the period by which a call may be late without effect on a spaced limit."""
_REMEMBERED = 86_400
"""Seconds for which a process remembers a row. Shorter than `TTL`."""
_TRIES = 6
"""Writes of one reservation. A second one is needed if this process knew too little of the row; more if others are
faster."""
_MAX_CACHED = 10_000
"""Buckets whose row a process remembers."""


def rows(bucket: Bucket) -> tuple[Bucket, ...]:
    """The buckets, each with a row of its own, that together make up `bucket`."""
    many = math.ceil(bucket.limit / bucket.period / _PER_ROW)
    if many == 1:
        return (bucket,)
    return tuple(_share(bucket, number, many) for number in range(many))


def _share(bucket: Bucket, number: int, many: int) -> Bucket:
    key, limit, period, longer = bucket
    longer = longer and Limit((longer.calls + number) // many, longer.period)
    return Bucket(f"{key}#{number}", (limit + number) // many, period, longer)


class Reserved(NamedTuple):
    """A call that draws from `buckets` may begin until the unix second `until`, and no later."""

    buckets: tuple[Bucket, ...] = ()
    until: float = 0

    def covers(self, buckets: tuple[Bucket, ...], now: float) -> bool:
        """Whether a call that draws from `buckets` may begin now."""
        return buckets == self.buckets and now <= self.until


class _Reservation(NamedTuple):
    """A call at the time `at`, which may begin until `until`. `portion`: the one that it belongs to. A spaced call that
    was reserved by itself has the `pace` at which it was, and the bucket's `tat` after it.
    """

    bucket: Bucket
    at: float
    until: float
    portion: Portion
    pace: Spacing | None = None
    tat: float = 0.0

    def usable_until(self, now: float) -> float:
        """The last moment at which the call may begin, if it is spaced for `now`."""
        return min(self.until, now + LATEST * self.bucket.period) if is_spaced(self.bucket) else self.until


class RateLimiter(msgspec.Struct):
    """The rate limits of this deployment, in the table `table`."""

    client: "DynamoDBClient"
    table: str
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    draw: Callable[[], float] = random.random
    _known: dict[str, LimitRow] = {}
    _portions: dict[str, Portion] = {}

    def wait(self, buckets: Sequence[Bucket]) -> Reserved:
        """Return when a call that draws from `buckets` may be made.

        Raises RetryAfter if that is more than `MAX_WAIT` seconds away. What was reserved until then is given back.
        """
        self._check_known(buckets)
        reserved: list[_Reservation] = []
        try:
            for bucket in sorted(buckets, key=_order):
                reserved.append(self._reserve(bucket))
                self._sleep_until(reserved[-1].at)
            now = self.clock()
            if any(now > each.until for each in reserved):
                raise RetryAfter(MAX_WAIT, "rate limit: the reservation took too long")
        except RetryAfter:
            for reservation in reserved:
                self._give_back(reservation)
            raise
        paced = [(reservation, reservation.pace) for reservation in reserved if reservation.pace]
        for earlier, pace in paced[:-1]:
            if now - earlier.at > _LATE * earlier.bucket.period:
                self._advance_to(earlier.bucket, now + pace.interval)
        for each in reserved:
            each.portion.moved(now)
        return Reserved(tuple(buckets), min((each.usable_until(now) for each in reserved), default=math.inf))

    def pause(self, bucket: Bucket, until: float) -> None:
        """Allow no call before the unix second `until`, because the platform has demanded it."""
        for row in rows(bucket):
            self._advance_to(row, until + spacing(row.limits[0]).burst if is_spaced(row) else until)
            self._portions.pop(row.key, None)

    def apply(self, feedback: "Iterable[Pause | BreakerFailure]") -> None:
        """Apply the consequences of an answer for its buckets."""
        for consequence in feedback:
            if isinstance(consequence, Pause):
                self.pause(consequence.bucket, self.clock() + consequence.seconds)
            else:
                self._count_failure(consequence)

    def _count_failure(self, failure: BreakerFailure) -> None:
        """Count a failure; open the circuit breaker if there are too many."""
        try:
            self._reserve(failure.bucket)
        except RetryAfter as empty:
            telemetry.count("CircuitBreakersOpened")
            for bucket in failure.pauses:
                self.pause(bucket, self.clock() + max(empty.seconds, failure.open_for))

    def _sleep_until(self, at: float) -> None:
        ahead = at - self.clock()
        if ahead > 0:
            self.sleep(ahead)

    def _check_known(self, buckets: Iterable[Bucket]) -> None:
        """Raise RetryAfter if one of `buckets` is known to be full: then the others need no reservation, which would
        have to be given back.
        """
        for bucket in buckets:
            seconds = min(map(self._known_wait, rows(bucket)))
            if seconds > 0:
                telemetry.count("CallsRateLimited")
                raise RetryAfter(seconds, "rate limit")

    def _known_wait(self, part: Bucket) -> float:
        """Seconds until a call can be reserved in the row of `part`, by what this process knows of it."""
        now, portion = self.clock(), self._portions.get(part.key)
        if portion and portion.has_calls(now):
            return 0
        now = round(now, DIGITS)
        return limit_row.free_from(self._row(part, now), part, now) - now

    def _reserve(self, bucket: Bucket) -> _Reservation:
        """Reserve a call in one of the rows of `bucket`. Raises RetryAfter."""
        parts = rows(bucket)
        first = int(self.draw() * len(parts))
        soonest = math.inf
        for part in (*parts[first:], *parts[:first]):
            try:
                return self._reserve_in_row(part)
            except RetryAfter as later:
                soonest = min(soonest, later.seconds)
        raise RetryAfter(soonest, "rate limit")

    def _reserve_in_row(self, bucket: Bucket) -> _Reservation:
        """Reserve a call in the row of `bucket`. Raises RetryAfter.

        A write that fails brings the row as it is. Then the next one fits, or the time to wait is known.
        """
        portion = self._portions.get(bucket.key)
        if portion and portion.take(now := self.clock()):
            return _Reservation(bucket, now, min(now + USABLE, portion.ends), portion)
        for _ in range(_TRIES):
            now = round(self.clock(), DIGITS)
            row = self._row(bucket, now)
            free_from = limit_row.free_from(row, bucket, now)
            if free_from > now:
                telemetry.count("CallsRateLimited")
                raise RetryAfter(free_from - now, "rate limit")
            lease = portions.new_lease(portion, bucket, limit_row.listed(row, bucket, now), now)
            lease = lease if limit_row.has_plenty(row, bucket, now) else None
            after = self._try(bucket, limit_row.reservation(row, bucket, now, lease), lease.calls if lease else 1)
            if after is not None:
                return self._reserved(bucket, row, after, now, lease)
        raise RetryAfter(1, "rate limit contended")

    def _reserved(
        self, bucket: Bucket, before: LimitRow, after: LimitRow, now: float, lease: Lease | None
    ) -> _Reservation:
        """The reservation that changed the row from `before` to `after`. The rest of its portion is kept."""
        portion, last = portions.reserved(bucket, now, lease), self._portions.get(bucket.key)
        if last is None or not last.has_calls(now):
            self._portions[bucket.key] = portion
        pace = limit_row.pace(before, bucket, now)
        at = max(now, after.tat - pace.interval - pace.burst) if pace else now
        return _Reservation(bucket, at, now + USABLE, portion, pace, after.tat)

    def _try(self, bucket: Bucket, write: Write, calls: int) -> LimitRow | None:
        """The row after `write` has reserved `calls` calls; None if it was refused."""
        done, item = self._update(bucket, write)
        now = self.clock()
        row = limit_row.read(item, bucket, now)
        marked = limit_row.after_calls(row, bucket, calls, now) if done else limit_row.after_refusal(row, bucket, now)
        if marked != row:
            self._update(bucket, limit_row.store_marks(marked))
        self._remember(bucket, marked)
        return marked if done else None

    def _row(self, bucket: Bucket, now: float) -> LimitRow:
        """What this process knows of the row. What it saw a day ago is forgotten: the row may have been deleted."""
        known = self._known.get(bucket.key)
        return known if known and known.seen > now - _REMEMBERED else limit_row.read({}, bucket, 0)

    def _remember(self, bucket: Bucket, row: LimitRow) -> None:
        if len(self._known) >= _MAX_CACHED:
            self._known.clear()
            self._portions.clear()
        self._known[bucket.key] = row

    def _give_back(self, reservation: _Reservation) -> None:
        """Undo a reservation that will not be used, unless there is one after it. A counted call stays counted, and
        this process may use it for another one.
        """
        bucket, pace = reservation.bucket, reservation.pace
        if pace is None:
            reservation.portion.left += 1
            return
        back = Write("SET #tat = #tat - :step", "#tat = :tat", {"step": pace.interval, "tat": reservation.tat})
        done, _ = self._update(bucket, back)
        if done:
            self._known.pop(bucket.key, None)

    def _advance_to(self, bucket: Bucket, tat: float) -> None:
        change, condition = "SET #tat = :tat, #ttl = :ttl", "attribute_not_exists(#tat) OR #tat < :tat"
        _, item = self._update(bucket, Write(change, condition, {"tat": round(tat, DIGITS), "ttl": int(tat) + TTL}))
        self._remember(bucket, limit_row.read(item, bucket, self.clock()))

    def _update(self, bucket: Bucket, write: Write) -> tuple[bool, Item]:
        """Whether the condition of `write` was met, and the row afterwards."""
        request = t.update(self.table, limit_pk(bucket.key), write.change, write.condition, **write.values)
        request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        try:
            return True, self.client.update_item(**request, ReturnValues="ALL_NEW").get("Attributes", {})
        except self.client.exceptions.ConditionalCheckFailedException as error:
            return False, item_in(error)


def _order(bucket: Bucket) -> tuple[bool, float]:
    """Sorts the buckets of a call: the spaced ones, the narrowest first, then the counted ones, the widest first."""
    rate = min(limit.calls / limit.period for limit in bucket.limits)
    return (False, rate) if is_spaced(bucket) else (True, -rate)
