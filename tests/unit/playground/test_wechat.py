"""The imitated WeChat: modes, passive replies, the windows in which an account may write, tokens."""

from typing import Any

import msgspec
import pytest

from parley.adapter import Accepted, Rejected
from parley.model import Button, Card, Reply, Video
from parley.platforms.wechat import inbound
from playground import sample_image
from playground.platforms.base import NotFoundError, Press
from playground.platforms.tencent import wire
from playground.platforms.wechat import UNAVAILABLE, Wechat
from tests.unit.playground.tencent import WECHAT, Caller, stable_token, wechat

MODES = ("plain", "compatible", "safe")


@pytest.fixture
def bot() -> Caller:
    return wechat()


def openid(bot: Caller, person: str = "lin") -> str:
    return bot.imitation.user_id(bot.imitation.account("demo"), person)


def send(bot: Caller, kind: str = "text", content: Any = None, **more: Any) -> int:
    body = {"touser": openid(bot), "msgtype": kind, kind: content or {"content": "hi"}}
    return bot.post("/message/custom/send", **(body | more))["errcode"]


def emit_event(bot: Caller, kind: str, **more: Any) -> Any:
    return bot.imitation.emit_event("demo", kind, {"sender": "lin", **more})


# --- callbacks


@pytest.mark.parametrize("mode", MODES)
def test_the_console_gets_its_echo_which_no_mode_encrypts(mode: str) -> None:
    bot = wechat(mode=mode)
    delivery = bot.imitation.challenge("demo")
    assert delivery.wire.query["echostr"].encode() == delivery.plain
    accepted = bot.receive(delivery.wire)
    assert isinstance(accepted, Accepted)
    assert bot.take(delivery, 200, accepted.response.body) == "delivered"


@pytest.mark.parametrize("mode", MODES)
def test_a_text_is_told_and_answered_in_every_mode(mode: str) -> None:
    bot = wechat(mode=mode)
    delivery = bot.send_message("你好")
    message = bot.message(delivery)
    assert (message.content.text, message.sender.id, message.id) == ("你好", openid(bot), delivery.journal_id)
    assert bot.answer(delivery, "one", "two") == "delivered"
    assert bot.seen() == [("text", {"content": "one\ntwo"})]


def test_plain_fields_stand_beside_the_envelope_in_compatible_mode_only() -> None:
    seen = {mode: wechat(mode=mode).send_message("words").wire.body for mode in MODES}
    assert {mode: (b"words" in body, b"Encrypt" in body) for mode, body in seen.items()} == {
        "plain": (True, False),
        "compatible": (True, True),
        "safe": (False, True),
    }


@pytest.mark.parametrize("mode", ["compatible", "safe"])
@pytest.mark.parametrize("how", ["signature", "stale", "plain", "truncated"])
def test_a_forgery_is_refused(mode: str, how: str) -> None:
    bot = wechat(mode=mode)
    assert isinstance(bot.receive(bot.imitation.forge(bot.send_message(), how)), Rejected)


def test_a_plain_answer_is_none_in_safe_mode() -> None:
    fields = {"FromUserName": WECHAT["original_id"], "CreateTime": 1, "MsgType": "text", "Content": "hi"}
    seen = {}
    for mode in MODES:
        bot = wechat(mode=mode)
        bot.take(bot.send_message(), 200, wire.xml({"ToUserName": openid(bot), **fields}))
        seen[mode] = [kind for kind, _ in bot.seen()]
    assert seen == {"plain": ["text"], "compatible": ["text"], "safe": []}


@pytest.mark.parametrize("body", [b"", b"success"])
def test_nothing_may_be_said_plainly_in_safe_mode(bot: Caller, body: bytes) -> None:
    delivery = bot.send_message()
    assert bot.take(delivery, 200, body) == "delivered"
    assert notes(bot) == []


def notes(bot: Caller) -> list[str]:
    return [message.content["text"] for message in bot.imitation.messages.values() if message.note]


def test_a_person_whose_message_is_never_answered_is_told_so(bot: Caller) -> None:
    delivery = bot.send_message()
    assert [bot.take(delivery, 0) for _ in range(3)] == ["retrying", "retrying", "failed"]
    assert notes(bot) == [UNAVAILABLE]


def test_an_answer_that_is_no_message_shows_the_same(bot: Caller) -> None:
    bot.take(bot.send_message(), 200, b'{"message":"Internal server error"}')
    assert notes(bot) == [UNAVAILABLE]


def test_a_hand_over_to_a_human_is_taken() -> None:
    bot = wechat(mode="plain")
    ends = {"ToUserName": openid(bot), "FromUserName": WECHAT["original_id"], "CreateTime": 1}
    bot.take(bot.send_message(), 200, wire.xml({**ends, "MsgType": "transfer_customer_service"}))
    assert bot.seen() == [("transfer_customer_service", {})]


