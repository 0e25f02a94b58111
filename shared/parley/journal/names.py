"""Names of people. They are personal data: a row is deleted a day after its name was fetched."""

from typing import TYPE_CHECKING

from parley.journal import table as t
from parley.journal.table import get_number, get_text, name_pk, number, text
from parley.model import Message

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


def store_name(client: "DynamoDBClient", table: str, message: Message, name: str, expires: float) -> None:
    """Store the name of the sender of `message` until the unix second `expires`. An empty name is stored as unknown."""
    item: t.Item = {
        "pk": text(name_pk(message.platform, message.app, message.sender.id)),
        "value": text(name),
        "expires": number(expires),
        "ttl": number(int(expires)),
    }
    client.put_item(**t.put(table, item))


def load_name(client: "DynamoDBClient", table: str, message: Message, now: float) -> tuple[str, float] | None:
    """The name of the sender of `message`, empty if it is unknown, and the unix second until which that holds.

    None if nothing is stored: DynamoDB may delete an expired row days later.
    """
    item = t.get(client, table, name_pk(message.platform, message.app, message.sender.id))
    expires = get_number(item, "expires") or 0
    return (get_text(item, "value"), expires) if now < expires else None
