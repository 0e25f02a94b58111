"""Credentials that a platform pushes (a ticket). They are in the state table, encrypted at rest, and in no queue or
log.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from parley.adapter import App
from parley.journal import table as t
from parley.journal.table import credential_pk, get_text, number, text

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


def store_credentials(
    client: "DynamoDBClient", table: str, app: App, values: Mapping[str, str], issued_at: float
) -> None:
    """Store each of `values` unless a newer one is stored: an old ticket that is delivered again changes nothing."""
    for name, value in values.items():
        item: t.Item = {
            "pk": text(credential_pk(app.platform, app.name, name)),
            "value": text(value),
            "issued_at": number(issued_at),
        }
        condition = f"{t.ABSENT} OR #issued_at <= :issued_at"
        try:
            client.put_item(**t.put(table, item, condition, issued_at=issued_at))
        except client.exceptions.ConditionalCheckFailedException:
            continue


def load_credentials(client: "DynamoDBClient", table: str, app: App, names: Iterable[str]) -> dict[str, str]:
    """Those of `names` that the platform has pushed for `app`."""
    items = {name: t.get(client, table, credential_pk(app.platform, app.name, name)) for name in names}
    return {name: get_text(item, "value") for name, item in items.items() if item}
