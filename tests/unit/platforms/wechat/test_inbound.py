"""Callbacks of WeChat: which are accepted in which mode, and all messages and events in the unified model."""

import json
import re
from typing import Any, cast

import pytest
from msgspec.structs import replace
from wechatpy import parse_message

from parley.adapter import Accepted, App, Rejected, Request
from parley.model import Audio, Image, Link, Location, Message, Other, Text, Video
from parley.model.codec import decode_message, encode
from parley.platforms.wechat.inbound import receive
from tests.conformance.adapters.wechat import (
    ACCOUNT,
    APP,
    COMPATIBLE,
    KEY,
    OPENID,
    OTHER_KEY,
    PLAIN,
    SECRET,
    TOKEN,
    chat,
    compatible,
    delivery,
    fields,
    make_app,
    plain,
    verification,
)
from tests.conformance.tencent import query_of, xml

NOW = 1_718_000_200.0


def accepted(request: Request, app: App = APP) -> Accepted:
    outcome = receive(request, app, NOW)
    assert isinstance(outcome, Accepted), outcome
    return outcome


def received(payload: dict[str, Any]) -> Message:
    """The message made from `payload`, the same from XML and JSON, after encoding and decoding for the queue."""
    (message,) = accepted(delivery(xml(payload), NOW)).messages
    assert accepted(delivery(json.dumps(payload), NOW)).messages == (message,)
    assert decode_message(encode(message)) == message
    return message


def refused(request: Request, app: App = APP) -> Rejected:
    outcome = receive(request, app, NOW)
    assert isinstance(outcome, Rejected)
    return outcome


# --- messages ---------------------------------------------------------------------------------------------------------


def test_a_text_message() -> None:
    message = received(chat(NOW))
    assert (message.id, message.kind, message.platform, message.app) == (
        "24567890123456789",
        "message",
        "wechat",
        "demo",
    )
    assert (message.sender.id, message.content.text, message.timestamp) == (OPENID, "订单 🎁", int(NOW))
    assert (message.context.private, message.context.room_id, message.context.tenant) == (True, "", "")
    assert message.raw == {name: str(value) for name, value in chat(NOW).items()}


@pytest.mark.parametrize(
    ("more", "segment", "text"),
    [
        ({"MsgType": "image", "PicUrl": "http://p/x", "MediaId": "M1"}, Image(key="M1", url="http://p/x"), ""),
        ({"MsgType": "voice", "MediaId": "M2", "Format": "amr"}, Audio(key="M2", mime="audio/amr"), ""),
        (
            {"MsgType": "voice", "MediaId": "M2", "MediaId16K": "M3", "Format": "speex", "Recognition": "你好。"},
            Audio(key="M2", mime="audio/speex", text="你好。"),
            "你好。",
        ),
        ({"MsgType": "video", "MediaId": "M3", "ThumbMediaId": "T3"}, Video(key="M3", cover="T3"), ""),
        ({"MsgType": "shortvideo", "MediaId": "M3", "ThumbMediaId": "T3"}, Video(key="M3", cover="T3"), ""),
        (
            {"MsgType": "location", "Location_X": 23.134521, "Location_Y": 113.358803, "Scale": 20, "Label": "HQ"},
            Location(latitude=23.134521, longitude=113.358803, name="HQ"),
            "",
        ),
        (
            {"MsgType": "link", "Title": "T", "Description": "D", "Url": "https://e.com"},
            Link(url="https://e.com", title="T", description="D"),
            "",
        ),
        ({"MsgType": "text", "Content": "/::) [Smile]"}, Text(text="/::) [Smile]"), "/::) [Smile]"),
        ({"MsgType": "music", "Title": "Song"}, Other(name="music", text="Song", data={"Title": "Song"}), ""),
    ],
)
def test_messages_of_every_type(more: dict[str, Any], segment: Any, text: str) -> None:
    message = received({**fields(NOW), "MsgId": "1", **more})
    assert (message.kind, message.segments, message.content.text) == ("message", (segment,), text)
    assert message.content.attachments == ((segment,) if isinstance(segment, Image | Audio | Video) else ())


