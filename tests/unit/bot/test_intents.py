"""Intents: the handler for a text, its slots, the question between two, wrong definitions."""

from collections.abc import Callable
from datetime import date, timedelta
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from parley.bot import Ask, Bot, Script, Turn
from parley.bot.numbers import find_numbers
from parley.model import Mention, Message, Reply, plain_text
from parley.testing import PLATFORMS, Chat
from tests.factories import make_message
from tests.linear import assert_linear

WEATHER = ("will it rain tomorrow", "what's the weather like", "weather forecast", "明天天气怎么样", "会下雨吗")
REFUND = ("I want my money back", "how do I get a refund", "我要退款", "怎么退货")
ORDER = ("where is my order", "when will my parcel arrive", "我的订单到哪了", "查询物流")
TYPED = pytest.mark.parametrize("platform", [each for each in PLATFORMS if each != "discord"])


def said(bot: Bot, text: str = "", **more: Any) -> list[str]:
    return [plain_text(reply.segments) for reply in bot.handle(Turn(make_message("m", text, **more)))]


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
    def ask(turn: Turn, text: str) -> list[Reply] | str:
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


NEAR = "my money back for my parcel and order"


@pytest.mark.parametrize(
    ("platform", "say"),
    [*((each, f"/ask {NEAR}") for each in PLATFORMS), ("feishu", NEAR), ("wecom", NEAR), ("wechat", NEAR)],
)
def test_if_two_intents_are_near_the_person_chooses(platform: str, say: str) -> None:
    chat = Chat(shop(), platform)
    chat.say(say)
    assert chat.expect(contains="Did you mean").buttons[:2] == ("Refunds", "where is my order")
    chat.press("Refunds")
    chat.expect("refund")
    chat.say(say)
    chat.expect(contains="Did you mean")
    chat.press("None of these" if platform == "discord" else "都不是 None of these")
    chat.expect(contains="in other words")


@TYPED
def test_the_person_can_send_the_number_of_the_choice(platform: str) -> None:
    chat = Chat(shop(), platform)
    chat.say(NEAR)
    chat.expect(contains="Did you mean")
    chat.say("2")
    chat.expect("order")
    chat.say(NEAR)
    chat.expect(contains="Did you mean")
    chat.say("ＲＥＦＵＮＤＳ")
    chat.expect("refund")


@TYPED
def test_a_text_that_is_no_choice_is_a_new_message(platform: str) -> None:
    chat = Chat(shop(), platform)
    for said, answer in (
        ("who wrote Hamlet", "what?"),
        ("4", "what?"),
        ("where is my order", "order"),
        ("what is the weather like?", "Which day?"),
    ):
        chat.say(NEAR)
        chat.expect(contains="Did you mean")
        chat.say(said)
        chat.expect(answer)
    chat.say("2027-01-20")
    chat.expect("weather of 2027-01-20")
    chat.say("1")
    chat.expect("what?")


@TYPED
def test_a_new_text_can_get_the_question_again_and_an_old_button_is_over(platform: str) -> None:
    chat = Chat(shop(), platform)
    chat.say(NEAR)
    chat.expect(contains="Did you mean")
    first = chat.last
    chat.say("where is the refund of my order")
    chat.expect(contains="Did you mean")
    assert chat.last.buttons == first.buttons
    chat.say("/cancel")
    chat.expect(contains="ancel")
    chat.press("Refunds")
    chat.expect(contains="no longer open")


def test_a_text_in_the_form_of_discord_is_a_new_message_too() -> None:
    chat = Chat(shop(), "discord")
    chat.say(f"/ask {NEAR}")
    chat.press("Answer")
    chat.submit({"answer": "will it rain on 2027-02-01?"})
    chat.expect(contains="Did you mean")
    chat.expect(contains="Answer")
    chat.expect("weather of 2027-02-01")


def test_a_new_text_runs_the_middleware_once() -> None:
    bot, ran = shop(), list[str]()

    @bot.middleware
    def around(turn: Turn, handle: Callable[[], list[Reply]]) -> list[Reply]:
        ran.append(turn.text)
        return handle()

    chat = Chat(bot, "feishu")
    chat.say(NEAR)
    chat.say("where is my order")
    chat.expect(contains="Did you mean")
    chat.expect("order")
    assert ran == [NEAR, "where is my order"]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_question_which_intent_is_meant_is_shown_once(platform: str) -> None:
    chat = Chat(shop(), platform)
    chat.say(f"/ask {NEAR}")
    assert chat.shown().count("Did you mean") == 1
    assert chat.shown().count("您是想问") == (platform != "discord")


