"""Callbacks of WeCom: which are accepted, and all messages and events of the docs in the unified model.

wechatpy encrypts the callbacks. Its reading of each message is compared with ours.
"""

import re
from typing import Any, cast

import pytest
from wechatpy.enterprise import parse_message
from wechatpy.enterprise.crypto import WeChatCrypto

from parley.adapter import Accepted, App, Rejected, Request, SupportsInstantAnswers, SupportsPassiveReply
from parley.crypto import unseal
from parley.model import Audio, Destination, File, Image, Link, Location, Message, Other, Text, Video
from parley.model.codec import decode_message, encode
from parley.platforms import inbound
from parley.platforms.wecom.inbound import receive
from tests.conformance.adapters.wecom import (
    APP,
    CORP,
    KEY,
    OTHER_KEY,
    SECRET,
    SUITE,
    TOKEN,
    chat,
    click,
    delivery,
    fields,
    make_app,
    verification,
)
from tests.conformance.tencent import encrypt, query_of, sign, xml

NOW = 1_718_000_100.0


def received(payload: dict[str, Any] | str, app: App = APP) -> Message:
    """The message made from `payload`, after encoding and decoding for the queue."""
    body = payload if isinstance(payload, str) else xml(payload)
    outcome = receive(delivery(body, NOW), app, NOW)
    assert isinstance(outcome, Accepted), outcome
    (message,) = outcome.messages
    assert decode_message(encode(message)) == message
    return message


def event(name: str, **more: Any) -> Message:
    message = received(fields(NOW, "event", Event=name, **more))
    assert message.kind == "event"
    return message


def refused(request: Request, app: App = APP, now: float = NOW) -> Rejected:
    outcome = receive(request, app, now)
    assert isinstance(outcome, Rejected)
    return outcome


# --- messages ---------------------------------------------------------------------------------------------------------


def test_a_text_message() -> None:
    message = received(chat(NOW))
    assert message == Message(
        id="7234567890123456789",
        platform="wecom",
        app="demo",
        kind="message",
        sender=message.sender,
        content=message.content,
        timestamp=1_718_000_100,
        context=message.context,
        segments=(Text(text="你好 🙂 <b>&amp;"),),
        raw=chat(NOW),
    )
    assert (message.sender.id, message.sender.kind, message.content.text) == ("zhangsan", "user", "你好 🙂 <b>&amp;")
    assert (message.context.tenant, message.context.private, message.context.room_id) == (CORP, True, "")
    to = Destination.answering(message)
    assert (to.user_id, to.message_id, to.tenant) == ("zhangsan", "7234567890123456789", CORP)


@pytest.mark.parametrize(
    ("more", "segment", "text"),
    [
        (
            {"MsgType": "image", "PicUrl": "https://p.qpic.cn/x", "MediaId": "M1"},
            Image(key="M1", url="https://p.qpic.cn/x"),
            "",
        ),
        ({"MsgType": "voice", "MediaId": "M2", "Format": "amr"}, Audio(key="M2", mime="audio/amr"), ""),
        ({"MsgType": "voice", "MediaId": "M2", "Format": "opus"}, Audio(key="M2"), ""),
        ({"MsgType": "video", "MediaId": "M3", "ThumbMediaId": "T3"}, Video(key="M3", cover="T3"), ""),
        (
            {"MsgType": "file", "MediaId": "M4", "FileName": "a.pdf", "FileSize": "99"},
            File(key="M4", name="a.pdf", size=99),
            "",
        ),
        ({"MsgType": "file", "MediaId": "M4", "Title": "a.pdf"}, File(key="M4", name="a.pdf"), ""),
        (
            {"MsgType": "location", "Location_X": "39.9", "Location_Y": "116.4", "Scale": "15", "Label": "HQ"},
            Location(latitude=39.9, longitude=116.4, name="HQ"),
            "",
        ),
        (
            {"MsgType": "link", "Title": "T", "Description": "D", "Url": "https://e.com", "PicUrl": "https://e.com/p"},
            Link(url="https://e.com", title="T", description="D", image="https://e.com/p"),
            "",
        ),
        (
            {"MsgType": "location", "Location_X": "north", "Location_Y": "116.4"},
            Other(name="location", data={"Location_X": "north", "Location_Y": "116.4"}),
            "",
        ),
        (
            {"MsgType": "hologram", "Content": "?", "Depth": "3"},
            Other(name="hologram", text="?", data={"Content": "?", "Depth": "3"}),
            "",
        ),
        ({"MsgType": "text", "Content": "  /help  "}, Text(text="  /help  "), "/help"),
    ],
)
def test_messages_of_every_type(more: dict[str, Any], segment: Any, text: str) -> None:
    message = received({**fields(NOW), "MsgId": "1", **more})
    assert message.kind == "message"
    assert message.segments == (segment,)
    assert message.content.text == text
    assert message.content.attachments == ((segment,) if isinstance(segment, Image | Audio | Video | File) else ())


