"""The imitated WeCom: what it sends is what Parley reads, what it takes and refuses is what WeCom does."""

import base64
import hashlib
from typing import Any

import pytest

from parley.adapter import Accepted, Rejected
from parley.model import Image
from playground import sample_image
from playground.platforms.base import NotFoundError, Press
from playground.platforms.model import NewMessage
from playground.platforms.tencent import wire
from playground.platforms.wecom import Wecom
from tests.unit.playground.tencent import KEY, ROBOT, WECOM, Caller, wecom

CARD = {
    "card_type": "button_interaction",
    "main_title": {"title": "Tea?"},
    "task_id": "task-1",
    "button_list": [{"text": "Yes", "style": 1, "type": 0, "key": "yes"}],
}


@pytest.fixture
def bot() -> Caller:
    return wecom()


def send(bot: Caller, kind: str = "text", content: Any = None, to: str = "lin", **more: Any) -> dict[str, Any]:
    body = {"touser": to, "agentid": 1000002, "msgtype": kind, kind: content or {"content": "hi"}}
    return bot.post("/message/send", **(body | more))


def push(bot: Caller, kind: str, content: Any, key: str = ROBOT) -> dict[str, Any]:
    return bot.call("POST", "/webhook/send", params={"key": key}, json={"msgtype": kind, kind: content})


# --- callbacks


def test_the_console_gets_its_echo(bot: Caller) -> None:
    delivery = bot.imitation.challenge("demo")
    accepted = bot.receive(delivery.wire)
    assert isinstance(accepted, Accepted)
    assert bot.take(delivery, 200, accepted.response.body) == "delivered"


def test_an_echo_with_anything_around_it_does_not_count(bot: Caller) -> None:
    delivery = bot.imitation.challenge("demo")
    assert bot.take(delivery, 200, b'"' + delivery.plain + b'"') == "failed"


def test_a_text_is_told_to_the_app(bot: Caller) -> None:
    message = bot.message(bot.send_message("你好 <b>]]></b>"))
    assert (message.content.text, message.sender.id, message.context.tenant) == (
        "你好 <b>]]></b>",
        "Lin",
        WECOM["corp_id"],
    )


def test_what_is_said_in_a_group_no_app_hears(bot: Caller) -> None:
    said = bot.imitation.send_message("demo", "team", "lin", NewMessage(text="hello"))
    assert said.room == bot.imitation.room_id("team", "group")
    assert bot.imitation.drain_outbox() == []


def test_a_picture_is_told_with_its_handle_and_its_address(bot: Caller) -> None:
    (image,) = bot.message(bot.send_message("", image=sample_image.png())).content.attachments
    assert isinstance(image, Image)
    fetched = bot.http.get("/cgi-bin/media/get", params={"access_token": bot.token, "media_id": image.key})
    assert fetched.content == sample_image.png() == bot.http.get(image.url).content


@pytest.mark.parametrize("how", ["signature", "stale", "plain", "truncated"])
def test_a_forgery_is_refused(bot: Caller, how: str) -> None:
    delivery = bot.send_message()
    assert isinstance(bot.receive(bot.imitation.forge(delivery, how)), Rejected)


def test_there_is_no_other_forgery(bot: Caller) -> None:
    with pytest.raises(NotFoundError):
        bot.imitation.forge(bot.send_message(), "kindly")


@pytest.mark.parametrize(
    ("kind", "event"),
    [("entered", "enter_agent"), ("menu", "click"), ("location", "location"), ("member_added", "change_contact")],
)
def test_events_are_told_under_the_journals_name(bot: Caller, kind: str, event: str) -> None:
    delivery = bot.imitation.emit_event("demo", kind, {"sender": "lin", "event_key": "k"})
    assert delivery is not None
    message = bot.message(delivery)
    assert (message.event, message.id) == (event, delivery.journal_id)


def test_three_deliveries_in_all_each_sealed_anew_with_the_same_id(bot: Caller) -> None:
    delivery = bot.send_message()
    wires = []
    states: list[str] = []
    for _ in range(3):
        wires.append(delivery.wire.body)
        assert bot.message(delivery).id == delivery.journal_id
        states.append(bot.take(delivery, 504))
    assert (len(set(wires)), states[-1]) == (3, "failed")


