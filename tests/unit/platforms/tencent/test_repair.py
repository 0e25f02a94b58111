"""Texts of persons that break the XML of a callback: they stay texts, and no field of theirs is read as another."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.adapter import Accepted, Rejected
from parley.model import Message, Other
from parley.platforms.tencent.fields import read
from parley.platforms.tencent.repair import repaired
from parley.platforms.wechat.inbound import receive as receive_wechat
from parley.platforms.wecom.inbound import receive as receive_wecom
from tests.conformance.adapters import wechat, wecom
from tests.conformance.tencent import xml
from tests.linear import assert_linear

NOW = 1_718_000_100.0
RECEIVE = {"wecom": (wecom, receive_wecom), "wechat": (wechat, receive_wechat)}
PLATFORMS = pytest.mark.parametrize("platform", RECEIVE)
PRESS = "x]]></Content><bizmsgmenuid><![CDATA[=3=buyconfirm]]></bizmsgmenuid><Content><![CDATA[y"
SPREAD = "]]]]><![CDATA[>"


def outcome(platform: str, body: str | bytes) -> Accepted | Rejected:
    adapter, receive = RECEIVE[platform]
    return receive(adapter.delivery(body, NOW), adapter.APP, NOW)


def received(platform: str, body: str) -> Message:
    found = outcome(platform, body)
    assert isinstance(found, Accepted), found
    (message,) = found.messages
    return message


def text_message(platform: str, content: str, between: str = "") -> str:
    """A message as the platform writes it, with `content` as it is."""
    adapter, _ = RECEIVE[platform]
    return (
        xml({**adapter.fields(NOW), "Content": "@@", "MsgId": "77"})
        .replace("@@", content)
        .replace("><", f">{between}<")
    )


@PLATFORMS
@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("a\x1db", "a\ufffdb"),
        ("\x00\x08\x0b\x0c\x1f\ufffe\uffff", "\ufffd" * 7),
        ("tab\tand\nline", "tab\tand\nline"),
        ("a]]>b", "a]]>b"),
        ("]]>", "]]>"),
        (f"a{SPREAD}b", "a]]>b"),
        ("a]]", "a]]"),
        ("a]]></Content", "a]]></Content"),
        (PRESS, PRESS),
        ("x]]></Content><MsgType><![CDATA[event]]></MsgType><Event>CLICK</Event><Foo><![CDATA[y",) * 2,
        ("x]]></Content><FromUserName><![CDATA[boss]]></FromUserName><Content><![CDATA[y",) * 2,
        ("x]]></Content></xml>",) * 2,
        ("<![CDATA[x", "<![CDATA[x"),
        ("&#29; &lt;", "&#29; &lt;"),
        ("<!DOCTYPE x>", "<!DOCTYPE x>"),
    ],
)
def test_a_text_stays_a_text(platform: str, sent: str, expected: str) -> None:
    message = received(platform, text_message(platform, sent))
    assert (message.kind, message.content.text, message.action) == ("message", expected.strip(), None)
    assert (message.id, message.sender.id) == ("77", RECEIVE[platform][0].fields(NOW)["FromUserName"])


PARTS = ["]]>", "</Content>", "<Content>", "<![CDATA[", "<MsgType>event</MsgType>", "<MsgId>1</MsgId>", "]]", "]", ">"]
PARTS += ["<bizmsgmenuid>=1=a</bizmsgmenuid>", "</xml>", "<FromUserName>boss</FromUserName>", "x", "&", "<", "\x1d"]


@settings(max_examples=200)
@given(st.lists(st.sampled_from(PARTS), max_size=12).map("".join))
def test_no_text_becomes_another_field(content: str) -> None:
    message = received("wechat", text_message("wechat", content))
    assert (message.kind, message.id, message.sender.id) == ("message", "77", wechat.OPENID)
    assert set(message.raw) == {"ToUserName", "FromUserName", "CreateTime", "MsgType", "Content", "MsgId"}


def test_two_texts_of_one_message_do_not_make_a_press() -> None:
    """The title and the description of a link both come from a person."""
    link = {
        **wechat.fields(NOW, "link"),
        "Title": "x]]></Title><A><Title><![CDATA[",
        "Description": "]]></Title></A><bizmsgmenuid><![CDATA[=3=buy]]></bizmsgmenuid><Description><![CDATA[q",
        "Url": "https://e.com",
        "MsgId": "77",
    }
    found = outcome("wechat", xml(link))
    assert isinstance(found, Rejected) or (found.messages[0].kind, found.messages[0].id) == ("message", "77")


def test_a_scanned_code_does_not_make_another_event() -> None:
    scanned = "x]]></ScanResult></ScanCodeInfo><Event>CLICK</Event><EventKey>buy</EventKey>"
    scanned += "<ScanCodeInfo><ScanResult><![CDATA["
    event = wechat.fields(NOW, "event", Event="scancode_push", EventKey="k", ScanCodeInfo={"ScanResult": scanned})
    message = received("wechat", xml(event))
    assert (message.event, message.raw["EventKey"]) == ("scancode_push", "k")


def test_lists_in_an_event_stay_lists() -> None:
    items = {"Item": [{"Id": "a"}, {"Id": "b]]>c"}]}
    event = wechat.fields(NOW, "event", Event="x", List=items)
    assert received("wechat", xml(event)).raw["List"] == items


# --- white space ------------------------------------------------------------------------------------------------------


@PLATFORMS
@pytest.mark.parametrize("between", [" ", "\n", "\r\n\t"])
def test_white_space_around_a_value_makes_no_difference(platform: str, between: str) -> None:
    plain = received(platform, text_message(platform, "hello"))
    spaced = received(platform, text_message(platform, "hello", between))
    assert spaced == plain
    adapter, _ = RECEIVE[platform]
    for name in ("MsgType", "MsgId", "CreateTime", "FromUserName"):
        value = adapter.fields(NOW).get(name, "77")
        loose = text_message(platform, "hello").replace(f"<![CDATA[{value}]]>", f"{between}{value}{between}")
        assert received(platform, loose) == plain


SUITE_TICKET = f"""<xml>
    <SuiteId><![CDATA[{wecom.SUITE}]]></SuiteId>
    <InfoType> <![CDATA[suite_ticket]]></InfoType>
    <TimeStamp>1718000101</TimeStamp>
    <SuiteTicket><![CDATA[asdfasfdasdfasdf]]> </SuiteTicket>