@pytest.mark.parametrize(
    "more",
    [
        {"MsgType": "text", "Content": "a ]]> b"},
        {"MsgType": "image", "PicUrl": "https://p.qpic.cn/x", "MediaId": "M1"},
        {"MsgType": "voice", "MediaId": "M2", "Format": "amr"},
        {"MsgType": "video", "MediaId": "M3", "ThumbMediaId": "T3"},
        {"MsgType": "location", "Location_X": "39.9", "Location_Y": "116.4", "Scale": "15", "Label": "HQ"},
    ],
)
def test_wechatpy_reads_the_same_values(more: dict[str, Any]) -> None:
    body = xml({**fields(NOW), "MsgId": "1", **more}).replace("a ]]> b", "a ]]]]><![CDATA[> b")
    message, theirs = received(body), cast("Any", parse_message(body))
    assert (message.sender.id, message.timestamp, message.id) == (
        theirs.source,
        int(theirs.create_time.timestamp()),
        str(theirs.id),
    )
    segment = message.segments[0]
    match segment:
        case Text():
            assert segment.text == theirs.content
        case Image():
            assert (segment.key, segment.url) == (theirs.media_id, theirs.image)
        case Audio():
            assert (segment.key, segment.mime) == (theirs.media_id, f"audio/{theirs.format}")
        case Video():
            assert (segment.key, segment.cover) == (theirs.media_id, theirs.thumb_media_id)
        case Location():
            assert (segment.latitude, segment.longitude, segment.name) == (*map(float, theirs.location), theirs.label)
        case _:
            raise AssertionError(segment)


# --- events -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "more", "text"),
    [
        ("subscribe", {"EventKey": ""}, ""),
        ("unsubscribe", {}, ""),
        ("enter_agent", {"EventKey": ""}, ""),
        ("click", {"EventKey": "V1001"}, "V1001"),
        ("view", {"EventKey": "https://e.com"}, "https://e.com"),
        ("view_miniprogram", {"EventKey": "pages/a"}, "pages/a"),
        ("scancode_push", {"EventKey": "k", "ScanCodeInfo": {"ScanType": "qrcode", "ScanResult": "42"}}, "42"),
        ("scancode_waitmsg", {"EventKey": "k", "ScanCodeInfo": {"ScanResult": "42"}}, "42"),
        ("pic_sysphoto", {"EventKey": "k", "SendPicsInfo": {"Count": "1"}}, "k"),
        ("location_select", {"EventKey": "k", "SendLocationInfo": {"Label": "HQ"}}, "k"),
        ("batch_job_result", {"BatchJob": {"JobId": "j1", "ErrCode": "0"}}, ""),
        ("change_contact", {"ChangeType": "create_user", "UserID": "lisi"}, ""),
        ("open_approval_change", {"ApprovalInfo": {"ThirdNo": "1"}}, ""),
        ("sys_approval_change", {"ApprovalInfo": {"SpNo": "1"}}, ""),
        ("change_external_contact", {"ChangeType": "add_external_contact"}, ""),
        ("kf_msg_or_event", {"OpenKfId": "kf1"}, ""),
        ("close_inactive_agent", {}, ""),
        ("security", {"ChangeType": "change_domain_ip"}, ""),
        ("something_new", {"Deep": {"List": ["1", "2"]}}, ""),
    ],
)
def test_an_event_keeps_all_its_fields_in_raw(name: str, more: dict[str, Any], text: str) -> None:
    message = event(name, **more)
    assert (message.event, message.content.text) == (name, text)
    assert {key: message.raw[key] for key in more} == more


def test_a_location_report_is_a_location_segment() -> None:
    message = event("LOCATION", Latitude="39.9", Longitude="116.4", Precision="65")
    assert message.event == "location"
    assert message.segments == (Location(latitude=39.9, longitude=116.4),)


def test_an_event_of_the_system_has_a_system_sender() -> None:
    message = received(
        {**fields(NOW, "event", Event="change_contact", ChangeType="delete_user"), "FromUserName": "sys"}
    )
    assert (message.sender.id, message.sender.kind) == ("sys", "system")
    without_sender = fields(NOW, "event", Event="kf_msg_or_event", Token="SECRET", OpenKfId="kf1")
    del without_sender["FromUserName"]
    message = received(without_sender)
    assert (message.sender.id, message.sender.kind) == ("", "system")
    assert "Token" not in message.raw


