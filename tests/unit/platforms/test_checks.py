"""A check finds a problem if, and only if, the renderer would lose a button."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from parley.adapter import UndeliverableError
from parley.model import Button, Card, Destination, Reply
from parley.platforms import checks
from parley.platforms.discord.render import render
from parley.platforms.feishu.render import CHAT, WEBHOOK, Rendered, parts
from parley.platforms.wecom.cards import card_messages

Shown = Callable[[Card], str]


def discord(card: Card) -> str:
    try:
        return repr([part.body() for part in render((card,))])
    except UndeliverableError:
        return ""


def feishu(style: Any) -> Shown:
    def shown(card: Card) -> str:
        return repr([part.content for part in parts((card,), style) if isinstance(part, Rendered)])

    return shown


def wecom(card: Card) -> str:
    return repr([message.content for message in card_messages(card, "task", interactive=True)])


PLACES: dict[str, tuple[Destination, Shown]] = {
    "discord": (Destination(platform="discord", app="demo", room_id="1"), discord),
    "wecom": (Destination(platform="wecom", app="demo", user_id="lin"), wecom),
    "feishu": (Destination(platform="feishu", app="demo", room_id="oc_1"), feishu(CHAT)),
    "feishu webhook": (Destination(platform="feishu", app="demo", webhook="ops"), feishu(WEBHOOK)),
}
SIZES = [0, 80, 90, 91, 92, 93, 94, 100, 1000, 1014, 1015, 1016, 13_000, 13_400, 13_500, 20_500, 21_000, 29_000]
TEXTS = {"letters": "v", "chinese": "值", "emoji": "🐼", "escaped": "%", "quotes": '"', "questions": "?"}
BUTTONS: dict[str, Callable[[str], Button]] = {
    "value": lambda text: Button(id="approve", label="L", value=f"{text}"),
    "id": lambda text: Button(id=f"approve{text}", label="L"),
    "both": lambda text: Button(id=f"approve{text[::2]}", label="L", value=text[1::2]),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("kind", BUTTONS)
def test_a_problem_is_a_button_that_is_not_shown(place: str, text: str, kind: str):
    to, shown = PLACES[place]
    found: set[bool] = set()
    for size in SIZES:
        card = Card(title="T", text="words", buttons=(BUTTONS[kind]((TEXTS[text] * size)[:size]),))
        problems = list(checks(to.platform).problems(Reply(segments=(card,)), to))
        assert bool(problems) == ("approve" not in shown(card)), size
        found.add(bool(problems))
    assert found == {True, False}


@pytest.mark.parametrize("place", PLACES)
def test_a_problem_is_found_in_every_place_of_a_card(place: str):
    to, _ = PLACES[place]
    fine, large = Button(id="a", label="A"), Button(id="b", label="B", value="v" * 40_000)
    for buttons in ((large,), (fine, large), (large, fine), (*[fine] * 60, large)):
        for segments in ((Card(buttons=buttons),), (Card(text="T"), Card(title="T", text="x", buttons=buttons))):
            (problem,) = checks(to.platform).problems(Reply(segments=segments), to)
            assert '"B"' in problem


def test_a_title_that_leaves_no_room_for_its_button_is_a_problem_on_feishu():
    card = Card(title="t" * 22_000, buttons=(Button(id="a", label="A"),))
    to, shown = PLACES["feishu"]
    assert '"A"' not in shown(card)
    (problem,) = checks("feishu").problems(Reply(segments=(card,)), to)
    assert '"A"' in problem
    link = msgspec.structs.replace(card, buttons=(Button(id="a", label="A", url="https://example.com"),))
    assert list(checks("feishu").problems(Reply(segments=(link,)), to)) == []


def test_a_link_with_a_long_value_does_not_cost_the_other_buttons_of_a_card_on_wecom():
    link = Button(id="docs", label="Docs", value="v" * 2000, url="https://example.com")
    card = Card(title="T", buttons=(link, Button(id="approve", label="L")))
    to, shown = PLACES["wecom"]
    assert "approve" in shown(card)
    assert list(checks("wecom").problems(Reply(segments=(card,)), to)) == []
