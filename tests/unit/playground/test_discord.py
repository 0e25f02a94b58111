"""The imitated Discord: it signs, waits three seconds, keeps promises for 15 minutes, and refuses what Discord does."""

import json
from typing import Any

import pytest
from discord_interactions import verify_key

from playground.platforms.base import NotFoundError
from playground.platforms.discord.accounts import user_id
from playground.platforms.model import Attempt, Delivery, NewMessage, Press
from tests.unit.playground.discord import APP, APPLICATION, HOST, Caller, caller, code

ORIGINAL = "/messages/@original"
ROW = {"type": 1, "components": [{"type": 2, "style": 1, "label": "Tea", "custom_id": "tea?hot"}]}
SELECT = {"type": 3, "custom_id": "size", "options": [{"label": "Big", "value": "b"}, {"label": "Small", "value": "s"}]}
FORM = {
    "custom_id": "ticket",
    "title": "Ticket",
    "components": [{"type": 18, "label": "What", "component": {"type": 4, "custom_id": "what", "style": 1}}],
}


@pytest.fixture
def bot() -> Caller:
    return caller()


# --- interactions ---


def test_interactions_are_signed_so_that_discords_own_helper_believes_them(bot: Caller):
    wire = bot.call().delivery.wire
    stamp, signature = wire.headers["X-Signature-Timestamp"], wire.headers["X-Signature-Ed25519"]
    assert verify_key(wire.body, signature, stamp, APP["public_key"])
    assert not verify_key(wire.body + b" ", signature, stamp, APP["public_key"])


@pytest.mark.parametrize("how", ["signature", "truncated"])
def test_forged_ones_are_not_believed(bot: Caller, how: str):
    delivery = bot.call().delivery
    wire = bot.discord.forge(delivery, how)
    stamp, signature = wire.headers["X-Signature-Timestamp"], wire.headers["X-Signature-Ed25519"]
    assert not verify_key(wire.body, signature, stamp, APP["public_key"])


def test_a_stale_one_is_genuine_and_a_day_old_and_an_unsigned_one_has_no_signature(bot: Caller):
    delivery = bot.call().delivery
    old = bot.discord.forge(delivery, "stale").headers
    assert verify_key(delivery.wire.body, old["X-Signature-Ed25519"], old["X-Signature-Timestamp"], APP["public_key"])
    assert int(old["X-Signature-Timestamp"]) == bot.clock.now - 86_400
    assert "X-Signature-Ed25519" not in bot.discord.forge(delivery, "plain").headers
    with pytest.raises(NotFoundError):
        bot.discord.forge(delivery, "nicely")


def test_saving_the_address_sends_a_ping_and_a_wrong_signature_that_must_get_401(bot: Caller):
    ping = bot.discord.challenge("demo")
    probe = bot.discord.drain_outbox()[0]
    assert bot.answer(probe, {"type": 1}) == "failed"
    assert bot.answer(ping, {"type": 2}) == "failed"
    again = bot.discord.challenge("demo")
    probe = bot.discord.drain_outbox()[0]
    assert bot.answer(probe, {"error": "forged"}, 401) == "delivered"
    assert bot.answer(again, {"type": 1}) == "delivered"


def test_a_command_in_a_group_comes_from_a_member_and_in_a_direct_chat_from_a_user(bot: Caller):
    group = json.loads(bot.call().delivery.plain)
    direct = json.loads(bot.call(room="private").delivery.plain)
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
def test_what_is_typed_becomes_typed_options(bot: Caller, typed: str, options: dict[str, Any]):
    data = json.loads(bot.call(typed).delivery.plain)["data"]
    assert {option["name"]: option["value"] for option in data["options"]} == options


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("hello", "no plain text"),
        ("/nobody", "no command /nobody"),
        ("/echo", "text is required"),
        ("/count 5", "takes no '5'"),
        ("/echo hello there", "whole number"),
        (f"/echo text:{'x' * 101}", "length"),
        ("/echo text:a times:0", "from 1"),
    ],
)
def test_what_discords_client_would_not_send_is_told(bot: Caller, typed: str, why: str):
    with pytest.raises(NotFoundError, match=why):
        bot.call(typed)
    assert bot.discord.drain_outbox() == []


def test_plain_text_between_people_is_seen_and_told_nobody(bot: Caller):
    bot.discord.send_message("demo", "team", "lin", NewMessage(text="hello all", mention=False))
    assert bot.discord.drain_outbox() == []
    assert [m.content["content"] for m in bot.discord.messages.values()] == ["hello all"]