</xml>"""
"""The documented sample, with its white space."""


@pytest.mark.parametrize("kind", ["<![CDATA[suite_ticket]]>", " suite_ticket ", "<![CDATA[ suite_ticket\n]]>"])
def test_the_documented_suite_ticket_is_a_credential(kind: str) -> None:
    body = SUITE_TICKET.replace(" <![CDATA[suite_ticket]]>", kind)
    for sample in (SUITE_TICKET, body):
        found = receive_wecom(wecom.delivery(sample, NOW, wecom.SUITE), wecom.APP, NOW)
        assert isinstance(found, Accepted)
        assert (dict(found.credentials), found.messages) == ({"suite_ticket": "asdfasfdasdfasdf"}, ())


def test_white_space_around_the_ciphertext_makes_no_difference() -> None:
    request = wecom.delivery(xml(wecom.chat(NOW)), NOW)
    body = request.body.replace(b"<Encrypt>", b"<Encrypt>\n  ").replace(b"</Encrypt>", b" </Encrypt>")
    assert isinstance(receive_wecom(type(request)(query=request.query, body=body), wecom.APP, NOW), Accepted)


# --- what cannot be read ----------------------------------------------------------------------------------------------


@PLATFORMS
def test_content_that_is_not_utf_8_is_reported_as_such(platform: str) -> None:
    body = text_message(platform, "@").encode().replace(b"@", b"\xff\xfe")
    found = outcome(platform, body)
    assert isinstance(found, Rejected)
    assert (found.status, found.reason, "not UTF-8" in found.detail) == (400, "malformed", True)


@pytest.mark.parametrize("content", ["【收到不支持的消息类型，暂无法显示】", "[收到不支持的消息类型，暂无法显示]"])
def test_the_announcement_of_a_sticker_is_not_a_text(content: str) -> None:
    message = received("wechat", text_message("wechat", content))
    assert message.content.text == ""
    assert message.segments == (Other(name="unsupported", text=content),)
    quoted = received("wechat", text_message("wechat", f"What does {content} mean?"))
    assert quoted.content.text


def test_json_with_repeated_or_spaced_fields_is_read_the_same() -> None:
    payload = wechat.chat(NOW)
    spaced = json.dumps({**payload, "MsgType": " text "})
    assert received("wechat", spaced) == received("wechat", xml(payload))


# --- time -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "part", ["<a><![CDATA[", "]]></a>", "<a> ", "]]> ", "&#1;", "<a><![CDATA[]]></b>", "]]></a><a><![CDATA["]
)
def test_the_time_is_linear_in_the_size(part: str) -> None:
    assert_linear(repaired, lambda count: f"<xml>{part * count}</xml>", small=4_000, large=32_000)


def test_a_document_without_such_texts_is_read_as_before() -> None:
    assert read(b"<?xml version='1.0'?><xml><A>1 &amp; 2</A><B><![CDATA[x]]> y</B><!-- c --></xml>") == {
        "A": "1 & 2",
        "B": "x y",
    }
