"""Replies of smart bots: what one poll carries, and what is left for the `response_url`."""

import base64
import hashlib
import json
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from parley.adapter import Answer, Call, PassiveReply, Permanent, Sent, Transient, UndeliverableError, Unknown
from parley.bot import Bot, Turn
from parley.engine.passive_replies import _encoded  # pyright: ignore[reportPrivateUsage]
from parley.errors import RetryAfter
from parley.model import (
    Action,
    AnySegment,
    Button,
    Card,
    Destination,
    File,
    Image,
    Markdown,
    Outgoing,
    Reply,
    Select,
    Text,
    plain_text,
)
from parley.model.agenda import APPROVAL
from parley.model.instant import Choice, Form, Input
from parley.platforms.wecom_bot import checks, outbound
from parley.platforms.wecom_bot.config import Config
from parley.platforms.wecom_bot.content_limits import LIMITS
from parley.platforms.wecom_bot.inbound import growing_reply, passive_reply
from parley.testing import Chat
from parley.text import utf8_size
from playground.sample_image import png
from tests.conformance.adapters.wecom_bot import APP, URL, chat, click, delivery, entered, make_app, poll
from tests.factories import answers_to
from tests.unit.platforms.wecom_bot.test_inbound import NOW, message, opened

SIZES = (Choice("Small", "s"), Choice("Large", "l"))
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


# --- after a press ----------------------------------------------------------------------------------------------------


def joined(*replies: Reply, now: float = NOW, **more: Any) -> list[Reply]:
    return outbound.joined(replace(message(chat()), **({"kind": "action"} | more)), replies, now)


def texts(replies: Sequence[Reply]) -> list[str]:
    return [plain_text(each.segments) for each in replies]


def test_the_last_texts_after_a_press_are_one_message_for_its_response_url() -> None:
    edit = Reply(op="edit", target="task", segments=(TEA,))
    found = joined(edit, Reply.of("one"), Reply.of("two"), Reply.of("three"), Reply(op="react", emoji="👍"))
    assert [each.op for each in found] == ["edit", "send", "react"]
    assert texts(found[1:2]) == ["one\ntwo\nthree"]


def test_edits_and_private_texts_among_the_texts_cost_none_of_them() -> None:
    edit = Reply(op="edit", target="task", segments=(TEA,))
    secret = Reply(private=True, segments=(Text(text="two"),))
    found = joined(Reply.of("one"), edit, secret, edit, Reply.of("three"))
    assert [each.op for each in found] == ["send", "edit", "edit"]
    assert (texts(found)[0], found[0].private) == ("one\ntwo\nthree", False)
    assert joined(edit, secret, secret)[1].private
    assert [each.op for each in joined(Reply.of("one"), reply(TEA), edit, Reply.of("two"))] == [
        "send",
        "send",
        "edit",
        "send",
    ]


def test_what_needs_a_message_of_its_own_stays_alone() -> None:
    elsewhere = Reply(to=Destination(platform="wecom_bot", app="demo", user_id="x"), segments=(Text(text="x"),))
    for other in (reply(TEA), elsewhere):
        assert joined(Reply.of("one"), other) == [Reply.of("one"), other]
    long = Reply.of("a" * 20_000)
    assert texts(joined(long, Reply.of("b" * 400), Reply.of("c" * 400))) == ["a" * 20_000, f"{'b' * 400}\n{'c' * 400}"]
    assert joined(Reply.of("one"), Reply.of("two"), kind="message") == [Reply.of("one"), Reply.of("two")]


@pytest.mark.parametrize(("seconds", "expected"), [(300, ["one", "two"]), (325, ["one\ntwo"]), (3_000, ["one\ntwo"])])
def test_the_texts_after_the_end_of_the_stream_are_one_message_for_the_response_url(
    seconds: float, expected: list[str]
) -> None:
    bot = Bot()

    @bot.command()
    def long(turn: Turn) -> None:
        talk.meanwhile(seconds=seconds)
        turn.say("one")
        turn.say("two")

    talk = Chat(bot, "wecom_bot", seconds=3_600)
    talk.say("/long")
    talk.advance(minutes=2)
    assert talk.last.text == "one\ntwo"
    assert texts(joined(Reply.of("one"), Reply.of("two"), kind="message", now=NOW + seconds)) == expected


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


