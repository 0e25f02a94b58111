"""Rate limits, shared by all instances: each call reserves its moment in DynamoDB and waits for it.

Generic cell rate algorithm. A bucket's row holds the moment `tat` at which it is free again; a reservation moves it on
by the spacing `period / limit` and is told the moment before. Replies that wait longer than `PATIENCE` go back to the
queue, where they keep their order; shorter waits are slept here, because a queue counts in whole seconds.

Never above the limit: in any window of `period` at most burst + rate * period + 1 calls begin, so the rate is the limit
less the burst, less two: one for that last call and one for what happens between here and there. Never far below it:
the burst is a twentieth of the limit.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from parley.engine import telemetry
from parley.engine.batch import Later
from parley.journal.rows import Item, get_number, number, text
from parley.platform import Bucket, Pause, Strike

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

PATIENCE = 1.0
"""Seconds that a worker waits for its moment itself."""
_WRITES_PER_SECOND = 200.0
"""Writes that one bucket's row gets at the most; a busier bucket hands out several moments at once."""
_SMALL = 40
_KEEP = 86_400


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
    burst = usual if bucket.burst is None else bucket.burst
    rate = bucket.limit - burst - 2 if burst else bucket.limit * 0.95
    interval = bucket.period / rate
    return Spacing(interval, burst * interval)


@dataclass(slots=True)
class _Lease:
    """Moments reserved ahead: `left` of them, the next at `at`."""

    at: float = 0
    left: int = 0


@dataclass(slots=True)
class Pacing:
    """The limits of this deployment, in the table `table`."""

    client: "DynamoDBClient"
    table: str
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    _leases: dict[str, _Lease] = field(default_factory=dict[str, _Lease])

    def wait(self, buckets: Iterable[Bucket]) -> None:
        """Return at the moment at which a call that counts against `buckets` may be made.

        Raises Later where that is further off than `PATIENCE`; nothing is then reserved in the bucket that said so.
        """
        now = self.clock()
        moment = max((self._reserve(bucket, now) for bucket in buckets), default=now)
        if moment > now:
            self.sleep(moment - now)

    def pause(self, bucket: Bucket, until: float) -> None:
        """Let nobody call before `until`: the platform has said so."""
        try:
            self.client.update_item(
                TableName=self.table,
                Key=_pk(bucket),
                UpdateExpression="SET tat = :until, #ttl = :ttl",
                ConditionExpression="attribute_not_exists(tat) OR tat < :until",
                ExpressionAttributeNames={"#ttl": "ttl"},
                ExpressionAttributeValues={":until": number(until), ":ttl": number(int(until) + _KEEP)},
            )
        except self.client.exceptions.ConditionalCheckFailedException:
            return

    def learn(self, news: "Iterable[Pause | Strike]") -> None:
        """Heed what an answer of the platform has told about its buckets."""
        for told in news:
            if isinstance(told, Pause):
                self.pause(told.bucket, self.clock() + told.seconds)
            else:
                self._strike(told)

    def _strike(self, strike: Strike) -> None:
        try:
            self._reserve(strike.bucket, self.clock())
        except Later as later:
            telemetry.count("BreakersOpened")
            for bucket in strike.pauses:
                self.pause(bucket, self.clock() + later.after)

    def _reserve(self, bucket: Bucket, now: float) -> float:
        """The moment at which a call may be made in `bucket`. Raises Later."""
        pace = spacing(bucket)
        lease = self._leases.get(bucket.key)
        if lease is not None and lease.left:
            moment = lease.at
            lease.at += pace.interval
            lease.left -= 1
            if moment >= now - pace.interval:
                return moment
            lease.left = 0  # reserved for a time that is over: using it now could meet those of others
        many = max(1, int(1 / (pace.interval * _WRITES_PER_SECOND)))
        tat = self._advance(bucket, pace, now, many)
        first = max(now, tat - many * pace.interval - pace.burst)
        if many > 1:
            self._leases[bucket.key] = _Lease(first + pace.interval, many - 1)
        return first

    def _advance(self, bucket: Bucket, pace: Spacing, now: float, many: int) -> float:
        """Move the bucket on by `many` calls and return its new `tat`. Raises Later if it is taken for too long.

        DynamoDB has no max(), so a busy bucket and an idle one take different writes; each succeeds only where it fits.
        """
        step = many * pace.interval
        busy_until = now + pace.burst + PATIENCE
        for _ in range(4):
            item = self._write(
                bucket, "SET tat = tat + :step, #ttl = :ttl", "tat > :now AND tat <= :most", now, step, busy_until
            )
            if not isinstance(item, dict):
                return item
            tat = get_number(item, "tat")
            if tat is not None and tat > busy_until:
                telemetry.count("CallsPaced")
                raise Later(tat - busy_until + PATIENCE / 2, "rate limit")
            item = self._write(
                bucket, "SET tat = :fresh, #ttl = :ttl", "attribute_not_exists(tat) OR tat <= :now", now, step, None
            )
            if not isinstance(item, dict):
                return item
        raise Later(1, "rate limit contended")

    def _write(
        self, bucket: Bucket, expression: str, condition: str, now: float, step: float, most: float | None
    ) -> float | Item:
        """The new `tat`, or the item as it is where the condition does not hold."""
        values = {":now": number(now), ":ttl": number(int(now) + _KEEP)}
        values |= {":fresh": number(now + step)} if most is None else {":step": number(step), ":most": number(most)}
        try:
            done = self.client.update_item(
                TableName=self.table,
                Key=_pk(bucket),
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeNames={"#ttl": "ttl"},
                ExpressionAttributeValues=values,
                ReturnValues="UPDATED_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self.client.exceptions.ConditionalCheckFailedException as error:
            return error.response.get("Item", {})  # pyright: ignore[reportReturnType, reportUnknownVariableType]
        return get_number(done.get("Attributes", {}), "tat") or 0


def _pk(bucket: Bucket) -> Item:
    return {"pk": text(f"limit#{bucket.key}")}