@pytest.mark.parametrize(
    "more",
    [
        {"MsgType": "text", "Content": "a ]]> b"},
        {"MsgType": "image", "PicUrl": "http://p/x", "MediaId": "M1"},
        {"MsgType": "voice", "MediaId": "M2", "Format": "amr", "Recognition": "你好"},
        {"MsgType": "shortvideo", "MediaId": "M3", "ThumbMediaId": "T3"},
        {"MsgType": "location", "Location_X": "23.1", "Location_Y": "113.3", "Scale": "20", "Label": "HQ"},
        {"MsgType": "link", "Title": "T", "Description": "D", "Url": "https://e.com"},
    ],
)
def test_wechatpy_reads_the_same_values(more: dict[str, Any]) -> None:
    body = xml({**fields(NOW), "MsgId": "1", **more}).replace("a ]]> b", "a ]]]]><![CDATA[> b")
    (message,) = accepted(delivery(body, NOW)).messages
    theirs = cast("Any", parse_message(body))
    assert (message.sender.id, message.timestamp, message.id) == (
        theirs.source,
        int(theirs.create_time.timestamp()),
        str(theirs.id),
    )
    segment = message.segments[0]
    match segment:
        case Text():
            assert segment.text == theirs.content == "a ]]> b"
        case Image():
            assert (segment.key, segment.url) == (theirs.media_id, theirs.image)
        case Audio():
            assert (segment.key, segment.text) == (theirs.media_id, theirs.recognition)
        case Video():
            assert (segment.key, segment.cover) == (theirs.media_id, theirs.thumb_media_id)
        case Location():
            assert (segment.latitude, segment.longitude, segment.name) == (*map(float, theirs.location), theirs.label)
        case Link():
            assert (segment.url, segment.title, segment.description) == (theirs.url, theirs.title, theirs.description)
        case _:
            raise AssertionError(segment)


def test_a_tap_on_a_menu_item_is_an_action() -> None:
    message = received({**fields(NOW), "Content": "Yes, please", "bizmsgmenuid": "=3=yes42", "MsgId": "9"})
    assert message.action is not None
    assert (message.kind, message.action.id, message.action.value) == ("action", "yes", "42")
    assert (message.id, message.content.text) == ("9", "Yes, please")


# --- events -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "more", "event", "text"),
    [
        ("subscribe", {"EventKey": ""}, "subscribe", ""),
        ("subscribe", {"EventKey": "qrscene_123", "Ticket": "T"}, "subscribe", "123"),
        ("unsubscribe", {"EventKey": ""}, "unsubscribe", ""),
        ("SCAN", {"EventKey": "123", "Ticket": "T"}, "scan", "123"),
        ("CLICK", {"EventKey": "V1001_TODAY"}, "click", "V1001_TODAY"),
        ("VIEW", {"EventKey": "https://e.com", "MenuId": "1"}, "view", "https://e.com"),
        ("view_miniprogram", {"EventKey": "pages/a", "MenuId": "1"}, "view_miniprogram", "pages/a"),
        ("scancode_push", {"EventKey": "k", "ScanCodeInfo": {"ScanResult": "42"}}, "scancode_push", "42"),
        ("pic_weixin", {"EventKey": "k", "SendPicsInfo": {"Count": "1"}}, "pic_weixin", "k"),
        ("location_select", {"EventKey": "k", "SendLocationInfo": {"Label": "HQ"}}, "location_select", "k"),
        ("MASSSENDJOBFINISH", {"MsgID": "1", "Status": "send success"}, "masssendjobfinish", ""),
        ("user_info_modified", {"OpenID": "o1"}, "user_info_modified", ""),
        ("debug_demo", {"debug_str": "hello world"}, "debug_demo", ""),
        ("", {}, "unknown", ""),
    ],
)
def test_an_event_keeps_all_its_fields_in_raw(name: str, more: dict[str, Any], event: str, text: str) -> None:
    message = received(fields(NOW, "event", Event=name, **more))
    assert (message.kind, message.event, message.content.text) == ("event", event, text)
    assert {key: message.raw[key] for key in more} == more
    assert message.raw["Event"] == name


