"""The schemas in docs/schema say what the model says."""

import json

import pytest

from tools.make_schema import FOLDER, schemas


def test_the_folder_holds_the_schemas_and_nothing_else():
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(schemas())


@pytest.mark.parametrize("name", sorted(schemas()))
def test_a_schema_is_what_the_model_generates_now(name: str):
    assert (FOLDER / name).read_text() == schemas()[name], "the model has changed: python -m tools.make_schema"


def test_a_message_has_the_fields_of_the_brief_under_their_names():
    message = json.loads(schemas()["message.json"])["$defs"]["Message"]
    assert {"platform", "sender", "content", "timestamp", "context"} <= set(message["required"])
    content = json.loads(schemas()["message.json"])["$defs"]["Content"]
    assert set(content["properties"]) == {"text", "attachments"}
