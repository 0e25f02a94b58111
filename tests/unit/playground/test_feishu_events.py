"""Simulated Feishu: events, checked with other implementations and with Parley, and the responses to them."""

import json
import warnings
from pathlib import Path

import msgspec
import pytest

from parley.adapter import Accepted, App, Headers, Rejected, Request
from parley.platforms.feishu import inbound
from parley.platforms.feishu.config import Config
from playground.platforms.base import NewMessage, NotFoundError, Press
from playground.platforms.feishu import wire
from playground.platforms.model import Attempt

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "feishu.json").read_text())["vectors"]
BUTTON = {
    "tag": "button",
    "name": "btn",
    "text": {"tag": "plain_text", "content": "Go"},
    "behaviors": [{"type": "callback", "value": {"id": "go"}}],
}
CARD = {"schema": "2.0", "body": {"elements": [BUTTON]}}
APP = {
    "app_id": "cli_a1b2c3d4e5f60708",
    "app_secret": "s",
    "encrypt_key": "Wk4qZr8vT1mXy6bN",
    "verification_token": "vtk_7c19b2e0f4",
}
OK = Attempt(0, 5, 200)


def of_kind(kind):
    return [pytest.param(v["inputs"], v["expected"], id=v["name"]) for v in VECTORS if v["kind"] == kind]


