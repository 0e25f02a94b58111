"""The simulated smart bot and Parley understand each other, and it refuses what WeCom refuses."""

import json
from base64 import b64encode
from hashlib import md5
from random import Random
from typing import Any

import httpx
import msgspec
import pytest

from parley.adapter import Accepted, App, Headers, Request
from parley.model import Action
from parley.platforms import config_type, inbound
from parley.platforms.wecom_bot import stream
from parley.platforms.wecom_bot.media import decrypted
from playground.platforms.base import NotFoundError
from playground.platforms.exchange import dumps
from playground.platforms.model import Attempt, Delivery, NewMessage, Press
from playground.platforms.tencent import wire as sealing
from playground.platforms.wecom_bot import WecomBot
from playground.sample_image import png
from playground.transport import PlatformTransport
from tests.unit.playground.clock import Clock

HOST = "http://bot.test"
KEY = "R2k5VbT8wQzYc1NfXh4LmP7sUa0DgJeKoI3rBnM6tWq"
CONFIG = {"bot_id": "aib1", "name": "Helper", "token": "token", "encoding_aes_key": KEY, "host": HOST}
CARD = {
    "card_type": "button_interaction",
    "main_title": {"title": "Tea?"},
    "task_id": "t1",
    "button_list": [{"text": "Tea", "style": 1, "key": "tea"}],
}


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def bot(clock: Clock) -> WecomBot:
    """A fresh simulation with one bot."""
    made = WecomBot(clock=clock, random=Random(7))
    made.add_app("demo", CONFIG)
    return made


def received(delivery: Delivery, now: float) -> Accepted:
    """What Parley makes of a callback."""
    app = App("wecom_bot", "demo", msgspec.convert(CONFIG, type=config_type("wecom_bot")))
    sent = delivery.wire
    request = Request(method=sent.method, headers=Headers(sent.headers), query=dict(sent.query), body=sent.body)
    outcome = inbound("wecom_bot").receive(request, app, now)
    assert isinstance(outcome, Accepted), outcome
    return outcome


def say(bot: WecomBot, text: str = "hi", room: str = "private", **more: Any) -> Delivery:
    bot.send_message("demo", room, "lin", NewMessage(text=text, **more))
    (delivery,) = bot.drain_outbox()
    return delivery


def answer(bot: WecomBot, delivery: Delivery, value: dict[str, Any], receiver: str = "", **more: Any) -> float | None:
    """The bot answers a callback with `value`. Seconds until the next poll; None if there is none."""
    encrypted = sealing.encrypt(KEY, dumps(value), receiver, Random(1))
    sealed = {"encrypt": encrypted, "msgsignature": sealing.sign("token", "1", "n", encrypted), "timestamp": 1}
    body = dumps({**sealed, "nonce": "n", **more})
    return bot.record_attempt(delivery, Attempt(bot.clock(), 1, 200), {}, body)


def text(id_: str, content: str = "", *, finish: bool) -> dict[str, Any]:
    return stream.answer(id_, content, finish=finish)


def shown(bot: WecomBot) -> list[Any]:
    return [message.content for message in bot.messages.values() if message.sender_kind == "bot"]


def post(bot: WecomBot, url: str, body: Any) -> dict[str, Any]:
    with httpx.Client(transport=PlatformTransport({HOST: bot})) as client:
        return client.post(url, json=body).json()


def url_of(delivery: Delivery) -> str:
    return json.loads(delivery.plain)["response_url"]


def test_a_message_is_understood_in_a_group_and_alone(bot: WecomBot, clock: Clock) -> None:
    for room, is_private in (("team", False), ("private", True)):
        (message,) = received(say(bot, "/echo 你好", room), clock()).messages
        assert (message.content.text, message.context.private) == ("/echo 你好", is_private)


def test_a_group_message_without_a_mention_is_not_delivered(bot: WecomBot) -> None:
    bot.send_message("demo", "team", "lin", NewMessage(text="hi", mention=False))
    assert not bot.drain_outbox()


def test_a_stream_is_polled_until_it_is_finished(bot: WecomBot, clock: Clock) -> None:
    delivery = say(bot)
    first = delivery.wire
    assert answer(bot, delivery, text("s1", finish=False)) == 1
    clock.now += 1
    polled = json.loads(sealing.decrypt(KEY, json.loads(delivery.wire.body)["encrypt"])[0])
    assert (polled["msgtype"], polled["stream"], "response_url" in polled) == ("stream", {"id": "s1"}, False)
    assert answer(bot, delivery, text("s1", "one", finish=False)) == 1
    assert answer(bot, delivery, text("s1", "one two", finish=True)) is None
    assert shown(bot) == [{"content": "one two"}]
    assert (delivery.state, delivery.wire) == ("delivered", first)


