"""Calls that must have the same result on moto, on the emulator, and on the fake DynamoDB of the faults suite."""

from typing import Any

TABLE: dict[str, Any] = {
    "TableName": "parley",
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "due_shard", "AttributeType": "S"},
        {"AttributeName": "due_at", "AttributeType": "N"},
    ],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "due",
            "KeySchema": [
                {"AttributeName": "due_shard", "KeyType": "HASH"},
                {"AttributeName": "due_at", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
}


def client_method(client: Any, operation: str) -> Any:
    """The method of a boto3 client for an operation: `put_item` for `PutItem`."""
    return getattr(client, "".join(f"_{c.lower()}" if c.isupper() else c for c in operation).lstrip("_"))


def _key(name: str) -> dict[str, Any]:
    return {"TableName": "parley", "Key": {"pk": {"S": name}}}


def _put(key: str, condition: str = "", **attributes: dict[str, str]) -> dict[str, Any]:
    request: dict[str, Any] = {"TableName": "parley", "Item": {"pk": {"S": key}, **attributes}}
    return request | ({"ConditionExpression": condition} if condition else {})


def _update(name: str, expression: str, condition: str = "", **values: dict[str, Any]) -> dict[str, Any]:
    request: dict[str, Any] = {**_key(name), "UpdateExpression": expression, "ReturnValues": "ALL_NEW"}
    if condition:
        request |= {"ConditionExpression": condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    if values:
        request["ExpressionAttributeValues"] = {f":{name}": value for name, value in values.items()}
    return request


def _n(value: str) -> dict[str, str]:
    return {"N": value}


_DUE = "#due_shard = :shard AND #due_at <= :now"
_NEW = "attribute_not_exists(pk)"
_ADD = "SET tat = tat + :s"
_TAKE = "SET since = if_not_exists(since, :now), updated = :now ADD attempts :one"
_EITHER = "attempts <> :two OR (updated < :two AND attempts = :two)"
_GUARD = "attribute_not_exists(version) OR version = :seen"


def _due(now: str) -> tuple[str, dict[str, Any]]:
    names = {"#due_shard": "due_shard", "#due_at": "due_at"}
    values = {":shard": {"S": "due#1"}, ":now": _n(now)}
    request = {"TableName": "parley", "IndexName": "due", "KeyConditionExpression": _DUE}
    return "Query", {**request, "ExpressionAttributeNames": names, "ExpressionAttributeValues": values}


def _transaction(*actions: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return "TransactWriteItems", {"TransactItems": list(actions)}


_WAITING: dict[str, dict[str, str]] = {"due_shard": {"S": "due#1"}, "due_at": {"N": "5"}}

CALLS: list[tuple[str, dict[str, Any]]] = [
    ("GetItem", _key("a")),
    ("PutItem", _put("a", _NEW, name={"S": "one"})),
    ("PutItem", _put("a", _NEW, name={"S": "two"})),
    ("GetItem", {**_key("a"), "ConsistentRead": True}),
    # numbers: sums are exact, and are returned without an exponent
    ("UpdateItem", _update("n", "SET tat = :t", t=_n("1800000000.123456"))),
    ("UpdateItem", _update("n", _ADD, "tat > :t AND tat <= :m", s=_n("0.2105"), t=_n("1"), m=_n("1000000000000"))),
    ("UpdateItem", _update("n", "SET tat = tat - :s", s=_n("0.00001"))),
    ("UpdateItem", _update("n", "SET tat = tat + :s", "tat <= :m", s=_n("1"), m=_n("5"))),
    ("UpdateItem", _update("absent", "SET tat = tat + :s", "tat <= :m", s=_n("1"), m=_n("5"))),
    # updates create missing items and attributes, and keep all others
    ("UpdateItem", _update("u", _TAKE, now=_n("7"), one=_n("1"))),
    ("UpdateItem", _update("u", _TAKE, now=_n("8"), one=_n("1"))),
    ("UpdateItem", _update("u", "SET updated = :now REMOVE since", now=_n("9"))),
    ("UpdateItem", _update("u", "REMOVE since", "attribute_exists(attempts)")),
    ("UpdateItem", _update("u", "REMOVE attempts", "NOT attribute_exists(attempts)")),
    ("UpdateItem", _update("u", "SET a = :x", _EITHER, x={"S": "x"}, two=_n("2"))),
    # sets
    ("UpdateItem", _update("s", "ADD ids :id", id={"SS": ["one"]})),
    ("UpdateItem", _update("s", "ADD ids :id", id={"SS": ["one"]})),
    ("UpdateItem", _update("s", "DELETE ids :id", id={"SS": ["one"]})),
    # the index has the items with both attributes
    ("PutItem", _put("w", "", **_WAITING)),
    _due("4.5"),
    _due("5"),
    ("UpdateItem", _update("w", "REMOVE due_shard, due_at")),
    _due("9"),
    # A transaction writes all items or none.
    _transaction({"Put": _put("t1", _NEW)}, {"Put": _put("t2", _NEW)}),
    _transaction({"Put": _put("t3", _NEW)}, {"Put": _put("t1", _NEW)}),
    ("GetItem", _key("t3")),
    _transaction(
        {"Put": _put("t4", _NEW)},
        {
            "ConditionCheck": {
                **_key("n"),
                "ConditionExpression": _GUARD,
                "ExpressionAttributeValues": {":seen": _n("1")},
            }
        },
    ),
    _transaction({"Put": _put("t5", _NEW)}, {"Put": _put("t5", _NEW)}),
    ("GetItem", _key("t4")),
    ("DeleteItem", {**_key("t4"), "ConditionExpression": "attribute_exists(pk)"}),
    ("DeleteItem", {**_key("t4"), "ConditionExpression": "attribute_exists(pk)"}),
    ("DeleteItem", {**_key("n"), "ReturnValues": "ALL_OLD"}),
    ("DeleteItem", {**_key("n"), "ReturnValues": "ALL_OLD"}),
    # invalid requests
    ("PutItem", _put("")),
    ("UpdateItem", _update("u", "SET gone = nowhere")),
]
