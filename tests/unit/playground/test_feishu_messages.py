import json

import pytest

from parley.adapter import Answer, App, Sent
from parley.model import Sender
from parley.platforms.feishu import outbound
from parley.platforms.feishu.config import Config
from playground.platforms.base import NewMessage
from playground.platforms.feishu.accounts import email, union_id, user_id
from tests.factories import make_message

GO = {"tag": "plain_text", "content": "Go"}
CARD = {
    "config": {"update_multi": True},
    "header": {"title": {"tag": "plain_text", "content": "Deploy?"}},
    "elements": [
        {"tag": "markdown", "content": "Version **7**"},
        {"tag": "action", "actions": [{"tag": "button", "text": GO, "value": {"id": "yes"}}]},
    ],
}
CARD_2 = {
    "schema": "2.0",
    "body": {
        "elements": [
            {"tag": "markdown", "content": "a"},
            {"tag": "button", "text": GO, "behaviors": [{"type": "callback", "value": "go"}]},
        ]
    },
}


def code(response):
    return response.json()["code"]


def texts(feishu):
    return [m.content["text"] for m in feishu.messages.values() if m.sender_kind == "bot" and not m.recalled]


class TestSend:
    def test_a_message_appears_in_its_room(self, bot, feishu, team):
        data = bot.send(team, "hello").json()["data"]
        message = feishu.messages[data["message_id"]]
        assert (message.room, message.content, message.sender) == (team, {"text": "hello"}, "demo")
        assert json.loads(data["body"]["content"]) == {"text": "hello"}

    def test_each_kind_of_receiver_leads_to_the_direct_chat(self, bot, feishu):
        ids = {
            "open_id": feishu.accounts["demo"].open_id("lin"),
            "union_id": union_id("lin"),
            "user_id": user_id("lin"),
            "email": email("lin"),
        }
        rooms = {bot.send(value, kind=kind).json()["data"]["chat_id"] for kind, value in ids.items()}
        assert rooms == {feishu.room("private", "demo", feishu.person("lin")).id}

    @pytest.mark.parametrize(
        ("kind", "receiver", "expected"),
        [
            ("open_id", "ou_nobody", 230034),
            ("chat_id", "oc_nowhere", 230034),
            ("chat_id", "", 230001),
            ("phone", "1", 99992402),
        ],
    )
    def test_an_unknown_receiver_is_rejected(self, bot, kind, receiver, expected):
        assert code(bot.send(receiver, kind=kind)) == expected

    def test_a_bot_outside_the_chat_cannot_send(self, bot, feishu, team):
        feishu.rooms[team].bots.clear()
        assert code(bot.send(team)) == 230002

    @pytest.mark.parametrize(
        "body",
        [
            {"content": {"text": "an object"}},
            {"content": "no json"},
            {"content": "[]"},
            {"content": "{}"},
            {"content": '{"text":""}'},
            {"msg_type": "poem"},
            {"msg_type": None},
            {"msg_type": "post", "content": '{"title":"T","content":[[{"tag":"text","text":"no locale"}]]}'},
            {"msg_type": "post", "content": '{"zh_cn":{"content":[]}}'},
            {"msg_type": "post", "content": '{"zh_cn":{"content":[[{"tag":"blink","text":"a"}]]}}'},
            {"msg_type": "post", "content": '{"zh_cn":{"content":[[{"tag":"a","text":"no href"}]]}}'},
            {"msg_type": "post", "content": '{"zh_cn":{"content":[["text"]]}}'},
            {"msg_type": "image", "content": '{"image_key":"img_of_nobody"}'},
            {"msg_type": "file", "content": "{}"},
            {"msg_type": "interactive", "content": "no json"},
            {"uuid": "u" * 51},
            {"uuid": 5},
        ],
    )
    def test_invalid_content_is_rejected(self, bot, feishu, team, body):
        response = bot.send(team, **body)
        assert (response.status_code, code(response)) == (400, 230001)
        assert not feishu.messages

    def test_a_post_in_a_locale_is_accepted(self, bot, team):
        content = json.dumps({"zh_cn": {"title": "T", "content": [[{"tag": "md", "text": "**b**"}]]}})
        assert code(bot.send(team, msg_type="post", content=content)) == 0

    @pytest.mark.parametrize(("msg_type", "limit"), [("text", 150 * 1024), ("post", 30 * 1024)])
    def test_the_size_of_the_request_is_limited(self, bot, team, msg_type, limit):
        def content(size):
            text = "a" * size
            post = {"zh_cn": {"content": [[{"tag": "text", "text": text}]]}}
            return json.dumps({"text": text} if msg_type == "text" else post)

        assert code(bot.send(team, msg_type=msg_type, content=content(limit - 400))) == 0
        assert code(bot.send(team, msg_type=msg_type, content=content(limit))) == 230025

    def test_a_body_that_is_not_json_is_rejected(self, bot):
        params = {"receive_id_type": "chat_id"}
        assert code(bot.call("POST", "/im/v1/messages", params=params, content=b"{")) == 9499

    def test_an_unknown_path_is_not_found(self, bot):
        response = bot.call("POST", "/im/v9/messages")
        assert (response.status_code, response.text) == (404, "404 page not found")


