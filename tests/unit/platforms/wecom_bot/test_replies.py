"""Replies of smart bots: what one poll carries, and what is left for the `response_url`."""

import json
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from parley.adapter import Answer, Call, PassiveReply, Permanent, Sent, Transient, UndeliverableError, Unknown
from parley.errors import RetryAfter
from parley.model import (
    AnySegment,
    Button,
    Card,
    Destination,
    File,
    Image,
    Markdown,
    Outgoing,
    Reply,
    Text,
)
from parley.platforms.wecom_bot import outbound
from parley.platforms.wecom_bot.config import Config
from parley.platforms.wecom_bot.inbound import passive_reply
from parley.text import utf8_size
from tests.conformance.adapters.wecom_bot import APP, URL, chat, delivery, entered, make_app, poll
from tests.factories import answers_to
from tests.unit.platforms.wecom_bot.test_inbound import NOW, message, opened

TEA = Card(title="Tea?", text="Choose", buttons=(Button(id="tea", label="Tea", value="1"),))


def polled(*replies: Reply) -> tuple[dict[str, Any], PassiveReply]:
    """The answer to a poll, and what it carries."""
    found = message(chat())
    answer = passive_reply(delivery(json.dumps(poll()), NOW), APP, found, answers_to(found, *replies), NOW)
    return opened(answer.response.body), answer


def reply(*segments: AnySegment, **more: Any) -> Reply:
    return Reply(segments=segments, **more)


def answered(*segments: AnySegment, app: Any = APP, **more: Any) -> Outgoing:
    """A reply to the message of `chat`, when no poll may carry it any more."""
    (out,) = answers_to(message(chat(), app), reply(*segments, **more), created=NOW)
    return out


def calls(out: Outgoing, now: float = NOW + 100) -> list[Call]:
    steps, made = outbound.deliver(out, APP, now), list[Call]()
    sent: Sent | None = None
    while True:
        try:
            made.append(next(steps) if sent is None else steps.send(sent))
        except StopIteration:
            return made
        sent = Sent()


# --- polls ------------------------------------------------------------------------------------------------------------


def test_replies_are_joined_into_the_last_text_of_the_stream() -> None:
    answer, carried = polled(Reply.of("one"), Reply.of(Markdown(text="**two**")))
    assert answer["stream"]["finish"] is True
    assert answer["stream"]["content"] == "one\n**two**"
    assert (carried.sent, carried.rest) == (2, None)


def test_a_stream_without_replies_ends_empty() -> None:
    answer, carried = polled()
    assert answer["stream"] == {"id": "63336465383937643636656333373338", "finish": True, "content": ""}
    assert carried.sent == 0


def test_a_long_text_is_cut_between_characters_and_the_rest_is_left() -> None:
    text = "中" * 7000
    answer, carried = polled(Reply.of(text), Reply.of("after"))
    assert carried.sent == 0
    assert carried.rest is not None
    rest = "".join(part.text for part in carried.rest.segments if isinstance(part, Text))
    assert answer["stream"]["content"] + rest == text
    assert utf8_size(answer["stream"]["content"]) <= 20_480


def test_a_reply_that_has_no_room_is_left_whole() -> None:
    answer, carried = polled(Reply.of("a" * 20_000), Reply.of("b" * 600))
    assert (answer["stream"]["content"], carried.sent, carried.rest) == ("a" * 20_000, 1, None)


def test_one_card_goes_with_the_text_and_what_follows_it_is_left() -> None:
    answer, carried = polled(Reply.of("Hello"), reply(TEA, Text(text="later")), Reply.of("last"))
    assert answer["msgtype"] == "stream_with_template_card"
    assert answer["stream"]["content"] == "Hello"
    assert answer["template_card"]["button_list"][0]["key"] == "=3=tea1"
    assert (carried.sent, carried.rest) == (1, reply(Text(text="later")))


def test_cards_of_one_reply_never_have_the_same_task_id() -> None:
    answer, carried = polled(reply(TEA, TEA))
    assert carried.rest is not None
    (out,) = answers_to(message(chat()), carried.rest, created=NOW)
    (call,) = calls(out)
    assert answer["template_card"]["task_id"] != call.json["template_card"]["task_id"]


@pytest.mark.parametrize("other", [Reply.of("x"), Reply(op="recall", target="1")])
def test_a_reply_to_another_place_and_a_recall_are_left(other: Reply) -> None:
    if other.op == "send":
        other = reply(*other.segments, to=Destination(platform="wecom_bot", app="demo", user_id="sam"))
    answer, carried = polled(Reply.of("one"), other)
    assert (answer["stream"]["content"], carried.sent) == ("one", 1)


