"""Intents: the handler for a text, its slots, the question between two, the order of handlers, wrong definitions."""

from collections.abc import Callable
from datetime import date, timedelta
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from parley.bot import Ask, Bot, Router, Script, Turn
from parley.bot.rules import Rule, rule
from parley.model import Context, Mention, Message, plain_text
from parley.testing import PLATFORMS, Chat
from tests.factories import make_message

WEATHER = ("will it rain tomorrow", "what's the weather like", "weather forecast", "明天天气怎么样", "会下雨吗")
REFUND = ("I want my money back", "how do I get a refund", "我要退款", "怎么退货")
ORDER = ("where is my order", "when will my parcel arrive", "我的订单到哪了", "查询物流")
TYPED = pytest.mark.parametrize("platform", [each for each in PLATFORMS if each != "discord"])


def said(bot: Bot, text: str = "", now: float = 0, **more: Any) -> list[str]:
    return [plain_text(reply.segments) for reply in bot.handle(Turn(make_message("m", text, **more), now=now))]


def shop() -> Bot:
    bot = Bot()

    @bot.intent("weather", examples=WEATHER)
    def weather(day: date | None = None) -> Script:
        if day is None:
            day = yield Ask("Which day?", type=date)
        return f"weather of {day}"

    @bot.intent("refund", examples=REFUND, labels={"en": "Refunds", "zh": "退款"})
    def refund() -> str:
        return "refund"

    @bot.intent("order", examples=ORDER)
    def order() -> str:
        return "order"

    @bot.command()
    def ask(turn: Turn, text: str) -> Any:
        return bot.understand(turn, text) or "what?"

    @bot.fallback
    def other() -> str:
        return "what?"

    return bot


@pytest.mark.parametrize(
    "text", ["can I have a refund please", "退款怎么弄", "ＲＥＦＵＮＤ！！", "I would like my money back now"]
)
def test_a_text_that_is_no_example_finds_its_intent(text: str) -> None:
    assert said(shop(), text) == ["refund"]


@pytest.mark.parametrize("text", ["who wrote Hamlet", "你好", "👍👍", "", "\x00\x07", "ａ" * 100_000, "天" * 100_000])
def test_a_text_of_no_intent_goes_to_the_fallback(text: str) -> None:
    assert said(shop(), text) == ["what?"]


@TYPED
def test_a_missing_slot_is_a_question_of_the_handlers_dialogue(platform: str) -> None:
    chat = Chat(shop(), platform)
    chat.say("what is the weather like?")
    chat.expect("Which day?")
    chat.say("2027-01-20")
    chat.expect("weather of 2027-01-20")
    chat.say("will it rain on 2027-02-01?")
    chat.expect("weather of 2027-02-01")


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_command_asks_where_the_bot_gets_no_plain_text(platform: str) -> None:
    chat = Chat(shop(), platform)
    chat.say("/ask will it rain on 2027-02-01?")
    chat.expect("weather of 2027-02-01")
    chat.say("/ask who wrote Hamlet")
    chat.expect("what?")


NEAR = "refund or order: my money, my parcel"


@pytest.mark.parametrize(
    ("platform", "say"),
    [*((each, f"/ask {NEAR}") for each in PLATFORMS), ("feishu", NEAR), ("wecom", NEAR), ("wechat", NEAR)],
)
def test_if_two_intents_are_near_the_person_chooses(platform: str, say: str) -> None:
    chat = Chat(shop(), platform)
    chat.say(say)
    chat.expect(contains="Did you mean")
    chat.press("Refunds")
    chat.expect("refund")
    chat.say(say)
    chat.expect(contains="Did you mean")
    chat.press("None of these" if platform == "discord" else "都不是 None of these")
    chat.expect(contains="in other words")


def test_the_choice_keeps_the_slots_and_persons_of_the_text() -> None:
    bot = Bot()

    @bot.intent("swap", examples=["swap my shift on Friday"])
    def swap(message: Message, day: date | None = None, count: int = 0) -> Script:
        name = yield Ask("With whom?")
        return f"swap {day} {count} {name} {message.content.text}"

    @bot.intent("cancel", examples=["cancel my shift on Friday"])
    def cancel() -> str:
        return "cancel"

    chat = Chat(bot, "wecom")
    chat.say("my shift on 2027-02-01 with 3 people")
    chat.expect(contains="Did you mean")
    chat.say("1")
    chat.expect("With whom?")
    chat.say("Ann")
    chat.expect("swap 2027-02-01 3 Ann my shift on 2027-02-01 with 3 people")


def test_commands_and_patterns_go_first_and_the_fallback_last() -> None:
    bot = shop()
    bot.pattern("refund 7")(lambda: "pattern")
    bot.command("refund")(lambda: "command")
    assert said(bot, "I want a refund 7") == ["pattern"]
    assert said(bot, "/refund") == ["command"]
    assert said(bot, "I want a refund") == ["refund"]
    assert said(bot, "hmm") == ["what?"]


def test_the_next_best_intent_gets_a_text_if_the_rule_of_the_best_does_not_hold() -> None:
    bot = Bot()
    never: Rule = rule(lambda _turn: False)
    bot.intent("a", examples=["I want a refund"], when=never)(lambda: "a")
    bot.intent("b", examples=["a refund of my order"])(lambda: "b")
    bot.fallback(lambda: "fallback")
    assert said(bot, "I want a refund") == ["b"]