def test_a_passive_reply_is_opened_and_shown(bot: Caller) -> None:
    assert bot.answer(bot.send_message(), "one", "two") == "delivered"
    assert bot.seen() == [("text", {"content": "one\ntwo"})]


def sealed(bot: Caller, plain: dict[str, Any], receiver: str = WECOM["corp_id"], **more: Any) -> bytes:  # type: ignore[assignment]
    encrypted = wire.encrypt(KEY, wire.xml(plain), receiver, bot.imitation.random)
    fields = {"Encrypt": encrypted, "TimeStamp": 1, "Nonce": "n"}
    return wire.xml(fields | {"MsgSignature": wire.sign("callbacktoken", "1", "n", encrypted)} | more)


RIGHT = {
    "ToUserName": "Lin",
    "FromUserName": WECOM["corp_id"],
    "CreateTime": 1,
    "MsgType": "text",
    "Content": "hello",
}


@pytest.mark.parametrize(
    ("plain", "more", "told"),
    [
        ({}, {}, ""),
        ({"ToUserName": "Ana"}, {}, "ToUserName"),
        ({"FromUserName": "ww-other"}, {}, "FromUserName"),
        ({"CreateTime": "now"}, {}, "CreateTime"),
        ({"Content": ""}, {}, "bytes"),
        ({"Content": "字" * 683}, {}, "bytes"),
        ({"MsgType": "markdown"}, {}, "MsgType"),
        ({"MsgType": "image", "Image": {"MediaId": "nothing"}}, {}, "40007"),
        ({"MsgType": "news", "ArticleCount": 2, "Articles": {"item": {"Title": "t"}}}, {}, "ArticleCount"),
        ({}, {"MsgSignature": "0" * 40}, "MsgSignature"),
        ({}, {"TimeStamp": "soon"}, "TimeStamp"),
        ({}, {"receiver": "ww-other"}, "encrypted for"),
    ],
)
def test_a_passive_reply_is_checked(bot: Caller, plain: Any, more: Any, told: str) -> None:
    delivery = bot.send_message()
    bot.take(delivery, 200, sealed(bot, RIGHT | plain, **more))
    assert told in delivery.result.get("error", "")
    assert bool(delivery.result.get("error")) is bool(told)
    assert len(bot.seen()) == (0 if told else 1)


@pytest.mark.parametrize("body", [b"success", b"{}", wire.xml(RIGHT), b"<xml></xml>"])
def test_what_is_no_envelope_is_no_answer(bot: Caller, body: bytes) -> None:
    delivery = bot.send_message()
    bot.take(delivery, 200, body)
    assert delivery.result["error"]


# --- tokens


def test_a_token_is_the_same_for_as_long_as_it_lives(bot: Caller) -> None:
    first = bot.token
    assert token(bot)["access_token"] == first
    bot.clock.now += 7200
    assert token(bot)["access_token"] != first
    assert send(bot)["errcode"] == 42001


def token(bot: Caller, **more: str) -> dict[str, Any]:
    query = {"corpid": WECOM["corp_id"], "corpsecret": WECOM["secret"]} | more
    return bot.http.get("/cgi-bin/gettoken", params=query).json()


@pytest.mark.parametrize(("more", "code"), [({"corpid": "ww-other"}, 40013), ({"corpsecret": "wrong"}, 40001)])
def test_wrong_credentials_give_no_token(bot: Caller, more: dict[str, str], code: int) -> None:
    assert token(bot, **more)["errcode"] == code


@pytest.mark.parametrize(("value", "code"), [("", 41001), ("nonsense", 40014)])
def test_a_call_without_a_token_is_refused(bot: Caller, value: str, code: int) -> None:
    bot.token = value
    assert send(bot)["errcode"] == code


# --- messages


def test_a_message_is_shown_to_each_receiver(bot: Caller) -> None:
    answer = send(bot, to="lin|SAM|Nobody")
    assert (answer["errcode"], answer["invaliduser"]) == (0, "nobody")
    assert bot.seen("lin") == bot.seen("sam") == [("text", {"content": "hi"})]
    assert bot.post("/message/recall", msgid=answer["msgid"])["errcode"] == 0
    assert bot.seen("lin") == bot.seen("sam") == []