def test_sub_commands_persons_and_files_are_nested_and_resolved(bot: Caller):
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
    made = bot.call("/doc file check who:Sam Okafor urgent:true", file=("a.pdf", b"%PDF"))
    data = json.loads(made.delivery.plain)["data"]
    who, upload, urgent = data["options"][0]["options"][0]["options"]
    assert data["resolved"]["users"][who["value"]]["global_name"] == "Sam Okafor"
    assert urgent["value"] is True
    attachment = data["resolved"]["attachments"][upload["value"]]
    assert bot.http.get(attachment["url"]).content == b"%PDF"
    assert attachment["url"].startswith(HOST.removesuffix("/api/v10"))


# --- first answers ---


def test_no_answer_within_three_seconds_ends_the_interaction(bot: Caller):
    made = bot.call()
    assert made.delivery.deadline == 3
    bot.discord.record_attempt(made.delivery, Attempt(bot.clock.now, 3000, 0, "no answer within 3 s"))
    assert made.state == "failed"
    assert "did not respond" in bot.discord.parts(bot.discord.messages[made.id])[1]["text"]
    assert code(bot.granted("PATCH", made, ORIGINAL, json={"content": "late"})) == (404, 10015)


@pytest.mark.parametrize("answer", [{"type": 8}, {"type": 6}, {"type": 99}, {}, [], {"type": 4, "data": {}}])
def test_an_answer_that_does_not_fit_a_command_fails_it(bot: Caller, answer: Any):
    made = bot.call()
    assert bot.answer(made.delivery, answer) == "failed"
    assert made.state == "failed"


def test_before_discord_knows_of_the_promise_its_token_is_unknown(bot: Caller):
    made = bot.call()
    assert code(bot.granted("PATCH", made, ORIGINAL, json={"content": "too early"})) == (404, 10015)
    bot.answer(made.delivery, {"type": 5})
    assert bot.granted("PATCH", made, ORIGINAL, json={"content": "now"}).status_code == 200


def test_a_promise_is_shown_filled_in_edited_and_taken_back(bot: Caller):
    made = bot.deferred()
    assert bot.granted("GET", made, ORIGINAL).json()["flags"] == 128
    said = bot.discord.messages[made.id]
    assert "thinking" in bot.discord.parts(said)[1]["text"]
    assert bot.seen() == []
    bot.granted("PATCH", made, ORIGINAL, json={"content": "one"})
    assert [m["content"] for m in bot.seen()] == ["one"]
    assert len(bot.discord.parts(said)) == 1
    bot.granted("PATCH", made, ORIGINAL, json={"content": "two"})
    assert [m["content"] for m in bot.seen()] == ["two"]
    assert bot.granted("DELETE", made, ORIGINAL).status_code == 204
    assert bot.seen() == []
    assert code(bot.granted("DELETE", made, ORIGINAL)) == (404, 10008)


def test_a_promise_that_is_taken_back_leaves_nothing(bot: Caller):
    made = bot.deferred()
    assert bot.granted("DELETE", made, ORIGINAL).status_code == 204
    assert (bot.seen(), made.state) == ([], "deleted")


def test_follow_ups_come_after_and_the_first_one_fills_in_a_promise(bot: Caller):
    made = bot.deferred(flags=64)
    for text in ("one", "two"):
        assert bot.granted("POST", made, json={"content": text}).status_code == 200
    bot.granted("POST", made, json={"content": "three", "flags": 64})
    assert [(m["content"], m.get("flags", 0)) for m in bot.seen()] == [("one", 64), ("two", 0), ("three", 64)]
    last = made.follow_ups[-1]
    assert bot.granted("PATCH", made, f"/messages/{last}", json={"content": "3"}).json()["content"] == "3"
    assert bot.granted("DELETE", made, f"/messages/{last}").status_code == 204


def test_after_fifteen_minutes_the_token_is_dead(bot: Caller):
    made = bot.deferred()
    bot.clock.now += 899
    assert bot.granted("PATCH", made, ORIGINAL, json={"content": "just"}).status_code == 200
    bot.clock.now += 1
    assert code(bot.granted("POST", made, json={"content": "late"})) == (401, 50027)


