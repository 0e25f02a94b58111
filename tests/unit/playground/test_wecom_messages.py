"""Simulated WeCom: messages and their limits, media, cards, chats, robots."""

import base64
import hashlib
from typing import Any

import pytest

from parley.adapter import Answer, Sent
from parley.platforms.wecom import outbound
from playground import sample_image
from playground.platforms.base import NotFoundError, Press
from playground.platforms.faults import Fault
from playground.platforms.tencent import wire
from playground.platforms.wecom import Wecom
from tests.unit.playground.tencent import ROBOT, Caller, wecom, wecom_send, wecom_token

CARD = {
    "card_type": "button_interaction",
    "main_title": {"title": "Tea?"},
    "task_id": "task-1",
    "button_list": [{"text": "Yes", "style": 1, "type": 0, "key": "yes"}],
}
FACT = {"keyname": "K", "value": "v"}


def menu(many: int, id_: str = "o") -> dict[str, Any]:
    """A menu with that many choices."""
    return {"question_key": "q", "option_list": [{"id": f"{id_}{number}", "text": "T"} for number in range(many)]}


VOTE = {
    "card_type": "vote_interaction",
    "main_title": {"title": "Size"},
    "task_id": "task-2",
    "checkbox": menu(2),
    "submit_button": {"text": "OK", "key": "size"},
}
MENUS = {**VOTE, "card_type": "multiple_interaction", "select_list": [menu(2)], "checkbox": {}}


@pytest.fixture
def bot() -> Caller:
    return wecom()


def push(bot: Caller, kind: str, content: Any, key: str = ROBOT) -> dict[str, Any]:
    return bot.call("POST", "/webhook/send", params={"key": key}, json={"msgtype": kind, kind: content})


# --- messages


def test_a_message_is_sent_to_each_receiver(bot: Caller) -> None:
    response = wecom_send(bot, to="lin|SAM|Nobody")
    assert (response["errcode"], response["invaliduser"]) == (0, "nobody")
    assert bot.bot_messages("lin") == bot.bot_messages("sam") == [("text", {"content": "hi"})]
    assert bot.post("/message/recall", msgid=response["msgid"])["errcode"] == 0
    assert bot.bot_messages("lin") == bot.bot_messages("sam") == []


@pytest.mark.parametrize("to", [{"touser": "@all"}, {"touser": "", "toparty": "1"}, {"touser": "", "totag": "1"}])
def test_a_message_to_all_is_sent_to_all(bot: Caller, to: dict[str, str]) -> None:
    assert wecom_send(bot, **to)["errcode"] == 0
    assert all(bot.bot_messages(person) for person in ("lin", "sam", "ana"))


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
        ({"msgtype": "template_card", "template_card": CARD | {"horizontal_content_list": [{"value": "v"}]}}, 40058),
        ({"msgtype": "template_card", "template_card": CARD | {"horizontal_content_list": [FACT] * 7}}, 40058),
        ({"msgtype": "template_card", "template_card": VOTE | {"checkbox": {}}}, 40058),
        ({"msgtype": "template_card", "template_card": VOTE | {"task_id": ""}}, 40058),
        ({"msgtype": "template_card", "template_card": VOTE | {"submit_button": {"text": "OK"}}}, 40058),
        ({"msgtype": "template_card", "template_card": VOTE | {"checkbox": menu(21)}}, 40058),
        ({"msgtype": "template_card", "template_card": VOTE | {"checkbox": menu(1, "i" * 129)}}, 40058),
        ({"msgtype": "template_card", "template_card": MENUS | {"select_list": [menu(1)] * 4}}, 40058),
        ({"msgtype": "template_card", "template_card": MENUS | {"select_list": [menu(11)]}}, 40058),
        ({"msgtype": "template_card", "template_card": MENUS | {"select_list": []}}, 40058),
        ({"msgtype": "template_card", "template_card": CARD | {"button_list": CARD["button_list"] * 7}}, 40058),  # type: ignore[operator]
    ],
)
def test_an_invalid_message_is_rejected_with_its_code(bot: Caller, more: dict[str, Any], code: int) -> None:
    assert wecom_send(bot, **more)["errcode"] == code
    assert bot.bot_messages() == []


def test_a_long_text_is_cut_silently(bot: Caller) -> None:
    assert wecom_send(bot, content={"content": "字" * 683})["errcode"] == 0
    assert bot.bot_messages() == [("text", {"content": "字" * 682})]


