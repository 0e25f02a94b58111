"""Replies that go back with the callback itself (`parley.adapter.SupportsPassiveReply`).

A platform that waits for the answer delivers the message again when it gets none, so one message has several callbacks.
Its row `callback#<message key>` counts them and holds the answer that was given, so that a delivery whose answer got lost
is answered with the same bytes; there is one at most, also where it says nothing because the replies go another way.
What could be said neither so nor otherwise is owed: it is remembered under `deferred#<conversation key>` until the person
writes again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parley.adapter import Sent
from parley.journal.rows import (
    Item,
    get_number,
    get_text,
    message_pk,
    number,
    receipts_attribute,
    replies_in,
    reply_pk,
    row_of,
    text,
)
from parley.journal.states import FINAL, Decided, MessageState, ReplyState, Row
from parley.model import Conversation, Message, Outgoing, message_key

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef, UpdateTypeDef

PASSIVE = (Sent("passive"),)
"""The receipts of a reply that was said within the callback."""
MOST_PARTS = 98
"""Replies of which one answer can tell; a transaction has at most 100 items."""
MOST_OWED = 20
"""Replies that wait for a person's next message. They are read one by one while the platform waits for its answer."""


class NotCommittedError(Exception):
    """DynamoDB refused the answer as a whole: nothing of it is recorded, and nothing of it may be said."""


class TooManyDeferredError(Exception):
    """The person is owed as much as can be kept."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A delivery of a message: the how-manieth it is, and the answer that an earlier one got."""

    number: int
    answered: str | None


@dataclass(frozen=True, slots=True)
class Part:
    """A taken reply and what becomes of it: said whole, or to be said another way. `body`: what remains of it, where a
    part was said (`rows.rewritten`).
    """

    out: Outgoing
    said: bool
    body: str = ""


