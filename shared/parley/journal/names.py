"""Names and departments of people. They are personal data: a row is deleted a day after they were fetched."""

from typing import TYPE_CHECKING, NamedTuple

from parley.journal import table as t
from parley.journal.table import get_number, get_text, name_pk, number, text
from parley.model import Message

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


class Person(NamedTuple):
    """What a platform says of a person: the name, and the ids of the departments. Empty if it is not known."""

    name: str = ""
    departments: tuple[str, ...] = ()


NOBODY = Person()


def store_person(client: "DynamoDBClient", table: str, message: Message, person: Person, expires: float) -> None:
    """Store what is known of the sender of `message` until the unix second `expires`."""
    item: t.Item = {
        "pk": text(name_pk(message.platform, message.app, message.sender.id)),
        "value": text(person.name),
        "expires": number(expires),
        "ttl": number(int(expires)),
    }
    if person.departments:
        item["departments"] = {"SS": sorted(set(person.departments))}
    client.put_item(**t.put(table, item))


def load_person(client: "DynamoDBClient", table: str, message: Message, now: float) -> tuple[Person, float] | None:
    """What is known of the sender of `message`, and the unix second until which that holds.

    None if nothing is stored: DynamoDB may delete an expired row days later.
    """
    item = t.get(client, table, name_pk(message.platform, message.app, message.sender.id))
    expires = get_number(item, "expires") or 0
    departments = tuple(item.get("departments", {}).get("SS", ()))
    return (Person(get_text(item, "value"), departments), expires) if now < expires else None
