"""Messages that are to be handled as one: one row for a conversation, with the key of the last of them.

    begin   a message waits for more. Its own row holds it, undecided. The queue holds it no longer.
    add     the next message joins it: the row of the next one holds both. The earlier one is decided, with no replies.
    close   the message is handled, or it is a dead letter.

Each message therefore has one decision, as every message has. The replies belong to the last one. The queue hands out
one message of a conversation at a time. The conditions hold against a worker that is late.
"""

from typing import TYPE_CHECKING

import msgspec

from parley.journal import table as t
from parley.journal.inbox import decided
from parley.journal.states import MessageState
from parley.journal.table import Item, get_number, get_text, merge_pk, message_pk, number, text
from parley.model import Conversation, Message, message_key, sender_key
from parley.model.codec import decode_message, encode
from parley.model.merging import joined

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_UNTOUCHED = "#state = :received AND attribute_not_exists(#attempts) AND attribute_not_exists(#results)"
"""The condition that no run of the bot on a message has recorded anything."""


class Waiting(msgspec.Struct, frozen=True):
    """A message that waits for more, with those that it joins. `at`: the unix second at which the last one was sent."""

    message: Message
    at: float


class Merges(msgspec.Struct):
    """The rows in the table `table`. `keep_for`: seconds until they expire."""

    client: "DynamoDBClient"
    table: str
    keep_for: float

    def waiting(self, message: Message) -> Waiting | None:
        """What waits in the conversation of `message`. One request, and one more if there is something."""
        found = t.get(self.client, self.table, _pk(message))
        key = get_text(found, "message")
        if not key:
            return None
        stored = get_text(t.get(self.client, self.table, message_pk(key)), "message")
        if not stored:  # it was handled, and then its sender was forgotten
            self._close(_pk(message), key)
            return None
        return Waiting(decode_message(stored), get_number(found, "updated") or 0)

    def begin(self, message: Message, at: float, now: float) -> bool:
        """Let `message`, sent at `at`, wait for more. False if another worker has it, or another message waits."""
        pointer = t.put(self.table, self._pointer(message, at, now), t.ABSENT)
        return self._write([self._received(message, now), {"Put": pointer}])

    def add(self, waiting: Waiting, message: Message, at: float, now: float) -> bool:
        """Let `message`, sent at `at`, join those that wait. False if these are handled already."""
        earlier = waiting.message.parts[-1]
        claimed = t.put(
            self.table, decided(earlier, 0, now, self._ttl(now)), _UNTOUCHED, received=MessageState.RECEIVED
        )
        pointer = t.put(
            self.table, self._pointer(message, at, now), "#message = :earlier", earlier=message_key(waiting.message)
        )
        return self._write([self._received(joined(waiting.message, message), now), {"Put": claimed}, {"Put": pointer}])

    def close(self, waiting: Waiting) -> None:
        """Nothing waits any more, unless it is another message."""
        self._close(_pk(waiting.message), message_key(waiting.message))

    def _close(self, pk: str, key: str) -> None:
        try:
            self.client.delete_item(**t.delete(self.table, pk, "#message = :key", key=key))
        except self.client.exceptions.ConditionalCheckFailedException:
            return

    def _write(self, items: "list[TransactWriteItemTypeDef]") -> bool:
        """Whether all `items` are written; otherwise none is. Raises AwsError."""
        try:
            self.client.transact_write_items(TransactItems=items)
        except self.client.exceptions.TransactionCanceledException as error:
            reasons = {reason.get("Code") for reason in error.response.get("CancellationReasons", [])}
            if reasons & {"ConditionalCheckFailed", "TransactionConflict"}:
                return False
            raise
        return True

    def _received(self, message: Message, now: float) -> "TransactWriteItemTypeDef":
        """Part of a transaction: the row of `message`, with the message itself."""
        item: Item = {
            "pk": text(message_pk(message_key(message))),
            "state": text(MessageState.RECEIVED),
            "platform": text(message.platform),
            "app": text(message.app),
            "id": text(message.id),
            "person": text(sender_key(message)),
            "message": text(encode(message).decode()),
            "updated": number(now),
            "ttl": number(self._ttl(now)),
        }
        return {"Put": t.put(self.table, item, t.ABSENT)}

    def _pointer(self, message: Message, at: float, now: float) -> Item:
        return {
            "pk": text(_pk(message)),
            "message": text(message_key(message)),
            "updated": number(at),
            "ttl": number(self._ttl(now)),
        }

    def _ttl(self, now: float) -> int:
        return int(now + self.keep_for)


def _pk(message: Message) -> str:
    return merge_pk(Conversation.of(message).key)