def test_an_event_without_a_name_or_a_time_is_accepted() -> None:
    message = received({**fields(NOW, "event"), "CreateTime": "soon"})
    assert (message.event, message.timestamp) == ("unknown", int(NOW))


def test_events_of_one_second_have_different_ids_and_a_repeat_has_the_same() -> None:
    first = event("change_contact", ChangeType="create_user", UserID="a")
    assert event("change_contact", ChangeType="create_user", UserID="a").id == first.id
    others = {
        event("change_contact", ChangeType="create_user", UserID="b").id,
        event("change_contact", ChangeType="update_user", UserID="a").id,
        event("click", EventKey="a").id,
        event("click", EventKey="b").id,
        received({**fields(NOW, "event", Event="click", EventKey="a"), "FromUserName": "lisi"}).id,
        event("kf_msg_or_event", OpenKfId="kf1", Token="T1").id,
        event("kf_msg_or_event", OpenKfId="kf1", Token="T2").id,
    }
    assert len(others | {first.id}) == 8


# --- cards ------------------------------------------------------------------------------------------------------------


def test_a_click_is_an_action_with_a_sealed_response_code() -> None:
    message = received(click(NOW))
    assert message.kind == "action"
    assert message.action is not None
    assert (message.action.id, message.action.value, message.action.message_id) == ("btn_ok", "", "task-42")
    assert message.action.form == {"q1": "a,b"}
    assert message.action.options == ("a", "b")
    assert unseal(SECRET, message.context.reply_token) == "RESP-CODE"
    assert message.context.reply_token_expires == int(NOW) + 72 * 3600
    assert b"RESP-CODE" not in encode(message)
    assert Destination.answering(message).message_id == "task-42"


def test_the_response_code_is_not_part_of_the_id_of_a_click() -> None:
    assert received({**click(NOW), "ResponseCode": "ANOTHER"}).id == received(click(NOW)).id
    assert received({**click(NOW), "TaskId": "task-43"}).id != received(click(NOW)).id


def test_one_chosen_option_is_read_like_several() -> None:
    chosen = {
        "SelectedItem": [{"QuestionKey": "q1", "OptionIds": {"OptionId": "a"}}, {"QuestionKey": "q2", "OptionIds": ""}]
    }
    message = received({**click(NOW), "SelectedItems": chosen})
    assert message.action is not None
    assert (message.action.form, message.action.options) == ({"q1": "a", "q2": ""}, ("a",))


@pytest.mark.parametrize("name", ["template_card_menu_event", "taskcard_click"])
def test_clicks_on_card_menus_and_task_cards_are_actions(name: str) -> None:
    payload = {**click(NOW), "Event": name, "EventKey": "=2=ok42"}
    del payload["ResponseCode"], payload["SelectedItems"]
    message = received(payload)
    assert message.action is not None
    assert (message.action.id, message.action.value, message.context.reply_token) == ("ok", "42", "")


# --- third-party apps -------------------------------------------------------------------------------------------------


def command(**more: Any) -> Accepted | Rejected:
    return receive(delivery(xml({"SuiteId": SUITE, **more}), NOW, SUITE), APP, NOW)


def test_a_suite_ticket_is_a_credential_and_not_a_message() -> None:
    outcome = command(InfoType="suite_ticket", TimeStamp="1718000101", SuiteTicket="T1")
    assert isinstance(outcome, Accepted)
    assert (dict(outcome.credentials), outcome.credentials_issued_at, outcome.messages) == (
        {"suite_ticket": "T1"},
        1_718_000_101,
        (),
    )
    assert outcome.response.body == b"success"
    empty = command(InfoType="suite_ticket")
    assert isinstance(empty, Accepted)
    assert not empty.credentials


def test_another_command_is_an_event_without_its_credentials() -> None:
    outcome = command(InfoType="cancel_auth", TimeStamp="1718000103", AuthCorpId="ww9", AuthCode="SECRET")
    assert isinstance(outcome, Accepted)
    (message,) = outcome.messages
    assert (message.kind, message.event, message.sender.id, message.sender.kind) == (
        "event",
        "cancel_auth",
        "ww9",
        "system",
    )
    assert (message.context.tenant, message.timestamp) == ("ww9", 1_718_000_103)
    assert "AuthCode" not in message.raw
    assert outcome.response.body == b"success"


# --- which callbacks are accepted -------------------------------------------------------------------------------------


def test_the_acknowledgement_is_empty() -> None:
    outcome = receive(delivery(xml(chat(NOW)), NOW), APP, NOW)
    assert isinstance(outcome, Accepted)
    assert (outcome.response.status, outcome.response.body, outcome.passive_reply_within) == (200, b"", 0)