def test_an_answer_by_the_callback_endpoint_is_taken_once(bot: Caller):
    made = bot.call()
    path, answer = f"/interactions/{made.id}/{made.token}/callback", {"type": 4, "data": {"content": "hi"}}
    headers = {"User-Agent": "DiscordBot (x, 1)"}
    assert bot.http.post(path, json=answer, headers=headers).status_code == 204
    assert code(bot.http.post(path, json=answer, headers=headers)) == (400, 40060)
    assert code(bot.http.post(f"/interactions/{made.id}/x/callback", json=answer, headers=headers)) == (404, 10062)
    assert [m["content"] for m in bot.seen()] == ["hi"]


# --- buttons, selects, forms, completions ---


def card(bot: Caller, *rows: dict[str, Any]) -> str:
    body = {"content": "Pick", "components": list(rows) or [ROW]}
    return bot.bot("POST", f"/channels/{bot.discord.room_id('team', 'group')}/messages", json=body).json()["id"]


@pytest.mark.parametrize("named", ["0", "tea", "tea?hot", "Tea"])
def test_a_press_carries_the_custom_id_and_the_message(bot: Caller, named: str):
    id_ = card(bot)
    delivery = bot.discord.press("demo", id_, "sam", Press(button=named))
    sent = json.loads(delivery.plain)
    assert (sent["type"], sent["data"]["custom_id"], sent["message"]["id"]) == (3, "tea?hot", id_)
    assert bot.answer(delivery, {"type": 6}) == "delivered"
    made = bot.discord.by_delivery[delivery.id]
    bot.granted("PATCH", made, ORIGINAL, json={"content": "Tea it is", "components": []})
    assert [m["content"] for m in bot.seen()] == ["Tea it is"]
    with pytest.raises(NotFoundError):
        bot.discord.press("demo", id_, "sam", Press(button=named))


def test_a_press_may_be_answered_by_changing_the_message_at_once(bot: Caller):
    delivery = bot.discord.press("demo", card(bot), "sam", Press(button="tea"))
    bot.answer(delivery, {"type": 7, "data": {"content": "Changed"}})
    assert [m["content"] for m in bot.seen()] == ["Changed"]


def test_a_select_gives_values_that_it_offers(bot: Caller):
    id_ = card(bot, {"type": 1, "components": [SELECT]})
    sent = json.loads(bot.discord.press("demo", id_, "sam", Press(button="size", options=("b",))).plain)
    assert sent["data"]["values"] == ["b"]
    for options in ((), ("b", "s"), ("x",)):
        with pytest.raises(NotFoundError):
            bot.discord.press("demo", id_, "sam", Press(button="size", options=options))


def test_a_form_opens_for_the_person_and_comes_back_once(bot: Caller):
    made = bot.call()
    assert bot.answer(made.delivery, {"type": 9, "data": FORM}) == "delivered"
    modal = made.delivery.result["modal"]["id"]
    for wrong in ({"sender": "sam", "form": {"what": "x"}}, {"sender": "lin", "form": {}}):
        with pytest.raises(NotFoundError):
            bot.discord.emit_event("demo", "submit", {"modal": modal, **wrong})
    details = {"sender": "lin", "modal": modal, "form": {"what": "Fire"}}
    delivery = bot.discord.emit_event("demo", "submit", details)
    assert delivery
    sent = json.loads(delivery.plain)
    assert (sent["type"], sent["data"]["custom_id"]) == (5, "ticket")
    assert sent["data"]["components"][0]["component"] == {"type": 4, "custom_id": "what", "value": "Fire"}
    with pytest.raises(NotFoundError):
        bot.discord.emit_event("demo", "submit", details)


def test_completions_are_asked_with_the_focused_option_and_at_most_25_taken(bot: Caller):
    details = {"room": "team", "name": "echo", "options": {"text": "he"}, "focused": "text", "sender": "lin"}
    delivery = bot.discord.emit_event("demo", "complete", details)
    assert delivery
    assert json.loads(delivery.plain)["type"] == 4
    assert json.loads(delivery.plain)["data"]["options"] == [
        {"name": "text", "type": 3, "value": "he", "focused": True}
    ]
    bot.answer(delivery, {"type": 8, "data": {"choices": [{"name": "hello", "value": "hello"}]}})
    assert delivery.result["choices"] == [{"name": "hello", "value": "hello"}]
    again = bot.discord.emit_event("demo", "complete", details)
    assert again
    assert bot.answer(again, {"type": 8, "data": {"choices": [{}] * 26}}) == "failed"