def test_an_answer_that_grows_is_a_stream_that_goes_on() -> None:
    found, request = message(chat()), delivery(json.dumps(poll()), NOW)
    for growing, content in (
        (Reply.of(Markdown(text="**so** far")), "**so** far"),
        (reply(Text(text="look"), TEA), "look"),
        (Reply.of("中" * 7000), "中" * 6826),
        (Reply(), ""),
    ):
        answer = opened(growing_reply(request, APP, found, growing, NOW).body)
        assert answer == {"msgtype": "stream", "stream": {**polled()[0]["stream"], "finish": False, "content": content}}
    assert growing_reply(request, make_app("other"), found, Reply.of("x"), NOW).body == b""


def test_a_long_text_is_cut_between_characters_and_the_rest_is_left_with_what_follows() -> None:
    text = "中" * 7000
    answer, carried = polled(Reply.of(text), Reply.of("after"))
    assert carried.sent == 1
    assert carried.rest is not None
    rest = "".join(part.text for part in carried.rest.segments if isinstance(part, Text))
    assert answer["stream"]["content"] + rest == f"{text}\nafter"
    assert utf8_size(answer["stream"]["content"]) <= 20_480


def test_a_reply_that_has_no_room_is_left_whole() -> None:
    answer, carried = polled(Reply.of("a" * 20_000), Reply.of("b" * 600))
    assert (answer["stream"]["content"], carried.sent, carried.rest) == ("a" * 20_000, 1, None)


def test_one_card_goes_with_the_text_and_what_follows_it_is_left() -> None:
    answer, carried = polled(Reply.of("Hello"), reply(TEA, Text(text="later")), Reply.of("last"))
    assert answer["msgtype"] == "stream_with_template_card"
    assert answer["stream"]["content"] == "Hello"
    assert answer["template_card"]["button_list"][0]["key"] == "=3=tea1"
    assert (carried.sent, carried.rest) == (2, reply(Text(text="later"), Text(text="\n"), Text(text="last")))


def test_the_texts_after_a_card_are_one_message_as_the_response_url_takes_one() -> None:
    _, carried = polled(reply(TEA), Reply.of("one"), replace(Reply.of("two"), private=True), Reply.of("three"))
    assert carried.sent == 3
    assert carried.rest is not None
    (out,) = answers_to(message(chat()), carried.rest, created=NOW)
    (call,) = calls(out)
    assert call.json == {"msgtype": "markdown", "markdown": {"content": "one\ntwo\nthree"}}


@pytest.mark.parametrize(
    "other",
    [
        reply(TEA),
        Reply.of("b" * 20_400),
        Reply(op="recall", target="1"),
        reply(Text(text="x"), to=Destination(platform="discord", app="x")),
    ],
)
def test_only_texts_that_fit_are_joined_to_the_rest(other: Reply) -> None:
    _, carried = polled(reply(TEA), Reply.of("one " * 50), other)
    assert (carried.sent, carried.rest) == (1, None)


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


def test_images_with_data_come_after_the_text_as_far_as_they_have_room() -> None:
    small = base64.b64encode(png(2, 2)).decode()
    large = base64.b64encode(png(2, 2) + bytes(LIMITS.image.most)).decode()
    images = [Image(data=data, name=name) for data, name in ((small, "a.png"), (large, "b.png"), ("R0lG", "c.png"))]
    answer, carried = polled(reply(Text(text="look"), *images, Image(data="!", name="d.png")))
    (item,) = answer["stream"]["msg_item"]
    digest = hashlib.md5(png(2, 2), usedforsecurity=False).hexdigest()
    assert item == {"msgtype": "image", "image": {"base64": small, "md5": digest}}
    assert answer["stream"]["content"].count("cannot be sent here") == 3
    assert carried.sent == 1


