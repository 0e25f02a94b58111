"""Card actions and every other event as unified messages."""

import json
from typing import Any

import pytest

from parley.adapter import Accepted, Request
from parley.model import Action, Message, Sender
from parley.platforms.feishu.inbound import receive
from tests.conformance.feishu import (
    IDS,
    LEGACY_APP,
    PLAIN_APP,
    TOKEN,
    card_action,
    dump,
    event,
    legacy_card,
    signed,
    v1_event,
)

NOW = 1_718_000_300.0


def accepted(payload: Any) -> Accepted:
    outcome = receive(Request(body=dump(payload)), PLAIN_APP, NOW)
    assert isinstance(outcome, Accepted), outcome
    return outcome


def message(payload: Any) -> Message:
    (found,) = accepted(payload).messages
    return found


def legacy(payload: dict[str, Any]) -> Message:
    outcome = receive(signed(dump(payload), NOW, TOKEN, "sha1"), LEGACY_APP, NOW)
    assert isinstance(outcome, Accepted), outcome
    assert outcome.response.body == b"{}"
    (found,) = outcome.messages
    return found


# --- card actions -----------------------------------------------------------------------------------------------------


def action_of(**action: Any) -> Action:
    payload = card_action(NOW)
    payload["event"]["action"] = action
    found = message(payload).action
    assert found
    return found


def test_a_card_action_becomes_an_action_with_an_empty_response() -> None:
    outcome = accepted(card_action(NOW))
    (found,) = outcome.messages
    assert outcome.response.body == b"{}"
    assert (found.kind, found.id) == ("action", "event-card.action.trigger")
    assert found.sender == Sender(id="ou_4d5e6f708192a3b4")
    assert (found.context.room_id, found.context.tenant) == ("oc_84f1c2d0", "2ed263bf32cf1651")
    assert found.timestamp == 1_718_000_300
    assert found.action == Action(
        id="btn_ok",
        value='{"op":"approve","id":42}',
        message_id="om_1f0c2d3e",
        form={"reason": "fine", "days": "2"},
        options=("a",),
    )
    for secret in (TOKEN, "c-0f1e2d3c", "pt-1"):
        assert secret not in json.dumps(found.raw)


def test_a_button_of_parley_returns_its_id_and_value() -> None:
    found = action_of(tag="button", name="x", value={"parley": "yes", "value": "1.4"})
    assert (found.id, found.value) == ("yes", "1.4")


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("plain", "plain"),
        (None, ""),
        ([1], "[1]"),
        ({"parley": "", "value": "v"}, '{"parley":"","value":"v"}'),
        (7, "7"),
    ],
)
def test_a_foreign_button_returns_its_value_as_text(value: Any, wanted: str) -> None:
    found = action_of(tag="button", value=value)
    assert (found.id, found.value) == ("button", wanted)


def test_an_action_contains_selected_and_entered_values() -> None:
    assert action_of(tag="select_static", name="pick", option="b").options == ("b",)
    assert action_of(tag="multi_select_static", options=["b", "c"], option="").options == ("b", "c")
    assert action_of(tag="input", name="why", input_value="because").form == {"why": "because"}
    assert action_of(tag="checker", name="ok", checked=True).form == {"ok": "true"}
    assert action_of(tag="button", form_value={"when": ["2024-06-10", "+0800"], "n": None}).form == {
        "when": '["2024-06-10","+0800"]',
        "n": "",
    }


def test_a_time_stamp_in_microseconds_is_converted_to_seconds() -> None:
    payload = card_action(NOW)
    payload["header"]["create_time"] = "1718000300000000"
    assert message(payload).timestamp == 1_718_000_300


def test_a_legacy_card_action_becomes_an_action() -> None:
    found = legacy(legacy_card())
    assert (found.kind, found.sender.id, found.context.room_id) == ("action", "ou_4d5e6f70", "oc_84f1c2d0")
    assert found.context.tenant == "2ed263bf32cf1651"
    assert found.action == Action(id="button", value='{"op":"approve"}', message_id="om_1f0c2d3e")
    assert found.timestamp == int(NOW)
    assert "c-0f1e2d3c" not in json.dumps(found.raw)


def test_the_id_of_a_legacy_click_derives_from_its_token_and_action() -> None:
    first, same = legacy(legacy_card()), legacy(legacy_card())
    other = legacy({**legacy_card(), "token": "c-another"})
    changed = legacy({**legacy_card(), "action": {"tag": "button", "value": {"op": "deny"}}})
    assert first.id == same.id
    assert len({first.id, other.id, changed.id}) == 3
    assert "c-0f1e2d3c" not in first.id


# --- events -----------------------------------------------------------------------------------------------------------

WHO = Sender(id=IDS["open_id"])