@pytest.mark.parametrize(
    "choice", [{}, {"name": "", "value": "a"}, {"name": "a" * 101, "value": "a"}, {"name": "a", "value": "a" * 101}]
)
def test_a_completion_that_discord_does_not_show_fails(bot: Caller, choice: dict[str, Any]):
    details = {"room": "team", "name": "echo", "options": {"text": "he"}, "focused": "text"}
    delivery = bot.discord.emit_event("demo", "complete", details)
    assert delivery
    assert bot.answer(delivery, {"type": 8, "data": {"choices": [choice]}}) == "failed"


LINE = {"type": 4, "custom_id": "what", "style": 1}
WORDS = {"type": 18, "label": "What"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": ""},
        {"title": "t" * 46},
        {"custom_id": "c" * 101},
        {"components": []},
        {"components": [WORDS | {"component": LINE | {"custom_id": f"c{n}"}} for n in range(6)]},
        {"components": [WORDS | {"component": LINE}] * 2},
        {"components": [{"type": 18, "label": "l" * 46, "component": LINE}]},
        {"components": [{"type": 18, "component": LINE}]},
        {"components": [WORDS | {"component": LINE | {"style": 3}}]},
        {"components": [WORDS | {"component": LINE | {"max_length": 4001}}]},
        {"components": [WORDS | {"component": LINE | {"placeholder": "p" * 101}}]},
        {"components": [WORDS | {"component": {"type": 3, "custom_id": "s", "options": []}}]},
    ],
)
def test_a_form_that_discord_does_not_open_fails(bot: Caller, wrong: dict[str, Any]):
    made = bot.call()
    assert bot.answer(made.delivery, {"type": 9, "data": FORM | wrong}) == "failed"


def test_what_is_filled_in_keeps_to_the_lengths_and_the_values_of_the_form(bot: Caller):
    made = bot.call()
    line = WORDS | {"component": LINE | {"min_length": 2, "max_length": 3, "required": False}}
    choice = WORDS | {"component": SELECT}
    bot.answer(made.delivery, {"type": 9, "data": FORM | {"components": [line, choice]}})
    details = {"sender": "lin", "modal": made.id}
    for wrong in ({"what": "a", "size": "b"}, {"what": "abcd", "size": "b"}, {"what": "ab", "size": "x"}):
        with pytest.raises(NotFoundError):
            bot.discord.emit_event("demo", "submit", {**details, "form": wrong})
    delivery = bot.discord.emit_event("demo", "submit", {**details, "form": {"size": "b"}})
    assert delivery
    filled = [label["component"] for label in json.loads(delivery.plain)["data"]["components"]]
    assert [(one.get("value"), one.get("values")) for one in filled] == [("", None), (None, ["b"])]


# --- context menus, roles, applications that people take along ---


def registered(bot: Caller, **command: Any) -> None:
    assert bot.bot("POST", f"/applications/{APPLICATION}/commands", json=command).status_code == 201


def from_menu(bot: Caller, name: str, target: str, **more: Any) -> dict[str, Any]:
    content = {"name": name, "options": {"target": target}, **more}
    made = bot.discord.send_message("demo", "team", "lin", NewMessage(native=("command", content)))
    return json.loads(bot.discord.by_delivery[made.id].delivery.plain)


def test_a_command_on_a_message_brings_what_that_says_and_who_is_mentioned(bot: Caller):
    registered(bot, name="Sum up", type=3)
    sam = bot.discord.person("Sam Okafor")
    seen = bot.discord.send_message("demo", "team", sam.id, NewMessage(text=f"ask <@{user_id(sam.id)}>", mention=False))
    data = from_menu(bot, "Sum up", seen.id)["data"]
    assert (data["type"], data["target_id"], "options" in data) == (3, seen.id, False)
    target = data["resolved"]["messages"][seen.id]
    assert (target["content"], target["author"]["global_name"]) == (f"ask <@{user_id(sam.id)}>", "Sam Okafor")
    assert [one["id"] for one in target["mentions"]] == [user_id(sam.id)]
    command = next(m for m in bot.discord.messages.values() if m.reply_to == seen.id)
    assert bot.discord.parts(command)[0]["text"] == "Sum up"
    elsewhere = bot.discord.send_message("demo", "support", sam.id, NewMessage(text="x", mention=False))
    with pytest.raises(NotFoundError, match="no message"):
        from_menu(bot, "Sum up", elsewhere.id)


