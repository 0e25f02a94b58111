"""Simulated Discord: signatures, commands, interactions and their responses, modals, events."""

import json
from typing import Any

import pytest
from discord_interactions import verify_key

from playground.platforms.base import NotFoundError
from playground.platforms.model import Attempt, Delivery, NewMessage
from tests.unit.playground.discord import APP, APPLICATION, HOST, Caller, caller, code

ORIGINAL = "/messages/@original"


@pytest.fixture
def bot() -> Caller:
    return caller()


# --- interactions ---


def test_discords_own_library_accepts_the_signature(bot: Caller):
    wire = bot.invoke().delivery.wire
    stamp, signature = wire.headers["X-Signature-Timestamp"], wire.headers["X-Signature-Ed25519"]
    assert verify_key(wire.body, signature, stamp, APP["public_key"])
    assert not verify_key(wire.body + b" ", signature, stamp, APP["public_key"])


@pytest.mark.parametrize("how", ["signature", "truncated"])
def test_discords_own_library_rejects_a_forged_signature(bot: Caller, how: str):
    delivery = bot.invoke().delivery
    wire = bot.discord.forge(delivery, how)
    stamp, signature = wire.headers["X-Signature-Timestamp"], wire.headers["X-Signature-Ed25519"]
    assert not verify_key(wire.body, signature, stamp, APP["public_key"])


def test_a_stale_callback_is_signed_a_day_ago_and_a_plain_one_has_no_signature(bot: Caller):
    delivery = bot.invoke().delivery
    old = bot.discord.forge(delivery, "stale").headers
    assert verify_key(delivery.wire.body, old["X-Signature-Ed25519"], old["X-Signature-Timestamp"], APP["public_key"])
    assert int(old["X-Signature-Timestamp"]) == bot.clock.now - 86_400
    assert "X-Signature-Ed25519" not in bot.discord.forge(delivery, "plain").headers
    with pytest.raises(NotFoundError):
        bot.discord.forge(delivery, "nicely")


def test_the_challenge_sends_a_ping_and_a_wrong_signature_that_must_get_401(bot: Caller):
    ping = bot.discord.challenge("demo")
    probe = bot.discord.drain_outbox()[0]
    assert bot.respond(probe, {"type": 1}) == "failed"
    assert bot.respond(ping, {"type": 2}) == "failed"
    again = bot.discord.challenge("demo")
    probe = bot.discord.drain_outbox()[0]
    assert bot.respond(probe, {"error": "forged"}, 401) == "delivered"
    assert bot.respond(again, {"type": 1}) == "delivered"


def test_a_command_contains_a_member_in_a_group_and_a_user_in_a_direct_chat(bot: Caller):
    group = json.loads(bot.invoke().delivery.plain)
    direct = json.loads(bot.invoke(room="private").delivery.plain)
    assert (group["context"], group["member"]["user"]["username"], "user" in group) == (0, "lin", False)
    assert (direct["context"], direct["user"]["username"], "member" in direct) == (1, "lin", False)


@pytest.mark.parametrize(
    ("typed", "options"),
    [
        ("/echo text:hello there times:3", {"text": "hello there", "times": 3}),
        ("／echo hello", {"text": "hello"}),
        ("/echo hello 2", {"text": "hello", "times": 2}),
    ],
)
def test_options_are_parsed_from_the_text(bot: Caller, typed: str, options: dict[str, Any]):
    data = json.loads(bot.invoke(typed).delivery.plain)["data"]
    assert {option["name"]: option["value"] for option in data["options"]} == options


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("hello", "no plain text"),
        ("/nobody", "no command /nobody"),
        ("/echo", "text is required"),
        ("/count 5", "does not accept '5'"),
        ("/echo hello there", "whole number"),
        (f"/echo text:{'x' * 101}", "length"),
        ("/echo text:a times:0", "from 1"),
    ],
)
def test_options_that_discords_client_does_not_send_are_rejected(bot: Caller, typed: str, why: str):
    with pytest.raises(NotFoundError, match=why):
        bot.invoke(typed)
    assert bot.discord.drain_outbox() == []


