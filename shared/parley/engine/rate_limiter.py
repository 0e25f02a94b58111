"""Rate limits, shared by all instances: each call reserves its moment in DynamoDB and waits for it.

Generic cell rate algorithm. A bucket's row holds the moment `tat` at which it is free again; a reservation moves it on
by the spacing `period / limit` and is told the moment before. Replies that wait longer than `PATIENCE` go back to the
queue, where they keep their order; shorter waits are slept here, because a queue counts in whole seconds.

Never above the limit: in any window of `period` at most burst + rate * period + 1 calls begin, so the rate is the limit
less the burst, less two: one for that last call and one for what happens between here and there. Never far below it:
the burst is a twentieth of the limit.

A call that draws from several buckets reserves in the narrowest first and waits there before it reserves in the next,
so that the last one, which most calls share, is met exactly; the earlier ones are moved on to the moment of the call.
A very large limit is divided over several rows: one row takes 1,000 writes a second.
"""

import math
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from parley.adapter import BreakerFailure, Bucket, Pause
from parley.engine import telemetry
from parley.errors import RetryAfter
from parley.journal.rows import Item, get_number, number, text

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

PATIENCE = 1.0
"""Seconds that a worker waits for its moment itself."""
_PER_ROW = 200.0
"""Calls a second for which one row is enough: as many writes, and as many again that are refused."""
_SMALL = 60
_LATE = 0.04
"""Part of the period by which a call may come later than its moment without being noticed by the limit."""
_KEEP = 86_400
_REMEMBERED = 10_000
"""Buckets of which a process remembers what it last saw."""


class Spacing(NamedTuple):
    """The pace of a bucket: seconds between two calls, and how far ahead of it a burst may run."""

    interval: float
    burst: float


