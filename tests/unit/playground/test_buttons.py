"""A press names a button by its id, its label or its number, the same on every platform and with every value."""

import json
from typing import Any

import pytest

from parley.model import Button, Card, Destination, Outgoing, Reply
from parley.platforms import outbound
from playground.platforms.buttons import find_number
from playground.platforms.model import Press
from tests.conformance.kit import adapters
from tests.unit.playground.conftest import Bot
from tests.unit.playground.discord import caller
from tests.unit.playground.tencent import wechat, wecom
from tests.unit.playground.test_tencent_replies import click, deliver

BUTTONS = (
    Button(id="buy", label="Buy", value="order 7"),
    Button(id="1", label="2", value="buy"),
    Button(id="sell", label="0"),
)
NAMED = [
    ("buy", 0),
    ("Buy", 0),
    (0, 0),
    ("1", 1),
    ("2", 1),
    (1, 1),
    ("sell", 2),
    ("0", 2),
    (2, 2),
]


@pytest.mark.parametrize(("named", "number"), NAMED)
def test_an_id_precedes_a_label_and_a_label_precedes_a_number(named: str | int, number: int) -> None:
    assert find_number(named, [(button.id, button.label, button.value) for button in BUTTONS]) == number


@pytest.mark.parametrize("named", ["", "no", "3", "-1", 3, -1, "²", "9" * 5000])
def test_an_unknown_name_finds_no_button(named: str | int) -> None:
    assert find_number(named, [("buy", ""), ("1", "2"), ("sell", "0")]) is None


def test_a_text_that_no_button_has_is_a_number() -> None:
    assert find_number("1", [("buy",), ("sell",)]) == 1


def rendered(platform: str, room: str) -> Any:
    """The body of the API call by which Parley sends the card."""
    where = Destination(platform=platform, app="demo", room_id=room)
    reply = Reply.of(Card(title="Trade?", text="Choose.", buttons=BUTTONS))
    out = Outgoing(id="r1", message_key="", ordinal=0, to=where, reply=reply, created=0)
    return next(outbound(platform).deliver(out, adapters()[platform].app, 0)).json


@pytest.mark.parametrize(("named", "number"), NAMED)
@pytest.mark.parametrize("make", [wecom, wechat])
def test_a_press_on_wecom_and_wechat_finds_the_button(make: Any, named: str | int, number: int) -> None:
    bot = make()
    deliver(bot, Reply.of(Card(title="Trade?", text="Choose.", buttons=BUTTONS)))
    action = click(bot, named).action
    assert action is not None
    assert (action.id, action.value) == (BUTTONS[number].id, BUTTONS[number].value)


@pytest.mark.parametrize(("named", "number"), NAMED)
def test_a_press_on_feishu_finds_the_button(bot: Bot, feishu: Any, team: str, named: str | int, number: int) -> None:
    bot.send(team, msg_type="interactive", content=rendered("feishu", team)["content"])
    delivery = feishu.press("demo", next(iter(feishu.messages)), "lin", Press(button=named))
    value = json.loads(delivery.plain)["event"]["action"]["value"]
    assert list(value.values()) == [BUTTONS[number].id, BUTTONS[number].value]


@pytest.mark.parametrize(("named", "number"), NAMED)
def test_a_press_on_discord_finds_the_button(named: str | int, number: int) -> None:
    bot = caller()
    room = bot.discord.room_id("team", "group")
    components = rendered("discord", room)["components"]
    sent = bot.bot("POST", f"/channels/{room}/messages", json={"content": "?", "components": components}).json()
    delivery = bot.discord.press("demo", sent["id"], "sam", Press(button=named))
    assert json.loads(delivery.plain)["data"]["custom_id"] == components[0]["components"][number]["custom_id"]
