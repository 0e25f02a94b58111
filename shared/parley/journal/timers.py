"""Timers: rows that become messages of the inbound queue when their time has come.

A decision writes them in its transaction. The sweeper sends each one, and then deletes it or moves it to its next time.
If it dies in between, the message is sent again, under the same id, and the inbox recognises it.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from parley.journal import table as t
from parley.journal.table import DUE_INDEX, TIMER_SHARD, Item, get_number, get_text, number, text, timer_pk
from parley.model.agenda import Timer
from parley.model.codec import encode

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import QueryInputTypeDef, TransactWriteItemTypeDef

_decode = msgspec.json.Decoder(Timer).decode
_TRANSACTION = 100
"""Rows that are read or changed in one request."""


class Set(msgspec.Struct, frozen=True):
    """A timer in the table. `due_at`: the time for which it is stored there."""

    timer: Timer
    due_at: float

    @property
    def pk(self) -> str:
        """The key of its row."""
        return timer_pk(self.timer.message.id)


def new(table: str, timer: Timer) -> "TransactWriteItemTypeDef":
    """Part of a transaction: set `timer`, in place of one with the same id."""
    return {"Put": t.put(table, _item(timer))}


def cancelled(table: str, id_: str) -> "TransactWriteItemTypeDef":
    """Part of a transaction: delete the timer with that id, if there is one."""
    return {"Delete": {"TableName": table, "Key": t.key(timer_pk(id_))}}


def find(client: "DynamoDBClient", table: str, id_: str) -> Timer | None:
    """The timer with that id. None if it has been sent or cancelled. One request. Raises msgspec.ValidationError."""
    item = t.get(client, table, timer_pk(id_))
    return _decode(get_text(item, "body")) if item else None


class Timers(msgspec.Struct):
    """The timers in the table `table`."""

    client: "DynamoDBClient"
    table: str

    def due(self, until: float) -> Iterator[Set | str]:
        """The timers for a time up to `until`, in the order of their times. A row that this version cannot read is
        yielded as its key.

        The index may be behind the table. A timer that it shows with another time than the table comes later.
        """
        request = self._query(until)
        while True:
            page = self.client.query(**request)
            times = [(get_text(item, "pk"), get_number(item, "due_at")) for item in page["Items"]]
            for start in range(0, len(times), _TRANSACTION):
                part = dict(times[start : start + _TRANSACTION])
                rows = t.get_many(self.client, self.table, part)
                current = (pk for pk, at in part.items() if get_number(rows.get(pk, {}), "due_at") == at)
                yield from (_set(rows[pk]) for pk in current)
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def ensure(self, timer: Timer) -> None:
        """Set `timer`, unless there is one with its id. Raises AwsError."""
        try:
            self.client.put_item(**t.put(self.table, _item(timer), t.ABSENT))
        except self.client.exceptions.ConditionalCheckFailedException:
            return

    def next(self, until: float) -> float | None:
        """The time of the first timer; None if it is later than `until`."""
        request = self._query(until)
        request["Limit"] = 1
        found = self.client.query(**request)["Items"]
        return get_number(found[0], "due_at") if found else None

    def _query(self, until: float) -> "QueryInputTypeDef":
        condition = "#due_shard = :shard AND #due_at <= :now"
        return t.query(self.table, DUE_INDEX, condition, shard=TIMER_SHARD, now=until)

    def sent(self, pairs: Sequence[tuple[Set, Timer | None]]) -> None:
        """Record that timers were sent: each is deleted, or has its next time. One that has been set anew meanwhile
        stays as it is. Raises AwsError.
        """
        for start in range(0, len(pairs), _TRANSACTION):
            part = pairs[start : start + _TRANSACTION]
            try:
                self.client.transact_write_items(TransactItems=[self._sent(*pair) for pair in part])
            except self.client.exceptions.TransactionCanceledException:
                self._one_by_one(self._sent(*pair) for pair in part)

    def _one_by_one(self, writes: "Iterable[TransactWriteItemTypeDef]") -> None:
        for write in writes:
            try:
                self.client.transact_write_items(TransactItems=[write])
            except self.client.exceptions.TransactionCanceledException:
                continue  # it has been changed, or the next run sends it again under the same id

    def _sent(self, old: Set, following: Timer | None) -> "TransactWriteItemTypeDef":
        condition, values = "#due_at = :at", {"at": old.due_at}
        if following is not None:
            return {"Put": t.put(self.table, _item(following), condition, **values)}
        return {"Delete": t.delete(self.table, old.pk, condition, **values)}


def _item(timer: Timer) -> Item:
    return {
        "pk": text(timer_pk(timer.message.id)),
        "body": text(encode(timer).decode()),
        "due_shard": text(TIMER_SHARD),
        "due_at": number(timer.at),
    }


def _set(item: Item) -> Set | str:
    try:
        return Set(_decode(get_text(item, "body")), get_number(item, "due_at") or 0)
    except ValueError:  # msgspec's errors are ValueErrors
        return get_text(item, "pk")
