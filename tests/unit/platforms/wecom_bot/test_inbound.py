"""Callbacks of smart bots: messages in groups and alone, quotes, media, clicks, and the answer that opens a stream."""

import json
from typing import Any

import msgspec
import pytest
from wechatpy.crypto import PrpCrypto

from parley.adapter import Accepted, App, Rejected, Request
from parley.model import Action, Audio, File, Image, Message, Quote, Text
from parley.platforms.tencent import envelope
from parley.platforms.wecom_bot import stream
from parley.platforms.wecom_bot.inbound import credential, receive
from tests.conformance.adapters.wecom_bot import (
    APP,
    BOT,
    KEY,
    OTHER_KEY,
    TOKEN,
    URL,
    chat,
    click,
    delivery,
    entered,
    fields,
    make_app,
    poll,
)
from tests.conformance.tencent import encrypt, query_of, sign

NOW = 1_718_000_100.0


def accepted(payload: dict[str, Any], app: App = APP) -> Accepted:
    outcome = receive(delivery(json.dumps(payload), NOW), app, NOW)
    assert isinstance(outcome, Accepted), outcome
    return outcome


def message(payload: dict[str, Any], app: App = APP) -> Message:
    (found,) = accepted(payload, app).messages
    return found


def opened(body: bytes) -> dict[str, Any]:
    """The content of an answer, decrypted by wechatpy."""
    sealed = json.loads(body)
    assert sealed["msgsignature"] == sign(TOKEN, str(sealed["timestamp"]), sealed["nonce"], sealed["encrypt"])
    return json.loads(PrpCrypto(envelope.aes_key(KEY)).decrypt(sealed["encrypt"], ""))


def test_the_answer_to_a_message_opens_a_stream_whose_id_depends_on_the_message_only() -> None:
    first, again = accepted(chat()), accepted(chat())
    assert first.response == again.response
    assert opened(first.response.body) == {
        "msgtype": "stream",
        "stream": {"id": stream.id_of("c3de897d66ec3738"), "finish": False, "content": ""},
    }
    assert first.messages[0].context.awaits_reply
    assert first.passive_reply_within == 0


def test_people_can_judge_the_answer_if_the_configuration_says_so() -> None:
    answer = opened(accepted(chat(), make_app(feedback=True)).response.body)
    assert answer["stream"]["feedback"] == {"id": answer["stream"]["id"]}


def test_a_poll_names_the_message_whose_answer_it_asks_for() -> None:
    outcome = accepted(poll())
    polled = outcome.polled
    assert outcome.passive_reply_within == 330
    sent = message(chat())
    assert polled is not None
    assert (polled.id, polled.platform, polled.app) == (sent.id, sent.platform, sent.app)
    assert polled.context.room_id == sent.context.room_id
    assert polled.context.tenant == sent.context.tenant


@pytest.mark.parametrize("id_", ["st-1", "", "6", "6G", "63 33", "C3", "ff"])
def test_a_stream_that_is_not_of_ours_ends(id_: str) -> None:
    outcome = accepted({**poll(), "stream": {"id": id_}})
    assert outcome.polled is None
    assert opened(outcome.response.body)["stream"] == {"id": id_, "finish": True, "content": ""}


def test_the_mention_is_left_out_and_a_quote_comes_first() -> None:
    found = message(chat())
    assert found.content.text == "你好 🙂"
    assert found.segments[0] == Quote(message_id="", text="earlier")
    assert (found.context.room_id, found.context.private) == ("wrkSFfCgAAq1", False)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("@Helper", ""),
        ("@Helper\u2005hi", "hi"),
        ("@Helpers hi", "@Helpers hi"),
        ("@lin @Helper hi", "@lin hi"),
        ("a@Helper", "a"),
        ("hi", "hi"),
    ],
)
def test_only_the_mention_of_the_bot_is_left_out(content: str, words: str) -> None:
    assert message(fields(text={"content": content})).content.text == words


@pytest.mark.parametrize(
    ("content", "words"), [("@Helper  hi", "hi"), (" @Helper", ""), ("hi @Helper", "hi @Helper"), ("@a @b hi", "@b hi")]
)
def test_without_a_name_in_the_configuration_the_first_mention_is_left_out(content: str, words: str) -> None:
    app = App("wecom_bot", "demo", msgspec.structs.replace(APP.config, name=""))
    assert message(fields(text={"content": content}), app).content.text == words


def test_alone_with_a_person_the_name_of_the_bot_is_a_word() -> None:
    alone = {**fields(text={"content": "@Helper hi"}), "chattype": "single"}
    alone.pop("chatid")
    found = message(alone)
    assert (found.content.text, found.context.room_id, found.context.private) == ("@Helper hi", "", True)


