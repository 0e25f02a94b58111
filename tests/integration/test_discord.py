"""Discord on the deployed stack: interactions in, the imitated Discord's own API out."""

import base64
import json
import time
import uuid
from typing import Any

import httpx
import pytest
from nacl.signing import SigningKey

from playground.platforms.discord import wire
from tests.stack import Stack


@pytest.fixture
def room() -> str:
    """A channel of its own for each test."""
    return f"channel-{uuid.uuid4().hex[:8]}"


def call(stack: Stack, command: str, room: str, **more: Any) -> str:
    return stack.send(command, room=room, platform="discord", **more)


def texts(stack: Stack, room: str, count: int = 1) -> list[str]:
    """What the bot has said, once there is so much of it."""
    found = stack.wait(lambda: said if len(said := stack.answers(room, "discord")) >= count else None)
    return [message["text"] for message in found]


def test_the_address_answers_the_ping_and_the_probe(stack: Stack) -> None:
    done = stack.post("/api/challenge", platform="discord", app="demo")
    assert done["ok"]
    assert json.loads(done["attempts"][0]["body"]) == {"type": 1}


METHODS = ["POST", "GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("signature", [{}, {"X-Signature-Ed25519": "0" * 128, "X-Signature-Timestamp": "1"}])
def test_whatever_is_not_signed_is_401_by_every_method(stack: Stack, method: str, signature: dict[str, str]) -> None:
    url = stack.facts["callbacks"]["discord"]["demo"]
    body = b'{"type":1}' if method not in ("GET", "HEAD") else None
    assert httpx.request(method, url, headers=signature, timeout=30, content=body).status_code == 401


@pytest.mark.parametrize("method", [method for method in METHODS if method != "POST"])
def test_what_is_signed_and_not_posted_is_405(stack: Stack, method: str) -> None:
    key = SigningKey(bytes.fromhex(stack.facts["private"]["discord"]["demo"]["signing_key"]))
    sent = wire.signed(key, b"", time.time())
    url = stack.facts["callbacks"]["discord"]["demo"]
    assert httpx.request(method, url, headers=sent.headers, timeout=30).status_code == 405


def test_a_slash_command_is_answered_in_the_place_of_its_promise(stack: Stack, room: str) -> None:
    id_ = call(stack, "/echo hello there", room)
    assert texts(stack, room) == ["hello there"]
    found = stack.wait(lambda: found if (found := stack.get(f"/api/journal/{id_}"))["state"] == "DONE" else None)
    assert [reply["state"] for reply in found["replies"]] == ["SENT"]


def test_a_button_is_answered(stack: Stack, room: str) -> None:
    call(stack, "/card", room)
    texts(stack, room)
    (card,) = stack.answers(room, "discord")
    stack.post("/api/press", platform="discord", app="demo", message_id=card["id"], button="tea")
    assert texts(stack, room, 2)[1] == "You chose tea."


def test_an_option_is_completed_while_it_is_typed(stack: Stack, room: str) -> None:
    """Answered within the callback: nothing is queued, and nothing is said."""
    place: dict[str, Any] = {"platform": "discord", "app": "demo", "room": room, "sender": "ann"}
    typed = {"name": "order", "options": {"drink": "tea"}, "focused": "drink"}
    done = stack.post("/api/events", kind="complete", wait=True, **place, **typed)
    assert done["result"]["choices"] == [{"name": tea, "value": tea} for tea in ("Green tea", "Milk tea")]
    call(stack, "/order drink:Milk tea", room)
    assert texts(stack, room) == ["One Milk tea, coming."]
    # The room is one FIFO group: had it been queued, the bot would have decided it by now.
    assert stack.get(f"/api/journal/{done['message_id']}")["decided"] is None


def test_a_form_opens_at_once_and_what_is_filled_in_is_answered(stack: Stack, room: str) -> None:
    id_ = call(stack, "/feedback", room)
    modal = stack.wait(lambda: stack.get(f"/api/trace/{id_}")["delivery"]["result"].get("modal"))
    assert modal["title"] == "Feedback"
    sent: dict[str, Any] = {"modal": modal["id"], "sender": "ann", "form": {"text": "very good"}}
    stack.post("/api/events", platform="discord", app="demo", kind="submit", wait=True, **sent)
    assert texts(stack, room) == ["Thank you for “very good”."]


def register(stack: Stack, **command: Any) -> None:
    """Another command of the application than those of its bot."""
    app = stack.facts["apps"]["discord"]["demo"]
    headers = {"Authorization": f"Bot {app['bot_token']}", "User-Agent": "DiscordBot (https://example.com, 1)"}
    url = f"{app['host']}/applications/{app['application_id']}/commands"
    stack.http.post(url, headers=headers, json=command).raise_for_status()


def chosen(stack: Stack, name: str, room: str, target: str = "", **more: Any) -> str:
    """A person chooses an entry of a menu."""
    content = {"name": name, "options": {"target": target} if target else {}, **more}
    return call(stack, "", room, native={"type": "command", "content": content})


def test_a_command_of_a_messages_menu_works_on_what_that_says(stack: Stack, room: str) -> None:
    target = call(stack, "three little words", room, deliver=False)
    chosen(stack, "Count words", room, target)
    assert texts(stack, room) == ["3 words"]


def test_a_command_of_a_persons_menu_names_the_person(stack: Stack, room: str) -> None:
    register(stack, name="Greet", type=2)
    chosen(stack, "Greet", room, "Sam Okafor")
    assert "/Greet @Sam Okafor" in texts(stack, room)[0]


def test_a_role_is_an_option_by_its_name(stack: Stack, room: str) -> None:
    register(stack, name="summon", description="d", options=[{"type": 8, "name": "whom", "description": "d"}])
    call(stack, "/summon whom:Team", room)
    assert "/summon @Team" in texts(stack, room)[0]


def test_where_the_bot_is_not_it_answers_with_the_interaction(stack: Stack, room: str) -> None:
    """A user install: the person calls it in a chat that the bot cannot see."""
    register(stack, name="along", description="d", contexts=[0, 1, 2], integration_types=[0, 1])
    id_ = chosen(stack, "along", room, user_install=True)
    assert "/along" in texts(stack, room)[0]
    message = stack.get(f"/api/trace/{id_}")["unified"]
    assert (message["context"].get("tenant", ""), message["context"].get("private", False)) == ("", False)


def test_events_get_204_after_their_ping_and_are_handled_once(stack: Stack) -> None:
    place: dict[str, Any] = {"platform": "discord", "app": "demo", "wait": True}
    assert stack.post("/api/events", kind="save_events", **place)["state"] == "delivered"
    event = stack.post("/api/events", kind="authorize", **place)
    assert [attempt["status"] for attempt in event["attempts"]] == [204]
    again = stack.post("/api/deliver", message_id=event["event_id"], times=2)["attempts"]
    assert [attempt["status"] for attempt in again] == [204, 204]
    path = f"/api/journal/{event['message_id']}"
    found = stack.wait(lambda: kept if (kept := stack.get(path))["state"] == "DONE" else None)
    assert (found["message"]["kind"], found["message"]["event"]) == ("event", "APPLICATION_AUTHORIZED")
    assert found["replies"] == []


@pytest.mark.parametrize("how", ["signature", "plain", "truncated"])
def test_a_forged_event_is_401(stack: Stack, how: str) -> None:
    event = stack.post("/api/events", platform="discord", app="demo", kind="entitle", wait=True)
    (attempt,) = stack.post("/api/deliver", message_id=event["event_id"], forge=how)["attempts"]
    assert attempt["status"] == 401


def test_an_interaction_that_comes_three_times_is_handled_once(stack: Stack, room: str) -> None:
    id_ = call(stack, "/count", room)
    repeated = stack.post("/api/deliver", message_id=id_, times=2)["attempts"]
    assert [attempt["status"] for attempt in repeated] == [200, 200]
    call(stack, "/count", room)
    assert texts(stack, room, 2) == ["1", "2"]


@pytest.mark.parametrize("how", ["signature", "stale", "plain", "truncated"])
def test_a_forged_interaction_is_401_and_nothing_comes_of_it(stack: Stack, room: str, how: str) -> None:
    id_ = call(stack, "/count", room)
    texts(stack, room)
    (attempt,) = stack.post("/api/deliver", message_id=id_, forge=how)["attempts"]
    assert attempt["status"] == 401
    call(stack, "/count", room)
    assert texts(stack, room, 2) == ["1", "2"]


def test_an_interaction_whose_token_dies_is_answered_in_the_channel(stack: Stack, room: str) -> None:
    stack.post("/api/faults", platform="discord", kind="token_expired", times=1)
    try:
        call(stack, "/echo late", room)
        assert texts(stack, room) == ["late"]
    finally:
        stack.http.delete("/api/faults", params={"platform": "discord"})


def test_a_failing_edit_is_repeated_and_shown_once(stack: Stack, room: str) -> None:
    stack.post("/api/faults", platform="discord", kind="http_500", times=2)
    try:
        call(stack, "/echo again", room)
        call(stack, "/echo after", room)
        assert texts(stack, room, 2) == ["again", "after"]
    finally:
        stack.http.delete("/api/faults", params={"platform": "discord"})


def test_no_log_holds_an_interactions_token_or_what_was_said(stack: Stack, room: str) -> None:
    secret = f"text-{uuid.uuid4().hex}"
    id_ = call(stack, f"/echo {secret}", room)
    texts(stack, room)
    body = stack.get(f"/api/trace/{id_}")["wire"]["body"]
    token = json.loads(base64.b64decode(body))["token"]
    logs, found = stack.client("logs"), ""
    for group in stack.facts["log_groups"].values():
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group):
            found += "\n".join(event["message"] for event in page["events"])
    assert id_ in found
    assert token not in found
    assert secret not in found
