"""A fake DynamoDB: the operations that Parley uses, on a dictionary.

It is about twenty times as fast as moto, whose transactions copy the whole table. `tests/faults/test_aws.py` compares
it with moto, and `tests/integration/test_concurrency.py` with the emulator.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tools.faults.expressions import Attribute, Item, Scope, condition, number, number_attribute, update

_TYPE = "com.amazonaws.dynamodb.v20120810#"
MAX_ITEM = 400 * 1024
MAX_TRANSACTION = 100


class ServiceError(Exception):
    """An error response of an AWS service: its code, message and further members."""

    def __init__(self, code: str, message: str = "", **members: Any) -> None:
        super().__init__(message or code)
        self.code = code
        self.members = members

    @property
    def body(self) -> dict[str, Any]:
        """The JSON of the response."""
        return {"__type": f"{_TYPE}{self.code}", "message": str(self), **self.members}


class _ConditionFailed(Exception):
    """A condition does not hold for `item`."""

    def __init__(self, item: Item | None) -> None:
        super().__init__("The conditional request failed")
        self.item = item


@dataclass(slots=True)
class DynamoDB:
    """One table with the primary key `pk` and the index `due`."""

    table: str = "parley"
    items: dict[str, Item] = field(default_factory=dict[str, Item])
    _due: dict[str, dict[str, Decimal]] = field(default_factory=dict[str, dict[str, Decimal]])
    _tokens: dict[str, Any] = field(default_factory=dict[str, Any])
    """Transactions by their client request token: a repeated one succeeds without being carried out again."""

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out `operation` with the request and response of the JSON protocol. Raises ServiceError."""
        try:
            return getattr(self, f"_{operation}")(request)
        except _ConditionFailed as failed:
            old = {"Item": failed.item} if failed.item and _wants_old(request) else {}
            raise ServiceError("ConditionalCheckFailedException", str(failed), **old) from failed
        except ValueError as error:
            raise ServiceError("ValidationException", str(error)) from error

    def first_due(self, shards: Iterable[str]) -> float | None:
        """The least `due_at` in these partitions of the index `due`; None if they are empty."""
        return min((float(at) for shard in shards for at in self._due.get(shard, {}).values()), default=None)

    # --- reading

    def _GetItem(self, request: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        item = self.items.get(_key(request))
        return {"Item": dict(item)} if item else {}

    def _BatchGetItem(self, request: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        keys = [key["pk"]["S"] for key in request["RequestItems"][self.table]["Keys"]]
        if len(set(keys)) != len(keys):
            raise ValueError("Provided list of item keys contains duplicates")
        found = [dict(self.items[key]) for key in keys if key in self.items]
        return {"Responses": {self.table: found}, "UnprocessedKeys": {}}

    def _Query(self, request: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        if request["IndexName"] != "due" or request["KeyConditionExpression"] != (
            "#due_shard = :shard AND #due_at <= :now"
        ):
            raise ValueError("only the query of the index `due` is implemented")
        values = request["ExpressionAttributeValues"]
        until = number(values[":now"])
        shard = self._due.get(values[":shard"]["S"], {})
        keys = sorted((at, key) for key, at in shard.items() if at <= until)
        found = [_index_entry(self.items[key]) for _, key in keys][: request.get("Limit")]
        return {"Items": found, "Count": len(found)}

    def _Scan(self, request: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        """The items in the order of their keys. The order of DynamoDB is another one, which is not known."""
        after = _key({"Key": request["ExclusiveStartKey"]}) if "ExclusiveStartKey" in request else ""
        keys = sorted(key for key in self.items if key > after)
        page = keys[: request.get("Limit")]
        found = {"Items": [dict(self.items[key]) for key in page], "Count": len(page)}
        return found | ({"LastEvaluatedKey": {"pk": {"S": page[-1]}}} if len(page) < len(keys) else {})

    # --- writing

    def _PutItem(self, request: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        new = self._put(request)
        self._store(new)
        return {}

    def _UpdateItem(self, request: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        old = self.items.get(_key(request), {})
        new, changed = self._updated(request)
        self._store(new)
        match request.get("ReturnValues", "NONE"):
            case "ALL_OLD":
                return {"Attributes": dict(old)} if old else {}
            case "ALL_NEW":
                return {"Attributes": dict(new)}
            case "UPDATED_NEW":
                return {"Attributes": {name: new[name] for name in changed if name in new}}
            case "NONE":
                return {}
            case other:
                raise ValueError(f"ReturnValues {other}")

    def _DeleteItem(self, request: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        old = self.items.get(_key(request), {})
        _check(request, old)
        self._drop(_key(request))
        return {"Attributes": dict(old)} if old and request.get("ReturnValues") == "ALL_OLD" else {}

    def _TransactWriteItems(self, request: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        actions: list[dict[str, Any]] = request["TransactItems"]
        token = request.get("ClientRequestToken", "")
        if token in self._tokens:
            if self._tokens[token] != actions:
                raise ServiceError("IdempotentParameterMismatchException")
            return {}
        new = self._evaluate_all(actions)
        for item in new:
            _check_size(item)
        for item, action in zip(new, actions, strict=True):
            if "Delete" in action:
                self._drop(_key(action["Delete"]))
            elif not isinstance(item, str):
                self._store(item)
        if token:
            self._tokens[token] = actions
        return {}

    def _evaluate_all(self, actions: list[dict[str, Any]]) -> list[Item | str]:
        """The items that a transaction writes, and the keys that it only checks. Raises ServiceError unless all actions
        are possible.
        """
        if not 0 < len(actions) <= MAX_TRANSACTION:
            raise ValueError(f"{len(actions)} items in a transaction")
        new: list[Item | str] = []
        reasons: list[dict[str, Any]] = []
        for action in actions:
            try:
                new.append(self._evaluate(*next(iter(action.items()))))
                reasons.append({"Code": "None"})
            except _ConditionFailed as failed:
                reasons.append({"Code": "ConditionalCheckFailed", "Message": str(failed)})
        if len(new) < len(actions):
            codes = ", ".join(reason["Code"] for reason in reasons)
            message = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
            raise ServiceError("TransactionCanceledException", message, CancellationReasons=reasons)
        keys = [item if isinstance(item, str) else item["pk"]["S"] for item in new]
        if len(set(keys)) != len(keys):
            raise ValueError("Transaction request cannot include multiple operations on one item")
        return new

    def _evaluate(self, kind: str, action: Mapping[str, Any]) -> Item | str:
        """The item that one action of a transaction writes; the key if it writes none."""
        match kind:
            case "Put":
                return self._put(action)
            case "Update":
                return self._updated(action)[0]
            case "Delete":
                _check(action, self.items.get(_key(action), {}))
                return {"pk": {"S": _key(action)}}
            case "ConditionCheck":
                _check(action, self.items.get(_key(action), {}))
                return _key(action)
            case _:
                raise ValueError(f"{kind} in a transaction")

    def _put(self, request: Mapping[str, Any]) -> Item:
        item: Item = {name: _canonical(value) for name, value in request["Item"].items()}
        _check(request, self.items.get(_checked_key(item["pk"]["S"]), {}))
        return item

    def _updated(self, request: Mapping[str, Any]) -> tuple[Item, list[str]]:
        """The item after an update, and the names of the attributes that were set."""
        key = _key(request)
        old = self.items.get(key, {})
        _check(request, old)
        new: Item = dict(old) or {"pk": {"S": key}}
        before = dict(new)
        for change in update(request["UpdateExpression"]):
            change(_scope(request, old), new)
        return new, [name for name in new if new[name] is not before.get(name)]

    def _store(self, item: Item) -> None:
        _check_size(item)
        key = item["pk"]["S"]
        self._drop(key)
        self.items[key] = item
        if "due_shard" in item and "due_at" in item:
            self._due.setdefault(item["due_shard"]["S"], {})[key] = number(item["due_at"])

    def _drop(self, key: str) -> None:
        old = self.items.pop(key, {})
        if "due_shard" in old:
            self._due.get(old["due_shard"]["S"], {}).pop(key, None)


def _check_size(item: Item | str) -> None:
    """Raise ValueError if DynamoDB cannot store `item`."""
    if isinstance(item, str):
        return
    size = sum(len(name) + len(next(iter(value.values()))) for name, value in item.items())
    if size > MAX_ITEM:
        raise ValueError("Item size has exceeded the maximum allowed size")


def _index_entry(item: Item) -> Item:
    """What the index `due` holds of an item: keys only."""
    return {name: item[name] for name in ("pk", "due_shard", "due_at")}


def _key(request: Mapping[str, Any]) -> str:
    return _checked_key(request["Key"]["pk"]["S"])


def _checked_key(key: str) -> str:
    if not key:
        raise ValueError("One or more parameter values are not valid: pk is empty")
    return key


def _canonical(value: Attribute) -> Attribute:
    return number_attribute(number(value)) if "N" in value else value


def _scope(request: Mapping[str, Any], item: Item) -> Scope:
    return Scope(item, request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {}))


def _check(request: Mapping[str, Any], item: Item) -> None:
    expression: str = request.get("ConditionExpression", "")
    if expression and not condition(expression)(_scope(request, item)):
        raise _ConditionFailed(item or None)


def _wants_old(request: Mapping[str, Any]) -> bool:
    return request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
