"""The deployed stack with Feishu, over HTTP. The cases that all platforms share are in test_demo.py."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.stack import Stack


@pytest.fixture
def room() -> str:
    """A new group for each test."""
    return f"group-{uuid.uuid4().hex[:8]}"


def texts(messages: list[dict[str, Any]]) -> list[str]:
    return [message["text"] for message in messages]


def test_a_message_gets_a_reply_and_all_its_states_are_in_the_journal(stack: Stack, room: str) -> None:
    message_id = stack.send("/echo 你好 <b>", room=room)
    assert texts(stack.wait_for_replies(room)) == ["你好 <b>"]
    journal = stack.wait(
        lambda: found if (found := stack.get(f"/api/journal/{message_id}"))["state"] == "DONE" else None
    )
    assert [state["state"] for state in journal["states"]] == ["RECEIVED", "DECIDED", "DONE"]
    assert [reply["state"] for reply in journal["replies"]] == ["SENT"]


def test_the_processor_delivers_a_reply_at_once_and_one_that_has_to_wait_goes_through_the_queue(
    stack: Stack, room: str
) -> None:
    def reply(text: str) -> str:
        message_id = stack.send(text, room=room)
        (reply,) = stack.wait(lambda: stack.get(f"/api/journal/{message_id}")["replies"])
        return reply["id"]

    at_once = reply("/echo at once")
    with stack.faults("feishu", "http_500", times=1, path="/im/v1/messages"):
        waited = reply("/echo later")
        assert texts(stack.wait_for_replies(room, 2)) == ["at once", "later"]
    assert at_once not in stack.logs("deliverer")
    stack.wait(lambda: at_once in stack.logs("processor"))
    stack.wait(lambda: waited in stack.logs("deliverer"))


def test_a_message_delivered_eight_times_at_once_is_handled_once(stack: Stack, room: str) -> None:
    message_id = stack.send("/count", room=room)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: stack.post("/api/deliver", message_id=message_id), range(8)))
    stack.send("/count", room=room)
    assert texts(stack.wait_for_replies(room, 2)) == ["1", "2"]


def test_conversations_keep_their_order_side_by_side(stack: Stack) -> None:
    rooms = [f"group-{uuid.uuid4().hex[:8]}" for _ in range(4)]

    def talk(room: str) -> list[str]:
        for _ in range(5):
            stack.send("/count", room=room)
        return texts(stack.wait_for_replies(room, 5))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(talk, rooms)) == [["1", "2", "3", "4", "5"]] * 4


def checked_url(stack: Stack, source: str = "", **more: Any) -> httpx.Response:
    """The response to Feishu's check of the URL of a new app, whose configuration has `more` fields. `source`: the
    address that the emulator takes for that of the client.
    """
    name = f"app{uuid.uuid4().hex[:8]}"
    demo = stack.facts["apps"]["feishu"]["demo"]
    stack.client("ssm").put_parameter(
        Name=f"/parley/{stack.facts['stage']}/feishu/{name}", Value=json.dumps({**demo, **more}), Type="SecureString"
    )
    url = stack.facts["callbacks"]["feishu"]["demo"].replace("/demo", f"/{name}")
    challenge = {"type": "url_verification", "challenge": "c-1", "token": demo["verification_token"]}
    headers = {"X-Forwarded-For": source} if source else {}
    return httpx.post(url, json=challenge, headers=headers, timeout=30)


def test_a_new_app_in_ssm_works_at_once(stack: Stack) -> None:
    response = checked_url(stack)
    assert (response.status_code, response.json()) == (200, {"challenge": "c-1"})


@pytest.mark.parametrize(
    ("source", "other", "status"),
    [("203.0.113.7", "refuse", 200), ("198.51.100.7", "refuse", 403), ("198.51.100.7", "count", 200)],
)
def test_an_app_can_refuse_other_addresses(stack: Stack, source: str, other: str, status: int) -> None:
    response = checked_url(stack, source, callback_ips=["203.0.113.0/24"], other_ips=other)
    assert (response.status_code, response.json()) == (
        (200, {"challenge": "c-1"}) if status == 200 else (403, {"error": "other_address"})
    )


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
    response = httpx.post(stack.facts["callbacks"]["feishu"]["demo"], content=body, timeout=30)
    assert (response.status_code, response.json()) == (status, {"error": error})
    assert table.scan(TableName=stack.facts["table"], Select="COUNT")["Count"] == before


def test_an_unknown_app_is_not_found(stack: Stack) -> None:
    url = stack.facts["callbacks"]["feishu"]["demo"].replace("/demo", "/nobody")
    response = httpx.post(url, content=b"{}", timeout=30)
    assert (response.status_code, response.json()) == (404, {"error": "unknown_app"})


def test_a_refused_callback_stores_nothing(stack: Stack) -> None:
    def rows() -> int:
        return stack.client("dynamodb").scan(TableName=stack.facts["table"], Select="COUNT")["Count"]

    before = rows()
    response = httpx.post(stack.facts["callbacks"]["feishu"]["demo"], content=b'{"encrypt":"AAAA"}', timeout=30)
    assert (response.status_code, response.json()) == (401, {"error": "forged"})
    assert rows() == before


def test_a_reply_is_retried_while_the_platform_fails_and_sent_once(stack: Stack, room: str) -> None:
    with stack.faults("feishu", "http_500", times=2, path="/im/v1/messages"):
        stack.send("/echo again", room=room)
        stack.send("/echo after", room=room)
        assert texts(stack.wait_for_replies(room, 2)) == ["again", "after"]


def test_an_answer_that_got_lost_does_not_repeat_the_message(stack: Stack, room: str) -> None:
    stack.post("/api/faults", platform="feishu", kind="drop_response", times=1, path="/im/v1/messages")
    try:
        stack.send("/echo once", room=room)
        stack.send("/echo next", room=room)
        assert texts(stack.wait_for_replies(room, 2)) == ["once", "next"]
    finally:
        stack.http.delete("/api/faults")


def test_a_revoked_token_is_replaced(stack: Stack, room: str) -> None:
    with stack.faults("feishu", "token_expired", times=1, path="/im/v1/messages"):
        stack.send("/echo still here", room=room)
        assert texts(stack.wait_for_replies(room)) == ["still here"]


def test_logs_contain_ids_but_no_texts_and_no_secrets(stack: Stack, room: str) -> None:
    secret_text = f"text-{uuid.uuid4().hex}"
    message_id = stack.send(f"/echo {secret_text}", room=room)
    stack.wait_for_replies(room)
    found = stack.logs()
    assert message_id in found
    assert secret_text not in found
    for name, value in stack.facts["apps"]["feishu"]["demo"].items():
        if name in {"app_secret", "encrypt_key", "verification_token"}:
            assert value not in found