def test_intents_of_a_router_keep_its_rule_and_middleware() -> None:
    router, bot = Router(), Bot()
    router.intent("refund", examples=REFUND)(lambda: "refund")
    router.middleware(lambda _turn, handle: ["around", *handle()])
    bot.include(router)
    assert said(bot, "I want my money back") == ["around", "refund"]


def test_in_a_room_an_intent_gets_messages_for_the_bot_only() -> None:
    context = Context(room_id="r", mentioned=False)
    assert said(shop(), "I want my money back", context=context) == []


class City(Enum):
    beijing = "北京"
    paris = "Paris"


Kind = Literal["small", "large"]
Positive = Annotated[int, Field(gt=0)]


def slots(handler: Callable[..., Any], text: str, **more: Any) -> str:
    bot = Bot()
    bot.intent("any", examples=["book a table for people in a city on a day", "订一张桌子"])(handler)
    # 2026-11-30 is a Monday; in Shanghai it is already.
    (found,) = said(bot, f"book a table for people in a city: {text}", now=1_796_040_000, **more)
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tomorrow", "2026-12-01"),
        ("the day after tomorrow", "2026-12-02"),
        ("后天", "2026-12-02"),
        ("大后天", "2026-12-03"),
        ("on 2027/1/5", "2027-01-05"),
        ("2027年1月5日", "2027-01-05"),
        ("1月5号", "2027-01-05"),
        ("12月1日", "2026-12-01"),
        ("Monday", "2026-11-30"),
        ("next Monday", "2026-12-07"),
        ("下周三", "2026-12-09"),
        ("星期天", "2026-12-06"),
        ("2月30日", "None"),
        ("2026-99-99", "None"),
        ("nothing", "None"),
    ],
)
def test_a_date_is_found_in_a_sentence(text: str, expected: str) -> None:
    def handler(day: date | None = None) -> str:
        return str(day)

    assert slots(handler, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("in 10 minutes please", "600"),
        ("提醒我两小时后", "7200"),
        ("2h30m", "9000"),
        ("一个半小时", "5400"),
        ("r2d", "0"),
    ],
)
def test_a_duration_is_found_in_a_sentence(text: str, expected: str) -> None:
    def handler(after: timedelta = timedelta()) -> str:
        return f"{after.total_seconds():.0f}"

    assert slots(handler, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("for three", "3"),
        ("三个人", "3"),
        ("二十五位", "25"),
        ("两千零一", "2001"),
        ("４ 人", "4"),
        ("等一下", "0"),
        ("A4", "0"),
        ("0 people", "0"),
        ("9" * 400, "0"),
        ("one, no: 5", "1"),
    ],
)
def test_a_number_is_found_in_a_sentence(text: str, expected: str) -> None:
    def handler(count: Positive = 0) -> str:
        return str(count)

    assert slots(handler, text) == expected


def test_each_value_is_taken_once_and_numbers_last() -> None:
    def handler(
        first: int = 0,
        second: float = 0,
        day: date | None = None,
        after: timedelta = timedelta(),
        where: City | None = None,
    ) -> str:
        return f"{first} {second} {day} {after.total_seconds():.0f} {where and where.name}"

    assert slots(handler, "2 or 3.5 in PARIS on 2027-01-02, for 2 hours") == "2 3.5 2027-01-02 7200 paris"
    assert slots(handler, "去北京") == "0 0 None 0 beijing"


def test_a_choice_is_a_word_of_its_own_in_english() -> None:
    def handler(size: Kind = "small") -> str:
        return size

    assert slots(handler, "a LARGE one") == "large"
    assert slots(handler, "enlarge it") == "small"


def test_a_person_is_a_mention() -> None:
    def handler(who: Mention | None = None) -> str:
        return who.id if who else "nobody"

    assert slots(handler, "with nobody") == "nobody"
    assert slots(handler, "with @Ann", mentions=(Mention(id="ann", name="Ann"),)) == "ann"


def free(text: str = "") -> str:
    return text


def required(day: date) -> str:
    return str(day)


@pytest.mark.parametrize(
    ("define", "error", "says"),
    [
        (lambda bot: bot.intent("a", examples=[]), ValueError, "needs examples"),
        (lambda bot: bot.intent("a", examples="refund"), TypeError, "examples=['refund', ...]"),
        (lambda bot: bot.intent("a", examples=["!!"]), ValueError, "has no words"),
        (lambda bot: bot.intent("a", examples=["a" * 301]), ValueError, "at most 300"),
        (lambda bot: bot.intent("a b", examples=["go"]), ValueError, "one word"),
        (lambda bot: bot.intent("a", examples=["go"], zone="Mars"), ValueError, "Asia/Shanghai"),
        (lambda bot: bot.intent("b", examples=["I want  MY money back"]), ValueError, "share 'i want my money back'"),
        (lambda bot: bot.intent("b", examples=["go"], labels={"en": "refunds"}), ValueError, "share 'refunds'"),
        (lambda bot: bot.intent("refund", examples=["go"]), ValueError, "two intents 'refund'"),
    ],
)
def test_a_wrong_definition_fails_at_load(define: Callable[[Bot], Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error) as raised:
        define(shop())(lambda: "x")
    assert says in str(raised.value)


@pytest.mark.parametrize(("handler", "says"), [(free, "text is no slot"), (required, "give it a default")])
def test_wrong_slots_fail_at_load(handler: Callable[..., str], says: str) -> None:
    with pytest.raises(TypeError, match=says):
        Bot().intent("a", examples=["go"])(handler)
