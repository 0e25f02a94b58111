"""Simulated WeCom and WeChat accept and show each type of reply that Parley sends with its HTTP client."""

import base64
from typing import Any

import pytest

from parley.adapter import Outcome, Sent
from parley.engine.http import Http
from parley.model import (
    AnySegment,
    Audio,
    Button,
    Card,
    Destination,
    File,
    Image,
    Link,
    Markdown,
    Mention,
    Message,
    Other,
    Outgoing,
    Reply,
    Text,
    Video,
)
from parley.platforms import outbound
from playground import sample_image
from playground.platforms.base import NotFoundError
from playground.platforms.model import Press
from tests.unit.playground.tencent import Caller, wechat, wecom

CARD = Card(title="Tea?", text="Press **one**.", buttons=(Button(id="yes", label="Yes", value="7"),))


def data(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


PICTURE = Image(data=data(sample_image.png()), name="a.png")
VOICE = Audio(data=data(b"#!AMR\n123456"), name="a.amr")
FILM = Video(data=data(b"....ftypmp42"), name="a.mp4")
PAPER = File(data=data(b"%PDF-1.7 ..."), name="a.pdf")
ARTICLE = Link(url="https://e.com/a", title="A", description="B", image="https://e.com/a.png")


def deliver(bot: Caller, reply: Reply, to: Destination | None = None) -> list[Outcome]:
    """The outcome of each API call for a reply, made as the deliverer makes them."""
    person = Destination(platform=bot.app.platform, app="demo", user_id=person_id(bot))
    where = reply.to or to or person
    out = Outgoing(id=f"r{len(bot.platform.calls)}", message_key="", ordinal=0, to=where, reply=reply, created=0)
    platform, http, found = outbound(bot.app.platform), Http(bot.http), list[Outcome]()
    steps = platform.deliver(out, bot.app, bot.clock.now)
    try:
        call = next(steps)
        while True:
            found.append(outcome := platform.outcome(call, http.perform(call, bot.token)))
            if not isinstance(outcome, Sent):
                return found
            call = steps.send(outcome)
    except StopIteration:
        return found


def person_id(bot: Caller) -> str:
    """Lin's user id. She sends a message first."""
    return bot.message(bot.send_message()).sender.id


def kinds(bot: Caller) -> list[str]:
    return [kind for kind, _ in bot.bot_messages()]


def click(bot: Caller, button: str | int) -> Message:
    """Lin presses a button of the bot's last message. Returns the message that Parley reads."""
    last = [id_ for id_, message in bot.platform.messages.items() if message.sender_kind == "bot"][-1]
    delivery = bot.platform.press("demo", last, "lin", Press(button=button))
    bot.platform.drain_outbox()
    return bot.message(delivery)


@pytest.mark.parametrize(
    ("segment", "wecom_kind", "wechat_kind"),
    [
        (Text(text="字" * 682), "text", "text"),
        (Markdown(text="**bold** <b>"), "markdown", "text"),
        (ARTICLE, "news", "news"),
        (PICTURE, "image", "image"),
        (VOICE, "voice", "voice"),
        (FILM, "video", "video"),
        (CARD, "template_card", "msgmenu"),
    ],
)
def test_each_segment_type_is_shown(segment: AnySegment, wecom_kind: str, wechat_kind: str) -> None:
    for bot, wanted in ((wecom(), wecom_kind), (wechat(), wechat_kind)):
        assert all(isinstance(outcome, Sent) for outcome in deliver(bot, Reply.of(segment)))
        assert kinds(bot) == [wanted]


def test_a_long_text_is_complete() -> None:
    text = "这是一个句子。" * 400
    for bot in (wecom(), wechat()):
        assert all(isinstance(outcome, Sent) for outcome in deliver(bot, Reply.of(text)))
        assert "".join(content["content"] for _, content in bot.bot_messages()) == text
        assert len(bot.bot_messages()) == 5


def test_wecom_shows_files_and_wechat_its_own_types() -> None:
    bot = wecom()
    assert isinstance(deliver(bot, Reply.of(PAPER))[-1], Sent)
    assert kinds(bot) == ["file"]
    bot = wechat()
    program = Other(name="miniprogram", data={"title": "T", "appid": "wx1", "pagepath": "p", "thumb_media_id": "m"})
    template = Other(name="template", data={"template_id": "T", "data.a": "1"})
    subscription = Other(name="subscription", data={"template_id": "T", "data.a": "1"})
    replies = deliver(bot, Reply(segments=(Other(name="typing"), program, template, subscription)))
    assert [type(outcome) for outcome in replies] == [Sent] * 4
    assert kinds(bot) == ["miniprogrampage", "template", "subscription"]


@pytest.mark.parametrize("make", [wecom, wechat])
def test_a_press_contains_the_value_of_the_button(make: Any) -> None:
    bot: Caller = make()
    deliver(bot, Reply.of(CARD))
    action = click(bot, "Yes").action
    assert action is not None
    assert (action.id, action.value) == ("yes", "7")


@pytest.mark.parametrize(
    ("segments", "shown"),
    [((Text(text="Thanks"),), "Thanks"), ((Card(title="More?", buttons=(Button(id="a", label="A"),)),), "A")],
)
def test_a_pressed_card_of_wecom_can_be_updated_once(segments: tuple[AnySegment, ...], shown: str) -> None:
    bot = wecom()
    deliver(bot, Reply.of(CARD))
    pressed = click(bot, "Yes")
    edit = Reply(segments=segments, op="edit")
    assert [type(one) for one in deliver(bot, edit, Destination.answering(pressed))] == [Sent]
    ((_, card),) = bot.bot_messages()
    assert card["button_list"][0]["text"] == shown
    assert not isinstance(deliver(bot, edit, Destination.answering(pressed))[0], Sent)


def test_a_repeated_card_of_wecom_appears_once() -> None:
    bot = wecom()
    platform, http = outbound("wecom"), Http(bot.http)
    to = Destination(platform="wecom", app="demo", user_id=person_id(bot))
    out = Outgoing(id="r1", message_key="", ordinal=0, to=to, reply=Reply.of(CARD), created=0)
    call = next(platform.deliver(out, bot.app, bot.clock.now))
    for seconds in (0, 3600, 10_000):
        bot.clock.now += seconds
        token = bot.platform.tokens.issue("demo", "app", bot.clock.now)
        assert isinstance(platform.outcome(call, http.perform(call, token.value)), Sent)
    assert kinds(bot) == ["template_card"]
    assert call.idempotent_for > 3600


def test_a_message_of_wecom_can_be_recalled() -> None:
    bot = wecom()
    (sent,) = deliver(bot, Reply.of("x"))
    assert isinstance(sent, Sent)
    assert isinstance(deliver(bot, Reply(op="recall", target=sent.id))[0], Sent)
    assert bot.bot_messages() == []


def test_a_robot_sends_to_its_group() -> None:
    bot = wecom()
    team = bot.platform.room_id("team", "group")
    segments = (
        Mention(id="lin", name="Lin"),
        Text(text=" look:"),
        PICTURE,
        ARTICLE,
        PAPER,
        VOICE,
        Markdown(text="**x**"),
    )
    to = Destination(platform="wecom", app="demo", webhook="ops")
    assert all(isinstance(outcome, Sent) for outcome in deliver(bot, Reply(segments=segments, to=to)))
    shown = [message.type for message in bot.platform.messages.values() if message.room == team]
    assert shown == ["text", "image", "news", "file", "voice", "markdown"]


def test_an_updated_card_has_no_buttons() -> None:
    bot = wecom()
    deliver(bot, Reply.of(CARD))
    deliver(bot, Reply(segments=(Text(text="Done"),), op="edit"), Destination.answering(click(bot, "Yes")))
    with pytest.raises(NotFoundError):
        click(bot, "Yes")