def test_the_choices_begin_differently_and_are_in_the_language_of_the_text() -> None:
    bot = Bot()
    bot.intent("bill", examples=["how do I pay my bill", "open bills", "怎么交话费"])(lambda: "bill")
    bot.intent("card", examples=["how do I pay by card", "by credit card", "怎么交年费"])(lambda: "card")
    chat = Chat(bot, "feishu")
    chat.say("pay my bill by card")
    one, other = chat.expect(contains="Did you mean").buttons[:2]
    assert f"{one}{other}".isascii()
    assert one[:10] != other[:10]
    chat.say("怎么交费")
    assert {*chat.expect(contains="Did you mean").buttons[:2]} == {"怎么交话费", "怎么交年费"}


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
    chat.say("my shift on Friday, 2027-02-01, with 3 people")
    chat.expect(contains="Did you mean")
    chat.say("1")
    chat.expect("With whom?")
    chat.say("Ann")
    chat.expect("swap 2027-02-01 3 Ann my shift on Friday, 2027-02-01, with 3 people")


def diary() -> Bot:
    bot = Bot()

    @bot.intent("weather", examples=WEATHER, labels={"en": "Weather", "zh": "天气"})
    def weather(day: date | None = None) -> str:
        return f"weather of {day}"

    @bot.intent(
        "remind", examples=("remind me at 9", "set a reminder", "九点提醒我"), labels={"en": "Reminder", "zh": "提醒"}
    )
    def remind(day: date | None = None, hour: int = 0) -> str:
        return f"remind {day} {hour}"

    @bot.command()
    def ask(turn: Turn, text: str) -> list[Reply] | str:
        return bot.understand(turn, text) or "what?"

    return bot


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize(
    "text",
    [
        "what's the weather in Berlin on 2027-01-05 and remind me at 9 on 2027-02-06",
        "what's the weather in Berlin on 2027-01-05? Remind me at 9 on 2027-02-06!",
        "2027年1月5日会下雨吗，顺便2027年2月6日9点提醒我",
    ],
)
def test_a_text_with_two_intents_gets_the_question_which_comes_first(platform: str, text: str) -> None:
    for choice, answer in (("Reminder", "remind 2027-02-06 9"), ("Weather", "weather of 2027-01-05")):
        chat = Chat(diary(), platform)
        chat.say(f"/ask {text}")
        asked = chat.expect(contains="Which one comes first?")
        assert {*asked.buttons[:2]} in ({"Weather", "Reminder"}, {"天气", "提醒"})
        chat.press({"Reminder": "提醒", "Weather": "天气"}[choice] if "天气" in asked.buttons else choice)
        chat.expect(answer)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("remind me to pick up my coffee in 2.5 hours", 9000),
        ("remind me to pick up my coffee in two and a half hours", 9000),
        ("remind me to pick up my coffee in 2 hours and 30 minutes", 9000),
        ("remind me to pick up my coffee, in an hour and a half", 5400),
        ("提醒我取咖啡，一小时三十分钟以后", 5400),
        ("in an hour and a half, remind me to pick up my coffee", 5400),
        ("set a reminder for an hour and a half", 5400),
        ("remind me in 2 hours", 7200),
        ("remind me an hour and a quarter before my coffee", 4500),
        ("一个半小时后，提醒我", 5400),
    ],
)
def test_a_duration_is_no_intent_of_its_own(text: str, seconds: int) -> None:
    bot = Bot()
    bot.intent("hours", examples=["when are you open", "opening hours", "几点开门", "营业时间"])(lambda: "hours")

    @bot.intent("remind", examples=["remind me to pick up my coffee", "提醒我取咖啡"])
    def remind(after: timedelta = timedelta()) -> str:
        return f"remind {after.total_seconds():.0f}"

    assert said(bot, text) == [f"remind {seconds}"]


@pytest.mark.parametrize("text", ["remind me at 9 and be nice", "please, remind me at 9, thanks", "九点提醒我，谢谢"])
def test_a_text_with_one_intent_and_more_words_is_handled_at_once(text: str) -> None:
    assert said(diary(), text)[0].startswith("remind")


class City(Enum):
    beijing = "北京"
    paris = "Paris"


Kind = Literal["small", "large"]
Positive = Annotated[int, Field(gt=0)]