def test_a_command_on_a_person_brings_that_person(bot: Caller):
    registered(bot, name="Greet", type=2)
    data = from_menu(bot, "Greet", "Sam Okafor")["data"]
    assert (data["type"], data["resolved"]["users"][data["target_id"]]["global_name"]) == (2, "Sam Okafor")


def test_roles_and_whoever_can_be_mentioned_are_options_by_name_and_are_offered(bot: Caller):
    kinds = {"who": 9, "role": 8, "where": 7}
    options = [{"type": kind, "name": name, "description": "d"} for name, kind in kinds.items()]
    registered(bot, name="ping", description="d", options=options)
    data = json.loads(bot.call("/ping who:@Team role:Guests where:#team").delivery.plain)["data"]
    values = {option["name"]: option["value"] for option in data["options"]}
    assert [data["resolved"]["roles"][values[name]]["name"] for name in ("who", "role")] == ["Team", "Guests"]
    assert data["resolved"]["channels"][values["where"]]["type"] == 0
    someone = json.loads(bot.call("/ping who:@Sam Okafor").delivery.plain)["data"]
    assert [one["global_name"] for one in someone["resolved"]["users"].values()] == ["Sam Okafor"]
    with pytest.raises(NotFoundError, match="no role"):
        bot.call("/ping role:Nobody")
    (ping,) = [command for command in bot.discord.commands("demo") if command["name"] == "ping"]
    offered = {option["name"]: {choice["name"] for choice in option["choices"]} for option in ping["options"]}
    assert offered["role"] == {"@Team", "@Guests"}
    assert {"@Team", "@Sam Okafor"} <= offered["who"]
    assert all(name.startswith("#") for name in offered["where"])


def test_where_the_bot_is_not_a_person_calls_what_is_installed_for_that_person(bot: Caller):
    content = {"name": "along", "user_install": True}
    with pytest.raises(NotFoundError, match="no command"):
        bot.discord.send_message("demo", "club", "lin", NewMessage(native=("command", content | {"name": "count"})))
    registered(bot, name="along", description="d", contexts=[0, 1, 2], integration_types=[0, 1])
    made = bot.discord.by_delivery[
        bot.discord.send_message("demo", "club", "lin", NewMessage(native=("command", content))).id
    ]
    sent = json.loads(made.delivery.plain)
    assert (sent["context"], sent["channel"]["type"], "guild_id" in sent) == (2, 3, False)
    assert sent["authorizing_integration_owners"] == {"1": sent["user"]["id"]}
    bot.answer(made.delivery, {"type": 5})
    bot.granted("PATCH", made, ORIGINAL, json={"content": "first"})
    answers = [bot.granted("POST", made, json={"content": str(number)}) for number in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 5
    bot.clock.now += 5
    assert code(bot.granted("POST", made, json={"content": "sixth"})) == (400, 40094)
    room = bot.discord.room_id("club", "group")
    assert code(bot.bot("POST", f"/channels/{room}/messages", json={"content": "x"})) == (403, 50001)


# --- webhook events ---


def emit_event(bot: Caller, kind: str, **details: Any) -> Delivery:
    delivery = bot.discord.emit_event("demo", kind, details)
    assert delivery
    return delivery


def test_saving_the_address_for_events_sends_a_wrong_signature_and_a_ping_that_wants_204_and_nothing(bot: Caller):
    ping = emit_event(bot, "save_events")
    probe = bot.discord.drain_outbox()[0]
    assert json.loads(ping.plain) == {"version": 1, "application_id": APPLICATION, "type": 0}
    assert bot.answer(probe, {}, 401) == "delivered"
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
def test_events_are_signed_and_repeated_for_ten_minutes_until_they_get_204(
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
    assert bot.answer(delivery, {}, 200) == "retrying"
    assert bot.discord.record_attempt(delivery, Attempt(bot.clock.now, 5, 204)) is None
    assert delivery.state == "delivered"


def test_without_the_private_key_nothing_can_be_signed(bot: Caller):
    bot.discord.add_app("other", {**APP, "application_id": "1", "signing_key": "00" * 32})
    bot.discord.accounts["other"].commands = bot.discord.accounts["demo"].commands
    with pytest.raises(NotFoundError, match="private key"):
        bot.discord.send_message("other", "team", "lin", NewMessage(text="/count"))


def test_the_record_of_calls_does_not_show_interaction_tokens(bot: Caller):
    made = bot.deferred()
    bot.granted("PATCH", made, ORIGINAL, json={"content": "x"})
    assert made.token not in str([call.to_json() for call in bot.discord.calls])
