"""Intents among the other handlers of a bot: the order, rules, routers and their middleware, language models."""

from collections.abc import Callable
from typing import Any

import pytest

from parley.bot import Ask, Bot, Router, Script, Turn
from parley.bot.rules import Rule, rule
from parley.model import Context, Reply, plain_text
from parley.testing import PLATFORMS, Chat, Scripted
from tests.factories import make_message

REFUND = ("I want my money back", "how do I get a refund", "我要退款", "怎么退货")
NEVER: Rule = rule(lambda _turn: False)
PLAIN_TEXT = pytest.mark.parametrize("platform", [each for each in PLATFORMS if each != "discord"])


def said(bot: Bot, text: str = "", **more: Any) -> list[str]:
    return [plain_text(reply.segments) for reply in bot.handle(Turn(make_message("m", text, **more)))]


def shop() -> Bot:
    """A bot with each kind of handler for texts, defined in the reverse of the order in which they are tried."""
    bot = Bot()
    bot.fallback(lambda: "fallback")
    bot.intent("refund", examples=REFUND)(lambda: "intent")
    bot.pattern("refund 7")(lambda: "pattern")
    bot.command("refund")(lambda: "command")
    return bot


@pytest.mark.parametrize(
    ("text", "handler"),
    [
        ("/refund", "command"),
        ("I want a refund 7", "pattern"),
        ("I want a refund", "intent"),
        ("/refunds please", "intent"),
        ("hmm", "fallback"),
    ],
)
def test_the_order_is_command_pattern_intent_fallback(text: str, handler: str) -> None:
    assert said(shop(), text) == [handler]


def with_model(**settings: Any) -> Bot:
    bot = shop()
    bot.converse(model=lambda: pytest.fail("the test has a model"), **settings)(lambda _turn: "")
    bot.intent("order", examples=["where is my order", "查询物流"])(lambda: "order")
    return bot


@PLAIN_TEXT
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("I want a refund", "intent"),
        ("refund or order", "Did you mean"),
        ("who wrote Hamlet", "the model"),
    ],
)
def test_a_model_gets_only_texts_of_no_intent(platform: str, text: str, shown: str) -> None:
    model = Scripted(["the model"])
    chat = Chat(with_model(), platform, model=model)
    chat.say(text)
    chat.expect(contains=shown)
    assert len(model.prompts) == (shown == "the model")


def test_the_command_of_a_model_asks_the_model_at_once() -> None:
    chat = Chat(with_model(command="ask"), model=Scripted(["the model"]))
    chat.say("/ask I want a refund")
    chat.expect("the model")


def test_a_model_gets_a_text_if_the_rule_of_its_intent_does_not_hold() -> None:
    bot = Bot()
    bot.intent("refund", examples=REFUND, when=NEVER)(lambda: "intent")
    bot.converse(model=lambda: pytest.fail("the test has a model"))(lambda _turn: "")
    chat = Chat(bot, model=Scripted(["the model"]))
    chat.say("I want my money back")
    chat.expect("the model")


def test_the_next_best_intent_gets_a_text_if_the_rule_of_the_best_does_not_hold() -> None:
    bot = Bot()
    bot.intent("a", examples=["I want a refund"], when=NEVER)(lambda: "a")
    bot.intent("b", examples=["a refund of my order"])(lambda: "b")
    bot.fallback(lambda: "fallback")
    assert said(bot, "I want a refund") == ["b"]


def test_an_open_dialogue_goes_before_intents() -> None:
    bot = shop()

    @bot.command()
    def name() -> Script:
        return f"Hello {(yield Ask('Your name?'))}"

    chat = Chat(bot)
    chat.say("/name")
    chat.expect("Your name?")
    chat.say("I want a refund")
    chat.expect("Hello I want a refund")


def test_in_a_room_an_intent_gets_messages_for_the_bot_only() -> None:
    context = Context(room_id="r", mentioned=False)
    assert said(shop(), "I want my money back", context=context) == []


def test_intents_of_a_router_keep_its_rule_and_middleware() -> None:
    router, bot = Router(), Bot()
    router.intent("refund", examples=REFUND)(lambda: "refund")
    router.middleware(lambda _turn, handle: ["around", *handle()])
    bot.include(router)
    assert said(bot, "I want my money back") == ["around", "refund"]
    bot = Bot()
    bot.include(router_of(NEVER))
    assert said(bot, "I want my money back") == []


def router_of(when: Rule) -> Router:
    inner, outer = Router(), Router()
    inner.intent("refund", examples=REFUND)(lambda: "refund")
    outer.include(inner, when=when)
    return outer


def shifts(ran: list[str]) -> Bot:
    """A bot whose intent `swap` has the middleware of a router, and a command for people who ask by it."""
    router, bot = Router(), Bot()

    @router.intent("swap", examples=["swap my shift on Friday"], labels={"en": "Swap"})
    def swap() -> Script:
        return f"swap with {(yield Ask('With whom?'))}"

    @router.middleware
    def count(turn: Turn, handle: Callable[[], list[Reply]]) -> list[Reply]:
        ran.append(turn.message.id)
        return handle()

    bot.include(router)
    bot.intent("cancel", examples=["cancel my shift on Friday"], labels={"en": "Cancel"})(lambda: "cancelled")

    @bot.command()
    def ask(turn: Turn, text: str) -> list[Reply] | str:
        return bot.understand(turn, text) or "what?"

    return bot


@pytest.mark.parametrize("text", ["my shift on Friday", "/ask my shift on Friday"])
def test_the_middleware_of_a_router_runs_around_an_intent_that_the_person_has_chosen(text: str) -> None:
    ran: list[str] = []
    chat = Chat(shifts(ran), "wecom")
    chat.say(text)
    chat.expect(contains="Swap")
    assert ran == []
    chat.press("Swap")
    chat.expect("With whom?")
    assert len(ran) == 1
    chat.say("Ann")
    chat.expect("swap with Ann")
    assert len(ran) == 2
    chat.say(text)
    chat.press("Cancel")
    assert chat.last.text == "cancelled"
    assert len(ran) == 2


def test_the_middleware_of_a_router_runs_around_an_intent_that_a_command_asks_for() -> None:
    ran: list[str] = []
    chat = Chat(shifts(ran))
    chat.say("/ask swap my shift")
    chat.expect("With whom?")
    assert len(ran) == 1
    chat.say("Ann")
    chat.expect("swap with Ann")
    assert len(ran) == 2


def test_a_dialogue_can_end_with_an_intent_that_has_a_dialogue_of_its_own() -> None:
    bot = Bot()

    @bot.intent("refund", examples=REFUND)
    def refund() -> Script:
        return f"refund of {(yield Ask('Which order?'))}"

    @bot.command()
    def help_me(turn: Turn) -> Script:
        text = yield Ask("What is it?")
        return bot.understand(turn, text) or "what?"

    chat = Chat(bot)
    for text, shown in (("/help_me", "What is it?"), ("a refund", "Which order?"), ("7", "refund of 7"), ("7", "")):
        chat.say(text)
        chat.expect(shown) if shown else chat.expect_nothing()
    chat.say("/help_me")
    chat.expect("What is it?")
    chat.say("who wrote Hamlet")
    chat.expect("what?")
