"""The deployed stack with Discord, over HTTP. The cases that all platforms share are in test_demo.py."""

import base64
import json
import os
import subprocess
import sys
import time
import uuid
from typing import Any

import httpx
import pytest
from nacl.signing import SigningKey

from playground.platforms.discord import wire
from tests.stack import ROOT, Stack


@pytest.fixture
def room() -> str:
    """A new channel for each test."""
    return f"channel-{uuid.uuid4().hex[:8]}"


def call(stack: Stack, command: str, room: str, **more: Any) -> str:
    return stack.send(command, room=room, platform="discord", **more)


def texts(stack: Stack, room: str, count: int = 1) -> list[str]:
    """The texts of the bot's messages, once there are `count`."""
    found = stack.wait(lambda: sent if len(sent := stack.replies(room, "discord")) >= count else None)
    return [message["text"] for message in found]


METHODS = ["POST", "GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("signature", [{}, {"X-Signature-Ed25519": "0" * 128, "X-Signature-Timestamp": "1"}])
def test_an_unsigned_request_is_401_with_every_method(stack: Stack, method: str, signature: dict[str, str]) -> None:
    url = stack.facts["callbacks"]["discord"]["demo"]
    body = b'{"type":1}' if method not in ("GET", "HEAD") else None
    assert httpx.request(method, url, headers=signature, timeout=30, content=body).status_code == 401


@pytest.mark.parametrize("method", [method for method in METHODS if method != "POST"])
def test_a_signed_request_that_is_not_a_post_is_405(stack: Stack, method: str) -> None:
    key = SigningKey(bytes.fromhex(stack.facts["private"]["discord"]["demo"]["signing_key"]))
    sent = wire.signed(key, b"", time.time())
    url = stack.facts["callbacks"]["discord"]["demo"]
    assert httpx.request(method, url, headers=sent.headers, timeout=30).status_code == 405


def test_a_reply_replaces_the_deferred_response_of_a_slash_command(stack: Stack, room: str) -> None:
    id_ = call(stack, "/echo hello there", room)
    assert texts(stack, room) == ["hello there"]
    found = stack.wait(lambda: found if (found := stack.get(f"/api/journal/{id_}"))["state"] == "DONE" else None)
    assert [reply["state"] for reply in found["replies"]] == ["SENT"]


def test_suggestions_for_an_option_are_in_the_response_to_the_callback(stack: Stack, room: str) -> None:
    """Nothing is queued, and the bot sends no message."""
    place: dict[str, Any] = {"platform": "discord", "app": "demo", "room": room, "sender": "ann"}
    typed = {"name": "order", "options": {"drink": "tea"}, "focused": "drink"}
    done = stack.post("/api/events", kind="complete", wait=True, **place, **typed)
    assert done["result"]["choices"] == [{"name": tea, "value": tea} for tea in ("Green tea", "Milk tea")]
    call(stack, "/order drink:Milk tea", room)
    assert texts(stack, room) == ["One Milk tea, coming."]
    # The room is one FIFO group. If the event had been queued, the bot would have decided it before the order.
    assert stack.get(f"/api/journal/{done['message_id']}")["decided"] is None


def register(stack: Stack, **command: Any) -> None:
    """Register a command that the bot does not define."""
    app = stack.facts["apps"]["discord"]["demo"]
    headers = {"Authorization": f"Bot {app['bot_token']}", "User-Agent": "DiscordBot (https://example.com, 1)"}
    url = f"{app['host']}/applications/{app['application_id']}/commands"
    stack.http.post(url, headers=headers, json=command).raise_for_status()


def choose(stack: Stack, name: str, room: str, target: str = "", **more: Any) -> str:
    """Have a person choose an entry of a menu."""
    content = {"name": name, "options": {"target": target} if target else {}, **more}
    return call(stack, "", room, native={"type": "command", "content": content})


def test_a_command_from_a_persons_menu_contains_the_persons_name(stack: Stack, room: str) -> None:
    register(stack, name="Greet", type=2)
    choose(stack, "Greet", room, "Sam Okafor")
    assert "/Greet @Sam Okafor" in texts(stack, room)[0]


def test_a_role_option_contains_the_roles_name(stack: Stack, room: str) -> None:
    register(stack, name="summon", description="d", options=[{"type": 8, "name": "whom", "description": "d"}])
    call(stack, "/summon whom:Team", room)
    assert "/summon @Team" in texts(stack, room)[0]


def test_a_bot_replies_with_the_interaction_in_a_chat_where_it_is_no_member(stack: Stack, room: str) -> None:
    """A user install: the person uses the command in a chat that the bot cannot see."""
    register(stack, name="along", description="d", contexts=[0, 1, 2], integration_types=[0, 1])
    id_ = choose(stack, "along", room, user_install=True)
    assert "/along" in texts(stack, room)[0]
    message = stack.get(f"/api/trace/{id_}")["unified"]
    assert (message["context"].get("tenant", ""), message["context"].get("private", False)) == ("", False)


def test_a_webhook_event_gets_204_and_is_handled_once(stack: Stack) -> None:
    place: dict[str, Any] = {"platform": "discord", "app": "demo", "wait": True}
    assert stack.post("/api/events", kind="save_events", **place)["state"] == "delivered"
    event = stack.post("/api/events", kind="authorize", **place)
    assert [attempt["status"] for attempt in event["attempts"]] == [204]
    again = stack.post("/api/deliver", message_id=event["event_id"], times=2)["attempts"]
    assert [attempt["status"] for attempt in again] == [204, 204]
    path = f"/api/journal/{event['message_id']}"
    found = stack.wait(lambda: entry if (entry := stack.get(path))["state"] == "DONE" else None)
    assert (found["message"]["kind"], found["message"]["event"]) == ("event", "APPLICATION_AUTHORIZED")
    assert found["replies"] == []


@pytest.mark.parametrize("how", ["signature", "plain", "truncated"])
def test_a_forged_event_is_401(stack: Stack, how: str) -> None:
    event = stack.post("/api/events", platform="discord", app="demo", kind="entitle", wait=True)
    (attempt,) = stack.post("/api/deliver", message_id=event["event_id"], forge=how)["attempts"]
    assert attempt["status"] == 401


def test_a_failed_edit_is_retried_and_shown_once(stack: Stack, room: str) -> None:
    with stack.faults("discord", "http_500", times=2):
        call(stack, "/echo again", room)
        call(stack, "/echo after", room)
        assert texts(stack, room, 2) == ["again", "after"]


def test_logs_contain_ids_but_no_interaction_tokens_and_no_texts(stack: Stack, room: str) -> None:
    secret = f"text-{uuid.uuid4().hex}"
    id_ = call(stack, f"/echo {secret}", room)
    texts(stack, room)
    body = stack.get(f"/api/trace/{id_}")["wire"]["body"]
    token = json.loads(base64.b64decode(body))["token"]
    found = stack.logs()
    assert id_ in found
    assert token not in found
    assert secret not in found


def test_the_tool_for_commands_uses_the_local_stack(stack: Stack) -> None:
    """Other tests have registered commands of their own: the first run removes them."""
    run = [sys.executable, "-m", "parley_cli", "discord", "register", "demo", "--apply"]
    variables = {**os.environ, "PARLEY_LOCAL_DIR": str(stack.directory), "PARLEY_BOT": stack.facts["bot"]}
    subprocess.run(run, capture_output=True, cwd=ROOT, env=variables, check=True)
    done = subprocess.run(run[:-1], capture_output=True, text=True, cwd=ROOT, env=variables, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "everywhere: nothing to change\n", "")
