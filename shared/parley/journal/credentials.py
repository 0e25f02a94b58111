"""Credentials that a platform pushes (a ticket): kept in the state table, encrypted at rest, in no queue and no log."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from parley.adapter import App

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


def _key(app: App, name: str) -> str:
    return f"credential#{app.platform}#{app.name}#{name}"


def store_credentials(client: "DynamoDBClient", table: str, app: App, values: Mapping[str, str], at: float) -> None:
    """Store each of `values` unless a later one is there: an old ticket that is delivered again changes nothing."""
    for name, value in values.items():
        try:
            client.put_item(
                TableName=table,
                Item={"pk": {"S": _key(app, name)}, "value": {"S": value}, "at": {"N": repr(at)}},
                ConditionExpression="attribute_not_exists(pk) OR #at <= :at",
                ExpressionAttributeNames={"#at": "at"},
                ExpressionAttributeValues={":at": {"N": repr(at)}},
            )
        except client.exceptions.ConditionalCheckFailedException:
            continue


def load_credentials(client: "DynamoDBClient", table: str, app: App, names: Iterable[str]) -> dict[str, str]:
    """Those of `names` that the platform has pushed for `app`."""
    values: dict[str, str] = {}
    for name in names:
        item = client.get_item(TableName=table, Key={"pk": {"S": _key(app, name)}}, ConsistentRead=True).get("Item")
        if item is not None:
            values[name] = item["value"].get("S", "")
    return values