@pytest.mark.parametrize("to", [{"touser": "@all"}, {"touser": "", "toparty": "1"}, {"touser": "", "totag": "1"}])
def test_a_message_to_all_is_shown_to_all(bot: Caller, to: dict[str, str]) -> None:
    assert send(bot, **to)["errcode"] == 0
    assert all(bot.seen(person) for person in ("lin", "sam", "ana"))


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"touser": "nobody"}, 81013),
        ({"touser": ""}, 82001),
        ({"agentid": 7}, 40056),
        ({"msgtype": "dance"}, 40008),
        ({"text": {"content": " "}}, 44004),
        ({"msgtype": "markdown", "markdown": {"content": "字" * 683}}, 45002),
        ({"msgtype": "image", "image": {"media_id": "m"}}, 40007),
        ({"msgtype": "news", "news": {"articles": []}}, 45008),
        ({"msgtype": "news", "news": {"articles": [{"title": "t"}]}}, 40058),
        ({"msgtype": "textcard", "textcard": {"title": "t"}}, 40058),
        ({"msgtype": "template_card", "template_card": CARD | {"card_type": "other"}}, 40058),
        ({"msgtype": "template_card", "template_card": CARD | {"task_id": "a b"}}, 40058),
        ({"msgtype": "template_card", "template_card": CARD | {"main_title": {}}}, 40058),
        ({"msgtype": "template_card", "template_card": CARD | {"button_list": CARD["button_list"] * 7}}, 40058),  # type: ignore[operator]
    ],
)
def test_what_cannot_be_sent_is_refused_with_its_code(bot: Caller, more: dict[str, Any], code: int) -> None:
    assert send(bot, **more)["errcode"] == code
    assert bot.seen() == []


def test_a_long_text_is_cut_without_a_word(bot: Caller) -> None:
    assert send(bot, content={"content": "字" * 683})["errcode"] == 0
    assert bot.seen() == [("text", {"content": "字" * 682})]


def test_above_thirty_a_minute_a_person_is_shown_nothing_and_the_app_is_not_told(bot: Caller) -> None:
    assert [send(bot)["errcode"] for _ in range(32)] == [0] * 32
    assert len(bot.seen()) == 30
    assert isinstance(bot.imitation, Wecom)
    assert len(bot.imitation.dropped) == 2
    bot.clock.now += 60
    send(bot)
    assert len(bot.seen()) == 31


def test_a_repetition_is_swallowed_where_the_app_asks_for_that(bot: Caller) -> None:
    for _ in range(2):
        send(bot, enable_duplicate_check=1)
    assert len(bot.seen()) == 1
    bot.clock.now += 1800
    send(bot, enable_duplicate_check=1)
    assert len(bot.seen()) == 2


def test_the_app_says_for_how_long_repetitions_are_swallowed(bot: Caller) -> None:
    for _ in range(2):
        send(bot, enable_duplicate_check=1, duplicate_check_interval=3000)
        bot.clock.now += 2999
    assert len(bot.seen()) == 1
    bot.clock.now += 2
    send(bot, enable_duplicate_check=1, duplicate_check_interval=3000)
    assert len(bot.seen()) == 2


def test_a_task_id_is_used_once(bot: Caller) -> None:
    card = {"msgtype": "template_card", "template_card": CARD}
    assert [send(bot, **card)["errcode"] for _ in range(2)] == [0, 42014]
    swallowed = card | {"template_card": CARD | {"task_id": "task-2"}, "enable_duplicate_check": 1}
    assert [send(bot, **swallowed)["errcode"] for _ in range(2)] == [0, 0]
    assert len(bot.seen()) == 2


def test_an_api_has_a_limit(bot: Caller) -> None:
    codes = [bot.call("GET", "/getcallbackip")["errcode"] for _ in range(10_001)]
    assert (set(codes[:-1]), codes[-1]) == ({0}, 45009)


# --- media


@pytest.mark.parametrize(
    ("kind", "name", "data", "code"),
    [
        ("image", "a.png", sample_image.png(), 0),
        ("image", "a.png", b"no picture", 40005),
        ("voice", "a.mp3", b"ID3 ...", 40005),
        ("file", "a.txt", b"12345", 40006),
        ("voice", "a.amr", b"#!AMR" * 500_000, 40006),
        ("thumb", "a.jpg", b"123456", 40004),
    ],
)
def test_uploads_are_checked(bot: Caller, kind: str, name: str, data: bytes, code: int) -> None:
    assert bot.upload(kind, name, data)["errcode"] == code