def test_an_empty_or_lost_answer_does_not_end_the_polls_and_six_minutes_do(bot: WecomBot, clock: Clock) -> None:
    delivery = say(bot)
    answer(bot, delivery, text("s1", finish=False))
    assert bot.record_attempt(delivery, Attempt(clock(), 1, 200), {}, b"") == 1
    assert bot.record_attempt(delivery, Attempt(clock(), 1, 0), {}, b"") == 1
    clock.now += 360
    assert answer(bot, delivery, text("s1", finish=False)) is None
    assert not shown(bot)


@pytest.mark.parametrize(
    "value",
    [
        {"msgtype": "text", "text": {"content": "x"}},
        {"msgtype": "stream", "stream": {"id": "s1", "content": "x"}},
        {"msgtype": "stream", "stream": {"finish": True, "content": "x"}},
        {"msgtype": "stream", "stream": {"id": "s1", "finish": True, "content": "中" * 6827}},
        {"response_type": "update_template_card", "template_card": CARD},
    ],
)
def test_an_answer_that_is_not_allowed_is_not_shown(bot: WecomBot, value: dict[str, Any]) -> None:
    delivery = say(bot)
    assert answer(bot, delivery, value) is None
    assert not shown(bot)
    assert delivery.result["error"]


@pytest.mark.parametrize(
    "change", [{"msgsignature": "0" * 40}, {"timestamp": "1"}, {"nonce": "m"}, {"encrypt": "AA"}, {"receiver": "aib1"}]
)
def test_an_answer_that_is_sealed_wrongly_is_not_shown(bot: WecomBot, change: dict[str, Any]) -> None:
    delivery = say(bot)
    answer(bot, delivery, text("s1", "x", finish=True), **change)
    assert not shown(bot)
    assert delivery.result["error"]


def test_a_poll_is_answered_with_its_own_stream_only(bot: WecomBot) -> None:
    delivery = say(bot)
    answer(bot, delivery, text("s1", finish=False))
    assert answer(bot, delivery, text("s2", "x", finish=True)) == 1
    assert not shown(bot)


def test_a_card_is_shown_once_and_its_button_comes_back(bot: WecomBot, clock: Clock) -> None:
    delivery = say(bot)
    answer(bot, delivery, text("s1", finish=False))
    ended = stream.ended("s1", "Choose", (), CARD)
    answer(bot, delivery, ended)
    assert shown(bot) == [{"content": "Choose"}, CARD]
    card = next(message for message in bot.messages.values() if message.type == "template_card")
    (message,) = received(bot.press("demo", card.id, "lin", Press(button="tea")), clock()).messages
    assert message.action == Action(id="tea", message_id="t1")


def test_the_answer_to_a_press_replaces_the_card_of_the_press_only(bot: WecomBot) -> None:
    delivery = say(bot)
    answer(bot, delivery, text("s1", finish=False))
    answer(bot, delivery, stream.ended("s1", "", (), CARD))
    (card,) = (message for message in bot.messages.values() if message.type == "template_card")
    press = bot.press("demo", card.id, "lin", Press(button="tea"))
    notice = {"card_type": "text_notice", "main_title": {"title": "Tea"}, "card_action": {"type": 1, "url": HOST}}
    for task, kind in (("t2", "button_interaction"), ("t1", "text_notice")):
        new = {"response_type": "update_template_card", "template_card": {**notice, "task_id": task}}
        answer(bot, press, new)
        assert card.content["card_type"] == kind
    assert press.result["error"] == "invalid Request Parameter: task_id"


def item(data: bytes, **change: str) -> dict[str, Any]:
    image = {"base64": b64encode(data).decode(), "md5": md5(data, usedforsecurity=False).hexdigest()}
    return {"msgtype": "image", "image": image | change}


def last(*items: dict[str, Any], finish: bool = True) -> dict[str, Any]:
    return {"msgtype": "stream", "stream": {"id": "s1", "finish": finish, "content": "look", "msg_item": list(items)}}


def test_the_last_answer_of_a_stream_has_images(bot: WecomBot) -> None:
    answer(bot, say(bot), last(item(png(1, 1))))
    (message,) = (message for message in bot.messages.values() if message.sender_kind == "bot")
    words, picture = bot.parts(message)
    assert (words["kind"], picture["kind"]) == ("markdown", "image")
    assert bot.media(picture["key"])[1] == png(1, 1)


