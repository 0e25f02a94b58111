"""In groups the bot answers what is said to it, by default."""

from typing import Any

import pytest
from msgspec import UNSET

from parley.bot import Bot, Router, Rule, Turn
from parley.bot.rules import addressed, anything, in_room, mentioned
from parley.model import Action, Command, Context, Message, plain_text
from tests.factories import make_message

SILENT, CALLED = (Context(room_id="r", mentioned=value) for value in (False, UNSET))
DIRECT = Context(room_id="p", private=True)


def message(text: str = "hello", *, context: Context = SILENT, **more: Any) -> Message:
    return make_message("m", text, context=context, **more)


def said(bot: Bot, text: str = "hello", **more: Any) -> list[str]:
    return [plain_text(reply.segments) for reply in bot.handle(Turn(message(text, **more)))]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, False),
        ({"context": CALLED}, True),
        ({"context": DIRECT}, True),
        ({"context": Context()}, True),
        ({"text": "/go"}, True),
        ({"text": " ／go"}, True),
        ({"text": "/ go"}, False),
        ({"text": "1/2"}, False),
        ({"kind": "command", "command": Command(name="x")}, True),
        ({"kind": "action", "action": Action(id="x")}, True),
        ({"kind": "event", "event": "x", "context": CALLED}, False),
        ({"kind": "event", "event": "x", "context": DIRECT}, True),
    ],
)
def test_a_message_is_for_the_bot_or_not(more: dict[str, Any], expected: bool):
    assert Turn(message(**more)).addressed is expected


def listening(when: Rule | None = None) -> Bot:
    bot = Bot()
    bot.command("go")(lambda: "gone")
    bot.pattern(r"PROJ-\d+", when=when)(lambda: "ticket")
    bot.fallback(when=when)(lambda: "hello")
    return bot


@pytest.mark.parametrize("when", [None, in_room])
def test_talk_among_people_reaches_no_pattern_and_no_fallback(when: Rule | None):
    assert said(listening(when)) == said(listening(when), "see PROJ-7") == []
    assert said(listening(when), context=CALLED) == ["hello"]
    assert said(listening(when), "see PROJ-7", context=CALLED) == ["ticket"]


@pytest.mark.parametrize("when", [anything, in_room & anything, ~addressed | addressed, ~mentioned])
def test_a_rule_that_decides_it_hears_the_talk(when: Rule):
    assert said(listening(when)) == ["hello"]
    assert said(listening(when), "see PROJ-7") == ["ticket"]


def test_the_rule_of_the_bot_or_of_a_router_decides_it_too():
    bot = Bot(when=anything)
    bot.fallback(lambda: "all")
    assert said(bot) == ["all"]
    router, bot = Router(), Bot()
    router.fallback(lambda: "all")
    bot.include(router, when=anything)
    assert said(bot) == ["all"]


def test_a_command_is_for_the_bot():
    assert said(listening(), "/go") == ["gone"]
    assert said(listening(), "/other") == ["hello"]
