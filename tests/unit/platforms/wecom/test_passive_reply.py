"""Passive replies of WeCom: wechatpy can read them, and they are encrypted with the key of the request."""

import pytest
import xmltodict
from wechatpy.enterprise.crypto import WeChatCrypto

from parley.adapter import Accepted, App, Request
from parley.model import Image, Link, Message, Reply, Text
from parley.platforms.tencent.fields import read
from parley.platforms.wecom.inbound import passive_reply, receive
from tests.conformance.adapters.wecom import APP, CORP, KEY, OTHER_KEY, TOKEN, chat, click, delivery, fields, make_app
from tests.conformance.tencent import xml
from tests.factories import answers_to

NOW = 1_718_000_100.0
PASSIVE = make_app(reply_mode="passive")


def received(payload: dict, app: App = PASSIVE) -> tuple[Request, Message, float]:
    request = delivery(xml(payload), NOW)
    outcome = receive(request, app, NOW)
    assert isinstance(outcome, Accepted)
    return request, outcome.messages[0], outcome.passive_reply_within


def decrypted(body: bytes, key: str = KEY) -> dict:
    """The fields of a response, decrypted by wechatpy."""
    envelope = read(body)
    timestamp, nonce, signature = (envelope[name] for name in ("TimeStamp", "Nonce", "MsgSignature"))
    plain = WeChatCrypto(TOKEN, key, CORP).decrypt_message(body.decode(), signature, timestamp, nonce)
    return xmltodict.parse(plain)["xml"]


def test_replies_are_joined_into_one_encrypted_text() -> None:
    request, message, waits = received(chat(NOW))
    assert waits == 4.5
    answered = passive_reply(
        request, PASSIVE, message, answers_to(message, Reply.of("收到 ]]> & <b>"), Reply.of("处理中")), NOW + 2
    )
    assert (answered.sent, answered.rest) == (2, None)
    assert (answered.response.status, answered.response.content_type) == (200, "text/xml")
    assert decrypted(answered.response.body) == {
        "ToUserName": "zhangsan",
        "FromUserName": CORP,
        "CreateTime": str(int(NOW) + 2),
        "MsgType": "text",
        "Content": "收到 ]]> & <b>\n处理中",
    }
    assert read(answered.response.body)["Nonce"] == request.query["nonce"]


@pytest.mark.parametrize(
    ("segment", "expected"),
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
def test_an_image_or_an_article_is_a_message_of_its_own(segment, expected: dict) -> None:
    request, message, _ = received(chat(NOW))
    answered = passive_reply(request, PASSIVE, message, answers_to(message, Reply.of(segment)), NOW)
    found = decrypted(answered.response.body)
    assert {name: found[name] for name in expected} == expected


def test_segments_that_do_not_fit_are_returned_as_the_rest() -> None:
    request, message, _ = received(chat(NOW))
    answered = passive_reply(
        request,
        PASSIVE,
        message,
        answers_to(message, Reply(segments=(Text(text="see"), Image(url="https://e.com/p")))),
        NOW,
    )
    assert decrypted(answered.response.body)["Content"] == "see"
    assert answered.rest == Reply(segments=(Image(url="https://e.com/p"),))


def test_the_response_is_empty_if_no_reply_fits() -> None:
    request, message, _ = received(chat(NOW))
    for replies in ((), (Reply.of(Image(url="https://e.com/p")),)):
        answered = passive_reply(request, PASSIVE, message, answers_to(message, *replies), NOW)
        assert (answered.response.body, answered.sent, answered.rest) == (b"", 0, None)


def test_the_response_is_encrypted_with_the_key_of_the_request() -> None:
    app = make_app(key=OTHER_KEY, previous_encoding_aes_key=KEY, reply_mode="passive")
    request, message, _ = received(chat(NOW), app)
    answered = passive_reply(request, app, message, answers_to(message, Reply.of("hi")), NOW)
    assert decrypted(answered.response.body)["Content"] == "hi"


def test_the_response_is_empty_if_no_key_decrypts_the_request_any_more() -> None:
    request, message, _ = received(chat(NOW))
    answered = passive_reply(request, make_app(key=OTHER_KEY), message, answers_to(message, Reply.of("hi")), NOW)
    assert (answered.response.body, answered.sent) == (b"", 0)


@pytest.mark.parametrize("name", ["click", "scancode_push", "scancode_waitmsg"])
def test_events_whose_passive_reply_is_shown_wait(name: str) -> None:
    assert received(fields(NOW, "event", Event=name, EventKey="k"))[2] == 4.5


SILENT = (
    *("subscribe", "unsubscribe", "enter_agent", "LOCATION", "view", "view_miniprogram", "location_select"),
    *("pic_sysphoto", "pic_photo_or_album", "pic_weixin", "batch_job_result", "change_contact", "open_approval_change"),
    *("sys_approval_change", "change_external_contact", "kf_msg_or_event", "security", "something_new", ""),
)


@pytest.mark.parametrize("name", SILENT)
def test_events_whose_passive_reply_nobody_sees_do_not_wait(name: str) -> None:
    assert received(fields(NOW, "event", Event=name, EventKey="k"))[2] == 0


@pytest.mark.parametrize("name", ["template_card_event", "template_card_menu_event", "taskcard_click"])
def test_a_press_does_not_wait_because_a_passive_reply_to_it_may_only_update_the_card(name: str) -> None:
    assert received({**click(NOW), "Event": name})[2] == 0


def test_an_event_of_the_system_does_not_wait() -> None:
    assert received({**fields(NOW, "event", Event="change_contact"), "FromUserName": "sys"})[2] == 0
    assert received(chat(NOW), APP)[2] == 0