class TestIdempotency:
    def test_a_repeated_uuid_returns_the_first_message(self, bot, feishu, team):
        first = bot.send(team, "once", uuid="job-1").json()
        assert bot.send(team, "once", uuid="job-1").json() == first
        assert texts(feishu) == ["once"]

    def test_another_uuid_or_no_uuid_sends_another_message(self, bot, feishu, team):
        for uuid in ("job-1", "job-2", "", ""):
            bot.send(team, uuid=uuid)
        assert len(texts(feishu)) == 4

    def test_a_uuid_expires_after_an_hour(self, bot, clock, feishu, team):
        bot.send(team, uuid="job-1")
        clock.now += 3599
        bot.send(team, uuid="job-1")
        assert len(texts(feishu)) == 1
        clock.now += 1
        bot.send(team, uuid="job-1")
        assert len(texts(feishu)) == 2


class TestLimits:
    def test_a_chat_accepts_five_messages_a_second_from_all_bots(self, bot, clock, team):
        assert [code(bot.send(team)) for _ in range(6)] == [0, 0, 0, 0, 0, 230020]
        clock.now += 0.999
        assert code(bot.send(team)) == 230020
        clock.now += 0.001
        assert code(bot.send(team)) == 0

    def test_an_app_may_call_an_api_fifty_times_a_second(self, bot, feishu):
        rooms = [feishu.make_room(f"r{n}", "r", "").id for n in range(51)]
        responses = [bot.send(room) for room in rooms]
        assert [a.status_code for a in responses] == [200] * 50 + [429]
        assert responses[-1].json()["code"] == 99991400
        assert responses[-1].headers["x-ogw-ratelimit-limit"] == "50"
        assert responses[-1].headers["x-ogw-ratelimit-reset"] == "1"

    def test_an_app_may_call_an_api_a_thousand_times_a_minute(self, bot, clock, feishu):
        rooms = [feishu.make_room(f"r{n}", "r", "").id for n in range(10)]
        for n in range(1000):
            clock.now += 0.025
            assert code(bot.send(rooms[n % 10])) == 0
        rejected = bot.send(rooms[0])
        assert (rejected.status_code, code(rejected)) == (429, 99991400)
        assert int(rejected.headers["x-ogw-ratelimit-reset"]) == 36