@pytest.mark.parametrize(
    "value",
    [
        last(item(png(1, 1)), finish=False),
        last(*[item(png(1, 1))] * 11),
        last(item(png(1, 1), md5="0" * 32)),
        last(item(b"GIF89a")),
        last({"msgtype": "text", "text": {"content": "x"}}),
    ],
)
def test_images_that_are_not_allowed_are_not_shown(bot: WecomBot, value: dict[str, Any]) -> None:
    delivery = say(bot)
    answer(bot, delivery, value)
    assert not shown(bot)
    assert delivery.result["error"]


def test_people_judge_an_answer_only_where_its_first_part_offers_it(bot: WecomBot) -> None:
    first, second = say(bot), say(bot)
    answer(bot, first, stream.begun("s1", feedback=True))
    assert "error" not in first.result
    answer(bot, second, text("s2", finish=False))
    answer(bot, second, stream.begun("s2", feedback=True))
    assert second.result["error"]


def test_a_task_id_works_once(bot: WecomBot) -> None:
    first, second = url_of(say(bot)), url_of(say(bot))
    body = {"msgtype": "template_card", "template_card": CARD}
    assert post(bot, first, body)["errcode"] == 0
    assert post(bot, second, body)["errcode"] == 42014


def test_a_response_url_takes_one_message_within_an_hour(bot: WecomBot, clock: Clock) -> None:
    first, second = url_of(say(bot)), url_of(say(bot))
    body = {"msgtype": "markdown", "markdown": {"content": "done"}}
    assert [post(bot, first, body)["errcode"] for _ in range(2)] == [0, 40058]
    clock.now += 3601
    assert post(bot, second, body)["errcode"] == 40058
    assert shown(bot) == [{"content": "done"}]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"msgtype": "text", "text": {"content": "x"}}, 40008),
        ({"msgtype": "markdown", "markdown": {"content": "x" * 20_481}}, 45002),
        ({"msgtype": "markdown", "markdown": {"content": ""}}, 44004),
        ({"msgtype": "template_card", "template_card": {**CARD, "card_type": "text_notice"}}, 42045),
    ],
)
def test_a_message_that_is_not_allowed_is_refused(bot: WecomBot, body: dict[str, Any], code: int) -> None:
    assert post(bot, url_of(say(bot)), body)["errcode"] == code


def test_a_picture_is_encrypted_and_gone_after_five_minutes(bot: WecomBot, clock: Clock) -> None:
    (message,) = received(say(bot, "", image=b"\x89PNG\r\n\x1a\nx"), clock()).messages
    with httpx.Client(transport=PlatformTransport({HOST: bot})) as client:
        data = client.get(message.content.attachments[0].url).content
        assert decrypted(data, (KEY,)) == b"\x89PNG\r\n\x1a\nx"
        clock.now += 301
        assert client.get(message.content.attachments[0].url).status_code == 403


def test_words_and_a_picture_are_mixed_and_a_reply_is_a_quote(bot: WecomBot, clock: Clock) -> None:
    (mixed,) = received(say(bot, "look", "team", image=b"x"), clock()).messages
    assert [type(segment).__name__ for segment in mixed.segments] == ["Text", "Image"]
    (quoting,) = received(say(bot, "again", "team", reply_to=mixed.id), clock()).messages
    assert [type(segment).__name__ for segment in quoting.segments] == ["Quote", "Image", "Text"]


def test_the_url_is_verified_and_forgeries_differ(bot: WecomBot, clock: Clock) -> None:
    challenge = bot.challenge("demo")
    bot.drain_outbox()
    echo = received(challenge, clock()).response.body
    assert bot.record_attempt(challenge, Attempt(clock(), 1, 200), {}, echo) is None
    assert challenge.state == "delivered"
    delivery = say(bot)
    assert len({bot.forge(delivery, how).body + str(bot.forge(delivery, how).query).encode() for how in FORGED}) == 4


FORGED = ("signature", "stale", "plain", "truncated")


def test_events_and_unknown_things(bot: WecomBot, clock: Clock) -> None:
    entered = bot.emit_event("demo", "entered", {"sender": "lin"})
    assert entered is not None
    assert received(entered, clock()).messages[0].event == "enter_chat"
    answer(bot, entered, {"msgtype": "text", "text": {"content": "welcome"}})
    assert shown(bot) == [{"content": "welcome"}]
    with pytest.raises(NotFoundError):
        bot.emit_event("demo", "dance", {})
    with pytest.raises(NotFoundError):
        bot.send_message("demo", "team", "lin", NewMessage(file=("a.txt", b"x")))