def test_an_answer_has_ten_images_and_fits_the_journal() -> None:
    each = png(2, 2) + bytes(LIMITS.image.most // 10 - 100)
    data = base64.b64encode(each).decode()
    answer, carried = polled(reply(*[Image(data=data, name="a.png")] * 11, Text(text="中" * 6000)))
    assert len(answer["stream"]["msg_item"]) == 10
    assert "cannot be sent here" in answer["stream"]["content"]
    assert len(_encoded(carried.response)) < 390_000


def test_a_menu_and_a_form_of_choices_are_template_cards() -> None:
    menu = Card(title="Tea", selects=(Select(id="size", label="Size", choices=SIZES),))
    answer, carried = polled(reply(menu))
    assert carried.sent == 1
    assert answer["stream"]["content"] == ""
    assert answer["template_card"]["card_type"] == "vote_interaction"
    assert answer["template_card"]["main_title"] == {"title": "Tea", "desc": "Size"}
    form = Form(id="order", title="Order", inputs=(Input(id="size", label="Size", kind="choice", choices=SIZES),))
    answer, _ = polled(reply(Card(title="Tea", text="**hot**", form=form)))
    assert answer["stream"]["content"] == "**Tea**\n**hot**"
    assert answer["template_card"]["card_type"] == "multiple_interaction"
    assert answer["template_card"]["main_title"] == {"title": "Order"}


def test_one_template_card_has_buttons_or_a_menu_or_a_form_and_the_rest_is_numbered() -> None:
    select, form = (
        Select(id="size", label="Size", choices=SIZES),
        Form(id="f", title="F", inputs=(Input(id="n", label="N"),)),
    )
    link, key = Button(id="web", label="Web", url="https://e.com"), "v" * 1200
    many = tuple(Button(id=str(number), label="B") for number in range(7))
    to = Destination(platform="wecom_bot", app="demo")
    for card, numbered in (
        (Card(buttons=TEA.buttons, selects=(select,), form=form), (select, form)),
        (Card(buttons=(*many[:5], link), selects=(select,)), (select,)),
        (Card(buttons=many, selects=(select,)), many),
        (Card(buttons=(Button(id="a", label="A", value=key), link)), (Button(id="a", label="A", value=key),)),
        (Card(selects=(select, replace(select, id="other"))), (replace(select, id="other"),)),
        (Card(form=form, buttons=(link,)), (form,)),
    ):
        assert tuple(checks.as_text(card, to)) == numbered


def test_a_text_that_has_no_room_in_a_template_card_precedes_it_and_is_cut_if_need_be() -> None:
    card = replace(TEA, text="long " * 6000)
    answer, carried = polled(reply(card))
    assert answer["msgtype"] == "stream"
    assert (carried.sent, carried.rest is None) == (0, False)
    assert carried.rest is not None
    assert carried.rest.segments[-1] == replace(TEA, text="")
    answer, carried = polled(reply(replace(TEA, text="long " * 200)))
    assert answer["stream"]["content"].startswith("**Tea?**\nlong")
    assert (answer["template_card"]["main_title"]["title"], carried.sent) == ("Tea?", 1)


# --- presses ----------------------------------------------------------------------------------------------------------


def pressed(*replies: Reply) -> tuple[dict[str, Any] | None, int]:
    """The answer to a press on the card `task-42`, and how many replies it carries."""
    found, request = message(click(NOW)), delivery(json.dumps(click(NOW)), NOW)
    answer = passive_reply(request, APP, found, answers_to(found, *replies), NOW)
    return opened(answer.response.body) if answer.response.body else None, answer.sent


@pytest.mark.parametrize("target", ["", "task-42"])
def test_an_edit_of_the_pressed_card_is_the_answer_to_the_press(target: str) -> None:
    answer, sent = pressed(reply(TEA, op="edit", target=target), Reply.of("More"))
    assert sent == 1
    assert answer is not None
    assert answer["response_type"] == "update_template_card"
    assert answer["template_card"]["task_id"] == "task-42"
    assert answer["template_card"]["card_type"] == "button_interaction"


def test_a_card_without_buttons_is_a_notice_with_an_address() -> None:
    done = Card(title="Done", text="all", buttons=(Button(id="web", label="Web", url="https://e.com"),))
    for card, title, link in ((done, "Done", "https://e.com"), (Text(text="OK"), "OK", "https://work.weixin.qq.com")):
        answer, _ = pressed(reply(card, op="edit"))
        assert answer is not None
        assert answer["template_card"]["card_type"] == "text_notice"
        assert answer["template_card"]["main_title"] == {"title": title}
        assert answer["template_card"]["card_action"] == {"type": 1, "url": link}


@pytest.mark.parametrize(
    "other",
    [
        Reply.of("hi"),
        reply(TEA, op="edit", target="task-1"),
        reply(TEA, Text(text="x"), op="edit"),
        reply(Card(title="T", selects=(Select(id="a", label="A", choices=SIZES),)), op="edit"),
        reply(Text(text="x" * 5000), op="edit"),
        reply(Card(title="T", buttons=(Button(id="a", label="A", value="v" * 1200),)), op="edit"),
        reply(Card(title="T", buttons=(Button(id="a", label="A", url="https://e.com"),) * 4), op="edit"),
    ],
)
def test_the_answer_to_a_press_is_empty_without_an_edit_that_has_room(other: Reply) -> None:
    assert pressed(other) == (None, 0)
    assert pressed() == (None, 0)


@pytest.mark.parametrize("length", [139, 140, 3000])
def test_a_long_question_is_cut_where_its_approval_is_closed(length: int) -> None:
    """The card is closed, and says who and when. The whole question is in the message with the buttons."""
    closed = reply(Card(title="Approved", text=f"{'长' * length}\n2027-01-15 08:30 UTC"), op="edit", target="task-42")
    request, press = delivery(json.dumps(click(NOW)), NOW), message(click(NOW))
    press = replace(press, action=Action(id=APPROVAL, message_id="task-42"))
    answer = passive_reply(request, APP, press, answers_to(press, closed), NOW)
    card = opened(answer.response.body)["template_card"]
    assert card["main_title"]["title"] == "Approved"
    assert len(card["sub_title_text"]) <= LIMITS.card_text.most
    assert card["sub_title_text"].endswith("\n2027-01-15 08:30 UTC")
    assert ("…" in card["sub_title_text"]) is (length > 139)


def test_a_fresh_edit_of_the_pressed_card_is_left_to_the_callback_and_any_other_reply_is_not() -> None:
    (edit, more) = answers_to(message(click(NOW)), reply(TEA, op="edit"), Reply.of("one"), created=NOW)
    with pytest.raises(RetryAfter) as held:
        outbound.deliver(edit, APP, NOW)
    assert held.value.seconds == 2
    with pytest.raises(UndeliverableError, match="cannot edit"):
        outbound.deliver(edit, APP, NOW + 2)
    assert len(calls(more, NOW)) == 1


def test_a_card_that_is_closed_late_leaves_the_response_url_to_what_follows() -> None:
    press = message(click(NOW))
    closed = reply(TEA, op="edit", target="task-42", to=Destination.answering(press))
    (edit, more) = answers_to(replace(press, kind="event", action=None), closed, Reply.of("one"), created=NOW)
    edit = replace(edit, to=Destination.answering(press))
    with pytest.raises(RetryAfter):
        outbound.deliver(edit, APP, NOW)
    with pytest.raises(UndeliverableError, match="within five seconds") as refused:
        outbound.deliver(edit, APP, NOW + 2)
    assert refused.value.part == ""
    assert [call.url for call in calls(more, NOW)] == [URL]


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