@dataclass(slots=True)
class Passive:
    """Answers within callbacks, in the table `table`. `keep_for`: seconds that rows live."""

    client: "DynamoDBClient"
    table: str
    keep_for: float

    def arrived(self, message: Message, now: float) -> Arrival:
        """Note that `message` has been delivered (again)."""
        row = self.client.update_item(
            TableName=self.table,
            Key=_wait(message),
            UpdateExpression="ADD deliveries :one SET #ttl = :ttl",
            ExpressionAttributeNames={"#ttl": "ttl"},
            ExpressionAttributeValues={":one": number(1), ":ttl": number(int(now + self.keep_for))},
            ReturnValues="ALL_NEW",
        ).get("Attributes", {})
        return Arrival(int(get_number(row, "deliveries") or 1), get_text(row, "answer") or None)

    def answered(self, message: Message) -> str | None:
        """The answer that a delivery of `message` was given; None where none was."""
        return get_text(self._get(_wait_pk(message)), "answer") or None

    def decided(self, message: Message) -> Decided | None:
        """What was decided on `message`; None while it is undecided."""
        item = self._get(message_pk(message_key(message)))
        if get_text(item, "state") != MessageState.DECIDED:
            return None
        return Decided(int(get_number(item, "replies") or 0), replies_in(item, "before"))

    def all_owed(self, conversation: str, ids: set[str]) -> bool:
        """Whether all of the replies `ids` wait for what the person there is told next."""
        return not ids or ids <= self._owed_ids(conversation)

    def owed(self, conversation: str) -> list[Row]:
        """What a person could not be told, oldest first."""
        return sorted(self._unfinished(self._owed_ids(conversation)), key=lambda row: row.place)

    def owed_before(self, out: Outgoing) -> list[Row]:
        """What the person whom `out` is for could not be told, and should be told before; oldest first."""
        owed = [row for row in self.owed(out.to.key) if row.out.id != out.id]
        item = self._get(reply_pk(out.id)) if owed else {}
        return [row for row in owed if item and row.place < row_of(item).place]

    def forget(self, out: Outgoing, now: float) -> None:
        """A reply that was owed has been said after all, or never will be."""
        self.client.update_item(**self._forget(out.to.key, [out.id], now))

    def owe(self, out: Outgoing, owner: str, reason: str, now: float) -> None:
        """Keep a taken reply for the person's next message. Raises TooManyDeferredError; AwsError, also if it was taken over."""
        ids = self._owed_ids(out.to.key) - {out.id}
        if len(ids) >= MOST_OWED:
            self._drop_finished(out.to.key, ids, now)
        remember: TransactWriteItemTypeDef = {
            "Update": {
                "TableName": self.table,
                "Key": {"pk": text(_owed(out.to.key))},
                "UpdateExpression": "ADD ids :id SET #ttl = :ttl",
                "ExpressionAttributeNames": {"#ttl": "ttl"},
                "ExpressionAttributeValues": {":id": {"SS": [out.id]}, ":ttl": number(int(now + self.keep_for))},
            }
        }
        park = self._row(
            out,
            owner,
            "SET #state = :state, reason = :reason, updated = :now "
            "REMOVE unknown_since, lease_until, due_shard, due_at, attempted_since",
            {":state": text(ReplyState.PENDING), ":reason": text(reason), ":now": number(now)},
        )
        self.client.transact_write_items(TransactItems=[remember, park])

    def commit(self, message: Message, parts: Sequence[Part], owner: str, answer: str, now: float) -> None:
        """Record the answer to `message` and what it said of the replies: all of it or nothing.

        Raises NotCommittedError where it is surely nothing; after any other AwsError it may be either.
        """
        said = [part.out.id for part in parts if part.said]
        items: list[TransactWriteItemTypeDef] = [self._answer(message, answer)]
        items += [self._part(part, owner, now) for part in parts]
        if said:
            items.append({"Update": self._forget(Conversation.of(message).key, said, now)})
        try:
            self.client.transact_write_items(TransactItems=items)
        except self.client.exceptions.TransactionCanceledException as error:
            raise NotCommittedError(str(error)) from error

    def _answer(self, message: Message, answer: str) -> "TransactWriteItemTypeDef":
        return {
            "Update": {
                "TableName": self.table,
                "Key": _wait(message),
                "UpdateExpression": "SET answer = :answer",
                "ConditionExpression": "attribute_not_exists(answer)",
                "ExpressionAttributeValues": {":answer": text(answer)},
            }
        }

    def _part(self, part: Part, owner: str, now: float) -> "TransactWriteItemTypeDef":
        if part.said:
            return self._row(
                part.out,
                owner,
                "SET #state = :state, receipts = :receipts, updated = :now "
                "REMOVE unknown_since, lease_until, due_shard, due_at",
                {":state": text(ReplyState.SENT), ":receipts": receipts_attribute(PASSIVE), ":now": number(now)},
            )
        values = {":state": text(ReplyState.PENDING), ":now": number(now)}
        sets = "SET #state = :state, updated = :now"
        if part.body:
            values[":body"] = text(part.body)
            sets += ", body = :body"
        return self._row(part.out, owner, f"{sets} REMOVE unknown_since, lease_until", values)

    def _forget(self, conversation: str, ids: Iterable[str], now: float) -> "UpdateTypeDef":
        # The row may not have been there: an update makes it, and nothing else would end it.
        return {
            "TableName": self.table,
            "Key": {"pk": text(_owed(conversation))},
            "UpdateExpression": "SET #ttl = :ttl DELETE ids :ids",
            "ExpressionAttributeNames": {"#ttl": "ttl"},
            "ExpressionAttributeValues": {":ids": {"SS": list(ids)}, ":ttl": number(int(now + self.keep_for))},
        }

    def _drop_finished(self, conversation: str, ids: set[str], now: float) -> None:
        """Drop those of `ids` that were said another way, or are long gone. Raises TooManyDeferredError where there are none."""
        finished = ids - {row.out.id for row in self._unfinished(ids)}
        if not finished:
            raise TooManyDeferredError(f"{len(ids)} replies wait for the person's next message already")
        self.client.update_item(**self._forget(conversation, finished, now))

    def _owed_ids(self, conversation: str) -> set[str]:
        return set(self._get(_owed(conversation)).get("ids", {}).get("SS", []))

    def _unfinished(self, ids: Iterable[str]) -> list[Row]:
        rows = (row_of(item) for id_ in ids if (item := self._get(reply_pk(id_))))
        return [row for row in rows if row.state not in FINAL]

    def _row(self, out: Outgoing, owner: str, expression: str, values: Item) -> "TransactWriteItemTypeDef":
        """A change of a taken reply, under its fence."""
        return {
            "Update": {
                "TableName": self.table,
                "Key": {"pk": text(reply_pk(out.id))},
                "UpdateExpression": expression,
                "ConditionExpression": "#state = :sending AND #owner = :owner",
                "ExpressionAttributeNames": {"#state": "state", "#owner": "owner"},
                "ExpressionAttributeValues": {
                    ":sending": text(ReplyState.SENDING),
                    ":owner": text(owner),
                    **values,
                },
            }
        }

    def _get(self, pk: str) -> Item:
        return self.client.get_item(TableName=self.table, Key={"pk": text(pk)}, ConsistentRead=True).get("Item", {})


def _wait(message: Message) -> Item:
    return {"pk": text(_wait_pk(message))}


def _wait_pk(message: Message) -> str:
    return f"callback#{message_key(message)}"


def _owed(conversation: str) -> str:
    return f"deferred#{conversation}"
