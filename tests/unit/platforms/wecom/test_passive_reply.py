"""Answers within the response: read by wechatpy, encrypted with the key that the request came under."""

import pytest
import xmltodict
from wechatpy.enterprise.crypto import WeChatCrypto

from parley.adapter import Accepted, App, Request
from parley.model import Image, Link, Message, Reply, Text
from parley.platforms.tencent.fields import read, text
from parley.platforms.wecom.inbound import passive_reply, receive
from tests.conformance.adapters.wecom import APP, CORP, KEY, OTHER_KEY, TOKEN, chat, click, delivery, fields, make_app
from tests.conformance.tencent import xml

NOW = 1_718_000_100.0
PASSIVE = make_app(reply_mode="passive")


def received(payload: dict, app: App = PASSIVE) -> tuple[Request, Message, float]:
    request = delivery(xml(payload), NOW)
    outcome = receive(request, app, NOW)
    assert isinstance(outcome, Accepted)
    return request, outcome.messages[0], outcome.passive_reply_within


def shown(body: bytes, key: str = KEY) -> dict:
    """What wechatpy finds in an answer."""
    envelope = read(body)
    stamp, nonce = text(envelope, "TimeStamp"), text(envelope, "Nonce")
    plain = WeChatCrypto(TOKEN, key, CORP).decrypt_message(body.decode(), text(envelope, "MsgSignature"), stamp, nonce)
    return xmltodict.parse(plain)["xml"]


def test_replies_are_joined_into_one_encrypted_text() -> None:
    request, message, waits = received(chat(NOW))
    assert waits == 4.5
    answered = passive_reply(request, PASSIVE, message, (Reply.of("收到 ]]> & <b>"), Reply.of("处理中")), NOW + 2)
    assert (answered.sent, answered.rest) == (2, None)
    assert (answered.response.status, answered.response.content_type) == (200, "text/xml")
    assert shown(answered.response.body) == {
        "ToUserName": "zhangsan",
        "FromUserName": CORP,
        "CreateTime": str(int(NOW) + 2),
        "MsgType": "text",
        "Content": "收到 ]]> & <b>\n处理中",
    }
    assert read(answered.response.body)["Nonce"] == request.query["nonce"]


@pytest.mark.parametrize(
    ("segment", "wanted"),
    [
        (Image(key="M1"), {"MsgType": "image", "Image": {"MediaId": "M1"}}),
        (
            Link(url="https://e.com", title="T", description="D"),
            {
                "MsgType": "news",
                "ArticleCount": "1",
                "Articles": {"item": {"Title": "T", "Description": "D", "PicUrl": None, "Url": "https://e.com"}},
            },
        ),
    ],
)
def test_an_image_and_an_article(segment, wanted: dict) -> None:
    request, message, _ = received(chat(NOW))
    found = shown(passive_reply(request, PASSIVE, message, (Reply.of(segment),), NOW).response.body)
    assert {name: found[name] for name in wanted} == wanted


def test_what_the_first_reply_leaves_is_told() -> None:
    request, message, _ = received(chat(NOW))
    answered = passive_reply(
        request, PASSIVE, message, (Reply(segments=(Text(text="see"), Image(url="https://e.com/p"))),), NOW
    )
    assert shown(answered.response.body)["Content"] == "see"
    assert answered.rest == Reply(segments=(Image(url="https://e.com/p"),))


def test_nothing_to_say_is_the_empty_answer() -> None:
    request, message, _ = received(chat(NOW))
    for replies in ((), (Reply.of(Image(url="https://e.com/p")),)):
        answered = passive_reply(request, PASSIVE, message, replies, NOW)
        assert (answered.response.body, answered.sent, answered.rest) == (b"", 0, None)


def test_the_answer_is_under_the_key_of_the_request() -> None:
    app = make_app(key=OTHER_KEY, previous_encoding_aes_key=KEY, reply_mode="passive")
    request, message, _ = received(chat(NOW), app)
    assert shown(passive_reply(request, app, message, (Reply.of("hi"),), NOW).response.body)["Content"] == "hi"


def test_a_request_that_no_key_opens_any_more_is_not_answered() -> None:
    request, message, _ = received(chat(NOW))
    answered = passive_reply(request, make_app(key=OTHER_KEY), message, (Reply.of("hi"),), NOW)
    assert (answered.response.body, answered.sent) == (b"", 0)


def test_a_click_can_be_answered_and_what_the_system_says_not() -> None:
    assert received(click(NOW))[2] == 4.5
    assert received({**fields(NOW, "event", Event="change_contact"), "FromUserName": "sys"})[2] == 0
    assert received(chat(NOW), APP)[2] == 0
