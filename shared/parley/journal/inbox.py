"""The processor's side of the journal: what is known of a message and its conversation, and the one transaction that
decides. Three requests a message: read both, commit, and (in `parley.engine.queues`) one enqueue a reply.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from parley.journal.rows import (
    Item,
    conversation_pk,
    get_number,
    get_text,
    item_of,
    message_pk,
    number,
    replies_in,
    replies_item,
    reply_pk,
    row_of,
    text,
)
from parley.journal.states import FINAL, NONE, MessageState, Replies, Row
from parley.model import Conversation, Message, Outgoing, message_key, reply_id
from parley.model.codec import encode

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import PutTypeDef, TransactWriteItemTypeDef

MAX_STATE = 350_000
"""Bytes of JSON that a conversation's memory may have; a DynamoDB item holds 400 KB with everything around it."""
MAX_REPLY = 350_000
"""Bytes of JSON that one reply may have, for the same reason."""
MAX_REPLIES = 90
"""Replies to one message; a transaction has at most 100 items."""
MAX_DECISION = 3_900_000
"""Bytes of JSON that the replies to one message and the memory may have together; a transaction takes 4 MB."""
_MAX_KEPT_MESSAGE = 32_000
"""Bytes of the message that the journal keeps for people to look at; a larger one is not kept."""

State = dict[str, Any]


class DecisionTooLargeError(Exception):
    """The bot wants to store more than the journal takes. The message says what, and how large it may be."""


class AlreadyDecidedError(Exception):
    """Another worker has decided this message."""


class VersionConflictError(Exception):
    """The conversation has changed since it was read: this worker was too slow, and its decision is void."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is known when a message is taken up. `decided`: the number of its replies, None if it is undecided.
    `attempts`: how often the bot was started on it, as far as that was noted. `before`: what was said last in its
    conversation, as far as that is noted; see `Decided`.
    """

    state: State
    version: int
    decided: int | None
    attempts: int = 0
    before: Replies = NONE


