"""A refused part of a reply costs that part only: the outcome names it, and the next form goes out without it."""

from typing import Any

import msgspec
import pytest

from parley.adapter import Answer, Call, Part, Permanent, Sent, fallback
from parley.errors import RetryAfter
from parley.model import AnySegment, Button, Card, Destination, Image, Mention, Message, Outgoing, Quote, Reply, Text
from parley.model.agenda import Reminder, timer_of
from parley.platforms.feishu.outbound import deliver, limit_feedback, outcome
from tests.conformance.adapters.feishu import ADAPTER
from tests.conformance.feishu import card_action, chat, dump, event, make_app
from tests.unit.platforms.feishu.test_events import message

NOW = 1_718_000_300.0
APP = make_app()
REPLY = Call(name="reply", method="POST", url="u")
EDIT = Call(name="edit", method="PUT", url="u")
UPDATE = Call(name="update", method="PATCH", url="u")
SEND = Call(name="send", method="POST", url="u", query={"receive_id_type": "chat_id"})
DIRECT = Call(name="send", method="POST", url="u", query={"receive_id_type": "open_id"})


def refused(call: Call, code: int, msg: str = "no") -> Part:
    found = outcome(call, Answer(400, dump({"code": code, "msg": msg})))
    assert isinstance(found, Permanent)
    return found.part


def out(*segments: AnySegment, to: dict[str, Any] | None = None, **reply: Any) -> Outgoing:
    place: dict[str, Any] = {
        "room_id": "oc_1",
        "user_id": "ou_1",
        "message_id": "om_1",
        "kind": "message",
        **(to or {}),
    }
    return Outgoing(
        id="0" * 32,
        message_key="k",
        ordinal=0,
        to=Destination(platform="feishu", app="demo", **place),
        reply=Reply(segments=segments or (Text(text="hi"),), **reply),
        created=NOW,
    )


def calls(sent: Outgoing) -> list[Call]:
    steps = deliver(sent, APP, NOW)
    made = [next(steps)]
    try:
        while True:
            made.append(steps.send(Sent(id="om_9", data={"key": "img_9"})))
    except StopIteration:
        return made


def places(sent: Outgoing | None) -> list[str]:
    """The endpoint of each message, without the host."""
    assert sent is not None
    return [call.url.rpartition("/v1/")[2] for call in calls(sent)]


# --- which part -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [230011, 230110, 230050, 230111, 99992354])
def test_a_message_that_cannot_be_replied_to_costs_the_quote(code: int) -> None:
    assert refused(REPLY, code) == "quote"
    assert refused(SEND, code) == ""


UNEDITABLE = (230011, 230110, 230050, 230111, 99992354, 230017, 230031, 230054, *range(230071, 230076))


@pytest.mark.parametrize("code", UNEDITABLE)
def test_a_message_that_cannot_be_edited_costs_the_target(code: int) -> None:
    assert refused(EDIT, code) == refused(UPDATE, code) == "target"


def test_an_unknown_message_id_costs_the_target_and_a_bad_form_does_not() -> None:
    assert refused(EDIT, 230001, "ext=invalid message_id") == "target"
    assert refused(UPDATE, 230001, "ext=the message is not a card") == "form"
    assert refused(UPDATE, 230099, "ErrCode: 11246; ErrMsg: invalid img_key") == "media"
    assert refused(EDIT, 230022) == ""


@pytest.mark.parametrize("code", [230019, 230071])
def test_a_thread_that_cannot_be_opened_costs_the_thread(code: int) -> None:
    assert refused(REPLY, code) == "thread"
    assert refused(SEND, code) == ""


@pytest.mark.parametrize("code", [230013, 230029, 230034, 230035, 230038, 230053])
def test_a_person_who_cannot_be_reached_costs_the_privacy(code: int) -> None:
    assert refused(DIRECT, code) == "private"
    assert refused(SEND, code) == ""


@pytest.mark.parametrize(
    ("msg", "part"),
    [
        ("Failed to create card content, ext=ErrCode: 200570; ErrMsg: image key is required", "media"),
        ("ErrCode: 11246; ErrMsg: invalid img_key", "media"),
        ("ErrCode: 11310; ErrMsg: invalid url in behaviors", "buttons"),
        ("ext=invalid user_id of at", "mention"),
        ("ext=something else", "form"),
        ("parse error at line 1", "form"),
    ],
)
def test_the_words_of_an_error_about_the_form_name_the_part(msg: str, part: Part) -> None:
    assert refused(SEND, 230099, msg) == part


def test_an_unknown_message_id_costs_the_quote_too() -> None:
    assert refused(REPLY, 230001, "ext=invalid message_id") == "quote"


@pytest.mark.parametrize("msg", ["too many request", "Too Many Requests"])
def test_a_webhook_limit_that_looks_like_an_error_of_the_form_is_a_limit(msg: str) -> None:
    push = Call(name="push", method="POST", url="https://open.feishu.cn/open-apis/bot/v2/hook/1f2e")
    answer = Answer(200, dump({"code": 9499, "msg": msg}))
    assert outcome(push, answer) == RetryAfter(1, f"9499 {msg}")
    assert limit_feedback(push, answer, out(to={"webhook": "alerts"}), ADAPTER.app)
    assert refused(push, 9499, "Bad Request") == "form"


# --- without it -------------------------------------------------------------------------------------------------------


