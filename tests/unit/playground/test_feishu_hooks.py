import json

import pytest

from playground.platforms.base import Press
from playground.platforms.feishu.wire import webhook_sign
from playground.platforms.model import Attempt

BUTTON = {"tag": "button", "text": {"tag": "plain_text", "content": "Go"}, "value": {"id": "go"}}
CARD = {"config": {"update_multi": True}, "elements": [BUTTON]}
DONE = {"config": {"update_multi": True}, "elements": [{"tag": "markdown", "content": "done"}]}


def code(response):
    return response.json()["code"]


class TestWebhook:
    def push(self, bot, clock, body=None, *, secret="hook-secret", shift=0, hook="hook-1"):
        stamp = str(int(clock.now) + shift)
        body = body or {"msg_type": "text", "content": {"text": "build ok"}}
        signed = {"timestamp": stamp, "sign": webhook_sign(stamp, secret)} | body
        return bot.http.post(f"/open-apis/bot/v2/hook/{hook}", json=signed)

    def test_a_signed_push_appears_in_the_group(self, bot, clock, feishu, team):
        response = self.push(bot, clock)
        assert (code(response), response.json()["StatusCode"]) == (0, 0)
        (message,) = feishu.messages.values()
        assert (message.room, message.sender_kind, message.content) == (team, "webhook", {"text": "build ok"})

    @pytest.mark.parametrize("wrong", [{"secret": "other"}, {"shift": -3601}, {"shift": 3601}])
    def test_a_wrong_or_old_sign_is_rejected(self, bot, clock, feishu, wrong):
        assert code(self.push(bot, clock, **wrong)) == 19021
        assert not feishu.messages

    def test_a_missing_sign_is_rejected(self, bot):
        body = {"msg_type": "text", "content": {"text": "x"}}
        assert code(bot.http.post("/open-apis/bot/v2/hook/hook-1", json=body)) == 19021

    def test_an_unknown_webhook_is_rejected(self, bot, clock):
        assert code(self.push(bot, clock, hook="hook-9")) == 19001

    @pytest.mark.parametrize(
        "body",
        [
            {"msg_type": "text", "content": '{"text":"a string"}'},
            {"msg_type": "interactive", "content": {"elements": []}},
            {"msg_type": "audio", "content": {"file_key": "f"}},
            {"msg_type": "text", "content": {"text": "a" * 20_480}},
        ],
    )
    def test_invalid_or_too_large_content_is_rejected(self, bot, clock, body):
        assert code(self.push(bot, clock, body)) == 9499

    @pytest.mark.parametrize(
        "body",
        [
            {"msg_type": "interactive", "card": DONE},
            {"msg_type": "post", "content": {"post": {"zh_cn": {"content": [[{"tag": "text", "text": "x"}]]}}}},
        ],
    )
    def test_cards_and_posts_are_accepted(self, bot, clock, body):
        assert code(self.push(bot, clock, body)) == 0

    def test_a_webhook_accepts_five_pushes_a_second_and_a_hundred_a_minute(self, bot, clock):
        assert [code(self.push(bot, clock)) for _ in range(6)] == [0] * 5 + [11232]
        clock.now += 1
        for _ in range(95):
            clock.now += 0.3
            assert code(self.push(bot, clock)) == 0
        clock.now += 1
        assert code(self.push(bot, clock)) == 11232


class TestDelayedUpdate:
    @pytest.fixture
    def press(self, bot, feishu, clock, team):
        bot.card(team, CARD)
        card = next(iter(feishu.messages.values()))
        return feishu.press("demo", card.id, "lin", Press(button="go"))

    def token(self, press):
        return json.loads(press.plain)["event"]["token"]

    def update(self, bot, token, card=DONE):
        return code(bot.call("POST", "/interactive/v1/card/update", json={"token": token, "card": card}))

    def respond(self, feishu, press, body=b"{}"):
        feishu.record_attempt(press, Attempt(feishu.clock(), 5, 200), body=body)

    def test_a_card_can_be_updated_twice(self, bot, feishu, press):
        self.respond(feishu, press)
        assert [self.update(bot, self.token(press)) for _ in range(3)] == [0, 0, 300040]
        assert feishu.messages[press.subject].content == DONE

    def test_a_card_cannot_be_updated_before_the_callback_is_answered(self, bot, press):
        assert self.update(bot, self.token(press)) == 300020

    def test_a_card_cannot_be_updated_after_half_an_hour(self, bot, clock, feishu, press):
        self.respond(feishu, press)
        clock.now += 1801
        assert self.update(bot, self.token(press)) == 300030

    def test_a_card_cannot_be_updated_with_an_unknown_token(self, bot):
        assert self.update(bot, "c-none") == 300020

    def test_a_recalled_card_cannot_be_updated(self, bot, feishu, press):
        self.respond(feishu, press)
        feishu.messages[press.subject].recalled = True
        assert self.update(bot, self.token(press)) == 200000

    def test_another_app_cannot_update_the_card(self, bot, feishu, press):
        self.respond(feishu, press)
        feishu.card_tokens[self.token(press)].app = "other"
        assert self.update(bot, self.token(press)) == 200310

    @pytest.mark.parametrize(
        ("card", "expected"),
        [
            ("no card", 11311),
            ({"elements": [{"tag": "x"}]}, 100030),
            ({"elements": [{"tag": "markdown", "content": "a" * 102_400}]}, 100000),
        ],
    )
    def test_a_card_cannot_be_updated_with_an_invalid_or_too_large_one(self, bot, feishu, press, card, expected):
        self.respond(feishu, press)
        assert self.update(bot, self.token(press), card) == expected

    def test_a_card_that_is_not_shared_needs_open_ids(self, bot, feishu, press):
        self.respond(feishu, press)
        feishu.messages[press.subject].content = {"elements": CARD["elements"]}
        assert self.update(bot, self.token(press)) == 300090
        assert self.update(bot, self.token(press), DONE | {"open_ids": ["ou_1"]}) == 0
