"""With IAM enforced, each function works with the permissions of its own role. The bot has two files and settings."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stack import Stack, running


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of its own that enforces the roles of its functions, with the bot of tests/bots/two_files."""
    directory: Path = tmp_path_factory.mktemp("iam")
    with running(directory, "--iam", bot="tests/bots/two_files") as found:
        yield found


def test_a_module_beside_the_bot_is_imported_by_the_processor(strict: Stack) -> None:
    room = f"group-{uuid.uuid4().hex[:8]}"
    strict.send("/menu", room=room)
    assert [message["text"] for message in strict.wait_for_replies(room)] == ["Green tea, Milk tea, Water"]


def test_a_module_beside_the_bot_is_imported_by_the_discord_function(strict: Stack) -> None:
    typed = {"name": "order", "options": {"drink": "tea"}, "focused": "drink"}
    done = strict.post(
        "/api/events", platform="discord", app="demo", room="lab", sender="ann", kind="complete", wait=True, **typed
    )
    assert done["result"]["choices"] == [{"name": tea, "value": tea} for tea in ("Green tea", "Milk tea")]


def test_a_module_beside_the_bot_is_imported_by_the_registration_tool(strict: Stack) -> None:
    registered = strict.get("/api/commands", platform="discord", app="demo")
    assert [command["name"] for command in registered] == ["menu", "order", "hours", "echo", "count"]


def test_the_processor_reads_the_settings_of_the_bot_with_its_role(strict: Stack) -> None:
    stored = {"api_key": "abc", "opens_at": 9}
    strict.client("ssm").put_parameter(Name="/parley/local/bot", Value=json.dumps(stored), Type="SecureString")
    room = f"group-{uuid.uuid4().hex[:8]}"
    strict.send("/hours", room=room)
    (reply,) = strict.wait_for_replies(room)
    assert reply["text"] == "9:00, with a key of 3 characters"


def test_callback_processor_and_deliverer_work_with_their_roles(strict: Stack) -> None:
    room = f"group-{uuid.uuid4().hex[:8]}"
    strict.send("/count", room=room)
    strict.send("/count", room=room)
    assert [message["text"] for message in strict.wait_for_replies(room, 2)] == ["1", "2"]


def test_retries_work_with_their_roles(strict: Stack) -> None:
    room = f"group-{uuid.uuid4().hex[:8]}"
    strict.post("/api/faults", platform="feishu", kind="http_500", times=1, path="/im/v1/messages")
    strict.send("/echo again", room=room)
    assert [message["text"] for message in strict.wait_for_replies(room)] == ["again"]


@pytest.mark.parametrize(("platform", "app"), [("wecom", "passive"), ("wechat", "passive"), ("wecom_bot", "demo")])
def test_a_passive_reply_works_with_the_role_of_the_callback(strict: Stack, platform: str, app: str) -> None:
    person = f"person{uuid.uuid4().hex[:8]}"
    sent = strict.post("/api/messages", platform=platform, app=app, sender=person, text="/echo within")

    def replies() -> list[dict[str, Any]] | None:
        found = strict.get(f"/api/journal/{sent['message_id']}")["replies"]
        return found if found and found[0]["state"] == "SENT" else None

    assert [reply["receipts"] for reply in strict.wait(replies)] == [["passive"]]


def test_the_sweeper_works_with_its_role(strict: Stack) -> None:
    """A reply that has been due for a long time is delivered."""
    room = f"group-{uuid.uuid4().hex[:8]}"
    strict.send("/echo first", room=room)
    strict.wait_for_replies(room)
    table = strict.client("dynamodb")
    rows = table.scan(
        TableName=strict.facts["table"],
        FilterExpression="begins_with(pk, :out)",
        ExpressionAttributeValues={":out": {"S": "out#"}},
    )["Items"]
    row = next(row for row in rows if '"first"' in row["body"]["S"])
    shard = f"due#{int(row['pk']['S'][4:12], 16) % 8}"
    table.update_item(
        TableName=strict.facts["table"],
        Key={"pk": row["pk"]},
        UpdateExpression="SET #state = :pending, due_shard = :shard, due_at = :past REMOVE receipts",
        ExpressionAttributeNames={"#state": "state"},
        ExpressionAttributeValues={":pending": {"S": "PENDING"}, ":shard": {"S": shard}, ":past": {"N": "1"}},
    )
    answer = strict.client("lambda").invoke(FunctionName=strict.facts["functions"]["sweeper"], Payload=b"{}")
    assert json.load(answer["Payload"])["swept"] >= 1

    def sent() -> bool:
        item = table.get_item(TableName=strict.facts["table"], Key={"pk": row["pk"]}, ConsistentRead=True)["Item"]
        return item["state"]["S"] == "SENT"

    strict.wait(sent)


def test_a_role_without_its_policies_is_denied(strict: Stack) -> None:
    iam = strict.client("iam")
    function = strict.client("lambda").get_function(FunctionName=strict.facts["functions"]["deliverer"])
    role = function["Configuration"]["Role"].rsplit("/", 1)[-1]
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        iam.delete_role_policy(RoleName=role, PolicyName=name)
    room = f"group-{uuid.uuid4().hex[:8]}"
    group = strict.facts["log_groups"]["deliverer"]

    def denied() -> bool:
        events = strict.client("logs").filter_log_events(logGroupName=group, filterPattern='"AccessDenied"')["events"]
        return bool(events)

    with strict.faults(
        "feishu", "http_500", times=1, path="/im/v1/messages"
    ):  # the processor's call fails, so the deliverer gets the reply
        strict.send("/echo never", room=room)
        strict.wait(denied)
    assert strict.replies(room) == []
