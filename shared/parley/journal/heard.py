"""The last messages of a room that were not for the bot: one row for a conversation, with their keys.

Their texts stand in their own rows only, so `parley.journal.forget` and the retention hold for them. The decision on
such a message writes the row. The queue hands out one message of a conversation at a time, so no other worker does.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from parley.journal import table as t
from parley.journal.table import get_text, heard_pk, message_pk
from parley.model import Conversation, Message, message_key
from parley.model.codec import decode_message, encode

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

KEPT = 3600
"""Seconds for which a message is heard."""


def heard_keys(client: "DynamoDBClient", table: str, message: Message) -> list[str]:
    """The keys of the last messages in the conversation of `message`, the oldest first. One request."""
    value = get_text(t.get(client, table, _pk(message)), "value")
    return msgspec.json.decode(value, type=list[str]) if value else []


def heard_messages(client: "DynamoDBClient", table: str, keys: Sequence[str], now: float) -> list[Message]:
    """The messages with these keys that are not older than `KEPT`, in order. Those that are too large to be stored, or
    whose sender was forgotten, are left out. One request.
    """
    rows = t.get_many(client, table, map(message_pk, keys)) if keys else {}
    stored = (get_text(rows.get(message_pk(key), {}), "message") for key in keys)
    return [message for message in _decoded(stored) if message.timestamp >= now - KEPT]


def heard(table: str, message: Message, keys: Sequence[str], most: int, now: float) -> "TransactWriteItemTypeDef":
    """Part of the decision on `message`: it follows those with these `keys`, and the last `most` of all are kept."""
    value = encode([*keys, message_key(message)][-most:]).decode()
    ttl = int(now) + KEPT
    return {"Update": t.update(table, _pk(message), "SET #value = :value, #ttl = :ttl", value=value, ttl=ttl)}


def _decoded(stored: Iterable[str]) -> Iterable[Message]:
    for body in filter(None, stored):
        try:
            yield decode_message(body)
        except ValueError:  # msgspec's errors are ValueErrors; another version may have written it
            continue


def _pk(message: Message) -> str:
    return heard_pk(Conversation.of(message).key)