class TestReply:
    def test_a_reply_names_its_parent_and_root(self, bot, feishu, team):
        sent = feishu.send_message("demo", team, "lin", NewMessage(text="hi"))
        first = bot.call("POST", f"/im/v1/messages/{sent.id}/reply", json=TEXT).json()["data"]
        second = bot.call("POST", f"/im/v1/messages/{first['message_id']}/reply", json=TEXT).json()["data"]
        assert (first["parent_id"], first["root_id"]) == (sent.id, sent.id)
        assert (second["parent_id"], second["root_id"]) == (first["message_id"], sent.id)
        assert "thread_id" not in first

    def test_a_reply_in_thread_opens_one_and_later_replies_stay_in_it(self, bot, feishu, team):
        sent = feishu.send_message("demo", team, "lin", NewMessage(text="hi"))
        path = f"/im/v1/messages/{sent.id}/reply"
        thread = bot.call("POST", path, json={**TEXT, "reply_in_thread": True}).json()["data"]["thread_id"]
        assert thread.startswith("omt_")
        assert bot.call("POST", path, json=TEXT).json()["data"]["thread_id"] == thread
        assert feishu.messages[sent.id].thread == thread

    def test_a_reply_to_an_unknown_or_recalled_message_is_rejected(self, bot, feishu, team):
        sent = feishu.send_message("demo", team, "lin", NewMessage(text="hi"))
        feishu.emit_event("demo", "recall", {"message_id": sent.id, "sender": "lin"})
        assert code(bot.call("POST", f"/im/v1/messages/{sent.id}/reply", json=TEXT)) == 230011
        assert code(bot.call("POST", "/im/v1/messages/om_none/reply", json=TEXT)) == 230001


TEXT = {"msg_type": "text", "content": '{"text":"re"}'}


class TestEdit:
    def test_a_bot_can_edit_its_text_twenty_times(self, bot, feishu, team):
        path = f"/im/v1/messages/{bot.send(team).json()['data']['message_id']}"
        assert [code(bot.call("PUT", path, json=TEXT)) for _ in range(21)] == [0] * 20 + [230072]
        assert texts(feishu) == ["re"]

    def test_a_message_of_a_person_cannot_be_edited(self, bot, feishu, team):
        sent = feishu.send_message("demo", team, "lin", NewMessage(text="hi"))
        assert code(bot.call("PUT", f"/im/v1/messages/{sent.id}", json=TEXT)) == 230017

    def test_a_message_of_another_app_cannot_be_edited(self, bot, feishu, team):
        path = f"/im/v1/messages/{bot.send(team).json()['data']['message_id']}"
        feishu.messages[path.rsplit("/", 1)[-1]].sender = "other"
        assert code(bot.call("PUT", path, json=TEXT)) == 230017

    def test_a_card_cannot_be_edited_but_updated(self, bot, team):
        path = f"/im/v1/messages/{bot.card(team, CARD).json()['data']['message_id']}"
        assert code(bot.call("PUT", path, json=TEXT)) == 230054
        assert code(bot.call("PATCH", path, json={"content": json.dumps(CARD_2)})) == 0


SUBMIT = {"tag": "button", "name": "s", "form_action_type": "submit", "text": {"content": "OK"}}


