"""The deployed stack: real HTTP in, the imitated platform's own API out."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.stack import Stack


@pytest.fixture
def room() -> str:
    """A group of its own for each test."""
    return f"group-{uuid.uuid4().hex[:8]}"


def texts(messages: list[dict[str, Any]]) -> list[str]:
    return [message["text"] for message in messages]


def test_a_message_goes_all_the_way_and_is_answered(stack: Stack, room: str) -> None:
    message_id = stack.send("/echo 你好 <b>", room=room)
    assert texts(stack.wait_for_answers(room)) == ["你好 <b>"]
    journal = stack.wait(
        lambda: found if (found := stack.get(f"/api/journal/{message_id}"))["state"] == "DONE" else None
    )
    assert [state["state"] for state in journal["states"]] == ["RECEIVED", "DECIDED", "DONE"]
    assert [reply["state"] for reply in journal["replies"]] == ["SENT"]


def test_a_message_delivered_many_times_at_once_is_answered_once(stack: Stack, room: str) -> None:
    message_id = stack.send("/count", room=room)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: stack.post("/api/deliver", message_id=message_id), range(8)))
    stack.send("/count", room=room)
    assert texts(stack.wait_for_answers(room, 2)) == ["1", "2"]


def test_conversations_keep_their_order_side_by_side(stack: Stack) -> None:
    rooms = [f"group-{uuid.uuid4().hex[:8]}" for _ in range(4)]

    def talk(room: str) -> list[str]:
        for _ in range(5):
            stack.send("/count", room=room)
        return texts(stack.wait_for_answers(room, 5))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(talk, rooms)) == [["1", "2", "3", "4", "5"]] * 4


def test_an_app_put_into_ssm_works_at_once(stack: Stack) -> None:
    name = f"app{uuid.uuid4().hex[:8]}"
    demo = stack.facts["apps"]["feishu"]["demo"]
    stack.client("ssm").put_parameter(
        Name=f"/parley/{stack.facts['stage']}/feishu/{name}", Value=json.dumps(demo), Type="SecureString"
    )
    url = stack.facts["callbacks"]["feishu"]["demo"].replace("/demo", f"/{name}")
    challenge = {"type": "url_verification", "challenge": "c-1", "token": demo["verification_token"]}
    answer = httpx.post(url, json=challenge, timeout=30)
    assert (answer.status_code, answer.json()) == (200, {"challenge": "c-1"})


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (b'{"encrypt":"AAAA"}', 401, "forged"),
        (b'{"schema":"2.0","header":{},"event":{}}', 401, "forged"),
        (b'{"encrypt":', 400, "malformed"),
        (b"x" * 1_048_576, 413, "too_large"),
    ],
)
def test_bad_input_is_refused_with_its_code_and_stored_nowhere(
    stack: Stack, body: bytes, status: int, error: str
) -> None:
    table = stack.client("dynamodb")
    before = table.scan(TableName=stack.facts["table"], Select="COUNT")["Count"]
    answer = httpx.post(stack.facts["callbacks"]["feishu"]["demo"], content=body, timeout=30)
    assert (answer.status_code, answer.json()) == (status, {"error": error})
    assert table.scan(TableName=stack.facts["table"], Select="COUNT")["Count"] == before


def test_an_unknown_app_is_not_found(stack: Stack) -> None:
    url = stack.facts["callbacks"]["feishu"]["demo"].replace("/demo", "/nobody")
    answer = httpx.post(url, content=b"{}", timeout=30)
    assert (answer.status_code, answer.json()) == (404, {"error": "unknown_app"})


def test_a_platform_that_fails_for_a_while_gets_the_reply_in_the_end_and_once(stack: Stack, room: str) -> None:
    stack.post("/api/faults", platform="feishu", kind="http_500", times=2)
    try:
        stack.send("/echo again", room=room)
        stack.send("/echo after", room=room)
        assert texts(stack.wait_for_answers(room, 2)) == ["again", "after"]
    finally:
        stack.http.delete("/api/faults")


def test_an_answer_that_got_lost_does_not_repeat_the_message(stack: Stack, room: str) -> None:
    stack.post("/api/faults", platform="feishu", kind="drop_response", times=1)
    try:
        stack.send("/echo once", room=room)
        stack.send("/echo next", room=room)
        assert texts(stack.wait_for_answers(room, 2)) == ["once", "next"]
    finally:
        stack.http.delete("/api/faults")


def test_a_token_that_the_platform_revoked_is_replaced(stack: Stack, room: str) -> None:
    stack.post("/api/faults", platform="feishu", kind="token_expired", times=1)
    try:
        stack.send("/echo still here", room=room)
        assert texts(stack.wait_for_answers(room)) == ["still here"]
    finally:
        stack.http.delete("/api/faults")


def test_logs_hold_ids_and_no_texts_or_secrets(stack: Stack, room: str) -> None:
    secret_text = f"text-{uuid.uuid4().hex}"
    message_id = stack.send(f"/echo {secret_text}", room=room)
    stack.wait_for_answers(room)
    logs = stack.client("logs")
    found = ""
    for group in stack.facts["log_groups"].values():
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group):
            found += "\n".join(event["message"] for event in page["events"])
    assert message_id in found
    assert secret_text not in found
    for name, value in stack.facts["apps"]["feishu"]["demo"].items():
        if name in {"app_secret", "encrypt_key", "verification_token"}:
            assert value not in found
