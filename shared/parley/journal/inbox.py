"""Inbound messages in the journal: the state of a message and its conversation, and the transaction that decides.

A message takes three requests: read both rows, commit, and (in `parley.engine.queues`) enqueue each reply.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from parley.errors import ParleyError
from parley.journal import heard, runs, timers
from parley.journal import table as t
from parley.journal.limits import MAX_DECISION, MAX_REPLIES
from parley.journal.memory import Change, DecisionTooLargeError, Memory, changed, memory_of, memory_pk
from parley.journal.outbox import Outbox, ReplyTooLargeError
from parley.journal.rows import row_of
from parley.journal.runs import RunState
from parley.journal.states import FINAL, Decided, Lease, MessageState, Row
from parley.journal.table import (
    Item,
    Value,
    get_number,
    get_text,
    message_pk,
    number,
    queued_pk,
    reply_pk,
    text,
)
from parley.model import Conversation, Message, Outgoing, message_key, reply_id, sender_key
from parley.model.agenda import Timer
from parley.model.codec import encode
from parley.model.state import Scope

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef, UpdateTypeDef

MAX_STORED_MESSAGE = 32_000
"""Bytes of JSON of a message that the journal stores for operators. A larger one is not stored."""


class AlreadyDecidedError(ParleyError):
    """Another worker has decided this message."""


class VersionConflictError(ParleyError):
    """The conversation has changed since it was read. The decision of this worker is void."""


class Snapshot(msgspec.Struct, frozen=True):
    """The journal's knowledge of a message and its conversation before the bot runs.

    `memory`: the conversation's state. `decided`: the number of replies, None if the message is undecided. `attempts`
    counts the recorded starts of the bot on this message, and `reason` is the last recorded failure. `queued`: the ids
    of the last replies to the conversation that went into the outbound queue (`Inbox.queued`), and `latest` is the unix
    second at which the own one of them was decided.
    """

    memory: Memory
    decided: int | None
    attempts: int = 0
    reason: str = ""
    queued: frozenset[str] = frozenset()
    latest: float = 0
    results: str = ""
    """The results of outside calls in earlier attempts (`Inbox.record`)."""
    joined: str = ""
    """The message as JSON, with earlier ones that it joins (`parley.journal.merging`), while it is undecided."""


class Decision(msgspec.Struct, frozen=True):
    """What the transaction of a decision stores, beside the decision itself.

    `states`: those that the bot may have changed. `timers` are set, and those with the ids `cancelled` are deleted.
    `leases`, by the id of a reply: this worker delivers these replies itself. `run`: what is recorded of a stop.
    `heard`: the keys of earlier messages, of which the last `hear` are kept with this one; 0 stores nothing.
    `forwarded`: the id of the message of the same conversation to which the bot has handed this one on; its replies are
    for the callback of this one.
    """

    replies: Sequence[Outgoing] = ()
    states: Sequence[Change] = ()
    timers: Sequence[Timer] = ()
    cancelled: Iterable[str] = ()
    leases: Mapping[str, Lease] = {}
    run: RunState | None = None
    heard: Sequence[str] = ()
    hear: int = 0
    forwarded: str = ""


class Inbox(msgspec.Struct):
    """Messages and conversations in the table `table`. `keep_for`: seconds until rows expire. It is longer than a
    message can stay in a queue and a dead-letter queue, so a redelivered message is always recognised.
    """

    client: "DynamoDBClient"
    table: str
    keep_for: float

    def open(self, message: Message) -> Snapshot:
        """The state of `message` and its conversation. One request."""
        here = Conversation.of(message).key
        keys = message_pk(message_key(message)), memory_pk("state", message), queued_pk(here)
        items = t.get_many(self.client, self.table, keys)
        row, memory, queued = (items.get(key, {}) for key in keys)
        decided = get_number(row, "replies") if get_text(row, "state") == MessageState.DECIDED else None
        return Snapshot(
            memory=memory_of("state", keys[1], memory),
            decided=None if decided is None else int(decided),
            attempts=int(get_number(row, "attempts") or 0),
            reason=get_text(row, "reason"),
            queued=frozenset(filter(None, (get_text(queued, "reply"), get_text(queued, "foreign")))),
            latest=get_number(queued, "decided") or 0,
            results=get_text(row, "results"),
            joined=get_text(row, "message") if decided is None else "",
        )

    def memory(self, scope: Scope, message: Message) -> Memory:
        """The state `scope` of the person or app of `message`. One request."""
        pk = memory_pk(scope, message)
        return memory_of(scope, pk, t.get(self.client, self.table, pk))

    def timer(self, id_: str) -> Timer | None:
        """The timer with that id. None if it has been sent or cancelled. One request."""
        return timers.find(self.client, self.table, id_)

    def decide(self, message: Message, snapshot: Snapshot, decision: Decision, now: float) -> None:
        """Commit the decision on `message` in one transaction.

        Raises DecisionTooLargeError, AlreadyDecidedError, VersionConflictError, AwsError.
        """
        replies, ttl = decision.replies, int(now + self.keep_for)
        if len(replies) > MAX_REPLIES:
            raise DecisionTooLargeError(
                f"{len(replies)} replies to one message; at most {MAX_REPLIES} can be decided at once"
            )
        try:
            items = [
                self._decision(message, decision, snapshot, now),
                # The condition on the conversation's version finds a defect: the queue hands out one message of a
                # conversation at a time, and only one worker can decide it. So an unchanged state needs no check.
                *(changed(self.table, change, message, now, ttl) for change in decision.states if change.is_needed),
                *(timers.new(self.table, timer) for timer in decision.timers),
                *(timers.cancelled(self.table, id_) for id_ in decision.cancelled),
                *([runs.ended(self.table, message, decision.run, now)] if decision.run is not None else ()),
                *([heard.heard(self.table, message, decision.heard, decision.hear, now)] if decision.hear else ()),
                *(self._reply(out, now, decision.leases.get(out.id)) for out in replies),
            ]
        except ReplyTooLargeError as error:
            raise DecisionTooLargeError(str(error)) from error
        self._commit(items)

    def _commit(self, items: "list[TransactWriteItemTypeDef]") -> None:
        """Write the rows of a decision, its own first. Raises as `decide`."""
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

    def decision(self, message: Message) -> Decided | None:
        """The decision on `message`; None while it is undecided. One request."""
        key = message_key(message)
        item = t.get(self.client, self.table, message_pk(key))
        if get_text(item, "state") != MessageState.DECIDED:
            return None
        replies, before = int(get_number(item, "replies") or 0), frozenset(t.get_texts(item, "before"))
        return Decided(key, replies, before, get_text(item, "forwarded"))

    def replies(self, message: Message, count: int) -> list[Row]:
        """The rows of the `count` replies to `message`, in order, without those that have expired."""
        return self.rows(reply_id(message_key(message), ordinal) for ordinal in range(count))

    def rows(self, ids: Iterable[str]) -> list[Row]:
        """The rows of the replies with these ids, in order, without those that have expired."""
        keys = list(map(reply_pk, ids))
        items = t.get_many(self.client, self.table, keys)
        return [row_of(items[key]) for key in keys if key in items]

    def waiting(self, message: Message, count: int) -> list[Outgoing]:
        """Those of the `count` replies to `message` that are not final."""
        return _unfinished(self.replies(message, count))

    def attempted(self, message: Message, attempts: int, now: float) -> None:
        """Record the number of starts of the bot on `message`. Called before a start: a worker that dies records
        nothing.
        """
        self._note(message, "#attempts = :attempts", now, attempts=attempts)

    def failed(self, message: Message, reason: str, attempt: int, now: float) -> None:
        """Record why the bot failed on `message`, for the operator who finds it in the dead-letter queue."""
        self._note(message, "#attempts = :attempts, #reason = :reason", now, attempts=attempt, reason=reason[:500])

    def record(self, message: Message, before: str, results: str, now: float) -> None:
        """Store the `results` of outside calls during this attempt at `message`, as JSON, until it is decided.

        `before`: those that are stored. Raises AlreadyDecidedError, VersionConflictError if another worker is at the
        message, AwsError.
        """
        known = "#results = :before" if before else "attribute_not_exists(#results)"
        values: dict[str, Value] = {"before": before} if before else {}
        request = self._noted(message, "#results = :results", now, known, values | {"results": results})
        request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        try:
            self.client.update_item(**request)
        except self.client.exceptions.ConditionalCheckFailedException as error:
            item = t.item_in(error)
            if get_text(item, "state") == MessageState.DECIDED:
                raise AlreadyDecidedError from error
            if get_text(item, "results") != results:  # else it is this request, whose first answer was lost
                raise VersionConflictError from error

    def _note(self, message: Message, what: str, now: float, **values: Value) -> None:
        try:
            self.client.update_item(**self._noted(message, what, now, "", values))
        except self.client.exceptions.ConditionalCheckFailedException:
            return  # another worker has decided it

    def _noted(
        self, message: Message, what: str, now: float, condition: str, values: Mapping[str, Value]
    ) -> "UpdateTypeDef":
        """A change of the row of an undecided message."""
        undecided = f"{t.ABSENT} OR #state = :received"
        return t.update(
            self.table,
            message_pk(message_key(message)),
            f"SET {what}, #state = :received, #updated = :now, #ttl = :ttl, "
            "#platform = :platform, #app = :app, #id = :id, #person = :person",
            f"({undecided}) AND {condition}" if condition else undecided,
            received=MessageState.RECEIVED,
            now=now,
            ttl=int(now + self.keep_for),
            platform=message.platform,
            app=message.app,
            id=message.id,
            person=sender_key(message),
            **values,
        )

    def add(self, out: Outgoing, now: float) -> list[Outgoing]:
        """Store a reply outside any decision (an apology), once, however often it is added.

        Returns the reply that is stored now; nothing if it is final.
        """
        put = self._reply(out, now).get("Put")
        try:
            if put is not None:
                put["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
                self.client.put_item(**put)
        except self.client.exceptions.ConditionalCheckFailedException as error:
            return _unfinished([row_of(t.item_in(error))])
        return [out]

    def queued(self, message: Message, replies: Iterable[Outgoing], now: float) -> None:
        """Record, before `replies` to `message` go into the outbound queue, which one is the last in each conversation.

        While it is not final, no reply to its conversation may be delivered past the queue (`engine.direct`).

        The conversation's own reply and one that another conversation has sent to it are recorded apart. The own one
        stays the last one until a later decision: a message can come again, and a worker can be late, when the next
        messages have been handled.
        """
        here = Conversation.of(message).key
        for conversation, last in {out.to.key: out for out in replies}.items():
            if conversation == here:
                change, values = "#reply = :reply, #decided = :decided", {"decided": last.created}
                condition = "attribute_not_exists(#decided) OR #decided <= :decided"
            else:
                change, condition, values = "#foreign = :reply", "", dict[str, float]()
            pk, ttl = queued_pk(conversation), int(now + self.keep_for)
            request = t.update(
                self.table, pk, f"SET {change}, #ttl = :ttl", condition, reply=last.id, ttl=ttl, **values
            )
            try:
                self.client.update_item(**request)
            except self.client.exceptions.ConditionalCheckFailedException:
                continue

    def _reply(self, out: Outgoing, now: float, lease: Lease | None = None) -> "TransactWriteItemTypeDef":
        return Outbox(self.client, self.table, lease=0).new(out, now, int(now + self.keep_for), lease)

    def _decision(
        self, message: Message, decision: Decision, snapshot: Snapshot, now: float
    ) -> "TransactWriteItemTypeDef":
        item = decided(message, len(decision.replies), now, int(now + self.keep_for))
        if message.context.awaits_reply and snapshot.queued:
            item["before"] = {"SS": sorted(snapshot.queued)}
        if decision.forwarded:
            item["forwarded"] = text(decision.forwarded)
        undecided = f"{t.ABSENT} OR #state = :received"
        return {"Put": t.put(self.table, item, undecided, received=MessageState.RECEIVED)}


def decided(message: Message, replies: int, now: float, ttl: int) -> Item:
    """The row of `message`, which gets that many replies."""
    item: Item = {
        "pk": text(message_pk(message_key(message))),
        "state": text(MessageState.DECIDED),
        "replies": number(replies),
        "platform": text(message.platform),
        "app": text(message.app),
        "id": text(message.id),
        "conversation": text(Conversation.of(message).key),
        "decided": number(now),
        "ttl": number(ttl),
    }
    body = encode(msgspec.structs.replace(message, raw=None))
    if len(body) <= MAX_STORED_MESSAGE:
        item["message"] = text(body.decode())
    return item


def _unfinished(rows: Iterable[Row]) -> list[Outgoing]:
    return [row.out for row in rows if row.state not in FINAL]
