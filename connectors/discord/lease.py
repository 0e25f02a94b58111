"""The row that says which instance holds the connection of a shard, and where the next one continues.

Each write has a condition, so that one instance is active at a time. Times in the row are unix seconds; clocks of
instances may differ by less than the margin that `is_safe` leaves.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from botocore.exceptions import ClientError

from connectors.discord.session import Saved
from parley.engine.aws import error_code
from parley.journal import table as t

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_KEPT = 86_400
"""Seconds after which DynamoDB deletes the row. Discord forgets a session within minutes."""
_REFUSED = "ConditionalCheckFailedException"
_FREE = f"{t.ABSENT} OR #lock_until <= :now OR #lock_owner = :owner"


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds. `lease`: until the standby takes over. `renew`: between two renewals, and between two looks of the
    standby. `margin`: before the end of the lease, at which nothing more is written to the queue; no write takes longer
    (`parley.engine.aws`: three tries of two seconds, and the pauses between them).
    """

    lease: float = 20
    renew: float = 3
    margin: float = 10


class Lease:
    """The lease of one shard. The methods make one request each, and raise AwsError."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        pk: str,
        owner: str,
        timing: Timing,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._table, self._pk, self._owner, self._timing = client, table, pk, owner, timing
        self._clock, self._monotonic = clock, monotonic
        self._until = 0.0

    @property
    def is_held(self) -> bool:
        """Whether no other instance can have the lease."""
        return self._monotonic() < self._until

    @property
    def is_safe(self) -> bool:
        """Whether a write that begins now ends before another instance can have the lease."""
        return self._monotonic() < self._until - self._timing.margin

    def take(self) -> Saved | None:
        """Take the lease if nobody holds it. Returns where to continue; None if another instance holds it."""
        item = self._write("SET #lock_owner = :owner, #lock_until = :until, #ttl = :ttl", _FREE)
        return None if item is None else _saved(t.get_text(item, "value"))

    def renew(self, saved: Saved) -> bool:
        """Hold the lease for longer, and store where the next instance continues. False if another one has it."""
        change = "SET #lock_until = :until, #ttl = :ttl, #value = :value"
        return self._write(change, "#lock_owner = :owner", value=_encoded(saved)) is not None

    def release(self, saved: Saved) -> None:
        """Give the lease back, and store where the next instance continues."""
        change = "SET #lock_until = :until, #ttl = :ttl, #value = :value"
        self._write(change, "#lock_owner = :owner", seconds=0, value=_encoded(saved))

    def _write(self, change: str, condition: str, seconds: float | None = None, **values: str) -> t.Item | None:
        """The row after the change; None if the condition does not hold. Then the lease is not held either."""
        held = self._timing.lease if seconds is None else seconds
        now, started = self._clock(), self._monotonic()
        given: dict[str, t.Value] = {"owner": self._owner, "until": now + held, "ttl": int(now) + _KEPT, **values}
        if ":now" in condition:
            given["now"] = now
        try:
            answer = self._client.update_item(
                **t.update(self._table, self._pk, change, condition, **given), ReturnValues="ALL_NEW"
            )
        except ClientError as error:
            if error_code(error) != _REFUSED:
                raise
            self._until = 0
            return None
        self._until = started + held
        return answer.get("Attributes", {})


def take_turn(client: "DynamoDBClient", table: str, pk: str, seconds: float, now: float) -> float:
    """Take a turn that nobody else gets within `seconds`. Returns the seconds until the next one is free, or 0.

    Raises AwsError.
    """
    condition = f"{t.ABSENT} OR #lock_until <= :now"
    request = t.update(
        table,
        pk,
        "SET #lock_until = :until, #ttl = :ttl",
        condition,
        until=now + seconds,
        ttl=int(now) + _KEPT,
        now=now,
    )
    try:
        client.update_item(**request)
    except ClientError as error:
        if error_code(error) != _REFUSED:
            raise
        return max(0.1, (t.get_number(t.get(client, table, pk), "lock_until") or now) - now)
    return 0


def _encoded(saved: Saved) -> str:
    return msgspec.json.encode(saved).decode()


def _saved(value: str) -> Saved:
    """What an earlier instance has stored. A later version may have written it: then a new session begins."""
    try:
        return msgspec.json.decode(value, type=Saved) if value else Saved()
    except msgspec.MsgspecError:
        return Saved()