def test_messages_above_thirty_a_minute_are_dropped_silently(bot: Caller) -> None:
    assert [wecom_send(bot)["errcode"] for _ in range(32)] == [0] * 32
    assert len(bot.bot_messages()) == 30
    assert isinstance(bot.platform, Wecom)
    assert len(bot.platform.dropped) == 2
    bot.clock.now += 60
    wecom_send(bot)
    assert len(bot.bot_messages()) == 31


def test_a_duplicate_is_dropped_if_the_app_asks_for_it(bot: Caller) -> None:
    for _ in range(2):
        wecom_send(bot, enable_duplicate_check=1)
    assert len(bot.bot_messages()) == 1
    bot.clock.now += 1800
    wecom_send(bot, enable_duplicate_check=1)
    assert len(bot.bot_messages()) == 2


def test_the_app_sets_the_interval_for_duplicates(bot: Caller) -> None:
    for _ in range(2):
        wecom_send(bot, enable_duplicate_check=1, duplicate_check_interval=3000)
        bot.clock.now += 2999
    assert len(bot.bot_messages()) == 1
    bot.clock.now += 2
    wecom_send(bot, enable_duplicate_check=1, duplicate_check_interval=3000)
    assert len(bot.bot_messages()) == 2


def test_a_task_id_can_be_used_once(bot: Caller) -> None:
    card = {"msgtype": "template_card", "template_card": CARD}
    assert [wecom_send(bot, **card)["errcode"] for _ in range(2)] == [0, 42014]
    swallowed = card | {"template_card": CARD | {"task_id": "task-2"}, "enable_duplicate_check": 1}
    assert [wecom_send(bot, **swallowed)["errcode"] for _ in range(2)] == [0, 0]
    assert len(bot.bot_messages()) == 2


def test_an_api_has_a_rate_limit(bot: Caller) -> None:
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
def test_uploads_are_validated(bot: Caller, kind: str, name: str, data: bytes, code: int) -> None:
    assert bot.upload(kind, name, data)["errcode"] == code


def test_a_file_expires_after_three_days(bot: Caller) -> None:
    key = bot.upload("file", "a.txt", b"123456")["media_id"]
    bot.clock.now += 7000
    assert wecom_send(bot, "file", {"media_id": key})["errcode"] == 0
    bot.clock.now += 3 * 86_400
    bot.token = wecom_token(bot)["access_token"]
    assert bot.call("GET", "/media/get", params={"media_id": key})["errcode"] == 40007


# --- cards


def pressed(bot: Caller) -> tuple[str, str]:
    """The id of a card and the code that a press of its button brought."""
    id_ = wecom_send(bot, "template_card", CARD)["msgid"]
    delivery = bot.platform.press("demo", id_, "lin", Press(button="yes", form={"q": ["a", "b"]}))
    message = bot.message(delivery)
    assert message.action is not None
    assert (message.action.id, message.action.message_id, message.action.options) == ("yes", "task-1", ("a", "b"))
    return id_, str(wire.read_xml(delivery.plain)["ResponseCode"])


def update(bot: Caller, code: str, **more: Any) -> int:
    return bot.post("/message/update_template_card", agentid=1000002, response_code=code, **more)["errcode"]


def test_a_press_allows_one_update_of_the_card(bot: Caller) -> None:
    id_, code = pressed(bot)
    assert update(bot, code, button={"replace_name": "Done"}) == 0
    assert bot.platform.messages[id_].content["button_list"][0]["text"] == "Done"
    assert update(bot, code, button={"replace_name": "Again"}) == 40058
    with pytest.raises(NotFoundError):
        bot.platform.press("demo", id_, "lin", Press(button="yes"))


def test_a_card_can_be_replaced(bot: Caller) -> None:
    id_, code = pressed(bot)
    other = CARD | {"main_title": {"title": "Coffee?"}}
    assert update(bot, code, template_card=other) == 0
    assert bot.platform.messages[id_].content == other


def test_a_vote_sends_the_choice_and_refuses_none_or_several(bot: Caller) -> None:
    assert wecom_send(bot, msgtype="template_card", template_card=VOTE)["errcode"] == 0
    (message,) = (each for each in bot.platform.messages.values() if each.type == "template_card")
    for options in ((), ("o0", "o1"), ("x",)):
        with pytest.raises(NotFoundError, match="choose one of o0, o1 for q"):
            bot.platform.press("demo", message.id, "lin", Press(button="Size", options=options))
    delivery = bot.platform.press("demo", message.id, "lin", Press(button="Size", options=("o1",)))
    assert b"<OptionId><![CDATA[o1]]></OptionId>" in delivery.plain


