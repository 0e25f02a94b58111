"""Rate limits, shared by all instances: each call reserves its time in DynamoDB and waits for it.

Generic cell rate algorithm (GCRA). A bucket's row holds the theoretical arrival time `tat`, at which the bucket is free
again. A reservation advances it by the interval `period / limit` and gets the time before. A reply that waits longer
than `MAX_WAIT` goes back to the queue, where it keeps its order. Shorter waits are slept here, because a queue counts
in whole seconds.

Never above the limit: in any window of `period` at most burst + rate * period + 1 calls begin. The rate is therefore
the limit less the burst, less two: one for that last call, and one for the time between here and the platform. Never
far below the limit: the burst is a twentieth of it.

A call that draws from several buckets reserves in the narrowest one first and waits there before it reserves in the
next. The last bucket, which most calls share, is met exactly; the earlier ones are advanced to the time of the call. A
very large limit is divided over several rows, because one row takes 1,000 writes a second.
"""

import math
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from parley.adapter import BreakerFailure, Bucket, Pause
from parley.engine import telemetry
from parley.errors import RetryAfter
from parley.journal import table as t
from parley.journal.table import Value, get_number, item_in, limit_pk

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

MAX_WAIT = 1.0
"""Seconds that a worker sleeps until its reserved time."""
_PER_ROW = 200.0
"""Calls a second for which one row is enough: as many writes, and as many again that are refused."""
_NO_BURST_BELOW = 60
"""Limits below this number get no burst."""
_LATE = 0.04
"""Part of the period by which a call may be late without effect on the limit."""
_TTL = 86_400
_MAX_CACHED = 10_000
"""Buckets whose last `tat` a process remembers."""


class Spacing(NamedTuple):
    """The pace of a bucket: seconds between two calls, and seconds by which a burst may run ahead."""

    interval: float
    burst: float


