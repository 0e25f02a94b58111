"""Passive replies of WeChat: in the mode and data format of the request, and readable by wechatpy."""

import json

import pytest
import xmltodict
from wechatpy.crypto import WeChatCrypto

from parley.adapter import Accepted, App, PassiveReply, Request, SupportsPassiveReply
from parley.model import Card, Image, Message, Reply
from parley.platforms import inbound
from parley.platforms.tencent.fields import read
from parley.platforms.wechat.inbound import passive_reply, receive
from tests.conformance.adapters.wechat import (
    ACCOUNT,
    APP,
    APP_ID,
    KEY,
    OPENID,
    OTHER_KEY,
    TOKEN,
    chat,
    compatible,
    delivery,
    fields,
    make_app,
    plain,
)
from tests.conformance.tencent import xml
from tests.factories import answers_to

NOW = 1_718_000_200.0
PASSIVE = make_app(reply_mode="passive")
TEXT = {
    "ToUserName": OPENID,
    "FromUserName": ACCOUNT,
    "CreateTime": str(int(NOW)),
    "MsgType": "text",
    "Content": "收到\n处理中",
}
REPLIES = (Reply.of("收到"), Reply.of("处理中"))


def received(request: Request, app: App = PASSIVE) -> Accepted:
    outcome = receive(request, app, NOW)
    assert isinstance(outcome, Accepted)
    return outcome


def message_of(request: Request, app: App = PASSIVE) -> Message:
    return received(request, app).messages[0]


def answered(request: Request, *replies: Reply, app: App = PASSIVE, receiver: App | None = None) -> PassiveReply:
    """The response of `app` to `request`, which `receiver` has read: `app` itself by default."""
    message = message_of(request, receiver or app)
    return passive_reply(request, app, message, answers_to(message, *replies), NOW)


def decrypted(body: bytes, key: str = KEY) -> str:
    """The content of a response, decrypted by wechatpy."""
    envelope = read(body)
    message = {"Encrypt": envelope["Encrypt"]}
    parts = [envelope[name] for name in ("MsgSignature", "TimeStamp", "Nonce")]
    return WeChatCrypto(TOKEN, key, APP_ID).decrypt_message(message, *parts)


@pytest.mark.parametrize(
    "request_", [delivery(xml(chat(NOW)), NOW), compatible(chat(NOW), NOW)], ids=["safe", "compatible"]
)
def test_the_response_to_an_encrypted_request_is_encrypted(request_: Request) -> None:
    reply = answered(request_, *REPLIES)
    assert (reply.sent, reply.rest, reply.response.content_type) == (2, None, "text/xml")
    assert xmltodict.parse(decrypted(reply.response.body))["xml"] == TEXT


def test_the_response_to_a_json_request_is_json() -> None:
    request = delivery(json.dumps(chat(NOW)), NOW)
    response = answered(request, *REPLIES).response
    assert response.content_type == "application/json"
    envelope = json.loads(response.body)
    assert set(envelope) == {"Encrypt", "MsgSignature", "TimeStamp", "Nonce"}
    assert (envelope["TimeStamp"], envelope["Nonce"]) == (int(NOW), request.query["nonce"])
    assert json.loads(decrypted(response.body)) == {**TEXT, "CreateTime": int(NOW)}


def test_the_response_to_a_plain_request_is_plain() -> None:
    app = make_app(mode="plain", key="", reply_mode="passive")
    request = plain(chat(NOW), NOW)
    response = answered(request, *REPLIES, app=app).response
    assert xmltodict.parse(response.body)["xml"] == TEXT


def test_an_account_in_plain_mode_encrypts_the_response_to_an_encrypted_request() -> None:
    app = make_app(mode="plain", reply_mode="passive")
    request = delivery(xml(chat(NOW)), NOW)
    response = answered(request, *REPLIES, app=app).response
    assert xmltodict.parse(decrypted(response.body))["xml"] == TEXT


def test_the_response_is_encrypted_with_the_key_of_the_request() -> None:
    app = make_app(key=OTHER_KEY, previous_encoding_aes_key=KEY, reply_mode="passive")
    request = delivery(xml(chat(NOW)), NOW)
    body = answered(request, *REPLIES, app=app).response.body
    assert xmltodict.parse(decrypted(body))["xml"] == TEXT
    lost = answered(request, *REPLIES, app=make_app(key=OTHER_KEY), receiver=PASSIVE)
    assert (lost.response.body, lost.sent) == (b"success", 0)