def spacing(bucket: Bucket) -> Spacing:
    """The pace that stays within `bucket` in every window of its period.

    A small limit gets no burst, and a pace a twentieth slower than the limit, since calls 200 ms apart do not arrive
    exactly 200 ms apart.
    """
    usual = bucket.limit // 20 if bucket.limit >= _SMALL else 0
    burst = usual if bucket.burst is None else min(bucket.burst, bucket.limit // 2)
    rate = bucket.limit - burst - 2 if burst else bucket.limit * 0.95
    interval = bucket.period / rate
    return Spacing(interval, burst * interval)


def rows(bucket: Bucket) -> tuple[Bucket, ...]:
    """The buckets, each with a row of its own, that make up `bucket`."""
    many = math.ceil(bucket.limit / bucket.period / _PER_ROW)
    if many == 1:
        return (bucket,)
    burst = None if bucket.burst is None else bucket.burst // many
    shares = ((bucket.limit + number) // many for number in range(many))
    return tuple(Bucket(f"{bucket.key}#{number}", share, bucket.period, burst) for number, share in enumerate(shares))


class _Moment(NamedTuple):
    """A reservation: the moment of the call, and the bucket's `tat` behind it."""

    bucket: Bucket
    at: float
    tat: float


@dataclass(slots=True)
class RateLimiter:
    """The limits of this deployment, in the table `table`."""

    client: "DynamoDBClient"
    table: str
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    draw: Callable[[], float] = random.random
    _seen: dict[str, float] = field(default_factory=dict[str, float])
    """The `tat` of each bucket as this process last saw it; it only ever grows."""

    def wait(self, buckets: Iterable[Bucket]) -> None:
        """Return at the moment at which a call that counts against `buckets` may be made.

        Raises RetryAfter where that is further off than `PATIENCE`; nothing is then reserved.
        """
        reserved: list[_Moment] = []
        for bucket in sorted(buckets, key=lambda bucket: bucket.limit / bucket.period):
            try:
                moment = self._reserve(bucket, self.clock())
            except RetryAfter:
                for earlier in reserved:
                    self._give_back(earlier)
                raise
            reserved.append(moment)
            ahead = moment.at - self.clock()
            if ahead > 0:
                self.sleep(ahead)
        now = self.clock()
        for moment in reserved[:-1]:
            if now - moment.at > _LATE * moment.bucket.period:
                self._move_on(moment.bucket, now + spacing(moment.bucket).interval)

    def pause(self, bucket: Bucket, until: float) -> None:
        """Let nobody call before `until`: the platform has said so."""
        for row in rows(bucket):
            self._move_on(row, until + spacing(row).burst)

    def _move_on(self, bucket: Bucket, tat: float) -> None:
        try:
            self.client.update_item(
                TableName=self.table,
                Key=_pk(bucket),
                UpdateExpression="SET tat = :tat, #ttl = :ttl",
                ConditionExpression="attribute_not_exists(tat) OR tat < :tat",
                ExpressionAttributeNames={"#ttl": "ttl"},
                ExpressionAttributeValues={":tat": number(tat), ":ttl": number(int(tat) + _KEEP)},
            )
        except self.client.exceptions.ConditionalCheckFailedException:
            return

    def learn(self, news: "Iterable[Pause | BreakerFailure]") -> None:
        """Heed what an answer of the platform has told about its buckets."""
        for told in news:
            if isinstance(told, Pause):
                self.pause(told.bucket, self.clock() + told.seconds)
            else:
                self._strike(told)

    def _strike(self, strike: BreakerFailure) -> None:
        try:
            self._reserve(strike.bucket, self.clock())
        except RetryAfter as later:
            telemetry.count("CircuitBreakersOpened")
            for bucket in strike.pauses:
                self.pause(bucket, self.clock() + max(later.seconds, strike.silence))

    def _reserve(self, bucket: Bucket, now: float) -> _Moment:
        """The moment at which a call may be made in `bucket`. Raises RetryAfter."""
        parts = rows(bucket)
        first = int(self.draw() * len(parts))
        soonest: RetryAfter | None = None
        for part in (*parts[first:], *parts[:first]):
            try:
                return self._reserve_row(part, now)
            except RetryAfter as later:
                soonest = later if soonest is None or later.seconds < soonest.seconds else soonest
        raise soonest or RetryAfter(1, "rate limit")

    def _reserve_row(self, bucket: Bucket, now: float) -> _Moment:
        pace = spacing(bucket)
        tat = self._advance(bucket, pace, now)
        return _Moment(bucket, max(now, tat - pace.interval - pace.burst), tat)

    def _give_back(self, moment: _Moment) -> None:
        """Undo a reservation that will not be used, unless somebody has reserved behind it."""
        try:
            self.client.update_item(
                TableName=self.table,
                Key=_pk(moment.bucket),
                UpdateExpression="SET tat = tat - :step",
                ConditionExpression="tat = :tat",
                ExpressionAttributeValues={
                    ":step": number(spacing(moment.bucket).interval),
                    ":tat": number(moment.tat),
                },
            )
        except self.client.exceptions.ConditionalCheckFailedException:
            return
        self._seen.pop(moment.bucket.key, None)

    def _advance(self, bucket: Bucket, pace: Spacing, now: float) -> float:
        """Move the bucket on by one call and return its new `tat`. Raises RetryAfter if it is taken for too long.

        DynamoDB has no max(), so a busy bucket and an idle one take different writes; each succeeds only where it fits,
        and what was last seen tells which to try first.
        """
        busy_until = now + pace.burst + PATIENCE
        seen = self._seen.get(bucket.key, 0.0)
        busy = seen > now
        for _ in range(6):
            if seen > busy_until:
                telemetry.count("CallsRateLimited")
                raise RetryAfter(seen - busy_until + PATIENCE / 2, "rate limit")
            done, seen = self._write(bucket, pace.interval, now, busy_until if busy else None)
            self._remember(bucket, seen)
            if done:
                return seen
            busy = not busy  # and not by comparing: DynamoDB has more digits than we have
        raise RetryAfter(1, "rate limit contended")

    def _remember(self, bucket: Bucket, tat: float) -> None:
        if len(self._seen) >= _REMEMBERED:
            self._seen.clear()
        self._seen[bucket.key] = tat

    def _write(self, bucket: Bucket, step: float, now: float, busy_until: float | None) -> tuple[bool, float]:
        """Move the bucket on if it is busy, at most until `busy_until`; or, with None, if it is idle. Whether that was
        so, and its `tat` now.
        """
        values = {":now": number(now), ":ttl": number(int(now) + _KEEP)}
        if busy_until is None:
            expression, condition = "tat = :fresh", "attribute_not_exists(tat) OR tat <= :now"
            values |= {":fresh": number(now + step)}
        else:
            expression, condition = "tat = tat + :step", "tat > :now AND tat <= :most"
            values |= {":step": number(step), ":most": number(busy_until)}
        try:
            done = self.client.update_item(
                TableName=self.table,
                Key=_pk(bucket),
                UpdateExpression=f"SET {expression}, #ttl = :ttl",
                ConditionExpression=condition,
                ExpressionAttributeNames={"#ttl": "ttl"},
                ExpressionAttributeValues=values,
                ReturnValues="UPDATED_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self.client.exceptions.ConditionalCheckFailedException as error:
            found: dict[str, Any] = dict(error.response)
            return False, get_number(found.get("Item", {}), "tat") or 0.0
        return True, get_number(done.get("Attributes", {}), "tat") or 0.0


def _pk(bucket: Bucket) -> Item:
    return {"pk": text(f"limit#{bucket.key}")}