@pytest.mark.parametrize(
    ("kind", "more", "event", "text"),
    [
        ("subscribe", {"scene": "7"}, "subscribe", "7"),
        ("subscribe", {}, "subscribe", ""),
        ("unsubscribe", {}, "unsubscribe", ""),
        ("scan", {"scene": "7"}, "scan", "7"),
        ("menu", {"event_key": "k"}, "click", "k"),
        ("view", {"event_key": "https://example.com"}, "view", "https://example.com"),
        ("location", {"latitude": "31.2"}, "location", ""),
    ],
)
def test_events_are_told_under_the_journals_name(bot: Caller, kind: str, more: Any, event: str, text: str) -> None:
    delivery = emit_event(bot, kind, **more)
    message = bot.message(delivery)
    assert (message.event, message.content.text, message.id) == (event, text, delivery.journal_id)


def test_there_is_no_other_event(bot: Caller) -> None:
    with pytest.raises(NotFoundError):
        emit_event(bot, "dance")


def test_a_film_is_fetched_at_an_address(bot: Caller) -> None:
    (film,) = bot.message(bot.send_message("", file=("a.mp4", b"....ftyp"))).content.attachments
    assert isinstance(film, Video)
    url = bot.call("GET", "/media/get", params={"media_id": film.key})["video_url"]
    assert bot.http.get(url).content == b"....ftyp"


def test_a_picture_is_fetched_with_its_handle(bot: Caller) -> None:
    (image,) = bot.message(bot.send_message("", image=sample_image.png())).content.attachments
    query = {"access_token": bot.token, "media_id": image.key}
    assert bot.http.get("/cgi-bin/media/get", params=query).content == sample_image.png()


def test_nobody_can_send_any_file(bot: Caller) -> None:
    with pytest.raises(NotFoundError, match="file"):
        bot.send_message("", file=("a.pdf", b"%PDF"))


# --- customer-service messages


def test_a_message_allows_five_in_48_hours(bot: Caller) -> None:
    assert send(bot) == 45015
    bot.send_message()
    assert [send(bot) for _ in range(6)] == [0] * 5 + [45047]
    bot.send_message()
    bot.clock.now += 48 * 3600
    bot.token = stable_token(bot)["access_token"]
    assert send(bot) == 45015


@pytest.mark.parametrize("kind", ["subscribe", "menu", "scan"])
def test_some_events_allow_three_in_a_minute(bot: Caller, kind: str) -> None:
    emit_event(bot, kind)
    assert [send(bot) for _ in range(4)] == [0] * 3 + [45047]
    bot.clock.now += 60
    assert send(bot) == 45015


def test_the_window_that_ends_first_is_used_first(bot: Caller) -> None:
    bot.send_message()
    emit_event(bot, "menu")
    assert [send(bot) for _ in range(3)] == [0] * 3
    bot.clock.now += 60
    assert [send(bot) for _ in range(6)] == [0] * 5 + [45047]


@pytest.mark.parametrize("kind", ["unsubscribe", "close_window"])
def test_a_window_may_close(bot: Caller, kind: str) -> None:
    bot.send_message()
    emit_event(bot, kind)
    assert send(bot) == 45015


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
def test_what_cannot_be_sent_is_refused_and_does_not_count(bot: Caller, more: dict[str, Any], code: int) -> None:
    bot.send_message()
    assert send(bot, **more) == code
    assert [send(bot) for _ in range(5)] == [0] * 5


def test_escaped_characters_are_refused(bot: Caller) -> None:
    bot.send_message()
    body = b'{"touser":"%s","msgtype":"text","text":{"content":"\\u4f60"}}' % openid(bot).encode()
    assert bot.call("POST", "/message/custom/send", content=body)["errcode"] == 40033


@pytest.mark.parametrize("button", ["tea", "Tea", "0"])
def test_a_tapped_item_comes_as_words_with_an_id(bot: Caller, button: str) -> None:
    bot.send_message()
    items = [{"id": "tea", "content": "Tea"}, {"id": "coffee", "content": "Coffee"}]
    assert send(bot, "msgmenu", {"head_content": "Which?", "list": items, "tail_content": ""}) == 0
    menu = next(m for m in bot.imitation.messages.values() if m.type == "msgmenu")
    message = bot.message(bot.imitation.press("demo", menu.id, "lin", Press(button=button)))
    assert message.action is not None
    assert (message.action.id, message.content.text) == ("tea", "Tea")


def test_a_menu_within_a_passive_text_can_be_tapped() -> None:
    bot = wechat(reply_mode="passive")
    delivery = bot.send_message("/card")

    card = Card(title="Which?", buttons=(Button(id="tea", label="Green & black", value="x=1"),))
    replies = (Reply.of(card),)
    answered = inbound.passive_reply(bot.request(delivery.wire), bot.app, bot.message(delivery), replies, bot.clock.now)
    bot.take(delivery, 200, answered.response.body)
    shown = next(m for m in bot.imitation.messages.values() if m.sender_kind == "bot")
    message = bot.message(bot.imitation.press("demo", shown.id, "lin", Press(button="0")))
    assert message.action is not None
    assert (message.action.id, message.action.value, message.content.text) == ("tea", "x=1", "Green & black")


