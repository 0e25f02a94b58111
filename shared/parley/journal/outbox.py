"""Replies in the journal. Every write to a reply's row is in this module, and each respects `states.TRANSITIONS`.

A reply with one call takes two requests: `take`, and `finish`; only the second one if it is `new` under a lease. A
change that belongs together with changes of other rows is returned as a part of a transaction (`new`, `deferred`,
`carried`, `left`).
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from parley.adapter import Sent
from parley.errors import ParleyError, RetryAfter
from parley.journal import table as t
from parley.journal.limits import MAX_REPLY
from parley.journal.rows import PICKUP_AFTER, encoded_receipts, item_of, row_of
from parley.journal.states import FINAL, Finished, Lease, ReplyState, Row, check_transition, refusal
from parley.journal.table import DUE_INDEX, DUE_SHARDS, Item, Value, due_shard, get_text, item_in, reply_pk
from parley.model import Outgoing
from parley.model.codec import encode

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef, UpdateTypeDef

PASSIVE_RECEIPTS = (Sent("passive"),)
"""The receipts of a reply that was delivered as a passive reply."""
_HELD = "#state = :sending AND #owner = :owner"
"""The condition of a worker that holds the reply."""
_UNLOCK = "#unknown_since, #lease_until"
_UNINDEX = "#due_shard, #due_at"


class LeaseLostError(ParleyError):
    """Another worker has taken the reply over. The result of this worker cannot be recorded."""


class ReplyTooLargeError(ParleyError):
    """The reply is larger than a row can hold. The message is for the bot's author."""