@dataclass(slots=True)
class Inbox:
    """Messages and conversations in the table `table`. `keep_for`: seconds that rows live; longer than any message can
    stay in a queue or a dead-letter queue, so that whatever comes back is known.
    """

    client: "DynamoDBClient"
    table: str
    keep_for: float

    def open(self, message: Message) -> Snapshot:
        """What is known of `message` and its conversation. One request."""
        conversation = conversation_pk(Conversation.of(message).key)
        mine = message_pk(message_key(message))
        items = self._batch_get([mine, conversation])
        row, memory = items.get(mine, {}), items.get(conversation, {})
        decided = get_number(row, "replies") if get_text(row, "state") == MessageState.DECIDED else None
        return Snapshot(
            state=msgspec.json.decode(get_text(memory, "memory")) if memory else {},
            version=int(get_number(memory, "version") or 0),
            decided=None if decided is None else int(decided),
            attempts=int(get_number(row, "attempts") or 0),
            before=replies_in(memory, "last"),
        )

    def decide(
        self, message: Message, snapshot: Snapshot, state: State, replies: Sequence[Outgoing], now: float
    ) -> None:
        """Commit the decision on `message`: all of it or nothing.

        Raises DecisionTooLargeError, AlreadyDecidedError, VersionConflictError, AwsError.
        """
        if len(replies) > MAX_REPLIES:
            raise DecisionTooLargeError(
                f"{len(replies)} replies to one message; at most {MAX_REPLIES} can be decided at once"
            )
        items = [
            self._decision(message, len(replies), snapshot.before, now),
            *self._memory(message, snapshot, state, replies, now),
            *(self._put_new(self._reply_item(out, snapshot.version + 1, now)) for out in replies),
        ]
        size = len(encode(items))
        if size > MAX_DECISION:
            raise DecisionTooLargeError(
                f"state and replies are {size} bytes of JSON; at most {MAX_DECISION} can be decided at once"
            )
        try:
            self.client.transact_write_items(TransactItems=items)
        except self.client.exceptions.TransactionCanceledException as error:
            reasons = [reason.get("Code", "None") for reason in error.response.get("CancellationReasons", [])]
            if reasons and reasons[0] == "ConditionalCheckFailed":
                raise AlreadyDecidedError from error
            if "ConditionalCheckFailed" in reasons or "TransactionConflict" in reasons:
                raise VersionConflictError from error
            raise

    def replies(self, message: Message, count: int) -> list[Row]:
        """The rows of the `count` replies to `message`, in order; those long gone are left out."""
        return self.rows(Replies(message_key(message), count))

    def rows(self, replies: Replies) -> list[Row]:
        """The rows of `replies`, in order; those long gone are left out."""
        keys = [reply_pk(reply_id(replies.key, ordinal)) for ordinal in range(replies.count)]
        items = self._batch_get(keys) if keys else {}
        return [row_of(items[key]) for key in keys if key in items]

    def waiting(self, message: Message, count: int) -> list[Outgoing]:
        """Those of them that are not finished."""
        return [row.out for row in self.replies(message, count) if row.state not in FINAL]

    def attempted(self, message: Message, attempts: int, now: float) -> None:
        """Note how often the bot is started on `message`: before it is, as a worker that dies notes nothing."""
        self._note(message, "attempts = :n", {":n": number(attempts)}, now)

    def failed(self, message: Message, reason: str, attempt: int, now: float) -> None:
        """Note why handling `message` failed, for whoever finds it in the dead-letter queue."""
        values: Item = {":n": number(attempt), ":reason": text(reason[:500])}
        self._note(message, "attempts = :n, reason = :reason", values, now)

    def _note(self, message: Message, what: str, values: Item, now: float) -> None:
        try:
            self.client.update_item(
                TableName=self.table,
                Key={"pk": text(message_pk(message_key(message)))},
                UpdateExpression=f"SET {what}, #state = :received, updated = :now, "
                "#ttl = :ttl, #platform = :platform, app = :app, id = :id",
                ConditionExpression="attribute_not_exists(pk) OR #state = :received",
                ExpressionAttributeNames={"#state": "state", "#ttl": "ttl", "#platform": "platform"},
                ExpressionAttributeValues={
                    ":received": text(MessageState.RECEIVED),
                    ":now": number(now),
                    ":ttl": number(int(now + self.keep_for)),
                    ":platform": text(message.platform),
                    ":app": text(message.app),
                    ":id": text(message.id),
                    **values,
                },
            )
        except self.client.exceptions.ConditionalCheckFailedException:
            return  # somebody else has decided it meanwhile

    def add(self, out: Outgoing, now: float, turn: int = 0) -> None:
        """A reply outside any decision (an apology): there once, however often it is added. `turn`: as a decision would
        have had it, `Snapshot.version` and one.
        """
        try:
            self.client.put_item(
                TableName=self.table,
                Item=self._reply_item(out, turn, now),
                ConditionExpression="attribute_not_exists(pk)",
            )
        except self.client.exceptions.ConditionalCheckFailedException:
            return

    def _decision(self, message: Message, replies: int, before: Replies, now: float) -> "TransactWriteItemTypeDef":
        item: Item = {
            "pk": text(message_pk(message_key(message))),
            "state": text(MessageState.DECIDED),
            "replies": number(replies),
            "platform": text(message.platform),
            "app": text(message.app),
            "id": text(message.id),
            "conversation": text(Conversation.of(message).key),
            "decided": number(now),
            "ttl": number(int(now + self.keep_for)),
            **replies_item("before", before),
        }
        body = encode(msgspec.structs.replace(message, raw=None))
        if len(body) <= _MAX_KEPT_MESSAGE:
            item["message"] = text(body.decode())
        return {
            "Put": {
                "TableName": self.table,
                "Item": item,
                "ConditionExpression": "attribute_not_exists(pk) OR #state = :received",
                "ExpressionAttributeNames": {"#state": "state"},
                "ExpressionAttributeValues": {":received": text(MessageState.RECEIVED)},
            }
        }

    def _memory(
        self, message: Message, snapshot: Snapshot, state: State, replies: Sequence[Outgoing], now: float
    ) -> "list[TransactWriteItemTypeDef]":
        """The conversation's new row, or the check that the one this decision rests on is still the newest. Who was
        answered last is noted where a callback waits, since only there anybody asks.
        """
        conversation = Conversation.of(message).key
        pk = text(conversation_pk(conversation))
        condition = "version = :version" if snapshot.version else "attribute_not_exists(pk)"
        values: Item = {":version": number(snapshot.version)} if snapshot.version else {}
        here = message.context.waits and any(out.to.key == conversation for out in replies)
        last = Replies(message_key(message), len(replies)) if here else snapshot.before
        if state == snapshot.state and last == snapshot.before:
            if not snapshot.version:
                return []  # nothing was read and nothing is written: there is nothing to guard
            check: TransactWriteItemTypeDef = {
                "ConditionCheck": {
                    "TableName": self.table,
                    "Key": {"pk": pk},
                    "ConditionExpression": condition,
                    "ExpressionAttributeValues": values,
                }
            }
            return [check]
        body = encode(state)
        if len(body) > MAX_STATE:
            raise DecisionTooLargeError(
                f"the conversation's state is {len(body)} bytes of JSON; at most {MAX_STATE} can be kept"
            )
        item: Item = {
            "pk": pk,
            "memory": text(body.decode()),
            "version": number(snapshot.version + 1),
            "updated": number(now),
            **replies_item("last", last),
        }
        if not state:
            item["ttl"] = number(int(now + self.keep_for))  # it matters for as long as its replies do
        put: PutTypeDef = {"TableName": self.table, "Item": item, "ConditionExpression": condition}
        if values:
            put["ExpressionAttributeValues"] = values
        return [{"Put": put}]

    def _reply_item(self, out: Outgoing, turn: int, now: float) -> Item:
        size = len(encode(out))
        if size > MAX_REPLY:
            raise DecisionTooLargeError(
                f"a reply is {size} bytes of JSON; at most {MAX_REPLY} can be kept: give large media as a URL"
            )
        return item_of(Row(out=out, turn=turn, updated=now), ttl=int(now + self.keep_for))

    def _put_new(self, item: Item) -> "TransactWriteItemTypeDef":
        return {"Put": {"TableName": self.table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}

    def _batch_get(self, keys: Sequence[str]) -> dict[str, Item]:
        """The items under `keys`, by key, consistently read. Asks again for what DynamoDB left out."""
        found: dict[str, Item] = {}
        wanted: list[Item] = [{"pk": text(key)} for key in keys]
        while wanted:
            answer = self.client.batch_get_item(RequestItems={self.table: {"Keys": wanted, "ConsistentRead": True}})
            for item in answer["Responses"].get(self.table, []):
                found[get_text(item, "pk")] = item
            left = answer["UnprocessedKeys"].get(self.table)
            wanted = list(left["Keys"]) if left else []
        return found