def test_plain_text_is_shown_and_not_sent_to_the_bot(bot: Caller):
    bot.discord.send_message("demo", "team", "lin", NewMessage(text="hello all", mention=False))
    assert bot.discord.drain_outbox() == []
    assert [m.content["content"] for m in bot.discord.messages.values()] == ["hello all"]


def test_sub_commands_are_nested_and_persons_and_files_resolved(bot: Caller):
    leaf = [
        {"type": 6, "name": "who", "description": "d"},
        {"type": 11, "name": "upload", "description": "d"},
        {"type": 5, "name": "urgent", "description": "d"},
    ]
    check = {"type": 1, "name": "check", "description": "d", "options": leaf}
    doc = {
        "name": "doc",
        "description": "d",
        "options": [{"type": 2, "name": "file", "description": "d", "options": [check]}],
    }
    bot.bot("POST", f"/applications/{APPLICATION}/commands", json=doc)
    made = bot.invoke("/doc file check who:Sam Okafor urgent:true", file=("a.pdf", b"%PDF"))
    data = json.loads(made.delivery.plain)["data"]
    who, upload, urgent = data["options"][0]["options"][0]["options"]
    assert data["resolved"]["users"][who["value"]]["global_name"] == "Sam Okafor"
    assert urgent["value"] is True
    attachment = data["resolved"]["attachments"][upload["value"]]
    assert bot.http.get(attachment["url"]).content == b"%PDF"
    assert attachment["url"].startswith(HOST.removesuffix("/api/v10"))


# --- responses ---


def test_an_interaction_without_a_response_in_three_seconds_fails(bot: Caller):
    made = bot.invoke()
    assert made.delivery.deadline == 3
    bot.discord.record_attempt(made.delivery, Attempt(bot.clock.now, 3000, 0, "no response within 3 s"))
    assert made.state == "failed"
    assert "did not respond" in bot.discord.parts(bot.discord.messages[made.id])[1]["text"]
    assert code(bot.by_token("PATCH", made, ORIGINAL, json={"content": "late"})) == (404, 10015)


@pytest.mark.parametrize("response", [{"type": 8}, {"type": 6}, {"type": 99}, {}, [], {"type": 4, "data": {}}])
def test_an_invalid_response_to_a_command_fails_it(bot: Caller, response: Any):
    made = bot.invoke()
    assert bot.respond(made.delivery, response) == "failed"
    assert made.state == "failed"


def test_the_token_is_unknown_until_discord_has_the_deferred_response(bot: Caller):
    made = bot.invoke()
    assert code(bot.by_token("PATCH", made, ORIGINAL, json={"content": "too early"})) == (404, 10015)
    bot.respond(made.delivery, {"type": 5})
    assert bot.by_token("PATCH", made, ORIGINAL, json={"content": "now"}).status_code == 200


def test_a_deferred_response_can_be_completed_edited_and_deleted(bot: Caller):
    made = bot.deferred()
    assert bot.by_token("GET", made, ORIGINAL).json()["flags"] == 128
    command = bot.discord.messages[made.id]
    assert "thinking" in bot.discord.parts(command)[1]["text"]
    assert bot.bot_messages() == []
    bot.by_token("PATCH", made, ORIGINAL, json={"content": "one"})
    assert [m["content"] for m in bot.bot_messages()] == ["one"]
    assert len(bot.discord.parts(command)) == 1
    bot.by_token("PATCH", made, ORIGINAL, json={"content": "two"})
    assert [m["content"] for m in bot.bot_messages()] == ["two"]
    assert bot.by_token("DELETE", made, ORIGINAL).status_code == 204
    assert bot.bot_messages() == []
    assert code(bot.by_token("DELETE", made, ORIGINAL)) == (404, 10008)


def test_a_deleted_deferred_response_leaves_no_message(bot: Caller):
    made = bot.deferred()
    assert bot.by_token("DELETE", made, ORIGINAL).status_code == 204
    assert (bot.bot_messages(), made.state) == ([], "deleted")


