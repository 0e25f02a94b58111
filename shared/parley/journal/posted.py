"""Idempotency keys of clients: the fingerprint of the first request with each."""

from typing import TYPE_CHECKING

from parley.journal import table as t
from parley.journal.table import Item, number, posted_pk, text
from parley.model import Message, message_key
from parley.model.conversation import sender_key

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


def claim(client: "DynamoDBClient", table: str, message: Message, fingerprint: str, ttl: int) -> bool:
    """Whether every earlier request that named `message` had this fingerprint. Store it until the unix second `ttl`.

    Of two requests at the same moment, the first one is stored. Raises AwsError.
    """
    item: Item = {
        "pk": text(posted_pk(message_key(message))),
        "value": text(fingerprint),
        "person": text(sender_key(message)),
        "ttl": number(ttl),
    }
    try:
        client.put_item(**t.put(table, item, f"{t.ABSENT} OR #value = :value", value=fingerprint))
    except client.exceptions.ConditionalCheckFailedException:
        return False
    return True