class TestCard:
    @pytest.mark.parametrize("card", [CARD, CARD_2])
    def test_both_versions_are_accepted(self, bot, team, card):
        assert code(bot.card(team, card)) == 0

    @pytest.mark.parametrize(
        "card",
        [
            {},
            {"elements": {}},
            {"elements": [{"tag": "marquee"}]},
            {"elements": ["text"]},
            {"elements": [{"tag": "markdown"}]},
            {"elements": [{"tag": "img"}]},
            {"schema": "2.0", "body": {"elements": {}}},
            {"schema": "2.0", "body": {"elements": [{"tag": "action", "actions": []}]}},
            {"schema": "2.0", "body": {"elements": [{"tag": "hr"}] * 201}},
            {"type": "template", "data": {}},
            {"elements": [{"tag": "select_static", "options": []}]},
            {"elements": [{"tag": "select_static", "options": [{"text": {"content": "A"}, "value": "a"}] * 2}]},
            {"elements": [{"tag": "input", "max_length": 1001}]},
            {"elements": [{"tag": "date_picker", "initial_date": "tomorrow"}]},
            {"elements": [{"tag": "form", "name": "f", "elements": [{"tag": "input", "name": "a"}]}]},
            {"elements": [{"tag": "form", "elements": [SUBMIT]}]},
            {"elements": [{"tag": "form", "name": "f", "elements": [SUBMIT, SUBMIT]}]},
            {"elements": [{"tag": "form", "name": "f", "elements": [SUBMIT, {"tag": "input"}]}]},
        ],
    )
    def test_an_invalid_card_is_rejected(self, bot, team, card):
        response = bot.card(team, card)
        assert code(response) == 230099
        assert "ErrCode" in response.json()["msg"]

    def test_a_card_above_30_kb_is_rejected(self, bot, team):
        big = {"elements": [{"tag": "markdown", "content": "a" * 31_000}]}
        assert code(bot.card(team, big)) == 230025

    @pytest.mark.parametrize("shared_first", [True, False])
    def test_only_a_shared_card_can_be_updated_and_only_to_a_shared_one(self, bot, team, shared_first):
        unshared = {**CARD, "config": {}}
        before, after = (CARD, unshared) if shared_first else (unshared, CARD)
        path = f"/im/v1/messages/{bot.card(team, before).json()['data']['message_id']}"
        assert code(bot.call("PATCH", path, json={"content": json.dumps(after)})) == 230099

    def test_a_card_can_be_updated_for_14_days(self, bot, clock, team):
        path = f"/im/v1/messages/{bot.card(team, CARD).json()['data']['message_id']}"
        for seconds, expected in ((14 * 86_400, 0), (1, 230031)):
            clock.now += seconds
            bot.login()
            assert code(bot.call("PATCH", path, json={"content": json.dumps(CARD)})) == expected

    def test_a_card_can_be_updated_five_times_a_second(self, bot, team):
        path = f"/im/v1/messages/{bot.card(team, CARD).json()['data']['message_id']}"
        codes = [code(bot.call("PATCH", path, json={"content": json.dumps(CARD)})) for _ in range(6)]
        assert codes == [0, 0, 0, 0, 0, 230020]


class TestRecallAndReactions:
    def test_a_bot_can_recall_its_message_once(self, bot, feishu, team):
        path = f"/im/v1/messages/{bot.send(team).json()['data']['message_id']}"
        assert [code(bot.call("DELETE", path)) for _ in range(2)] == [0, 230011]
        assert texts(feishu) == []

    def test_a_message_of_a_person_cannot_be_recalled(self, bot, feishu, team):
        sent = feishu.send_message("demo", team, "lin", NewMessage(text="hi"))
        assert code(bot.call("DELETE", f"/im/v1/messages/{sent.id}")) == 230026

    def test_a_message_cannot_be_recalled_after_a_day(self, bot, clock, team):
        path = f"/im/v1/messages/{bot.send(team).json()['data']['message_id']}"
        clock.now += 86_401
        bot.login()
        assert code(bot.call("DELETE", path)) == 230009

    def test_a_reaction_can_be_added_and_deleted(self, bot, feishu, team):
        sent = feishu.send_message("demo", team, "lin", NewMessage(text="hi"))
        path = f"/im/v1/messages/{sent.id}/reactions"
        made = bot.call("POST", path, json={"reaction_type": {"emoji_type": "THUMBSUP"}}).json()["data"]
        assert [r["reaction_type"]["emoji_type"] for r in sent.reactions] == ["THUMBSUP"]
        assert code(bot.call("DELETE", f"{path}/{made['reaction_id']}")) == 0
        assert code(bot.call("DELETE", f"{path}/{made['reaction_id']}")) == 231011

    def test_a_reaction_is_there_once(self, bot, feishu, team):
        sent = feishu.send_message("demo", team, "lin", NewMessage(text="hi"))
        body = {"reaction_type": {"emoji_type": "THUMBSUP"}}
        made = [bot.call("POST", f"/im/v1/messages/{sent.id}/reactions", json=body).json()["data"] for _ in range(2)]
        assert made[0] == made[1] == sent.reactions[0]
        assert len(sent.reactions) == 1

    @pytest.mark.parametrize("wrong", [{}, {"emoji_type": "👍"}, {"emoji_type": "thumbsup"}])
    def test_an_unknown_emoji_is_rejected(self, bot, feishu, team, wrong):
        sent = feishu.send_message("demo", team, "lin", NewMessage(text="hi"))
        path = f"/im/v1/messages/{sent.id}/reactions"
        assert code(bot.call("POST", path, json={"reaction_type": wrong})) == 231001

    def test_a_message_that_is_gone_or_elsewhere_gets_no_reaction(self, bot, feishu, team):
        sent = feishu.send_message("demo", team, "lin", NewMessage(text="hi"))
        path, body = f"/im/v1/messages/{sent.id}/reactions", {"reaction_type": {"emoji_type": "OK"}}
        feishu.rooms[team].bots.clear()
        assert code(bot.call("POST", path, json=body)) == 231002
        feishu.emit_event("demo", "recall", {"message_id": sent.id, "sender": "lin"})
        assert code(bot.call("POST", path, json=body)) == 231003

    def test_only_a_bot_in_the_chat_can_read_a_message(self, bot, feishu, team):
        sent = feishu.send_message("demo", team, "lin", NewMessage(text="hi"))
        path = f"/im/v1/messages/{sent.id}"
        (item,) = bot.call("GET", path).json()["data"]["items"]
        assert item["sender"]["id"] == feishu.accounts["demo"].open_id("lin")
        feishu.rooms[team].bots.clear()
        assert code(bot.call("GET", path)) == 230002