def test_typing_is_shown_to_whoever_was_there_just_now(bot: Caller) -> None:
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


def test_a_template_message_goes_out_once_and_its_result_is_told(bot: Caller) -> None:
    sent = template(bot)
    (delivery,) = bot.imitation.drain_outbox()
    message = bot.message(delivery)
    assert (sent["errcode"], message.event, message.reply_to) == (0, "templatesendjobfinish", str(sent["msgid"]))
    assert template(bot)["errcode"] == 45065
    assert [kind for kind, _ in bot.seen()] == ["template"]


def test_whoever_has_left_gets_none(bot: Caller) -> None:
    emit_event(bot, "unsubscribe")
    assert template(bot)["errcode"] == 43004
    emit_event(bot, "subscribe")
    assert template(bot)["errcode"] == 0


def test_a_template_message_needs_a_template(bot: Caller) -> None:
    assert template(bot, template_id="")["errcode"] == 40037


# --- tokens


def test_the_stable_token_changes_in_its_last_five_minutes_and_both_work(bot: Caller) -> None:
    first = bot.token
    bot.clock.now += 7200 - 301
    assert stable_token(bot)["access_token"] == first
    bot.clock.now += 1
    second = stable_token(bot)["access_token"]
    assert second != first
    for bot.token in (first, second):
        assert bot.call("GET", "/getcallbackip")["errcode"] == 0
    bot.clock.now += 300
    bot.token = first
    assert bot.call("GET", "/getcallbackip")["errcode"] == 42001


def test_a_forced_token_ends_the_one_before_and_is_counted(bot: Caller) -> None:
    assert stable_token(bot, force_refresh=True)["access_token"] != bot.token
    assert bot.call("GET", "/getcallbackip")["errcode"] == 42001
    assert stable_token(bot, force_refresh=True)["errcode"] == 45009
    bot.clock.now += 30
    assert "access_token" in stable_token(bot, force_refresh=True)


def test_the_old_token_api_ends_its_own_tokens_only(bot: Caller) -> None:
    query = {"grant_type": "client_credential", "appid": WECHAT["app_id"], "secret": WECHAT["app_secret"]}
    first, _ = (bot.http.get("/cgi-bin/token", params=query).json()["access_token"] for _ in range(2))
    stable, bot.token = bot.token, first
    assert bot.call("GET", "/getcallbackip")["errcode"] == 0
    bot.clock.now += 300
    assert bot.call("GET", "/getcallbackip")["errcode"] == 42001
    bot.token = stable
    assert bot.call("GET", "/getcallbackip")["errcode"] == 0


@pytest.mark.parametrize(
    ("more", "code"), [({"appid": "wx-other"}, 40013), ({"secret": "wrong"}, 40125), ({"grant_type": "other"}, 40002)]
)
def test_wrong_credentials_give_no_token(bot: Caller, more: dict[str, str], code: int) -> None:
    assert stable_token(bot, **more)["errcode"] == code


def test_an_account_makes_two_thousand_calls_a_minute(bot: Caller) -> None:
    codes = [bot.call("GET", "/getcallbackip")["errcode"] for _ in range(2000)]
    assert (set(codes[:1999]), codes[1999]) == ({0}, 45011)  # the token was the first
    bot.clock.now += 60
    assert bot.call("GET", "/getcallbackip")["errcode"] == 0


def test_a_new_account_is_found_by_its_id(bot: Caller) -> None:
    assert isinstance(bot.imitation, Wechat)
    bot.imitation.discover = lambda platform: {"second": {**WECHAT, "app_id": "wx2"}}
    answer = stable_token(bot, appid="wx2")
    assert "access_token" in answer
    assert bot.imitation.app_names() == ["demo", "second"]


def test_no_secret_is_in_the_record_of_calls(bot: Caller) -> None:
    bot.send_message()
    send(bot)
    shown = msgspec.json.encode([call.to_json() for call in bot.imitation.calls]).decode()
    assert not [secret for secret in (bot.token, "the-secret") if secret in shown]


def test_a_link_on_a_line_of_its_own_is_shown_as_a_button_alone(bot: Caller) -> None:
    link = '<a href="https://e.com/">Docs</a>'
    bot.send_message()
    assert send(bot, "text", {"content": f"Which?\nSee {link} or\n{link}\n{link}"}) == 0
    (message,) = [m for m in bot.imitation.messages.values() if m.sender_kind == "bot"]
    words, buttons = bot.imitation.parts(message)
    assert words == {"kind": "text", "text": "Which?\nSee Docs or"}
    assert [button["label"] for button in buttons["buttons"]] == ["Docs"] * 3