def spacing(bucket: Bucket) -> Spacing:
    """The pace that keeps the limit of `bucket` in every window of its period.

    A small limit gets no burst and a pace 5 % below the limit: calls that leave 200 ms apart do not arrive exactly 200
    ms apart.
    """
    usual = bucket.limit // 20 if bucket.limit >= _NO_BURST_BELOW else 0
    burst = usual if bucket.burst is None else min(bucket.burst, bucket.limit // 2)
    rate = bucket.limit - burst - 2 if burst else bucket.limit * 0.95
    interval = bucket.period / rate
    return Spacing(interval, burst * interval)


def rows(bucket: Bucket) -> tuple[Bucket, ...]:
    """The buckets, each with a row of its own, that together make up `bucket`."""
    many = math.ceil(bucket.limit / bucket.period / _PER_ROW)
    if many == 1:
        return (bucket,)
    burst = None if bucket.burst is None else bucket.burst // many
    shares = ((bucket.limit + number) // many for number in range(many))
    return tuple(Bucket(f"{bucket.key}#{number}", share, bucket.period, burst) for number, share in enumerate(shares))


class _Reservation(NamedTuple):
    """The time `at` of a call, and the bucket's `tat` after it."""

    bucket: Bucket
    at: float
    tat: float


@dataclass(slots=True)
class RateLimiter:
    """The rate limits of this deployment, in the table `table`."""

    client: "DynamoDBClient"
    table: str
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    draw: Callable[[], float] = random.random
    _seen: dict[str, float] = field(default_factory=dict[str, float])
    """The last known `tat` of each bucket. It only grows."""

    def wait(self, buckets: Iterable[Bucket]) -> None:
        """Return when a call that draws from `buckets` may be made.

        Raises RetryAfter, and reserves nothing, if that is more than `MAX_WAIT` seconds away.
        """
        reserved: list[_Reservation] = []
        for bucket in sorted(buckets, key=lambda bucket: bucket.limit / bucket.period):
            try:
                reservation = self._reserve(bucket, self.clock())
            except RetryAfter:
                for earlier in reserved:
                    self._give_back(earlier)
                raise
            reserved.append(reservation)
            ahead = reservation.at - self.clock()
            if ahead > 0:
                self.sleep(ahead)
        now = self.clock()
        for reservation in reserved[:-1]:
            if now - reservation.at > _LATE * reservation.bucket.period:
                self._advance_to(reservation.bucket, now + spacing(reservation.bucket).interval)

    def pause(self, bucket: Bucket, until: float) -> None:
        """Allow no call before the unix second `until`, because the platform has demanded it."""
        for row in rows(bucket):
            self._advance_to(row, until + spacing(row).burst)

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
            self._reserve(failure.bucket, self.clock())
        except RetryAfter as empty:
            telemetry.count("CircuitBreakersOpened")
            for bucket in failure.pauses:
                self.pause(bucket, self.clock() + max(empty.seconds, failure.open_for))

    def _reserve(self, bucket: Bucket, now: float) -> _Reservation:
        """The next free time of `bucket`. Raises RetryAfter."""
        parts = rows(bucket)
        first = int(self.draw() * len(parts))
        soonest: RetryAfter | None = None
        for part in (*parts[first:], *parts[:first]):
            try:
                return self._reserve_row(part, now)
            except RetryAfter as later:
                soonest = later if soonest is None or later.seconds < soonest.seconds else soonest
        raise soonest or RetryAfter(1, "rate limit")

    def _reserve_row(self, bucket: Bucket, now: float) -> _Reservation:
        pace = spacing(bucket)
        tat = self._advance(bucket, pace, now)
        return _Reservation(bucket, max(now, tat - pace.interval - pace.burst), tat)

    def _give_back(self, reservation: _Reservation) -> None:
        """Undo a reservation that will not be used, unless there is one after it."""
        bucket = reservation.bucket
        done, _ = self._update(
            bucket,
            "SET #tat = #tat - :step",
            "#tat = :tat",
            step=spacing(bucket).interval,
            tat=reservation.tat,
        )
        if done:
            self._seen.pop(bucket.key, None)

    def _advance_to(self, bucket: Bucket, tat: float) -> None:
        self._update(
            bucket,
            "SET #tat = :tat, #ttl = :ttl",
            "attribute_not_exists(#tat) OR #tat < :tat",
            tat=tat,
            ttl=int(tat) + _TTL,
        )

    def _advance(self, bucket: Bucket, pace: Spacing, now: float) -> float:
        """Advance the bucket by one call and return its new `tat`. Raises RetryAfter if it is busy for too long.

        DynamoDB has no max(), so a busy bucket and an idle one take different writes, and each succeeds only in its
        case. The last known `tat` says which to try first.
        """
        busy_until = now + pace.burst + MAX_WAIT
        seen = self._seen.get(bucket.key, 0.0)
        busy = seen > now
        for _ in range(6):
            if seen > busy_until:
                telemetry.count("CallsRateLimited")
                raise RetryAfter(seen - busy_until + MAX_WAIT / 2, "rate limit")
            done, seen = self._step(bucket, pace.interval, now, busy_until if busy else None)
            self._remember(bucket, seen)
            if done:
                return seen
            busy = not busy  # not by comparison: DynamoDB's numbers have more digits than ours
        raise RetryAfter(1, "rate limit contended")

    def _remember(self, bucket: Bucket, tat: float) -> None:
        if len(self._seen) >= _MAX_CACHED:
            self._seen.clear()
        self._seen[bucket.key] = tat

    def _step(self, bucket: Bucket, step: float, now: float, busy_until: float | None) -> tuple[bool, float]:
        """Advance the bucket if it is busy, up to `busy_until`, or with None if it is idle. Returns whether it was in
        that case, and its `tat` now.
        """
        ttl = int(now) + _TTL
        if busy_until is None:
            change, condition = "SET #tat = :fresh, #ttl = :ttl", "attribute_not_exists(#tat) OR #tat <= :now"
            return self._update(bucket, change, condition, fresh=now + step, now=now, ttl=ttl)
        change, condition = "SET #tat = #tat + :step, #ttl = :ttl", "#tat > :now AND #tat <= :most"
        return self._update(bucket, change, condition, step=step, now=now, most=busy_until, ttl=ttl)

    def _update(self, bucket: Bucket, change: str, condition: str, **values: Value) -> tuple[bool, float]:
        """Whether `condition` was met, and the `tat` afterwards."""
        request = t.update(self.table, limit_pk(bucket.key), change, condition, **values)
        request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        try:
            done = self.client.update_item(**request, ReturnValues="UPDATED_NEW")
        except self.client.exceptions.ConditionalCheckFailedException as error:
            return False, get_number(item_in(error), "tat") or 0.0
        return True, get_number(done.get("Attributes", {}), "tat") or 0.0