def test_a_user_a_chat_and_the_bot_can_be_read(bot, feishu, team):
    open_id = feishu.accounts["demo"].open_id("lin")
    assert bot.call("GET", f"/contact/v3/users/{open_id}").json()["data"]["user"]["name"] == "Lin Mei"
    assert code(bot.call("GET", "/contact/v3/users/ou_nobody")) == 41012
    assert bot.call("GET", f"/im/v1/chats/{team}").json()["data"]["name"] == "Team"
    assert bot.call("GET", "/bot/v3/info").json()["bot"]["open_id"] == feishu.accounts["demo"].bot_id


def test_parley_reads_a_message_and_the_messages_in_a_forward(bot, feishu, team):
    app = App("feishu", "demo", Config(app_id="a", app_secret="s", verification_token="v", host="http://feishu"))
    first = feishu.send_message("demo", team, "lin", NewMessage(text="ask @Sam Okafor", deliver=False))
    second = feishu.send_message("demo", team, "sam", NewMessage(text="second", mention=False, deliver=False))
    both = feishu.send_message("demo", team, "lin", NewMessage(forwards=(first.id, second.id)))

    for message, text in ((first, "@demo ask @Sam Okafor"), (both, "@demo ask @Sam Okafor\nsecond")):
        call = outbound.quote_call(message.id, app)
        response = bot.call(call.method, call.url.removeprefix("http://feishu/open-apis"))
        answer = Answer(response.status_code, response.content)
        assert isinstance(outbound.outcome(call, answer), Sent)
        assert outbound.read_quote(answer) == text
    items = response.json()["data"]["items"]
    assert [item.get("upper_message_id") for item in items] == [None, both.id, both.id]


def test_parley_reads_the_name_of_the_person_who_wrote(bot, feishu):
    app = App("feishu", "demo", Config(app_id="a", app_secret="s", verification_token="v", host="http://feishu"))
    person = make_message(sender=Sender(id=feishu.accounts["demo"].open_id("lin")))
    call = outbound.name_call(person, app)
    assert call is not None
    response = bot.call(call.method, call.url.removeprefix("http://feishu/open-apis"), params=call.query)
    answer = Answer(response.status_code, response.content)
    assert isinstance(outbound.outcome(call, answer), Sent)
    assert outbound.read_name(answer) == "Lin Mei"