def test_the_response_is_success_if_no_reply_fits() -> None:
    request = delivery(xml(chat(NOW)), NOW)
    for replies in ((), (Reply(op="recall", target="1"),)):
        reply = answered(request, *replies)
        assert (reply.response.body, reply.response.content_type, reply.sent) == (b"success", "text/plain", 0)


def test_a_long_reply_returns_its_rest() -> None:
    request = delivery(xml(chat(NOW)), NOW)
    long = "第一句话。" * 200
    reply = answered(request, Reply.of(long), Reply.of("next"))
    assert reply.sent == 0
    assert reply.rest is not None
    first = xmltodict.parse(decrypted(reply.response.body))["xml"]["Content"]
    assert len(first.encode()) <= 2048
    second = answered(request, reply.rest, Reply.of("next"))
    assert second.sent == 2
    assert first + xmltodict.parse(decrypted(second.response.body))["xml"]["Content"] == f"{long}\nnext"


def test_an_image_is_a_message_of_its_own_and_a_card_becomes_text() -> None:
    request = delivery(xml(chat(NOW)), NOW)
    reply = answered(request, Reply.of(Image(key="M1")), Reply.of("x"))
    assert xmltodict.parse(decrypted(reply.response.body))["xml"]["Image"] == {"MediaId": "M1"}
    assert reply.sent == 1
    reply = answered(request, Reply.of(Card(title="T", text="**x**")))
    assert xmltodict.parse(decrypted(reply.response.body))["xml"]["Content"] == "T\nx"


@pytest.mark.parametrize(
    ("name", "waits"),
    [
        ("subscribe", 4.5),
        ("CLICK", 4.5),
        ("SCAN", 4.5),
        ("scancode_push", 4.5),
        ("scancode_waitmsg", 4.5),
        ("unsubscribe", 0),
        ("TEMPLATESENDJOBFINISH", 0),
        ("MASSSENDJOBFINISH", 0),
        ("subscribe_msg_popup_event", 0),
        ("subscribe_msg_change_event", 0),
        ("subscribe_msg_sent_event", 0),
        ("PUBLISHJOBFINISH", 0),
        ("LOCATION", 0),
        ("VIEW", 0),
        ("view_miniprogram", 0),
        ("pic_sysphoto", 0),
        ("pic_photo_or_album", 0),
        ("pic_weixin", 0),
        ("location_select", 0),
        ("card_pass_check", 0),
        ("user_get_card", 0),
        ("user_consume_card", 0),
        ("submit_membercard_user_info", 0),
        ("kf_create_session", 0),
        ("qualification_verify_success", 0),
        ("user_info_modified", 0),
        ("ShakearoundUserShake", 0),
        ("something_new", 0),
        ("", 0),
    ],
)
def test_an_event_waits_for_a_reply_unless_no_person_reads_it(name: str, waits: float) -> None:
    assert received(delivery(xml(fields(NOW, "event", Event=name)), NOW)).passive_reply_within == waits


def test_only_an_account_in_passive_mode_waits() -> None:
    assert received(delivery(xml(chat(NOW)), NOW)).passive_reply_within == 4.5
    assert received(delivery(xml(chat(NOW)), NOW), APP).passive_reply_within == 0


def test_the_module_supports_passive_replies() -> None:
    assert isinstance(inbound("wechat"), SupportsPassiveReply)


def test_the_media_id_of_an_upload_is_left_out_when_it_has_expired() -> None:
    """Media ids are valid for three days. A person may write again later than that."""
    request = delivery(xml(chat(NOW)), NOW)
    uploaded, given = Image(key="M1", data="aGk=", name="chart.png"), Image(key="M2")
    for media, age, expected in (
        (uploaded, 259_199, "image"),
        (uploaded, 259_201, "text"),
        (given, 259_201, "image"),
    ):
        message = message_of(request)
        replies = answers_to(message, Reply.of(media), created=NOW - age)
        reply = passive_reply(request, PASSIVE, message, replies, NOW)
        assert xmltodict.parse(decrypted(reply.response.body))["xml"]["MsgType"] == expected
        assert (reply.sent, reply.rest) == (1, None)
