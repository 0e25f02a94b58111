"""The deliverer's side of the journal. Two requests a reply with one call: take it, and record what became of it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from parley.adapter import Sent
from parley.errors import RetryAfter
from parley.journal.rows import (
    PICKUP_AFTER,
    SHARDS,
    Item,
    get_text,
    number,
    receipts_attribute,
    reply_pk,
    row_of,
    shard,
    text,
)
from parley.journal.states import FINAL, Finished, ReplyState, Row, refusal
from parley.model import Outgoing

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

_NAMES = {"#state": "state", "#owner": "owner"}
_FENCE = "#state = :sending AND #owner = :owner"


class LeaseLostError(Exception):
    """Another worker has taken the reply over: what this one knows can no longer be recorded."""


@dataclass(slots=True)
class Outbox:
    """Replies in the table `table`. `lease`: seconds a worker may hold one; longer than its function may run."""

    client: "DynamoDBClient"
    table: str
    lease: float

    def take(self, reply_id: str, owner: str, now: float, *, calls: bool = True) -> Row | RetryAfter | Finished:
        """Take the reply for sending: the row as it was before, or why it cannot be had. `calls`: this worker may die
        after it was said and before that is recorded. One who records first leaves no doubt behind.

        A row whose `unknown_since` is set may have been said already. A reply that the journal does not know (its row
        is long gone) is Finished: what is not known was handled long ago.
        """
        doubt = "unknown_since = if_not_exists(unknown_since, :now), " if calls else ""
        try:
            old = self.client.update_item(
                TableName=self.table,
                Key={"pk": text(reply_pk(reply_id))},
                UpdateExpression="SET #state = :sending, #owner = :owner, lease_until = :until, due_at = :until, "
                f"{doubt}attempted_since = if_not_exists(attempted_since, :now), updated = :now ADD attempts :one",
                ConditionExpression="#state = :pending OR (#state = :sending AND lease_until <= :now)",
                ExpressionAttributeNames=_NAMES,
                ExpressionAttributeValues={
                    ":sending": text(ReplyState.SENDING),
                    ":pending": text(ReplyState.PENDING),
                    ":owner": text(owner),
                    ":until": number(now + self.lease),
                    ":now": number(now),
                    ":one": number(1),
                },
                ReturnValues="ALL_OLD",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self.client.exceptions.ConditionalCheckFailedException as error:
            item = _item_in(error)
            if not item:
                return Finished(ReplyState.SENT)
            row = row_of(item)
            if row.owner == owner:
                return _taken_before(row, now)
            # A lease that ended between the write and this look is as good as busy for a second.
            return refusal(row, now) or RetryAfter(1)
        return row_of(old.get("Attributes", {}))

    def is_finished(self, reply_id: str) -> bool:
        """Whether nothing is left to do for the reply; see `take` for one that the journal does not know."""
        key = {"pk": text(reply_pk(reply_id))}
        item = self.client.get_item(TableName=self.table, Key=key, ConsistentRead=True).get("Item")
        return item is None or get_text(item, "state") in FINAL

    def progress(self, out: Outgoing, owner: str, receipts: tuple[Sent, ...], now: float) -> None:
        """Record a call that is done while others follow, and keep the lease. Raises LeaseLostError."""
        self._update(
            out.id,
            owner,
            "SET receipts = :receipts, unknown_since = :now, lease_until = :until, due_at = :until, updated = :now",
            {":receipts": receipts_attribute(receipts), ":now": number(now), ":until": number(now + self.lease)},
        )

    def release(
        self,
        out: Outgoing,
        owner: str,
        receipts: tuple[Sent, ...],
        now: float,
        *,
        wait: float,
        reason: str,
        unknown_since: float | None,
        body: str = "",
    ) -> None:
        """Give the reply back, to be tried again after `wait` seconds. Raises LeaseLostError.

        Its `receipts` are stored anew: a call may have been done since they were last recorded. `unknown_since` None:
        surely nothing more was said. `body`: what it is to say from now on (`rows.rewritten`); as before if empty.
        """
        values = {
            ":pending": text(ReplyState.PENDING),
            ":receipts": receipts_attribute(receipts),
            ":reason": text(reason),
            ":due": number(now + wait + PICKUP_AFTER),
            ":now": number(now),
        }
        sets = "SET #state = :pending, receipts = :receipts, reason = :reason, due_at = :due, updated = :now"
        removes = " REMOVE lease_until"
        if body:
            values[":body"] = text(body)
            sets += ", body = :body"
        if unknown_since is None:
            removes += ", unknown_since"
        else:
            values[":unclear"] = number(unknown_since)
            sets += ", unknown_since = :unclear"
        self._update(out.id, owner, sets + removes, values)

    def finish(
        self, out: Outgoing, owner: str, state: ReplyState, receipts: tuple[Sent, ...], reason: str, now: float
    ) -> None:
        """Record how it ended. Raises LeaseLostError."""
        self._update(
            out.id,
            owner,
            "SET #state = :state, receipts = :receipts, reason = :reason, updated = :now "
            "REMOVE unknown_since, lease_until, due_shard, due_at",
            {
                ":state": text(state),
                ":receipts": receipts_attribute(receipts),
                ":reason": text(reason),
                ":now": number(now),
            },
        )

    def due(self, now: float) -> Iterator[Row | str]:
        """The replies that wait longer than they should: nobody took them, or their lease is over. One that this
        version cannot read comes as its primary key: it must not keep the others from being swept.
        """
        for waiting in range(SHARDS):
            start: dict[str, Item] | None = {}
            while start is not None:
                page = self.client.query(
                    TableName=self.table,
                    IndexName="due",
                    KeyConditionExpression="due_shard = :shard AND due_at <= :now",
                    ExpressionAttributeValues={":shard": text(f"due#{waiting}"), ":now": number(now)},
                    **start,  # pyright: ignore[reportArgumentType]
                )
                yield from map(_row_or_key, page["Items"])
                last = page.get("LastEvaluatedKey")
                start = {"ExclusiveStartKey": last} if last else None

    def postpone(self, row: Row, now: float, until: float) -> bool:
        """Note that `row` was enqueued again: not due before `until`. False where something happened to it since."""
        try:
            self.client.update_item(
                TableName=self.table,
                Key={"pk": text(reply_pk(row.out.id))},
                UpdateExpression="SET due_at = :until, due_shard = :shard",
                ConditionExpression="due_at <= :now AND #state = :state",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={
                    ":until": number(until),
                    ":now": number(now),
                    ":state": text(row.state),
                    ":shard": text(shard(row.out.id)),
                },
            )
        except self.client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _update(self, reply_id: str, owner: str, expression: str, values: "dict[str, AttributeValueTypeDef]") -> None:
        try:
            self.client.update_item(
                TableName=self.table,
                Key={"pk": text(reply_pk(reply_id))},
                UpdateExpression=expression,
                ConditionExpression=_FENCE,
                ExpressionAttributeNames=_NAMES,
                ExpressionAttributeValues={
                    ":sending": text(ReplyState.SENDING),
                    ":owner": text(owner),
                    **values,
                },
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self.client.exceptions.ConditionalCheckFailedException as error:
            # No two workers have one owner: what stands there under ours is our own write, whose answer got lost.
            if get_text(_item_in(error), "owner") != owner:
                raise LeaseLostError(reply_id) from error


def _row_or_key(item: Item) -> Row | str:
    try:
        return row_of(item)
    except ValueError:  # msgspec's errors are ValueErrors too
        return get_text(item, "pk")


def _item_in(error: ClientError) -> Item:
    """The item as it was where a condition did not hold; empty where there is none."""
    response: dict[str, Any] = dict(error.response)
    return response.get("Item") or {}


def _taken_before(row: Row, now: float) -> Row:
    """The row as it was before this very worker took it at `now`: the write was done and its answer got lost, so that
    the AWS client wrote once more and was refused.
    """
    return replace(
        row,
        state=ReplyState.PENDING,
        attempts=row.attempts - 1,
        unknown_since=None if row.unknown_since == now else row.unknown_since,
    )
