"""The callbacks of one message: how often it was delivered, and the one response that is given.

Row `callback#<message key>` counts the deliveries and holds the response. A delivery whose response was lost is
followed by another one, which gets the same bytes. The response is stored also if it is empty, because the replies go
out through the API.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from parley.errors import ParleyError
from parley.journal import table as t
from parley.journal.outbox import Outbox
from parley.journal.passive.deferred import DeferredReplies
from parley.journal.passive.rules import Part
from parley.journal.table import callback_pk, get_number, get_text
from parley.model import Conversation, Message, Reply, message_key, sender_key
from parley.model.codec import encode

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef


class NotCommittedError(ParleyError):
    """DynamoDB refused the whole transaction: nothing is stored, and the response may not be given."""


class Delivery(msgspec.Struct, frozen=True):
    """A delivery of a message: its number from 1, the response that is already stored for the message, the unix second
    of the first delivery, and the answer so far (`Callbacks.grow`).
    """

    number: int
    response: str | None
    first: float
    draft: Reply | None = None


class Callbacks(msgspec.Struct):
    """The callbacks that wait for passive replies, in the table `table`. `keep_for`: seconds until rows expire."""

    client: "DynamoDBClient"
    table: str
    keep_for: float

    def delivered(self, message: Message, now: float) -> Delivery:
        """Record one more delivery of `message`, or a poll for the replies to it."""
        request = t.update(
            self.table,
            callback_pk(message_key(message)),
            "ADD #deliveries :one SET #ttl = :ttl, #person = :person, #first = if_not_exists(#first, :now)",
            one=1,
            now=now,
            ttl=int(now + self.keep_for),
            person=sender_key(message),
        )
        row = self.client.update_item(**request, ReturnValues="ALL_NEW").get("Attributes", {})
        number, first = int(get_number(row, "deliveries") or 1), get_number(row, "first") or now
        return Delivery(number, get_text(row, "response") or None, first, _draft_in(row))

    def grow(self, message: Message, reply: Reply, now: float) -> None:
        """Store the answer so far to `message`, for polls, until the response is stored. Raises AwsError."""
        request = t.update(
            self.table,
            callback_pk(message_key(message)),
            "SET #draft = :draft, #ttl = :ttl, #person = :person",
            "attribute_not_exists(#response)",
            draft=encode(reply).decode(),
            ttl=int(now + self.keep_for),
            person=sender_key(message),
        )
        self.client.update_item(**request)

    def response(self, message: Message) -> str | None:
        """The response that is stored for `message`, if any."""
        row = t.get(self.client, self.table, callback_pk(message_key(message)))
        return get_text(row, "response") or None

    def commit(self, message: Message, parts: Sequence[Part], owner: str, response: str, now: float) -> None:
        """Store the response to `message` and the new state of each reply in it, in one transaction.

        Raises NotCommittedError if nothing was stored. After any other AwsError it may be stored or not.
        """
        items: list[TransactWriteItemTypeDef] = [self._response(message, response)]
        items += [self._part(part, owner, now) for part in parts]
        carried = [part.out.id for part in parts if part.carried]
        if carried:
            deferred = DeferredReplies(self.client, self.table, self.keep_for)
            items.append({"Update": deferred.removed(Conversation.of(message).key, carried, now)})
        try:
            self.client.transact_write_items(TransactItems=items)
        except self.client.exceptions.TransactionCanceledException as error:
            raise NotCommittedError(str(error)) from error

    def _response(self, message: Message, response: str) -> "TransactWriteItemTypeDef":
        """Part of the transaction: the response, unless there is one."""
        pk, first = callback_pk(message_key(message)), "attribute_not_exists(#response)"
        change = "SET #response = :response REMOVE #draft"
        return {"Update": t.update(self.table, pk, change, first, response=response)}

    def _part(self, part: Part, owner: str, now: float) -> "TransactWriteItemTypeDef":
        outbox = Outbox(self.client, self.table, lease=0)
        if part.carried:
            return outbox.carried(part.out, owner, now)
        return outbox.left(part.out, owner, part.body, now)


def _draft_in(row: t.Item) -> Reply | None:
    """The answer so far. None if there is none, or if this version cannot read it."""
    try:
        return msgspec.json.decode(get_text(row, "draft"), type=Reply)
    except ValueError:  # msgspec's errors are ValueErrors
        return None