def slots(handler: Callable[..., Any], text: str, **more: Any) -> str:
    bot = Bot()
    bot.intent("any", examples=["book a table for people in a city on a day", "订一张桌子"])(handler)
    # 2026-11-30 is a Monday; in Shanghai it is already.
    (found,) = said(bot, f"book a table for people in a city: {text}", timestamp=1_796_040_000, **more)
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
        ("下下周三", "2026-12-16"),
        ("下个星期三", "2026-12-09"),
        ("星期天", "2026-12-06"),
        ("last Monday", "None"),
        ("上周三", "None"),
        ("上个星期三", "None"),
        ("十二月三号", "2026-12-03"),
        ("二月二十一日", "2027-02-21"),
        ("一一月一日", "None"),
        ("on January 5th", "2027-01-05"),
        ("5 Dec", "2026-12-05"),
        ("the 2nd of May 2028", "2028-05-02"),
        ("Sept. 3, 2027", "2027-09-03"),
        ("for 5 may I ask", "None"),
        ("in december", "None"),
        ("Feb 30, or in march: March 3", "2027-03-03"),
        ("Feb 30", "None"),
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
        ("in twenty minutes", "1200"),
        ("for an hour and a half, please", "5400"),
        ("半个小时以后", "1800"),
        ("一刻钟", "900"),
        ("in half a minute or so", "30"),
        ("three times a day", "0"),
        ("r2d", "0"),
        ("十分抱歉", "0"),
        ("我十分感谢", "0"),
        ("十分钟", "600"),
        ("十分后", "600"),
        ("五分之一小时", "0"),
        ("1/2 hour", "0"),
        ("½ hour", "0"),
        ("5-10 minutes", "0"),
        ("minus five minutes", "0"),
        ("负五分钟", "0"),
        ("1,500 minutes", "0"),
        ("一万二千分钟", "0"),
        ("one and half hours", "5400"),
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
        ("for twenty-five", "25"),
        ("one hundred and five guests", "105"),
        ("a thousand people", "1000"),
        ("often", "0"),
        ("三个人", "3"),
        ("二十五位", "25"),
        ("两千零一", "2001"),
        ("４ 人", "4"),
        ("等一下", "0"),
        ("A4", "0"),
        ("0 people", "0"),
        ("9" * 400, "0"),
        ("one, no: 5", "1"),
        ("1,500 people", "1500"),
        ("1，500 人", "1500"),
        ("1,2 or 3", "1"),
        ("订3人", "3"),
        ("1.2.3", "0"),
        ("-5 degrees", "0"),
        ("minus five", "0"),
        ("负五", "0"),
        ("1/2 of it", "0"),
        ("二分之一", "0"),
        ("百分之五", "0"),
        ("百分百", "0"),
        ("two thirds", "0"),
        ("two and a half", "0"),
        ("3个半", "0"),
        ("一万人", "10000"),
        ("一万二千人", "12000"),
        ("一万二", "0"),
        ("3万5", "0"),
        ("10万", "100000"),
        ("千万不要", "0"),
        ("万一不行", "0"),
        ("5 thousand people", "5000"),
        ("two dozen", "24"),
        ("十分感谢", "0"),
        ("十分钟", "10"),
        ("十一下", "0"),
        ("no one", "0"),
        ("one more table for 3", "3"),
        ("one of us", "0"),
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
    assert slots(handler, "two, for an hour and a half, thirty in Paris") == "2 30.0 None 5400 paris"
    assert slots(handler, "去北京") == "0 0 None 0 beijing"


@pytest.mark.parametrize("platform", PLATFORMS)
def test_slots_are_found_on_every_platform(platform: str) -> None:
    bot = Bot()

    @bot.intent("book", examples=["book a table for people in a city on a day", "订一张桌子"])
    def book(day: date | None = None, stay: timedelta = timedelta(), many: int = 0, where: City | None = None) -> str:
        return f"{day} {stay} {many} {where and where.name}"

    @bot.command()
    def ask(turn: Turn, text: str) -> list[Reply] | None:
        return bot.understand(turn, text)

    chat = Chat(bot, platform)
    start = "/ask " if platform == "discord" else ""
    chat.say(f"{start}book a table in PARIS on 2027-01-05 for 3 people, 2 hours")
    chat.expect("2027-01-05 2:00:00 3 paris")
    chat.say(f"{start}订桌子，北京，2027年1月5日，十二个人，两个半小时")
    chat.expect("2027-01-05 2:30:00 12 beijing")
    chat.say(f"{start}book a table")
    chat.expect("None 0:00:00 0 None")


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


@pytest.mark.parametrize("unit", ["1", "1,500 ", "十", "万", "one hundred ", "1/", "百分之", "- ", "minus "])
def test_numbers_of_a_hostile_text_take_linear_time(unit: str) -> None:
    assert_linear(lambda text: [*find_numbers(text)], lambda size: unit * size, small=10_000, large=40_000)