def test_a_file_lives_three_days(bot: Caller) -> None:
    key = bot.upload("file", "a.txt", b"123456")["media_id"]
    bot.clock.now += 7000
    assert send(bot, "file", {"media_id": key})["errcode"] == 0
    bot.clock.now += 3 * 86_400
    bot.token = token(bot)["access_token"]
    assert bot.call("GET", "/media/get", params={"media_id": key})["errcode"] == 40007


# --- cards


def pressed(bot: Caller) -> tuple[str, str]:
    """The id of a card and the code that a press of its button brought."""
    id_ = send(bot, "template_card", CARD)["msgid"]
    delivery = bot.imitation.press("demo", id_, "lin", Press(button="yes", form={"q": ["a", "b"]}))
    message = bot.message(delivery)
    assert message.action is not None
    assert (message.action.id, message.action.message_id, message.action.options) == ("yes", "task-1", ("a", "b"))
    return id_, str(wire.read_xml(delivery.plain)["ResponseCode"])


def update(bot: Caller, code: str, **more: Any) -> int:
    return bot.post("/message/update_template_card", agentid=1000002, response_code=code, **more)["errcode"]


def test_a_press_gives_the_right_to_change_the_card_once(bot: Caller) -> None:
    id_, code = pressed(bot)
    assert update(bot, code, button={"replace_name": "Done"}) == 0
    assert bot.imitation.messages[id_].content["button_list"][0]["text"] == "Done"
    assert update(bot, code, button={"replace_name": "Again"}) == 40058
    with pytest.raises(NotFoundError):
        bot.imitation.press("demo", id_, "lin", Press(button="yes"))


def test_a_card_may_become_another(bot: Caller) -> None:
    id_, code = pressed(bot)
    other = CARD | {"main_title": {"title": "Coffee?"}}
    assert update(bot, code, template_card=other) == 0
    assert bot.imitation.messages[id_].content == other


def test_the_right_ends_after_three_days(bot: Caller) -> None:
    _, code = pressed(bot)
    bot.clock.now += 72 * 3600
    bot.token = token(bot)["access_token"]
    assert update(bot, code, button={"replace_name": "Late"}) == 40058


# --- chats and robots


def test_an_app_writes_into_its_own_chat(bot: Caller) -> None:
    assert bot.post("/appchat/create", chatid="c1", userlist=["Lin", "Sam"])["chatid"] == "c1"
    assert bot.post("/appchat/send", chatid="c1", msgtype="text", text={"content": "hi"})["errcode"] == 0
    assert bot.post("/appchat/send", chatid="c1", msgtype="template_card", template_card=CARD)["errcode"] == 40008
    assert bot.post("/appchat/send", chatid="c2", msgtype="text", text={"content": "hi"})["errcode"] == 40050
    room = bot.imitation.room_id("c1", "group")
    assert [m.content for m in bot.imitation.messages.values() if m.room == room] == [{"content": "hi"}]


def test_a_robot_speaks_in_its_group(bot: Caller) -> None:
    picture = sample_image.png()
    image = {"base64": base64.b64encode(picture).decode(), "md5": hashlib.md5(picture).hexdigest()}
    assert push(bot, "text", {"content": "hi", "mentioned_list": ["Lin"]})["errcode"] == 0
    assert push(bot, "image", image)["errcode"] == 0
    assert push(bot, "image", image | {"md5": "0"})["errcode"] == 40058
    assert push(bot, "template_card", CARD)["errcode"] == 40008
    assert push(bot, "text", {"content": "hi"}, key="other")["errcode"] == 93000
    assert [m.type for m in bot.imitation.messages.values()] == ["text", "image"]


def test_a_robot_says_twenty_things_a_minute(bot: Caller) -> None:
    codes = [push(bot, "markdown", {"content": "hi"})["errcode"] for _ in range(21)]
    assert codes == [0] * 20 + [45009]


def test_no_secret_is_in_the_record_of_calls(bot: Caller) -> None:
    token(bot)
    push(bot, "text", {"content": "hi"})
    shown = repr([call.to_json() for call in bot.imitation.calls])
    assert not [secret for secret in (bot.token, "the-secret", ROBOT) if secret in shown]