class Outbox(msgspec.Struct):
    """Replies in the table `table`. `lease`: seconds that a worker may hold a reply; longer than its function runs."""

    client: "DynamoDBClient"
    table: str
    lease: float

    # --- new rows -----------------------------------------------------------------------------------------------------

    def new(self, out: Outgoing, now: float, ttl: int, lease: Lease | None = None) -> "TransactWriteItemTypeDef":
        """Part of a transaction: a new reply. It is PENDING, or with a `lease` SENDING: as after `take`.

        Raises ReplyTooLargeError.
        """
        size = len(encode(out))
        if size > MAX_REPLY:
            raise ReplyTooLargeError(
                f"a reply is {size} bytes of JSON; at most {MAX_REPLY} can be stored: give large media as a URL"
            )
        row = Row(out=out, updated=now)
        if lease is not None:
            check_transition(ReplyState.PENDING, ReplyState.SENDING)
            row = replace(
                row,
                state=ReplyState.SENDING,
                owner=lease.owner,
                lease_until=lease.until,
                attempts=1,
                attempted_since=now,
                unknown_since=now if lease.begins else None,
            )
        return {"Put": t.put(self.table, item_of(row, ttl=ttl), t.ABSENT)}

    # --- one worker ---------------------------------------------------------------------------------------------------

    def take(self, reply_id: str, owner: str, now: float, *, calls: bool = True) -> Row | RetryAfter | Finished:
        """Take the reply for delivery. Returns the row as it was before, or why it cannot be taken.

        `calls`: the worker may die between an API call and its record, so `unknown_since` is set. Pass False if the
        outcome is recorded before it is sent. If the returned row has `unknown_since`, an earlier attempt may have been
        delivered. A reply without a row was handled long ago and is Finished.
        """
        since = "#unknown_since = if_not_exists(#unknown_since, :now), " if calls else ""
        waited = " AND (attribute_not_exists(#not_before) OR #not_before <= :now)" if calls else ""
        for before in (ReplyState.PENDING, ReplyState.SENDING):
            check_transition(before, ReplyState.SENDING)
        request = t.update(
            self.table,
            reply_pk(reply_id),
            "SET #state = :sending, #owner = :owner, #lease_until = :until, "
            f"{since}#attempted_since = if_not_exists(#attempted_since, :now), #updated = :now ADD #attempts :one",
            f"(#state = :pending{waited}) OR (#state = :sending AND #lease_until <= :now)",
            sending=ReplyState.SENDING,
            pending=ReplyState.PENDING,
            owner=owner,
            until=now + self.lease,
            now=now,
            one=1,
        )
        request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        try:
            old = self.client.update_item(**request, ReturnValues="ALL_OLD")
        except self.client.exceptions.ConditionalCheckFailedException as error:
            return _not_taken(item_in(error), owner, now)
        return row_of(old.get("Attributes", {}))

    def begin(self, out: Outgoing, owner: str, now: float) -> None:
        """Record that the first call of a reply follows, which this worker holds since it is `new`. Raises
        LeaseLostError.
        """
        self._record(out.id, owner, ReplyState.SENDING, "SET #unknown_since = :now, #updated = :now", now=now)

    def is_finished(self, reply_id: str) -> bool:
        """Whether the reply is final, or has no row any more; see `take`."""
        item = t.get(self.client, self.table, reply_pk(reply_id))
        return not item or get_text(item, "state") in FINAL

    def find(self, reply_id: str) -> Row | None:
        """The row of a reply. None if there is none any more."""
        item = t.get(self.client, self.table, reply_pk(reply_id))
        return row_of(item) if item else None

    def progress(self, out: Outgoing, owner: str, receipts: tuple[Sent, ...], now: float) -> None:
        """Record a call that is done while others follow, and extend the lease. Raises LeaseLostError."""
        self._record(
            out.id,
            owner,
            ReplyState.SENDING,
            "SET #receipts = :receipts, #unknown_since = :now, #lease_until = :until, #updated = :now",
            receipts=encoded_receipts(receipts),
            now=now,
            until=now + self.lease,
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

        `receipts` are stored again: a call may have been done since they were recorded. `unknown_since` is None if
        every outcome is known. `body`: the new body (`rows.rewritten`); unchanged if empty.
        """
        sets = (
            "#state = :pending, #receipts = :receipts, #reason = :reason, #not_before = :next, #due_at = :due, "
            "#due_shard = :shard, #updated = :now"
        )
        removes = "#lease_until"
        values: dict[str, Value] = {
            "pending": ReplyState.PENDING,
            "receipts": encoded_receipts(receipts),
            "reason": reason,
            "next": now + wait,
            "due": now + wait + PICKUP_AFTER,
            "shard": due_shard(out.id),
            "now": now,
        }
        if body:
            sets += ", #body = :body"
            values["body"] = body
        if unknown_since is None:
            removes += ", #unknown_since"
        else:
            sets += ", #unknown_since = :since"
            values["since"] = unknown_since
        self._record(out.id, owner, ReplyState.PENDING, f"SET {sets} REMOVE {removes}", **values)

    def finish(
        self, out: Outgoing, owner: str, state: ReplyState, receipts: tuple[Sent, ...], reason: str, now: float
    ) -> None:
        """Record the final state `state`. Raises LeaseLostError."""
        self._record(
            out.id,
            owner,
            state,
            "SET #state = :final, #receipts = :receipts, #reason = :reason, #updated = :now "
            f"REMOVE {_UNLOCK}, {_UNINDEX}",
            final=state,
            receipts=encoded_receipts(receipts),
            reason=reason,
            now=now,
        )

    # --- passive replies, as parts of a transaction -------------------------------------------------------------------

    def deferred(self, out: Outgoing, owner: str, reason: str, now: float) -> "TransactWriteItemTypeDef":
        """Part of a transaction: a reply that was taken waits for a passive reply. It leaves the `due` index, and its
        deadline starts again with its next attempt.
        """
        return self._part(
            out,
            owner,
            ReplyState.PENDING,
            f"SET #state = :pending, #reason = :reason, #updated = :now REMOVE {_UNLOCK}, {_UNINDEX}, #attempted_since",
            pending=ReplyState.PENDING,
            reason=reason,
            now=now,
        )

    def carried(self, out: Outgoing, owner: str, now: float) -> "TransactWriteItemTypeDef":
        """Part of a transaction: a reply that was taken is carried by a passive reply."""
        return self._part(
            out,
            owner,
            ReplyState.SENT,
            f"SET #state = :sent, #receipts = :receipts, #updated = :now REMOVE {_UNLOCK}, {_UNINDEX}",
            sent=ReplyState.SENT,
            receipts=encoded_receipts(PASSIVE_RECEIPTS),
            now=now,
        )

    def left(self, out: Outgoing, owner: str, body: str, now: float) -> "TransactWriteItemTypeDef":
        """Part of a transaction: a reply that was taken is not carried by a passive reply, or only its beginning is.

        `body`: the remainder (`rows.rewritten`); unchanged if empty.
        """
        sets = "SET #state = :pending, #updated = :now" + (", #body = :body" if body else "")
        values: dict[str, Value] = {"pending": ReplyState.PENDING, "now": now} | ({"body": body} if body else {})
        return self._part(out, owner, ReplyState.PENDING, f"{sets} REMOVE {_UNLOCK}", **values)

    # --- the sweeper --------------------------------------------------------------------------------------------------

    def due(self, now: float) -> Iterator[Row | str]:
        """The replies that have waited too long: no worker took them, or the lease has expired. A row that this version
        cannot read is yielded as its primary key.

        The index holds keys only, and an entry does not move when a worker takes its reply. So the rows are read, and
        those that no worker could take now are left out.
        """
        for partition in DUE_SHARDS:
            request = t.query(
                self.table, DUE_INDEX, "#due_shard = :shard AND #due_at <= :now", shard=partition, now=now
            )
            while True:
                page = self.client.query(**request)
                keys = (get_text(item, "pk") for item in page["Items"])
                rows = map(_row_or_key, t.get_many(self.client, self.table, keys).values())
                yield from (row for row in rows if isinstance(row, str) or refusal(row, now) is None)
                if "LastEvaluatedKey" not in page:
                    break
                request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def postpone(self, row: Row, now: float, until: float) -> bool:
        """Record that `row` was enqueued again: it is not due before `until`. False if the row has changed since."""
        request = t.update(
            self.table,
            reply_pk(row.out.id),
            "SET #due_at = :until, #due_shard = :shard",
            "#due_at <= :now AND #state = :state",
            until=until,
            now=now,
            state=row.state,
            shard=due_shard(row.out.id),
        )
        try:
            self.client.update_item(**request)
        except self.client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    # --- under the lease ----------------------------------------------------------------------------------------------

    def _held(self, reply_id: str, owner: str, after: ReplyState, change: str, **values: Value) -> "UpdateTypeDef":
        """A change of the reply by the worker that holds it. Raises IllegalTransitionError."""
        check_transition(ReplyState.SENDING, after)
        return t.update(
            self.table, reply_pk(reply_id), change, _HELD, sending=ReplyState.SENDING, owner=owner, **values
        )

    def _part(
        self, out: Outgoing, owner: str, after: ReplyState, change: str, **values: Value
    ) -> "TransactWriteItemTypeDef":
        return {"Update": self._held(out.id, owner, after, change, **values)}

    def _record(self, reply_id: str, owner: str, after: ReplyState, change: str, **values: Value) -> None:
        request = self._held(reply_id, owner, after, change, **values)
        request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        try:
            self.client.update_item(**request)
        except self.client.exceptions.ConditionalCheckFailedException as error:
            # Owners are unique: a row that is still ours holds our own write, whose answer was lost.
            if get_text(item_in(error), "owner") != owner:
                raise LeaseLostError(reply_id) from error


def _row_or_key(item: Item) -> Row | str:
    try:
        return row_of(item)
    except ValueError:  # msgspec's errors are ValueErrors too
        return get_text(item, "pk")


def _not_taken(item: Item, owner: str, now: float) -> Row | RetryAfter | Finished:
    """The result of a `take` that was refused because of `item`."""
    if not item:
        return Finished(ReplyState.SENT)
    row = row_of(item)
    if row.owner != owner:
        # A lease that has expired since the write was refused counts as held for another second.
        return refusal(row, now) or RetryAfter(1)
    # The AWS client repeated the write because its answer was lost. The row before it:
    return replace(
        row,
        state=ReplyState.PENDING,
        attempts=row.attempts - 1,
        unknown_since=None if row.unknown_since == now else row.unknown_since,
    )
