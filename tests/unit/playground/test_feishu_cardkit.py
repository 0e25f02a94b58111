"""The imitated Feishu has card entities whose text grows, and refuses what the real one refuses."""

import json
from typing import Any

import pytest

from playground.platforms.feishu import Feishu
from playground.platforms.feishu.cardkit import DAYS, MAX_CONTENT, PER_SECOND, STREAMING_SECONDS
from tests.unit.playground.clock import Clock
from tests.unit.playground.conftest import Bot

TEXT: dict[str, Any] = {"tag": "markdown", "element_id": "text", "content": "Hel"}
CARD: dict[str, Any] = {"schema": "2.0", "config": {"streaming_mode": True}, "body": {"elements": [TEXT]}}
FINAL: dict[str, Any] = {"schema": "2.0", "body": {"elements": [{"tag": "markdown", "content": "Hello, all."}]}}
CARDS = "/cardkit/v1/cards"


def code(response: Any) -> int:
    return response.json()["code"]


class Entity:
    """A card entity, and the calls on it."""

    def __init__(self, bot: Bot, card: dict[str, Any] = CARD) -> None:
        self.bot = bot
        self.id = create(bot, card).json()["data"]["card_id"]

    def send(self, room: str, **more: Any) -> Any:
        content = json.dumps({"type": "card", "data": {"card_id": self.id}})
        return self.bot.send(room, msg_type="interactive", content=content, **more)

    def write(self, text: str, sequence: Any, element: str = "text", **more: Any) -> int:
        body = {"content": text, "sequence": sequence, **more}
        return code(self.bot.call("PUT", f"{CARDS}/{self.id}/elements/{element}/content", json=body))

    def replace(self, card: dict[str, Any], sequence: int, **more: Any) -> int:
        body = {"card": {"type": "card_json", "data": json.dumps(card)}, "sequence": sequence, **more}
        return code(self.bot.call("PUT", f"{CARDS}/{self.id}", json=body))

    def configure(self, sequence: int, settings: Any = None, **config: Any) -> int:
        body = {"settings": settings or json.dumps({"config": config}), "sequence": sequence}
        return code(self.bot.call("PATCH", f"{CARDS}/{self.id}/settings", json=body))


def create(bot: Bot, card: Any, kind: str = "card_json") -> Any:
    return bot.call("POST", CARDS, json={"type": kind, "data": card if isinstance(card, str) else json.dumps(card)})


def parts(feishu: Feishu, message_id: str) -> dict[str, Any]:
    (part,) = feishu.parts(feishu.messages[message_id])
    return part


def test_the_text_of_a_card_grows_until_it_is_replaced(bot: Bot, feishu: Feishu, team: str) -> None:
    card = Entity(bot)
    id_ = card.send(team).json()["data"]["message_id"]
    assert parts(feishu, id_)["blocks"][0]["text"] == "Hel"
    assert card.write("Hello", 2) == 0
    assert parts(feishu, id_)["blocks"][0]["text"] == "Hello"
    assert parts(feishu, id_)["generating"]
    assert card.replace(FINAL, 10) == 0
    assert parts(feishu, id_)["blocks"][0]["text"] == "Hello, all."
    assert "generating" not in parts(feishu, id_)


def test_a_card_is_sent_once(bot: Bot, team: str) -> None:
    card = Entity(bot)
    first = card.send(team, uuid="one").json()["data"]["message_id"]
    assert card.send(team, uuid="one").json()["data"]["message_id"] == first
    assert code(card.send(team, uuid="two")) == 230099


def test_numbers_rise_over_all_changes_of_a_card(bot: Bot) -> None:
    card = Entity(bot)
    assert card.write("a", 5) == 0
    assert card.write("b", 5) == 300317
    assert card.configure(4, streaming_mode=True) == 300317
    assert card.replace(FINAL, 5) == 300317
    assert card.configure(6, streaming_mode=False) == 0
    for number in (0, 2**31, "7", None):
        assert card.replace(FINAL, number) == 10002  # type: ignore[arg-type]


def test_a_repetition_changes_nothing_and_another_request_with_its_key_is_refused(bot: Bot) -> None:
    card = Entity(bot)
    assert [card.write("a", 5, uuid="u"), card.write("a", 5, uuid="u")] == [0, 0]
    assert card.write("b", 6, uuid="u") == 200770


def test_a_text_can_grow_while_the_card_streams(bot: Bot, clock: Clock) -> None:
    card = Entity(bot)
    assert card.configure(2, streaming_mode=False) == 0
    assert card.write("a", 3) == 300309
    assert card.configure(4, streaming_mode=True) == 0
    clock.now += STREAMING_SECONDS
    assert card.write("a", 5) == 200850
    assert card.replace(FINAL, 6) == 0


@pytest.mark.parametrize(
    ("text", "element", "expected"),
    [("", "text", 10002), ("a" * (MAX_CONTENT + 1), "text", 10002), ("a", "other", 300313), ("a", "line", 300310)],
)
def test_texts_that_feishu_refuses(bot: Bot, text: str, element: str, expected: int) -> None:
    line = {"tag": "hr", "element_id": "line"}
    assert Entity(bot, {**CARD, "body": {"elements": [TEXT, line]}}).write(text, 2, element) == expected


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        ("no JSON", 10002),
        ({"elements": [TEXT]}, 300303),
        ({**CARD, "config": {"update_multi": False}}, 300302),
        ({**CARD, "body": {"elements": [TEXT, TEXT]}}, 300301),
        ({**CARD, "body": {"elements": [{**TEXT, "content": "a" * 31_000}]}}, 200860),
        ({**CARD, "body": {"elements": [{"tag": "nonsense"}]}}, 200220),
    ],
)
def test_cards_that_feishu_refuses(bot: Bot, card: Any, expected: int) -> None:
    assert code(create(bot, card)) == expected


def test_another_kind_of_card_is_refused(bot: Bot) -> None:
    assert code(create(bot, CARD, kind="template")) == 10002


def test_a_card_belongs_to_an_app_and_lives_for_two_weeks(bot: Bot, feishu: Feishu, clock: Clock) -> None:
    card = Entity(bot)
    feishu.entities[card.id].app = "another"
    assert card.write("a", 2) == 300311
    feishu.entities[card.id].app = "demo"
    clock.now += DAYS * 86_400 + 1
    bot.login()
    assert card.write("a", 2) == 200750
    card.id = "1"
    assert card.write("a", 2) == 200740


def test_a_card_takes_ten_changes_a_second(bot: Bot) -> None:
    card = Entity(bot)
    assert [card.write("a", number) for number in range(2, PER_SECOND + 2)] == [0] * PER_SECOND
    assert card.write("a", 99) == 99991400


@pytest.mark.parametrize(("settings", "expected"), [("no JSON", 10002), ("{}", 300122)])
def test_settings_that_feishu_refuses(bot: Bot, settings: str, expected: int) -> None:
    assert Entity(bot).configure(2, settings) == expected