def test_a_withdrawn_quote_is_left_out_and_the_words_are_sent() -> None:
    sent = out(quote=True)
    assert places(sent) == ["messages/om_1/reply"]
    assert places(fallback(sent, "quote")) == ["messages"]


def test_a_quote_segment_of_a_withdrawn_message_keeps_its_words_and_the_thread() -> None:
    sent = out(Quote(message_id="om_7", text="earlier"), Text(text="about that"), to={"thread_id": "omt_1"})
    assert places(sent) == ["messages/om_7/reply"]
    found = fallback(sent, "quote")
    assert places(found) == ["messages/om_1/reply"]
    assert found
    (call,) = calls(found)
    assert (call.json["reply_in_thread"], "> earlier" in call.json["content"]) == (True, True)


def test_in_a_thread_whose_message_was_withdrawn_the_words_go_to_the_room() -> None:
    sent = out(to={"thread_id": "omt_1"})
    assert places(sent) == ["messages/om_1/reply"]
    assert places(fallback(sent, "quote")) == ["messages"]


def test_a_thread_that_cannot_be_opened_keeps_the_quote() -> None:
    sent = out(thread=True, quote=True)
    (call,) = calls(sent)
    assert call.json["reply_in_thread"]
    found = fallback(sent, "thread")
    assert places(found) == ["messages/om_1/reply"]
    assert found
    assert "reply_in_thread" not in calls(found)[0].json


def test_a_private_reply_to_an_unreachable_person_goes_to_the_room() -> None:
    found = fallback(out(private=True), "private")
    assert found
    assert calls(found)[0].json["receive_id"] == "oc_1"


def test_a_refused_picture_keeps_the_card_and_its_buttons() -> None:
    card = Card(text="x", image="img_v3_bad", buttons=(Button(id="a", label="A"),))
    found = fallback(out(card), "media")
    assert found
    content = calls(found)[0].json["content"]
    assert ("img_v3_bad" in content, '"button"' in content) == (False, True)


def test_a_refused_upload_is_replaced_by_its_address_and_the_card_stays() -> None:
    big = Image(url="https://example.com/big.png")
    found = fallback(out(Card(title="T"), big), "media", big)
    assert found
    card, words = calls(found)
    assert card.json["msg_type"] == "interactive"
    assert words.json["content"] == '{"text":"[image] https://example.com/big.png"}'


def test_a_refused_mention_becomes_the_name_and_the_card_stays() -> None:
    found = fallback(out(Mention(id="ou_gone", name="Li"), Card(title="T")), "mention")
    assert found
    assert [call.json["msg_type"] for call in calls(found)] == ["text", "interactive"]
    assert calls(found)[0].json["content"] == '{"text":"@Li"}'


def test_each_form_has_its_own_idempotency_key() -> None:
    sent = out(Card(title="T", image="img_1"), quote=True, thread=True)
    forms = [sent]
    for part in ("quote", "thread", "media", "form"):
        found = fallback(forms[-1], part)
        assert found
        forms.append(found)
    assert len({calls(form)[0].json["uuid"] for form in forms}) == len(forms)


def test_the_idempotency_window_is_the_documented_hour() -> None:
    assert calls(out())[0].idempotent_for == 3600


# --- presses and reactions --------------------------------------------------------------------------------------------


def answered(received: Message, **reply: Any) -> Outgoing:
    sent = out(Text(text="one"), Image(key="img_1"), **reply)
    return msgspec.structs.replace(sent, to=Destination.answering(received))


def test_the_answer_to_a_press_replies_to_the_card_so_that_it_stays_in_its_topic() -> None:
    press = message(card_action(NOW))
    assert places(answered(press)) == ["messages/om_1f0c2d3e/reply"] * 2
    assert places(answered(press, private=True)) == ["messages"] * 2
    assert places(fallback(answered(press), "quote")) == ["messages"] * 2


def test_a_topic_that_the_callback_names_is_that_of_the_message() -> None:
    payload = card_action(NOW)
    payload["event"]["context"]["open_thread_id"] = "omt_1"
    assert message(payload).context.thread_id == "omt_1"
    assert all(call.json["reply_in_thread"] for call in calls(answered(message(payload))))


def test_a_reminder_that_was_set_in_a_topic_is_said_there() -> None:
    received = message(chat(NOW, thread_id="omt_1", root_id="om_0"))
    due = timer_of(Reminder(id="r", at=NOW), received).due
    assert places(answered(due)) == [f"messages/{received.id}/reply"] * 2
    again = timer_of(Reminder(id="s", at=NOW), due).due  # set by the handler of the first one
    assert all(call.json["reply_in_thread"] for call in calls(answered(again)))
    assert (
        places(answered(timer_of(Reminder(id="r", at=NOW), message(chat(NOW, thread_id=""))).due)) == ["messages"] * 2
    )


def test_an_answer_to_a_reaction_with_quote_goes_to_the_message_with_all_its_parts() -> None:
    inner = {"message_id": "om_5", "user_id": {"open_id": "ou_1"}, "reaction_type": {"emoji_type": "OK"}}
    reaction = message(event("im.message.reaction.created_v1", inner, NOW))
    assert places(answered(reaction, quote=True)) == ["messages/om_5/reply"] * 2
    (direct, _) = calls(answered(reaction))
    assert direct.json["receive_id"] == "ou_1"


def test_the_answer_to_a_message_is_no_reply_to_it_without_quote() -> None:
    assert places(answered(message(chat(NOW, thread_id="")))) == ["messages"] * 2