def test_the_unsigned_receiver_of_the_envelope_is_ignored() -> None:
    request = delivery(xml(chat(NOW)), NOW)
    other = Request(query=request.query, body=request.body.replace(CORP.encode(), b"ww-somebody-else"))
    assert receive(other, APP, NOW) == receive(request, APP, NOW)


def test_a_change_of_any_byte_of_the_ciphertext_is_refused() -> None:
    request = delivery(xml(chat(NOW)), NOW)
    start = request.body.index(b"<Encrypt><![CDATA[") + len(b"<Encrypt><![CDATA[")
    for place in range(start, request.body.index(b"]]></Encrypt>")):
        body = request.body[:place] + (b"B" if request.body[place] == 65 else b"A") + request.body[place + 1 :]
        assert refused(Request(query=request.query, body=body)).reason == "forged"


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
            make_app(corp_id="ww0"),
            (401, "forged"),
            "addressed to another account.*`corp_id`.*Company ID",
        ),
        (delivery(xml(chat(NOW)), NOW, ""), APP, (401, "forged"), "addressed to another account"),
        (delivery(xml(chat(NOW)), NOW - 4000), APP, (401, "stale"), "old"),
        (delivery("no xml", NOW), APP, (400, "malformed"), "not XML"),
        (delivery(xml({"FromUserName": "a"}), NOW), APP, (400, "malformed"), "neither MsgType nor InfoType"),
        (Request(body=b"<xml><Content>x</Content></xml>"), APP, (401, "forged"), "not encrypted"),
        (Request(body=b"x"), APP, (400, "malformed"), "not XML"),
        (Request(method="PUT"), APP, (405, "malformed"), "neither GET nor POST"),
    ],
)
def test_a_rejection_names_the_setting_to_check_but_no_secret(
    request_: Request, app: App, expected: tuple[int, str], detail: str
) -> None:
    outcome = refused(request_, app)
    assert (outcome.status, outcome.reason) == expected
    assert re.search(detail, outcome.detail)
    assert not [secret for secret in (TOKEN, KEY, OTHER_KEY, SECRET, "anothertoken") if secret in outcome.detail]


def test_a_signed_timestamp_that_is_not_a_number_is_stale() -> None:
    encrypted = encrypt(KEY, xml(chat(NOW)), CORP)
    query = {"msg_signature": sign(TOKEN, "soon", "n", encrypted), "timestamp": "soon", "nonce": "n"}
    assert refused(Request(query=query, body=xml({"Encrypt": encrypted}).encode())).reason == "stale"


def test_a_message_encrypted_with_the_previous_key_is_accepted() -> None:
    app = make_app(key=OTHER_KEY, previous_encoding_aes_key=KEY)
    assert received(chat(NOW), app).id == "7234567890123456789"


def test_each_configured_receiver_is_accepted() -> None:
    outcome = receive(delivery(xml(chat(NOW)), NOW, SUITE), make_app(receive_ids=(SUITE,)), NOW)
    assert isinstance(outcome, Accepted)
    assert outcome.messages[0].context.tenant == SUITE


# --- verification -----------------------------------------------------------------------------------------------------


def test_the_response_to_a_verification_is_the_decrypted_text() -> None:
    outcome = receive(verification(NOW), APP, NOW)
    assert isinstance(outcome, Accepted)
    assert (outcome.response.body, outcome.response.content_type) == (b"5000000000000000001", "text/plain")


def test_a_plus_sign_that_was_decoded_to_a_space_is_restored() -> None:
    for number in range(30):
        echo = encrypt(KEY, f"echo {number}", CORP)
        query = query_of(TOKEN, NOW, echo, echostr=echo.replace("+", " "))
        outcome = receive(Request(method="GET", query=query), APP, NOW)
        assert isinstance(outcome, Accepted)
        assert outcome.response.body == f"echo {number}".encode()
        if "+" in echo:
            return
    raise AssertionError("thirty ciphertexts without a plus")


def test_wechatpy_decrypts_the_same_verification_text() -> None:
    query = verification(NOW).query
    crypto = WeChatCrypto(TOKEN, KEY, CORP)
    shown = crypto.check_signature(query["msg_signature"], query["timestamp"], query["nonce"], query["echostr"])
    outcome = receive(verification(NOW), APP, NOW)
    assert isinstance(outcome, Accepted)
    assert outcome.response.body.decode() == shown


# --- parts of the interface -------------------------------------------------------------------------------------------


def test_the_module_supports_passive_replies_but_not_instant_answers() -> None:
    assert isinstance(inbound("wecom"), SupportsPassiveReply)
    assert not isinstance(inbound("wecom"), SupportsInstantAnswers)
