"""Requests to the state table: names and values are filled in, and a misspelt attribute is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest

from parley.journal import table as t

JOURNAL = Path(t.__file__).parent
ENGINE = JOURNAL.parent / "engine"


def test_an_update_names_its_attributes_and_values() -> None:
    request = t.update(
        "parley", "out#1", "SET #state = :to ADD #ids :ids", "#due_at <= :now", to="SENT", ids={"b", "a"}, now=1.5
    )
    assert request == {
        "TableName": "parley",
        "Key": {"pk": {"S": "out#1"}},
        "UpdateExpression": "SET #state = :to ADD #ids :ids",
        "ConditionExpression": "#due_at <= :now",
        "ExpressionAttributeNames": {"#due_at": "due_at", "#ids": "ids", "#state": "state"},
        "ExpressionAttributeValues": {":to": {"S": "SENT"}, ":ids": {"SS": ["a", "b"]}, ":now": {"N": "1.5"}},
    }


def test_an_unknown_attribute_is_refused() -> None:
    with pytest.raises(KeyError, match="stat"):
        t.update("parley", "out#1", "SET #stat = :to", to="SENT")
    with pytest.raises(KeyError, match="stat"):
        t.put("parley", {"pk": t.text("out#1"), "stat": t.text("SENT")})
    with pytest.raises(KeyError, match="stat"):
        t.query("parley", "due", "#stat = :to", to="SENT")


@pytest.mark.parametrize("read", [t.get_text, t.get_number, t.get_texts])
def test_an_unknown_attribute_is_not_read(read: Callable[[t.Item, str], object]) -> None:
    with pytest.raises(KeyError, match="stat"):
        read({"stat": t.text("SENT")}, "stat")


@pytest.mark.parametrize("source", sorted([*JOURNAL.rglob("*.py"), *ENGINE.glob("*.py")]), ids=lambda path: path.name)
def test_only_the_table_module_writes_expressions_and_keys(source: Path) -> None:
    text = source.read_text()
    if source.name == "table.py":
        return
    assert "UpdateExpression" not in text
    assert "ConditionExpression=" not in text
    assert not any(f'"{prefix}#' in text for prefix in ("in", "conv", "out", "callback", "deferred", "token", "limit"))


@pytest.mark.parametrize("source", sorted([*JOURNAL.rglob("*.py"), *ENGINE.glob("*.py")]), ids=lambda path: path.name)
def test_only_the_outbox_module_writes_the_rows_of_replies(source: Path) -> None:
    updates_replies = source.name not in {"outbox.py", "table.py"} and "reply_pk(" in source.read_text()
    assert not updates_replies or "t.update(self.table, reply_pk" not in source.read_text()