def through_lark(delivery, key="Wk4qZr8vT1mXy6bN", token="vtk_7c19b2e0f4"):
    """Handle a delivery with lark-oapi's dispatcher. Returns its response and the events."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the SDK's imports warn of their own dependencies
        import lark_oapi as lark
        from lark_oapi.event.callback.model.p2_card_action_trigger import P2CardActionTriggerResponse
    seen = []

    def press(event):
        seen.append(event)
        return P2CardActionTriggerResponse({})

    builder = lark.EventDispatcherHandler.builder(key, token)
    handler = (
        builder.register_p2_im_message_receive_v1(seen.append)
        .register_p2_card_action_trigger(press)
        .register_p2_im_message_reaction_created_v1(seen.append)
        .register_p1_customized_event("app_ticket", seen.append)
        .build()
    )
    raw = lark.RawRequest()
    raw.uri, raw.body, raw.headers = "/", delivery.wire.body, dict(delivery.wire.headers)
    return handler.do(raw), seen


def through_parley(delivery, now):
    config = msgspec.convert(APP, Config)
    sent = delivery if not hasattr(delivery, "wire") else delivery.wire
    request = Request("POST", Headers(sent.headers), {}, sent.body)
    return inbound.receive(request, App("feishu", "demo", config), now)


def received_by_parley(delivery, now):
    accepted = through_parley(delivery, now)
    assert isinstance(accepted, Accepted)
    (message,) = accepted.messages
    return message


class TestVectors:
    @pytest.mark.parametrize(("given", "expected"), of_kind("decrypt"))
    def test_decryption_matches_the_vectors(self, given, expected):
        assert wire.decrypt(given["encrypt_key"], given["encrypt"]).decode() == expected["plaintext"]

    @pytest.mark.parametrize(("given", "expected"), of_kind("decrypt") + of_kind("signed_encrypted_event"))
    def test_encryption_matches_the_vectors(self, given, expected):
        encrypted = given.get("encrypt") or json.loads(given["body"])["encrypt"]
        iv = wire.base64.b64decode(encrypted)[:16]
        assert wire.encrypt(given["encrypt_key"], expected["plaintext"].encode(), iv) == encrypted

    @pytest.mark.parametrize(("given", "expected"), of_kind("signed_encrypted_event"))
    def test_signatures_match_the_vectors(self, given, expected):
        signed = wire.signature(given["timestamp"], given["nonce"], given["encrypt_key"], given["body"].encode())
        assert signed == expected["signature"]

    @pytest.mark.parametrize(("given", "expected"), of_kind("custom_bot_sign"))
    def test_webhook_signs_match_the_vectors(self, given, expected):
        assert wire.webhook_sign(given["timestamp"], given["secret"]) == expected["sign"]


class TestDelivery:
    def test_lark_oapi_accepts_a_message(self, feishu, team):
        message = feishu.send_message("demo", team, "lin", NewMessage(text="部署状态？ 🚀"))
        response, seen = through_lark(*feishu.drain_outbox())
        assert response.status_code == 200
        assert seen[0].event.message.message_id == message.id
        assert json.loads(seen[0].event.message.content) == {"text": "@_user_1 部署状态？ 🚀"}
        assert seen[0].event.sender.sender_id.open_id == feishu.accounts["demo"].open_id("lin")

    def test_lark_oapi_rejects_a_wrong_signature(self, feishu, team):
        feishu.send_message("demo", team, "lin", NewMessage(text="hi"))
        (delivery,) = feishu.drain_outbox()
        delivery.wire = feishu.forge(delivery, "signature")
        response, seen = through_lark(delivery)
        assert (response.status_code, seen) == (500, [])

    def test_lark_oapi_accepts_a_challenge(self, feishu):
        feishu.challenge("demo")
        (delivery,) = feishu.drain_outbox()
        response, _ = through_lark(delivery)
        assert (response.status_code, delivery.deadline) == (200, 1)
        assert "X-Lark-Signature" not in delivery.wire.headers
        feishu.record_attempt(delivery, OK, body=response.content)
        assert delivery.state == "delivered"

    def test_lark_oapi_accepts_a_press_and_a_reaction(self, bot, feishu, team):
        card = feishu.messages[bot.card(team, CARD).json()["data"]["message_id"]]
        feishu.press("demo", card.id, "lin", Press(button="0"))
        feishu.emit_event("demo", "react", {"message_id": card.id, "sender": "lin", "emoji": "HEART"})
        press, reaction = (through_lark(delivery)[1][0].event for delivery in feishu.drain_outbox())
        assert (press.action.value, press.context.open_message_id) == ({"id": "go"}, card.id)
        assert reaction.reaction_type.emoji_type == "HEART"

    def test_parley_accepts_genuine_callbacks_and_rejects_each_forgery(self, clock, feishu, team):
        message = feishu.send_message("demo", team, "lin", NewMessage(text="hi @Sam Okafor"))
        (delivery,) = feishu.drain_outbox()
        received = received_by_parley(delivery, clock.now)
        assert (received.id, received.content.text) == (message.id, "hi @Sam Okafor")
        rejected = {how: through_parley(feishu.forge(delivery, how), clock.now) for how in FORGERIES}
        assert {how: (r.status, r.reason) for how, r in rejected.items() if isinstance(r, Rejected)} == FORGERIES

    def test_an_app_without_a_key_gets_plain_json(self, feishu):
        feishu.add_app("open", {"app_id": "cli_open", "app_secret": "s", "verification_token": "v"})
        feishu.send_message("open", "private", "lin", NewMessage(text="hi"))
        (delivery,) = feishu.drain_outbox()
        assert delivery.wire.body == delivery.plain
        assert "X-Lark-Signature" not in delivery.wire.headers
        assert through_lark(delivery, "", "v")[0].status_code == 200


FORGERIES = {
    "signature": (401, "forged"),
    "stale": (401, "stale"),
    "plain": (401, "forged"),
    "truncated": (400, "malformed"),
}


class TestReceivers:
    def test_a_group_message_without_a_mention_is_not_delivered(self, feishu, team):
        feishu.send_message("demo", team, "lin", NewMessage(text="among ourselves", mention=False))
        assert feishu.drain_outbox() == []

    def test_a_direct_message_is_delivered_without_a_mention(self, feishu):
        message = feishu.send_message("demo", "private", "lin", NewMessage(text="hi"))
        (delivery,) = feishu.drain_outbox()
        event = json.loads(delivery.plain)["event"]["message"]
        assert (event["chat_type"], event["chat_id"], message.mentions) == ("p2p", message.room, [])

    def test_a_bot_outside_the_room_gets_no_message(self, feishu, team):
        feishu.rooms[team].bots.clear()
        feishu.send_message("demo", team, "lin", NewMessage(text="hi"))
        assert feishu.drain_outbox() == []

    def test_a_message_with_deliver_false_is_not_delivered(self, feishu):
        feishu.send_message("demo", "private", "lin", NewMessage(text="hi", deliver=False))
        assert feishu.drain_outbox() == []

    def test_new_persons_and_rooms_are_created_by_name(self, feishu):
        feishu.discover = lambda platform: {"late": {"app_id": "cli_9", "app_secret": "s"}}
        message = feishu.send_message("late", "war room", "Noor", NewMessage(text="hi"))
        assert (feishu.rooms[message.room].name, feishu.sender_name(message)) == ("war room", "Noor")
        assert feishu.send_message("late", "war room", "lin", NewMessage(text="hi")).room == message.room
        with pytest.raises(NotFoundError, match="no app 'nobody'"):
            feishu.send_message("nobody", "team", "lin", NewMessage(text="hi"))


class TestMessageTypes:
    def event(self, feishu, message, room="team"):
        feishu.send_message("demo", room, "lin", message)
        event = json.loads(feishu.drain_outbox()[0].plain)["event"]["message"]
        return event | {"content": json.loads(event["content"])}

    def test_an_image_is_an_image_message_and_with_text_a_post_without_locale(self, feishu):
        alone = self.event(feishu, NewMessage(image=b"\x89PNG\r\n\x1a\n"), "private")
        assert alone["message_type"] == "image"
        both = self.event(feishu, NewMessage(image=b"\x89PNG\r\n\x1a\n", text="look"))
        assert both["message_type"] == "post"
        mention, text = both["content"]["content"][0]
        assert (mention["tag"], mention["user_id"], text["text"]) == ("at", "@_user_1", " look")

    def test_a_thread_is_opened_and_continued(self, feishu, team):
        first = self.event(feishu, NewMessage(text="topic", thread=True))
        again = self.event(feishu, NewMessage(text="more", thread=first["thread_id"]))
        under = self.event(feishu, NewMessage(text="re", reply_to=first["message_id"]))
        assert first["thread_id"] == again["thread_id"] == under["thread_id"]
        assert (under["root_id"], under["parent_id"]) == (first["message_id"], first["message_id"])

    def test_a_person_can_send_a_message_of_any_type(self, feishu):
        place = {"name": "HQ", "longitude": "116.397", "latitude": "39.908"}
        event = self.event(feishu, NewMessage(native=("location", place)), "private")
        assert (event["message_type"], event["content"]) == ("location", place)

    def test_the_app_ticket_is_a_version_1_event(self, feishu):
        feishu.add_app("shop", {"app_id": "cli_s", "app_secret": "s", "app_type": "store", "verification_token": "v"})
        feishu.discover = dict
        from playground.platforms.feishu import auth

        auth.push_ticket(feishu, feishu.accounts["shop"])
        (delivery,) = feishu.drain_outbox()
        response, seen = through_lark(delivery, "", "v")
        assert response.status_code == 200
        assert seen[0].event["app_ticket"] == feishu.accounts["shop"].tickets[-1]


class TestResponses:
    def test_any_status_but_200_is_retried(self, feishu):
        feishu.send_message("demo", "private", "lin", NewMessage(text="hi"))
        (delivery,) = feishu.drain_outbox()
        waits = [feishu.record_attempt(delivery, Attempt(0, 5, status)) for status in (500, 302, 0, 204)]
        assert (waits, delivery.state) == ([1, 3, 8, 15], "retrying")
        assert feishu.record_attempt(delivery, Attempt(0, 5, 503)) is None
        assert delivery.state == "failed"

    def test_a_success_ends_the_retries(self, feishu):
        feishu.send_message("demo", "private", "lin", NewMessage(text="hi"))
        (delivery,) = feishu.drain_outbox()
        feishu.record_attempt(delivery, Attempt(0, 5, 0, "timeout"))
        assert feishu.record_attempt(delivery, OK) is None
        assert delivery.state == "delivered"

    def test_a_press_is_not_retried(self, bot, feishu, team):
        bot.card(team, CARD)
        press = feishu.press("demo", next(iter(feishu.messages)), "lin", Press(button="btn"))
        assert feishu.record_attempt(press, Attempt(0, 3000, 0, "timeout")) is None
        assert press.state == "failed"

    @pytest.mark.parametrize("button", ["0", "Go", "btn", "go"])
    def test_a_button_is_found_by_number_label_name_or_value(self, bot, feishu, team, button):
        bot.card(team, CARD)
        press = feishu.press("demo", next(iter(feishu.messages)), "lin", Press(button=button))
        assert json.loads(press.plain)["event"]["action"]["value"] == {"id": "go"}
        assert feishu.messages[press.id].content == {"text": "Go"}

    def test_an_unknown_button_or_message_is_rejected(self, bot, feishu, team):
        bot.card(team, CARD)
        with pytest.raises(NotFoundError, match="no button 'Stop'"):
            feishu.press("demo", next(iter(feishu.messages)), "lin", Press(button="Stop"))
        with pytest.raises(NotFoundError, match="no message"):
            feishu.press("demo", "om_none", "lin", Press(button="Go"))

    def test_the_response_to_a_press_may_contain_a_toast_and_a_card(self, bot, feishu, team):
        bot.card(team, CARD)
        press = feishu.press("demo", next(iter(feishu.messages)), "lin", Press(button="go"))
        notified = []
        feishu.listeners.append(lambda kind, value: notified.append((kind, value)))
        new = {"elements": [{"tag": "markdown", "content": "gone"}]}
        response = {"toast": {"type": "success", "content": "ok"}, "card": {"type": "raw", "data": new}}
        feishu.record_attempt(press, OK, body=json.dumps(response).encode())
        assert press.result["toast"]["content"] == "ok"
        assert feishu.messages[press.subject].content == new
        assert [kind for kind, _ in notified] == ["toast", "message", "delivery"]

    def test_an_invalid_card_in_the_response_changes_nothing(self, bot, feishu, team):
        bot.card(team, CARD)
        press = feishu.press("demo", next(iter(feishu.messages)), "lin", Press(button="go"))
        response = {"card": {"type": "raw", "data": {"elements": [{"tag": "blink"}]}}}
        feishu.record_attempt(press, OK, body=json.dumps(response).encode())
        assert "blink" in press.result["card_error"]
        assert feishu.messages[press.subject].content == CARD

    def test_the_response_must_contain_the_challenge(self, feishu):
        delivery = feishu.challenge("demo")
        feishu.record_attempt(delivery, OK, body=b'{"challenge":"another"}')
        assert delivery.state == "failed"


class TestEvents:
    @pytest.mark.parametrize(
        ("kind", "event_type"),
        [
            ("recall", "im.message.recalled_v1"),
            ("react", "im.message.reaction.created_v1"),
            ("unreact", "im.message.reaction.deleted_v1"),
            ("read", "im.message.message_read_v1"),
            ("bot_added", "im.chat.member.bot.added_v1"),
            ("bot_removed", "im.chat.member.bot.deleted_v1"),
            ("member_added", "im.chat.member.user.added_v1"),
            ("member_removed", "im.chat.member.user.deleted_v1"),
            ("entered", "im.chat.access_event.bot_p2p_chat_entered_v1"),
            ("menu", "application.bot.menu_v6"),
        ],
    )
    def test_parley_accepts_each_event(self, clock, feishu, team, kind, event_type):
        message = feishu.send_message("demo", team, "lin", NewMessage(text="hi"))
        feishu.drain_outbox()
        feishu.emit_event("demo", kind, {"message_id": message.id, "sender": "lin"})
        (delivery,) = feishu.drain_outbox()
        received = received_by_parley(delivery, clock.now)
        assert (received.kind, received.event) == ("event", event_type)
        assert received.id == delivery.journal_id

    def test_an_unknown_event_is_rejected(self, feishu):
        with pytest.raises(NotFoundError, match="no event 'wave'"):
            feishu.emit_event("demo", "wave", {"room": "team"})

    def test_a_removed_bot_gets_no_further_events(self, feishu, team):
        feishu.emit_event("demo", "bot_removed", {"room": team})
        feishu.drain_outbox()
        feishu.send_message("demo", team, "lin", NewMessage(text="hi"))
        assert feishu.emit_event("demo", "member_added", {"room": team, "person": "sam"}) is None
        assert feishu.drain_outbox() == []