@pytest.mark.parametrize(
    ("kind", "inner", "sender", "room"),
    [
        ("im.chat.member.bot.added_v1", {"chat_id": "oc_1", "operator_id": IDS}, WHO, "oc_1"),
        ("im.chat.member.bot.deleted_v1", {"chat_id": "oc_1", "operator_id": IDS}, WHO, "oc_1"),
        ("im.chat.member.user.added_v1", {"chat_id": "oc_1", "operator_id": IDS, "users": []}, WHO, "oc_1"),
        ("im.chat.member.user.withdrawn_v1", {"chat_id": "oc_1", "operator_id": IDS}, WHO, "oc_1"),
        ("im.message.recalled_v1", {"message_id": "om_1", "chat_id": "oc_1"}, Sender(id="", kind="system"), "oc_1"),
        ("im.message.message_read_v1", {"reader": {"reader_id": IDS}, "message_id_list": ["om_1"]}, WHO, ""),
        ("im.chat.disbanded_v1", {"chat_id": "oc_1", "operator_id": IDS}, WHO, "oc_1"),
        ("im.message.reaction.created_v1", {"user_id": IDS, "operator_type": "user"}, WHO, ""),
        (
            "im.message.reaction.created_v1",
            {"operator_type": "app", "app_id": "cli_9"},
            Sender(id="cli_9", kind="bot"),
            "",
        ),
        (
            "application.bot.menu_v6",
            {"operator": {"operator_name": "Li", "operator_id": IDS}, "event_key": "report"},
            Sender(id=IDS["open_id"], name="Li"),
            "",
        ),
        ("im.something.new_v9", {"anything": [1, {"a": None}]}, Sender(id="", kind="system"), ""),
    ],
)
def test_an_event_has_its_sender_and_room(kind: str, inner: dict[str, Any], sender: Sender, room: str) -> None:
    outcome = accepted(event(kind, inner, NOW))
    (found,) = outcome.messages
    assert outcome.response.body == b'{"msg":"success"}'
    assert (found.kind, found.event, found.id) == ("event", kind, f"event-{kind}")
    assert found.sender == sender
    assert found.context.room_id == room
    assert found.raw["event"] == inner


def test_the_text_of_a_reaction_or_menu_item_is_its_key() -> None:
    reaction = message(
        event("im.message.reaction.created_v1", {"message_id": "om_1", "reaction_type": {"emoji_type": "OK"}}, NOW)
    )
    assert (reaction.content.text, reaction.reply_to) == ("OK", "om_1")
    menu = message(event("application.bot.menu_v6", {"event_key": "report", "timestamp": 1718000299}, NOW))
    assert menu.content.text == "report"


def test_the_event_of_opening_the_direct_chat_is_private() -> None:
    kind = "im.chat.access_event.bot_p2p_chat_entered_v1"
    found = message(event(kind, {"chat_id": "oc_1", "operator_id": IDS}, NOW))
    assert found.context.private


def test_a_link_preview_gets_an_empty_object() -> None:
    outcome = accepted(event("url.preview.get", {"operator": IDS, "token": "pt-9"}, NOW))
    assert outcome.response.body == b"{}"
    assert "pt-9" not in json.dumps(outcome.messages[0].raw)


def test_the_id_of_a_v1_event_is_its_uuid() -> None:
    found = message(v1_event(NOW))
    assert (found.kind, found.event, found.id) == ("event", "app_open", "6a1b0f1de9e64b3fb1d2f5a90c7e4d21")
    assert (found.sender.id, found.context.tenant, found.timestamp) == ("ou_1", "t1", int(NOW))
    assert "token" not in found.raw


def test_the_id_of_an_event_without_an_id_is_a_hash_of_its_content() -> None:
    payload = event("im.chat.updated_v1", {"chat_id": "oc_1"}, NOW)
    del payload["header"]["event_id"]
    same = {key: payload[key] for key in reversed(payload)}
    other = {**payload, "event": {"chat_id": "oc_2"}}
    assert message(payload).id == message(same).id
    assert message(payload).id != message(other).id


def test_an_event_without_a_time_stamp_gets_the_current_time() -> None:
    payload = event("im.chat.updated_v1", {}, NOW)
    del payload["header"]["create_time"]
    assert message(payload).timestamp == int(NOW)


# --- app tickets ------------------------------------------------------------------------------------------------------


def test_a_ticket_becomes_a_pushed_credential_and_no_message() -> None:
    old = v1_event(NOW, {"type": "app_ticket", "app_id": "cli_a1b2c3d4e5f60708", "app_ticket": "tkt-0d9c8b7a"})
    new = event("app_ticket", {"app_ticket": "tkt-0d9c8b7a"}, NOW)
    for payload in (old, new):
        outcome = accepted(payload)
        assert outcome.credentials == {"app_ticket": "tkt-0d9c8b7a"}
        assert outcome.credentials_issued_at == NOW
        assert not outcome.messages


def test_an_event_without_a_ticket_has_no_credentials() -> None:
    assert accepted(v1_event(NOW, {"type": "app_ticket"})).credentials == {}