def test_the_response_code_expires_after_three_days(bot: Caller) -> None:
    _, code = pressed(bot)
    bot.clock.now += 72 * 3600
    bot.token = wecom_token(bot)["access_token"]
    assert update(bot, code, button={"replace_name": "Late"}) == 40058


# --- chats and robots


def test_an_app_sends_to_its_own_group_chat(bot: Caller) -> None:
    assert bot.post("/appchat/create", chatid="c1", userlist=["Lin", "Sam"])["chatid"] == "c1"
    assert bot.post("/appchat/send", chatid="c1", msgtype="text", text={"content": "hi"})["errcode"] == 0
    assert bot.post("/appchat/send", chatid="c1", msgtype="template_card", template_card=CARD)["errcode"] == 40008
    assert bot.post("/appchat/send", chatid="c2", msgtype="text", text={"content": "hi"})["errcode"] == 40050
    room = bot.platform.room_id("c1", "group")
    assert [m.content for m in bot.platform.messages.values() if m.room == room] == [{"content": "hi"}]


def test_a_robot_pushes_to_its_group(bot: Caller) -> None:
    picture = sample_image.png()
    image = {"base64": base64.b64encode(picture).decode(), "md5": hashlib.md5(picture).hexdigest()}
    assert push(bot, "text", {"content": "hi", "mentioned_list": ["Lin"]})["errcode"] == 0
    assert push(bot, "image", image)["errcode"] == 0
    assert push(bot, "image", image | {"md5": "0"})["errcode"] == 40058
    assert push(bot, "template_card", CARD)["errcode"] == 40008
    assert push(bot, "text", {"content": "hi"}, key="other")["errcode"] == 93000
    assert [m.type for m in bot.platform.messages.values()] == ["text", "image"]


def test_a_robot_may_push_twenty_messages_a_minute(bot: Caller) -> None:
    codes = [push(bot, "markdown", {"content": "hi"})["errcode"] for _ in range(21)]
    assert codes == [0] * 20 + [45009]


def test_the_record_of_calls_contains_no_secrets(bot: Caller) -> None:
    wecom_token(bot)
    push(bot, "text", {"content": "hi"})
    shown = repr([call.to_json() for call in bot.platform.calls])
    assert not [secret for secret in (bot.token, "the-secret", ROBOT) if secret in shown]


# --- contacts


def test_a_member_has_a_name_and_no_addresses(bot: Caller) -> None:
    member = bot.call("GET", "/user/get", params={"userid": "lin"})
    assert (member["errcode"], member["userid"], member["name"]) == (0, "Lin", "Lin Mei")
    assert not {"email", "mobile"} & set(member)
    assert bot.call("GET", "/user/get", params={"userid": "nobody"})["errcode"] == 60111


def test_an_app_without_the_right_to_the_contacts_is_refused(bot: Caller) -> None:
    bot.platform.faults.add(Fault.of({"kind": "forbidden", "path": "/user/get"}))
    assert bot.call("GET", "/user/get", params={"userid": "lin"})["errcode"] == 48002
    assert bot.call("GET", "/user/get", params={"userid": "lin"})["errcode"] == 0


def test_parley_reads_the_name_of_the_person_who_wrote(bot: Caller) -> None:
    message = bot.message(bot.send_message())
    call = outbound.name_call(message, bot.app)
    assert call is not None
    response = bot.http.request(call.method, call.url, params={**call.query, "access_token": bot.token})
    answer = Answer(response.status_code, response.content)
    assert isinstance(outbound.outcome(call, answer), Sent)
    assert outbound.read_name(answer) == "Lin Mei"


def test_the_page_shows_the_names_of_the_members_that_a_robot_mentions(bot: Caller) -> None:
    push(bot, "text", {"content": "hi", "mentioned_list": ["Lin", "nobody", "@all"]})
    push(bot, "markdown", {"content": "**hi** <@lin>"})
    shown = [bot.platform.parts(one)[0]["text"] for one in bot.platform.messages.values()]
    assert shown == ["hi @Lin Mei @… @all", "**hi** @Lin Mei"]