def test_the_welcome_is_a_text() -> None:
    found = message(entered(NOW))
    request = delivery(json.dumps(entered(NOW)), NOW)
    answer = passive_reply(request, APP, found, answers_to(found, Reply.of("Hello")), NOW)
    assert opened(answer.response.body) == {"msgtype": "text", "text": {"content": "Hello"}}
    assert answer.sent == 1
    assert passive_reply(request, APP, found, (), NOW).response.body == b""


def test_a_request_that_no_key_decrypts_any_more_is_answered_empty() -> None:
    found = message(chat())
    stranger = make_app("other")
    answer = passive_reply(delivery(json.dumps(poll()), NOW), stranger, found, answers_to(found, Reply.of("x")), NOW)
    assert (answer.response.body, answer.sent) == (b"", 0)


@pytest.mark.parametrize(
    ("segments", "content"),
    [
        ((Image(url="https://e.com/p.png", name="chart"),), "![chart](https://e.com/p.png)"),
        ((File(url="https://e.com/f.zip", name="f.zip"),), "[f.zip](https://e.com/f.zip)"),
        ((Text(text="<think>x</think>"),), "<\u200bthink>x<\u200b/think>"),
        ((Markdown(text="<think>x</think> y"),), "<think>x</think> y"),
        ((Text(text="[safe](https://evil.example)"),), "[safe]\u200b(https://evil.example)"),
    ],
)
def test_segments_as_markdown(segments: Sequence[AnySegment], content: str) -> None:
    assert polled(reply(*segments))[0]["stream"]["content"] == content


# --- response_url -----------------------------------------------------------------------------------------------------


def test_a_fresh_reply_is_left_to_the_polls() -> None:
    (first, second) = answers_to(message(chat()), Reply.of("one"), Reply.of("two"), created=NOW)
    for out, waits in ((first, 6), (second, 30)):
        with pytest.raises(RetryAfter) as held:
            outbound.deliver(out, APP, out.created)
        assert held.value.seconds == waits
        assert len(calls(out, out.created + waits)) == 1


def test_a_reply_after_the_polls_have_ended_is_not_held() -> None:
    (out,) = answers_to(message(chat()), Reply.of("late"))
    asked = int(NOW)
    late = Outgoing(**{**{name: getattr(out, name) for name in out.__struct_fields__}, "created": asked + 331.0})
    assert [call.url for call in calls(late, asked + 331.0)] == [URL]


def test_a_second_message_to_the_url_is_undeliverable() -> None:
    with pytest.raises(UndeliverableError, match="takes one message"):
        calls(answered(Text(text="a" * 30_000)))


@pytest.mark.parametrize(
    ("out", "reason"),
    [
        (answered(Text(text="x"), op="recall", target="1"), "cannot recall"),
        (answered(Text(text="x"), op="edit", target="1"), "cannot edit"),
        (answered(), "empty"),
    ],
)
def test_what_a_smart_bot_cannot_do_says_so(out: Outgoing, reason: str) -> None:
    with pytest.raises(UndeliverableError, match=reason):
        calls(out)


def test_the_url_is_not_used_after_its_hour_or_with_another_key() -> None:
    with pytest.raises(UndeliverableError, match="expired"):
        calls(answered(Text(text="x")), NOW + 3540)
    other = make_app(key="Zx9Cv8Bn7Ml6Kj5Hg4Fd3Sa2Qw1Er0Ty9Ui8Op7As6D")
    with pytest.raises(UndeliverableError, match="EncodingAESKey"):
        next(outbound.deliver(answered(Text(text="x")), other, NOW + 100))


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer(200, b'{"errcode": 0, "errmsg": "ok"}'), Sent()),
        (Answer(200, b'{"errcode": 40008, "errmsg": "type"}'), Permanent("40008 type", part="form")),
        (Answer(200, b'{"errcode": 40013, "errmsg": "used"}'), Permanent("40013 used")),
        (Answer(200, b'{"errcode": 45009, "errmsg": "often"}'), RetryAfter(60, "45009 often")),
        (Answer(200, b'{"errcode": -1, "errmsg": "busy"}'), Transient("-1 busy")),
        (Answer(502, b"bad gateway"), Unknown("HTTP 502 without an errcode")),
    ],
)
def test_the_errcode_decides_the_outcome(answer: Answer, outcome: Any) -> None:
    (call,) = calls(answered(Text(text="x")))
    found = outbound.outcome(call, answer)
    assert repr(found) == repr(outcome)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"token": ""}, "token"),
        ({"encoding_aes_key": "short"}, "encoding_aes_key"),
        ({"previous_encoding_aes_key": "x"}, "previous_encoding_aes_key"),
        ({"host": "qyapi.weixin.qq.com"}, "host"),
    ],
)
def test_a_wrong_configuration_names_the_field_and_no_value(change: dict[str, str], field: str) -> None:
    with pytest.raises(ValueError, match=f"{field}: ") as raised:
        msgspec.convert({"token": "t", "encoding_aes_key": "k" * 43, **change}, Config)
    assert "short" not in str(raised.value)
