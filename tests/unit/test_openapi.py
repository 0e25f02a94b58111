"""docs/openapi.yaml says what the code and the template say."""

import re
from http import HTTPStatus
from typing import Any, get_args

import msgspec
import pytest
import yaml

from parley.adapter import Reason
from parley.platforms.http.replies import MessageState, Page, ShownReply
from tests.template import ROOT, template
from tools.make_openapi import FILE, PROBLEMS, document, text

DOCUMENT: dict[str, Any] = document()
OPERATIONS = {
    (path, method): operation
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if method != "parameters"
}
SOURCES = (
    *sorted((ROOT / "shared/parley/platforms/http").glob("*.py")),
    *(ROOT / "shared/parley/engine" / name for name in ("callback.py", "admission.py", "connections.py")),
)


def test_the_document_is_what_the_code_makes_now() -> None:
    assert FILE.read_text() == text(), "the code has changed: python -m tools.make_openapi"
    assert yaml.safe_load(FILE.read_text()) == msgspec.json.decode(msgspec.json.encode(DOCUMENT))


def test_the_operations_are_those_that_the_template_deploys() -> None:
    functions = [template()["Resources"][name]["Properties"] for name in ("HttpFunction", "SocketFunction")]
    events = [event for properties in functions for event in properties["Events"].values()]
    routes = {(event["Properties"]["Path"], event["Properties"]["Method"].lower()) for event in events}
    assert OPERATIONS.keys() == {route for route in routes if route[1] != "options"}
    assert {path for path, method in routes if method == "options"} == {path for path, _ in OPERATIONS}


@pytest.mark.parametrize("operation", OPERATIONS, ids=" ".join)
def test_every_part_of_a_path_is_a_parameter(operation: tuple[str, str]) -> None:
    path, method = operation
    found = DOCUMENT["paths"][path]["parameters"] + OPERATIONS[path, method].get("parameters", [])
    assert {each["name"] for each in found if each["in"] == "path"} == set(re.findall(r"{(\w+)}", path))
    assert all(each["required"] for each in found if each["in"] == "path")


def test_every_rejection_of_the_code_is_in_the_document_and_no_other() -> None:
    made = {
        (int(status), reason)
        for source in SOURCES
        for status, reason in re.findall(r"Rejected\(\s*(\d+),\s*\"(\w+)\"", source.read_text())
    }
    # API Gateway refuses other methods itself.
    made.discard((HTTPStatus.METHOD_NOT_ALLOWED, "malformed"))
    assert made == {(status, reason) for status, reasons in PROBLEMS.items() for reason in reasons}
    assert {reason for _, reason in made} <= set(get_args(Reason))


def test_every_status_of_a_problem_is_a_response_of_an_operation() -> None:
    documented = {status for operation in OPERATIONS.values() for status in operation["responses"]}
    assert documented == {"200", "201", "202", *map(str, PROBLEMS)}
    for operation in OPERATIONS.values():
        assert {"401", "403", "404", "503"} < operation["responses"].keys()


def test_no_field_that_only_the_engine_needs_is_in_the_document() -> None:
    assert "source" not in DOCUMENT["components"]["schemas"]["Image"]["properties"]
    assert "components/schemas/Source" not in text()


@pytest.mark.parametrize("path", sorted((ROOT / "tests/golden/http").glob("*.json")), ids=lambda path: path.stem)
def test_every_reply_that_is_shown_has_the_documented_fields(path: Any) -> None:
    found = list(replies(msgspec.json.decode(path.read_bytes())))
    for each in found:
        assert each.keys() <= set(ShownReply.__struct_fields__)
        msgspec.convert({"replies": [each], "cursor": "1"}, Page)
        msgspec.convert({"id": "x", "state": "done", "replies": [each]}, MessageState)
    assert found or path.stem in ("empty", "webhook")


def replies(value: Any) -> Any:
    """The replies in a golden file."""
    if isinstance(value, list):
        for each in value:
            yield from replies(each)
    elif isinstance(value, dict):
        if {"op", "created"} <= value.keys():
            yield value
        for each in value.values():
            yield from replies(each)