def test_the_result_of_a_template_message_has_the_id_of_the_message() -> None:
    message = received(fields(NOW, "event", Event="TEMPLATESENDJOBFINISH", MsgID=200163836, Status="failed:user block"))
    assert (message.event, message.reply_to, message.raw["Status"]) == (
        "templatesendjobfinish",
        "200163836",
        "failed:user block",
    )


def test_a_location_report_is_a_location_segment() -> None:
    message = received(
        fields(NOW, "event", Event="LOCATION", Latitude=23.137466, Longitude="113.352425", Precision="119")
    )
    assert message.segments == (Location(latitude=23.137466, longitude=113.352425),)


def test_events_of_one_second_have_different_ids_and_a_repeat_has_the_same() -> None:
    ids = [
        received(fields(NOW, "event", Event=name, EventKey=key)).id
        for name, key in (("CLICK", "a"), ("CLICK", "a"), ("CLICK", "b"), ("SCAN", "a"), ("subscribe", "qrscene_a"))
    ]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 4


# --- modes ------------------------------------------------------------------------------------------------------------


def test_safe_and_compatible_mode_refuse_a_plain_body() -> None:
    """A request without `encrypt_type` must not bypass the signature over the content."""
    for app in (APP, COMPATIBLE):
        outcome = refused(plain(chat(NOW), NOW), app)
        assert (outcome.status, outcome.reason) == (401, "forged")
        assert "Message Encryption" in outcome.detail
        downgraded = compatible(chat(NOW), NOW)
        query = {
            name: value for name, value in downgraded.query.items() if name not in ("encrypt_type", "msg_signature")
        }
        assert refused(replace(downgraded, query=query), app).reason == "forged"
        raw = replace(downgraded, query={**query, "encrypt_type": "raw"})
        assert refused(raw, app).reason == "forged"


def test_compatible_mode_reads_the_encrypted_content_and_ignores_the_plain_copy() -> None:
    request = compatible(chat(NOW), NOW)
    expected = accepted(delivery(xml(chat(NOW)), NOW), COMPATIBLE).messages
    assert accepted(request, COMPATIBLE).messages == expected
    forged = replace(request, body=request.body.replace("订单 🎁".encode(), b"transfer all"))
    assert accepted(forged, COMPATIBLE).messages == expected


def test_plain_mode_accepts_a_recent_signature_over_the_time_stamp() -> None:
    (message,) = accepted(plain(chat(NOW), NOW), PLAIN).messages
    assert message == received(chat(NOW))
    assert refused(plain(chat(NOW), NOW - 4000), PLAIN).reason == "stale"


def test_plain_mode_accepts_encrypted_callbacks_if_there_is_a_key() -> None:
    request = delivery(xml(chat(NOW)), NOW)
    assert accepted(request, make_app(mode="plain")).messages == (received(chat(NOW)),)
    assert "encoding_aes_key" in refused(request, PLAIN).detail


def test_plain_mode_drops_the_encrypted_copy_of_compatible_mode() -> None:
    request = compatible(chat(NOW), NOW)
    query = query_of(TOKEN, NOW, name="signature")
    (message,) = accepted(replace(request, query=query), PLAIN).messages
    assert "Encrypt" not in message.raw


# --- which callbacks are accepted -------------------------------------------------------------------------------------


def test_the_acknowledgement_is_success_in_plain_text() -> None:
    for body in (xml(chat(NOW)), json.dumps(chat(NOW))):
        response = accepted(delivery(body, NOW)).response
        assert (response.status, response.body, response.content_type) == (200, b"success", "text/plain")