def test_the_first_follow_up_completes_a_deferred_response(bot: Caller):
    made = bot.deferred(flags=64)
    for text in ("one", "two"):
        assert bot.by_token("POST", made, json={"content": text}).status_code == 200
    bot.by_token("POST", made, json={"content": "three", "flags": 64})
    assert [(m["content"], m.get("flags", 0)) for m in bot.bot_messages()] == [("one", 64), ("two", 0), ("three", 64)]
    last = made.follow_ups[-1]
    assert bot.by_token("PATCH", made, f"/messages/{last}", json={"content": "3"}).json()["content"] == "3"
    assert bot.by_token("DELETE", made, f"/messages/{last}").status_code == 204


def test_an_interaction_token_expires_after_fifteen_minutes(bot: Caller):
    made = bot.deferred()
    bot.clock.now += 899
    assert bot.by_token("PATCH", made, ORIGINAL, json={"content": "just"}).status_code == 200
    bot.clock.now += 1
    assert code(bot.by_token("POST", made, json={"content": "late"})) == (401, 50027)


def test_a_response_by_the_callback_endpoint_is_accepted_once(bot: Caller):
    made = bot.invoke()
    path, response = f"/interactions/{made.id}/{made.token}/callback", {"type": 4, "data": {"content": "hi"}}
    headers = {"User-Agent": "DiscordBot (x, 1)"}
    assert bot.http.post(path, json=response, headers=headers).status_code == 204
    assert code(bot.http.post(path, json=response, headers=headers)) == (400, 40060)
    assert code(bot.http.post(f"/interactions/{made.id}/x/callback", json=response, headers=headers)) == (404, 10062)
    assert [m["content"] for m in bot.bot_messages()] == ["hi"]


# --- webhook events ---


def emit_event(bot: Caller, kind: str, **details: Any) -> Delivery:
    delivery = bot.discord.emit_event("demo", kind, details)
    assert delivery
    return delivery


def test_saving_the_url_for_events_sends_a_wrong_signature_and_a_ping_that_expects_204(bot: Caller):
    ping = emit_event(bot, "save_events")
    probe = bot.discord.drain_outbox()[0]
    assert json.loads(ping.plain) == {"version": 1, "application_id": APPLICATION, "type": 0}
    assert bot.respond(probe, {}, 401) == "delivered"
    for status, body, state in ((200, b'{"type":1}', "failed"), (204, b"", "delivered")):
        ping = emit_event(bot, "save_events")
        bot.discord.record_attempt(ping, Attempt(bot.clock.now, 5, status), {}, body)
        assert ping.state == state


@pytest.mark.parametrize(
    ("kind", "details", "name"),
    [
        ("authorize", {}, "APPLICATION_AUTHORIZED"),
        ("authorize", {"guild": False}, "APPLICATION_AUTHORIZED"),
        ("deauthorize", {}, "APPLICATION_DEAUTHORIZED"),
        ("entitle", {}, "ENTITLEMENT_CREATE"),
    ],
)
def test_events_are_signed_and_retried_for_ten_minutes_until_204(
    bot: Caller, kind: str, details: dict[str, Any], name: str
):
    delivery = emit_event(bot, kind, sender="lin", **details)
    sent, headers = json.loads(delivery.plain), delivery.wire.headers
    assert (sent["type"], sent["event"]["type"]) == (1, name)
    assert sent["event"]["timestamp"] == "2025-11-24T16:00:00"
    assert verify_key(
        delivery.wire.body, headers["X-Signature-Ed25519"], headers["X-Signature-Timestamp"], APP["public_key"]
    )
    assert 300 < sum(delivery.retry_delays) <= 600
    assert bot.respond(delivery, {}, 200) == "retrying"
    assert bot.discord.record_attempt(delivery, Attempt(bot.clock.now, 5, 204)) is None
    assert delivery.state == "delivered"


def test_an_app_without_a_private_key_cannot_send_events(bot: Caller):
    bot.discord.add_app("other", {**APP, "application_id": "1", "signing_key": "00" * 32})
    bot.discord.accounts["other"].commands = bot.discord.accounts["demo"].commands
    with pytest.raises(NotFoundError, match="private key"):
        bot.discord.send_message("other", "team", "lin", NewMessage(text="/count"))


def test_the_record_of_calls_does_not_show_interaction_tokens(bot: Caller):
    made = bot.deferred()
    bot.by_token("PATCH", made, ORIGINAL, json={"content": "x"})
    assert made.token not in str([call.to_json() for call in bot.discord.calls])
