"""Simulated WeCom: callbacks that Parley reads, message API and its limits, cards, robots."""

from typing import Any

import pytest

from parley.adapter import Accepted, Rejected
from parley.model import Image
from playground import sample_image
from playground.platforms.base import NotFoundError
from playground.platforms.model import NewMessage
from playground.platforms.tencent import wire
from tests.unit.playground.tencent import KEY, WECOM, Caller, wecom, wecom_send, wecom_token


@pytest.fixture
def bot() -> Caller:
    return wecom()


# --- callbacks


def test_the_verification_returns_the_echo(bot: Caller) -> None:
    delivery = bot.platform.challenge("demo")
    accepted = bot.receive(delivery.wire)
    assert isinstance(accepted, Accepted)
    assert bot.respond(delivery, 200, accepted.response.body) == "delivered"


def test_an_echo_with_other_characters_fails_the_verification(bot: Caller) -> None:
    delivery = bot.platform.challenge("demo")
    assert bot.respond(delivery, 200, b'"' + delivery.plain + b'"') == "failed"


def test_a_text_is_delivered_to_the_app(bot: Caller) -> None:
    message = bot.message(bot.send_message("你好 <b>]]></b>"))
    assert (message.content.text, message.sender.id, message.context.tenant) == (
        "你好 <b>]]></b>",
        "Lin",
        WECOM["corp_id"],
    )


def test_messages_in_groups_are_not_delivered(bot: Caller) -> None:
    sent = bot.platform.send_message("demo", "team", "lin", NewMessage(text="hello"))
    assert sent.room == bot.platform.room_id("team", "group")
    assert bot.platform.drain_outbox() == []


def test_an_image_is_delivered_with_its_media_id_and_url(bot: Caller) -> None:
    (image,) = bot.message(bot.send_message("", image=sample_image.png())).content.attachments
    assert isinstance(image, Image)
    fetched = bot.http.get("/cgi-bin/media/get", params={"access_token": bot.token, "media_id": image.key})
    assert fetched.content == sample_image.png() == bot.http.get(image.url).content


@pytest.mark.parametrize("how", ["signature", "stale", "plain", "truncated"])
def test_parley_rejects_a_forgery(bot: Caller, how: str) -> None:
    delivery = bot.send_message()
    assert isinstance(bot.receive(bot.platform.forge(delivery, how)), Rejected)


def test_an_unknown_forgery_is_rejected(bot: Caller) -> None:
    with pytest.raises(NotFoundError):
        bot.platform.forge(bot.send_message(), "kindly")


@pytest.mark.parametrize(
    ("kind", "event"),
    [("entered", "enter_agent"), ("menu", "click"), ("location", "location"), ("member_added", "change_contact")],
)
def test_events_have_the_id_that_parley_derives(bot: Caller, kind: str, event: str) -> None:
    delivery = bot.platform.emit_event("demo", kind, {"sender": "lin", "event_key": "k"})
    assert delivery is not None
    message = bot.message(delivery)
    assert (message.event, message.id) == (event, delivery.journal_id)


def test_each_of_three_deliveries_is_encrypted_anew_with_the_same_id(bot: Caller) -> None:
    delivery = bot.send_message()
    wires = []
    states: list[str] = []
    for _ in range(3):
        wires.append(delivery.wire.body)
        assert bot.message(delivery).id == delivery.journal_id
        states.append(bot.respond(delivery, 504))
    assert (len(set(wires)), states[-1]) == (3, "failed")


def test_a_passive_reply_is_decrypted_and_shown(bot: Caller) -> None:
    assert bot.reply_passively(bot.send_message(), "one", "two") == "delivered"
    assert bot.bot_messages() == [("text", {"content": "one\ntwo"})]


def sealed(bot: Caller, plain: dict[str, Any], receiver: str = WECOM["corp_id"], **more: Any) -> bytes:  # type: ignore[assignment]
    encrypted = wire.encrypt(KEY, wire.xml(plain), receiver, bot.platform.random)
    fields = {"Encrypt": encrypted, "TimeStamp": 1, "Nonce": "n"}
    return wire.xml(fields | {"MsgSignature": wire.sign("callbacktoken", "1", "n", encrypted)} | more)


RIGHT = {
    "ToUserName": "Lin",
    "FromUserName": WECOM["corp_id"],
    "CreateTime": 1,
    "MsgType": "text",
    "Content": "hello",
}


@pytest.mark.parametrize(
    ("plain", "more", "error"),
    [
        ({}, {}, ""),
        ({"ToUserName": "Ana"}, {}, "ToUserName"),
        ({"FromUserName": "ww-other"}, {}, "FromUserName"),
        ({"CreateTime": "now"}, {}, "CreateTime"),
        ({"Content": ""}, {}, "bytes"),
        ({"Content": "字" * 683}, {}, "bytes"),
        ({"MsgType": "markdown"}, {}, "MsgType"),
        ({"MsgType": "image", "Image": {"MediaId": "nothing"}}, {}, "40007"),
        ({"MsgType": "news", "ArticleCount": 2, "Articles": {"item": {"Title": "t"}}}, {}, "ArticleCount"),
        ({}, {"MsgSignature": "0" * 40}, "MsgSignature"),
        ({}, {"TimeStamp": "soon"}, "TimeStamp"),
        ({}, {"receiver": "ww-other"}, "encrypted for"),
    ],
)
def test_an_invalid_passive_reply_is_reported(bot: Caller, plain: Any, more: Any, error: str) -> None:
    delivery = bot.send_message()
    bot.respond(delivery, 200, sealed(bot, RIGHT | plain, **more))
    assert error in delivery.result.get("error", "")
    assert bool(delivery.result.get("error")) is bool(error)
    assert len(bot.bot_messages()) == (0 if error else 1)


@pytest.mark.parametrize(
    ("kind", "is_shown"),
    [("menu", True), ("subscribe", False), ("unsubscribe", False), ("entered", False), ("view", False)],
)
def test_a_passive_reply_to_an_event_that_shows_none_is_not_seen(bot: Caller, kind: str, is_shown: bool) -> None:
    bot.platform.emit_event(bot.app.name, kind, {"sender": "lin", "event_key": "k"})
    (delivery,) = bot.platform.drain_outbox()
    bot.respond(delivery, 200, sealed(bot, RIGHT))
    assert bool(bot.bot_messages()) is is_shown
    assert ("unseen" in delivery.result) is not is_shown


@pytest.mark.parametrize("body", [b"success", b"{}", wire.xml(RIGHT), b"<xml></xml>"])
def test_a_body_that_is_not_encrypted_xml_is_reported(bot: Caller, body: bytes) -> None:
    delivery = bot.send_message()
    bot.respond(delivery, 200, body)
    assert delivery.result["error"]


# --- tokens


def test_the_same_token_is_returned_until_it_expires(bot: Caller) -> None:
    first = bot.token
    assert wecom_token(bot)["access_token"] == first
    bot.clock.now += 7200
    assert wecom_token(bot)["access_token"] != first
    assert wecom_send(bot)["errcode"] == 42001


@pytest.mark.parametrize(("more", "code"), [({"corpid": "ww-other"}, 40013), ({"corpsecret": "wrong"}, 40001)])
def test_wrong_credentials_are_rejected(bot: Caller, more: dict[str, str], code: int) -> None:
    assert wecom_token(bot, **more)["errcode"] == code


@pytest.mark.parametrize(("value", "code"), [("", 41001), ("nonsense", 40014)])
def test_a_call_without_a_valid_token_is_rejected(bot: Caller, value: str, code: int) -> None:
    bot.token = value
    assert wecom_send(bot)["errcode"] == code