def test_the_signature_of_a_verification_does_not_authenticate_content() -> None:
    request = delivery(xml(chat(NOW)), NOW)
    assert (
        refused(replace(request, query={**request.query, "msg_signature": request.query["signature"]})).reason
        == "forged"
    )


@pytest.mark.parametrize(
    ("request_", "app", "expected", "detail"),
    [
        (delivery(xml(chat(NOW)), NOW), make_app("anothertoken"), (401, "forged"), "compare `token` with .*Token"),
        (
            delivery(xml(chat(NOW)), NOW),
            make_app(key=OTHER_KEY),
            (401, "forged"),
            "compare `encoding_aes_key` with .*EncodingAESKey",
        ),
        (
            delivery(xml(chat(NOW)), NOW),
            make_app(app_id="wx0"),
            (401, "forged"),
            "addressed to another account.*`app_id`.*AppID",
        ),
        (delivery(xml(chat(NOW)), NOW), make_app(original_id="gh_other"), (401, "forged"), "original_id.*Original ID"),
        (delivery(xml(chat(NOW)), NOW - 4000), APP, (401, "stale"), "old"),
        (delivery(xml({"MsgType": "text"}), NOW), APP, (400, "malformed"), "no FromUserName"),
        (delivery(xml({"FromUserName": "o"}), NOW), APP, (400, "malformed"), "no MsgType"),
        (delivery("no xml", NOW), APP, (400, "malformed"), "not XML"),
        (Request(query={"encrypt_type": "aes"}, body=b"x"), APP, (400, "malformed"), "not XML"),
        (Request(query={"encrypt_type": "rsa"}, body=b"x"), APP, (400, "malformed"), "encrypt_type"),
        (
            Request(query=query_of(TOKEN, NOW, name="signature"), body=b"x"),
            PLAIN,
            (400, "malformed"),
            "not XML",
        ),
        (Request(method="DELETE"), APP, (405, "malformed"), "neither GET nor POST"),
    ],
)
def test_a_rejection_names_the_setting_to_check_but_no_secret(
    request_: Request, app: App, expected: tuple[int, str], detail: str
) -> None:
    outcome = refused(request_, app)
    assert (outcome.status, outcome.reason) == expected
    assert re.search(detail, outcome.detail)
    assert not [secret for secret in (TOKEN, KEY, OTHER_KEY, SECRET, "anothertoken") if secret in outcome.detail]


def test_only_the_configured_original_id_is_accepted() -> None:
    assert accepted(delivery(xml(chat(NOW)), NOW), make_app(original_id=ACCOUNT)).messages
    assert accepted(plain(chat(NOW), NOW), make_app(mode="plain", original_id=ACCOUNT)).messages
    assert refused(plain(chat(NOW), NOW), make_app(mode="plain", original_id="gh_other")).reason == "forged"


def test_a_message_encrypted_with_the_previous_key_is_accepted() -> None:
    app = make_app(key=OTHER_KEY, previous_encoding_aes_key=KEY)
    assert accepted(delivery(xml(chat(NOW)), NOW), app).messages == (received(chat(NOW)),)


# --- verification -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("app", [APP, COMPATIBLE, PLAIN])
def test_the_response_to_a_verification_is_the_echostr_in_every_mode(app: App) -> None:
    response = accepted(verification(NOW), app).response
    assert (response.body, response.content_type) == (b"4375120948345356249", "text/plain")


@pytest.mark.parametrize("echo", ["<script>alert(1)</script>", "", "{}", "x" * 200, "a\nb", "你好"])
def test_only_an_echostr_of_the_consoles_form_is_given_back(echo: str) -> None:
    """The signature of a POST is valid for a GET with any `echostr`."""
    query = query_of(TOKEN, NOW, name="signature", echostr=echo)
    assert refused(Request(method="GET", query=query)).status == 400