@pytest.mark.parametrize(
    ("kind", "content", "segment"),
    [
        ("image", {"url": "https://e.com/1"}, Image(url="https://e.com/1")),
        ("file", {"url": "https://e.com/1"}, File(url="https://e.com/1")),
        ("voice", {"content": "hello"}, Audio(text="hello")),
    ],
)
def test_media_have_an_address_or_a_text(kind: str, content: dict[str, str], segment: Any) -> None:
    found = message(fields(kind, **{kind: content}))
    assert found.segments == (segment,)
    assert found.content.attachments == (segment,)
    assert found.content.text == content.get("content", "")


def test_a_file_that_is_quoted_in_a_group_is_an_attachment() -> None:
    quoted = {"msgtype": "file", "file": {"url": "https://e.com/1"}}
    found = message(fields(text={"content": "@Helper read it"}, quote=quoted))
    assert found.segments == (Quote(message_id="", text=""), File(url="https://e.com/1"), Text(text="read it"))
    assert found.content.attachments == (File(url="https://e.com/1"),)


def test_nested_mixed_messages_are_not_followed() -> None:
    item: dict[str, Any] = {"msgtype": "text", "text": {"content": "x"}}
    for _ in range(3):
        item = {"msgtype": "mixed", "mixed": {"msg_item": [item]}}
    found = message(item | {key: value for key, value in fields("mixed").items() if key != "mixed"})
    assert (found.kind, found.event) == ("event", "mixed")


def test_a_click_is_an_action_that_waits_for_the_update_of_its_card() -> None:
    outcome = accepted(click(NOW))
    (found,) = outcome.messages
    assert found.action == Action(id="ok", message_id="task-42", form={"q1": "a"}, options=("a",))
    assert (outcome.response.body, outcome.passive_reply_within, outcome.comes_once) == (b"", 4.5, True)


def test_a_person_who_opens_the_chat_waits_for_the_welcome() -> None:
    outcome = accepted(entered(NOW))
    assert outcome.messages[0].event == "enter_chat"
    assert outcome.passive_reply_within == 4.5


def test_the_response_url_is_sealed_and_not_in_raw() -> None:
    found = message(chat())
    assert credential(found, APP) == URL
    assert "RESP-CODE" not in str(found)
    assert found.context.reply_token_expires == int(NOW) + 3540
    rotated = make_app(key=OTHER_KEY, previous_encoding_aes_key=KEY)
    assert credential(found, rotated) == URL
    with pytest.raises(ValueError, match="another key"):
        credential(found, make_app(key=OTHER_KEY))


@pytest.mark.parametrize("url", ["https://example.com/x", "http://qyapi.weixin.qq.com/x", "", 7, None])
def test_a_response_url_of_another_host_is_not_used(url: object) -> None:
    context = message({**chat(), "response_url": url}).context
    assert (context.reply_token, context.reply_token_expires) == ("", 0)


def test_a_callback_for_another_bot_is_refused() -> None:
    request = delivery(json.dumps({**chat(), "aibotid": "aib-other"}), NOW)
    refused = receive(request, APP, NOW)
    assert isinstance(refused, Rejected)
    assert (refused.status, refused.reason) == (401, "forged")
    assert isinstance(receive(request, make_app(), NOW), Accepted)


def test_the_bots_own_answer_posted_back_is_refused() -> None:
    sealed = json.loads(accepted(chat()).response.body)
    query = {"msg_signature": sealed["msgsignature"], "timestamp": str(sealed["timestamp"]), "nonce": sealed["nonce"]}
    outcome = receive(Request(query=query, body=json.dumps({"encrypt": sealed["encrypt"]}).encode()), APP, NOW)
    assert isinstance(outcome, Rejected)


@pytest.mark.parametrize("receiver", [BOT, "ww1234567890abcdef"])
def test_content_for_any_receiver_is_refused(receiver: str) -> None:
    encrypted = encrypt(KEY, json.dumps(chat()), receiver)
    request = Request(query=query_of(TOKEN, NOW, encrypted), body=json.dumps({"encrypt": encrypted}).encode())
    outcome = receive(request, APP, NOW)
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "forged"


def test_the_verification_gives_back_no_content_of_a_callback() -> None:
    encrypted = encrypt(KEY, json.dumps(chat()), "")
    query = {**query_of(TOKEN, NOW, encrypted), "echostr": encrypted}
    assert isinstance(receive(Request(method="GET", query=query), APP, NOW), Rejected)


def test_an_event_of_yesterday_is_stale() -> None:
    outcome = receive(delivery(json.dumps(click(NOW - 90_000)), NOW), APP, NOW)
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "stale"


def test_another_method_is_refused() -> None:
    assert isinstance(receive(Request(method="PUT"), APP, NOW), Rejected)
