"""Simulated WeChat: customer-service and template messages, and their windows."""

from typing import Any

import pytest

from parley.model import Button, Card, Reply
from parley.platforms.wechat import inbound
from playground.platforms.base import Press
from tests.factories import answers_to
from tests.unit.playground.tencent import Caller, emit_event, openid, stable_token, wechat, wechat_send


@pytest.fixture
def bot() -> Caller:
    return wechat()


# --- customer-service messages


def test_a_message_opens_a_window_of_five_messages_in_48_hours(bot: Caller) -> None:
    assert wechat_send(bot) == 45015
    bot.send_message()
    assert [wechat_send(bot) for _ in range(6)] == [0] * 5 + [45047]
    bot.send_message()
    bot.clock.now += 48 * 3600
    bot.token = stable_token(bot)["access_token"]
    assert wechat_send(bot) == 45015


@pytest.mark.parametrize("kind", ["subscribe", "menu", "scan"])
def test_some_events_open_a_window_of_three_messages_in_a_minute(bot: Caller, kind: str) -> None:
    emit_event(bot, kind)
    assert [wechat_send(bot) for _ in range(4)] == [0] * 3 + [45047]
    bot.clock.now += 60
    assert wechat_send(bot) == 45015


def test_the_window_that_expires_first_is_used_first(bot: Caller) -> None:
    bot.send_message()
    emit_event(bot, "menu")
    assert [wechat_send(bot) for _ in range(3)] == [0] * 3
    bot.clock.now += 60
    assert [wechat_send(bot) for _ in range(6)] == [0] * 5 + [45047]


@pytest.mark.parametrize("kind", ["unsubscribe", "close_window"])
def test_an_event_closes_the_windows(bot: Caller, kind: str) -> None:
    bot.send_message()
    emit_event(bot, kind)
    assert wechat_send(bot) == 45015


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"touser": "nobody"}, 40003),
        ({"msgtype": "file", "file": {"media_id": "m"}}, 40008),
        ({"text": {"content": ""}}, 44004),
        ({"text": {"content": "字" * 683}}, 45002),
        ({"msgtype": "image", "image": {"media_id": "m"}}, 40007),
        ({"msgtype": "news", "news": {"articles": [{}, {}]}}, 45008),
        ({"msgtype": "msgmenu", "msgmenu": {"list": [{"id": "1"}]}}, 47001),
    ],
)
def test_an_invalid_message_is_rejected_and_not_counted(bot: Caller, more: dict[str, Any], code: int) -> None:
    bot.send_message()
    assert wechat_send(bot, **more) == code
    assert [wechat_send(bot) for _ in range(5)] == [0] * 5


def test_escaped_characters_are_rejected(bot: Caller) -> None:
    bot.send_message()
    body = b'{"touser":"%s","msgtype":"text","text":{"content":"\\u4f60"}}' % openid(bot).encode()
    assert bot.call("POST", "/message/custom/send", content=body)["errcode"] == 40033


@pytest.mark.parametrize("button", ["tea", "Tea", "0"])
def test_a_menu_item_is_sent_as_text_with_an_id(bot: Caller, button: str) -> None:
    bot.send_message()
    items = [{"id": "tea", "content": "Tea"}, {"id": "coffee", "content": "Coffee"}]
    assert wechat_send(bot, "msgmenu", {"head_content": "Which?", "list": items, "tail_content": ""}) == 0
    menu = next(m for m in bot.platform.messages.values() if m.type == "msgmenu")
    message = bot.message(bot.platform.press("demo", menu.id, "lin", Press(button=button)))
    assert message.action is not None
    assert (message.action.id, message.content.text) == ("tea", "Tea")


def test_a_menu_in_a_passive_reply_can_be_tapped() -> None:
    bot = wechat(reply_mode="passive")
    delivery = bot.send_message("/card")

    card = Card(title="Which?", buttons=(Button(id="tea", label="Green & black", value="x=1"),))
    message = bot.message(delivery)
    replies = answers_to(message, Reply.of(card))
    reply = inbound.passive_reply(bot.request(delivery.wire), bot.app, message, replies, bot.clock.now)
    bot.respond(delivery, 200, reply.response.body)
    shown = next(m for m in bot.platform.messages.values() if m.sender_kind == "bot")
    message = bot.message(bot.platform.press("demo", shown.id, "lin", Press(button="0")))
    assert message.action is not None
    assert (message.action.id, message.action.value, message.content.text) == ("tea", "x=1", "Green & black")


def test_typing_needs_activity_in_the_last_30_seconds(bot: Caller) -> None:
    def typing(command: str = "Typing") -> int:
        return bot.post("/message/custom/typing", touser=openid(bot), command=command)["errcode"]

    assert typing() == 45080
    bot.send_message()
    assert (typing(), typing("Dance")) == (0, 45072)
    bot.clock.now += 31
    assert typing() == 45080


# --- template messages


def template(bot: Caller, **more: Any) -> dict[str, Any]:
    body = {"touser": openid(bot), "template_id": "t", "data": {"k": {"value": "v"}}, "client_msg_id": "c"}
    return bot.post("/message/template/send", **(body | more))


def test_a_template_message_is_sent_once_and_an_event_reports_its_result(bot: Caller) -> None:
    sent = template(bot)
    (delivery,) = bot.platform.drain_outbox()
    message = bot.message(delivery)
    assert (sent["errcode"], message.event, message.reply_to) == (0, "templatesendjobfinish", str(sent["msgid"]))
    assert template(bot)["errcode"] == 45065
    assert [kind for kind, _ in bot.bot_messages()] == ["template"]


def test_an_unsubscribed_person_gets_no_template_message(bot: Caller) -> None:
    emit_event(bot, "unsubscribe")
    assert template(bot)["errcode"] == 43004
    emit_event(bot, "subscribe")
    assert template(bot)["errcode"] == 0


def test_a_template_message_needs_a_template(bot: Caller) -> None:
    assert template(bot, template_id="")["errcode"] == 40037
