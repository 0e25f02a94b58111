"""Arguments by annotation: choices, dates, durations, persons, quotations, lists; and what people read of errors."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from ipaddress import IPv4Address
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, Field, HttpUrl

from parley.bot import ArgumentError, Bot, Option, Turn
from parley.bot.arguments import Signature
from parley.bot.definitions import check
from parley.model import Command, Context, Mention, Text, plain_text
from parley.testing import Chat
from tests.factories import make_message
from tests.linear import assert_linear


class Size(Enum):
    SMALL = "s"
    LARGE = "l"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


ANN, BOB = Mention(id="ou_ann", name="Ann Lee"), Mention(id="ou_bob", name="Bob")
HELPER = Mention(id="ou_bot", name="Helper", bot=True)


def bot_with(handler: Callable[..., Any]) -> Bot:
    bot = Bot()
    bot.command("do")(handler)
    return bot


def said(bot: Bot, text: str, *, locale: str = "", **more: Any) -> str:
    message = make_message("m", text, context=Context(room_id="room", locale=locale), **more)
    return "|".join(plain_text(reply.segments) for reply in bot.handle(Turn(message)))


def taking(annotation: Any) -> Bot:
    """A bot with a command that shows its one argument."""

    def show(value: Any) -> str:
        return repr(value)

    show.__annotations__["value"] = annotation
    return bot_with(show)


@pytest.mark.parametrize("typed", ["s", "S", "small", "SMALL", "Ｓ", "ｓｍａｌｌ", "small。"])
def test_a_choice_is_typed_by_its_name_or_value_in_any_case(typed: str):
    assert said(taking(Size), f"/do {typed}") == repr(Size.SMALL)


@pytest.mark.parametrize("typed", ["2", "high", "２"])
def test_a_choice_of_numbers_is_typed_by_name_or_number(typed: str):
    assert said(taking(Level), f"/do {typed}") == repr(Level.HIGH)
    assert said(taking(Literal[1, 2]), "/do 2") == "2"


def test_a_value_goes_before_the_name_of_another_choice():
    crossed = Enum("crossed", {"a": "b", "b": "a"})
    assert said(taking(crossed), "/do a") == repr(crossed.b)
    assert said(taking(crossed), "/do A") == repr(crossed.b)


def test_case_counts_where_two_choices_differ_in_nothing_else():
    assert said(taking(Literal["a", "A"]), "/do A") == "'A'"
    assert said(taking(Literal["a", "A"]), "/do a") == "'a'"


@pytest.mark.parametrize(
    "typed", ["2026-12-01", "2026/12/1", "2026.12.1", "2026年12月1日", "２０２６年１２月１日", "2026-12-1"]
)
def test_a_date_is_read_as_people_write_it(typed: str):
    assert said(taking(date), f"/do {typed}") == repr(date(2026, 12, 1))


@pytest.mark.parametrize("typed", ["1h30m", "90m", "一个半小时", "１ｈ３０ｍ", "“1 h 30 min”", "PT1H30M"])
def test_a_duration_is_read_as_people_write_it(typed: str):
    assert said(taking(timedelta), f"/do {typed}") == repr(timedelta(minutes=90))


@pytest.mark.parametrize(
    ("annotation", "typed", "value"),
    [
        (int, "１２", 12),
        (float, "１.５", 1.5),
        (Decimal, "１.５０", Decimal("1.50")),
        (bool, "是", True),
        (bool, "no", False),
        (Size | None, "large", Size.LARGE),
        (Annotated[timedelta, Option(help="h")], "10m", timedelta(minutes=10)),
        (Annotated[timedelta, Field(le=timedelta(hours=1))], "10m", timedelta(minutes=10)),
        (list[int], "1, 2，3、4 5", [1, 2, 3, 4, 5]),
        (list[str], "tea “green tea” 咖啡，水", ["tea", "green tea", "咖啡", "水"]),
        (list, "a b", ["a", "b"]),
        (list[Size], "s large", [Size.SMALL, Size.LARGE]),
        (Annotated[list[int], Field(max_length=2)], "1 2", [1, 2]),
        (int | str, "5", 5),
        (int | str, "five", "five"),
        (str | int, "5", 5),
        (timedelta | date, "10m", timedelta(minutes=10)),
        (timedelta | date, "2026-12-31", date(2026, 12, 31)),
        (date | timedelta | None, "10m", timedelta(minutes=10)),
        (list[int] | None, "1", [1]),
    ],
    ids=str,
)
def test_a_value_is_converted_to_the_annotation(annotation: Any, typed: str, value: Any):
    assert said(taking(annotation), f"/do {typed}") == repr(value)


@pytest.mark.parametrize("quoted", ['"a b"', "“a b”", "「a b」", "『a b』", "'a b'", "‘a b’"])
def test_a_quoted_string_is_one_argument(quoted: str):
    assert said(bot_with(lambda one, two: f"{one}|{two}"), f"/do {quoted} c d") == "a b|c d"


@pytest.mark.parametrize(
    ("typed", "first"), [("don't x", "don't"), ("'tis x", "'tis"), ('"a"b x', '"a"b'), ('"a x', '"a')]
)
def test_a_quotation_mark_that_does_not_close_is_a_character(typed: str, first: str):
    assert said(bot_with(lambda one, two: f"{one}|{two}"), f"/do {typed}") == f"{first}|x"


def test_the_rest_of_the_line_keeps_its_quotation_marks():
    assert said(bot_with(lambda text: text), '/do "a" and "b"') == '"a" and "b"'


def test_chinese_punctuation_separates_arguments_that_are_no_texts():
    def order(size: Size, count: int, note: str = "") -> str:
        return f"{size.name} {count} {note}".strip()

    bot = bot_with(order)
    assert said(bot, "／do　large，３，加冰，谢谢。") == "LARGE 3 加冰，谢谢。"
    assert said(bot, "/do large 3。") == "LARGE 3"


def test_a_list_that_is_not_the_last_argument_is_refused_when_the_bot_loads():
    def wrong(names: list[str], times: int) -> str:
        return f"{names}{times}"

    with pytest.raises(TypeError, match="wrong: the list `names` takes the rest; make it the last one"):
        Bot().command()(wrong)


def assign(who: Mention, task: str, backup: Mention | None = None) -> str:
    return f"{who.id}: {task}" + (f" ({backup.id})" if backup else "")


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("/do @Ann Lee write the report", "ou_ann: write the report"),
        ("/do write the report @Ann Lee", "ou_ann: write the report"),
        ("/do @Ann Lee", "缺少参数 task (task is missing)\n/do @WHO TASK [@BACKUP]"),
    ],
)
def test_a_mentioned_person_is_an_argument_wherever_the_mention_is(typed: str, answer: str):
    assert said(bot_with(assign), typed, mentions=(HELPER, ANN)) == answer


def test_persons_are_filled_in_the_order_of_the_text():
    mentions = (ANN, Mention(id="all"), BOB)
    assert said(bot_with(assign), "/do @Ann Lee @Bob write", mentions=mentions) == "ou_ann: write (ou_bob)"
    assert said(bot_with(lambda text: text), "/do @Ann Lee hi", mentions=(ANN,)) == "@Ann Lee hi"


def test_a_list_of_persons_takes_all_others():
    def invite(host: Mention, guests: list[Mention]) -> str:
        return host.id + ":" + ",".join(guest.id for guest in guests)

    carl = Mention(id="ou_carl")
    assert said(bot_with(invite), "/do @Ann Lee @Bob", mentions=(ANN, BOB, carl)) == "ou_ann:ou_bob,ou_carl"
    assert said(bot_with(invite), "/do @Ann Lee", mentions=(ANN,)).startswith(
        "guests：应为一位被 @ 的成员 (expected a mentioned person)\n"
    )


@pytest.mark.parametrize(
    ("typed", "task"),
    [
        ("core @Bob、@Carl", "core"),
        ("@Bob，@Carl：core", "：core"),
        ("please, @Bob, @Carl, fix", "please, fix"),
        ("@Bob fix  it @Carl again", "fix  it again"),
        ("write to Bob@Bob.com @Bob @Carl", "write to Bob@Bob.com"),
        ("@Bobby wrote @Bob @Carl", "@Bobby wrote"),
        ("请@Bob、@Carl处理", "请 处理"),
    ],
)
def test_a_mention_leaves_nothing_in_the_text(typed: str, task: str):
    def team(task: str, who: list[Mention]) -> str:
        return f"{task}|{len(who)}"

    carl = Mention(id="ou_carl", name="Carl")
    assert said(bot_with(team), f"/do {typed}", mentions=(BOB, carl)) == f"{task}|2"


def test_a_line_of_white_space_before_a_mention_is_read_in_linear_time():
    def team(task: str, who: list[Mention]) -> str:
        return f"{task}{len(who)}"

    def run(text: str) -> None:
        said(bot_with(team), text, mentions=(BOB,))

    assert_linear(run, lambda size: "/do x" + " " * size + "@Bob", small=50_000, large=200_000)


@pytest.mark.parametrize("platform", ["feishu", "discord"])
def test_a_required_list_of_persons_can_be_filled_where_people_can_be_mentioned(platform: str):
    bot = Bot()

    @bot.command()
    def team(name: str, who: list[Mention]) -> str:
        return f"{name}: {len(who)}"

    @bot.command()
    def hi() -> None:
        """Let the platform know a person"""

    chat = Chat(bot, platform)
    room = chat.room("team")
    for person in ("bob", "carl"):
        room.say("/hi", by=person)
    room.say("/team core @bob @carl")
    room.expect("core: 2")


def test_discords_option_for_several_persons_is_a_text_with_mentions():
    def team(name: str, lead: Mention | None = None, *, who: list[Mention]) -> str:
        return f"{name}: {' '.join(each.id for each in who)} {lead.id if lead else ''}".strip()

    def options(**options: Any) -> str:
        mentions = (Mention(id="3"), Mention(id="1", name="Ann"), Mention(id="9", bot=True))
        return said(bot_with(team), "", kind="command", command=Command(name="do", options=options), mentions=mentions)

    assert options(name="hi <@3>", who="<@1> and <@!2>, <@1> <@9>", lead="4") == "hi <@3>: 1 2 4"
    assert options(name="x", who="<@1>", lead="4") == "x: 1 4"
    assert options(name="x", who="Ann").startswith("who：应为一位被 @ 的成员")


@pytest.mark.parametrize("second", [Mention, list[Mention], Mention | None])
def test_a_list_of_persons_that_is_not_the_last_of_the_persons_is_refused_when_the_bot_loads(second: Any):
    def wrong(many: list[Mention], other: Mention, text: str = "") -> str:
        return f"{many}{other}{text}"

    wrong.__annotations__["other"] = second
    with pytest.raises(TypeError, match="wrong: the list `many` takes the rest; make it the last one"):
        Bot().command()(wrong)


def even(number: int) -> int:
    if number % 2:
        raise ValueError("请给偶数 {x}")
    return number


@pytest.mark.parametrize(
    ("annotation", "typed", "english", "chinese"),
    [
        (time, "25:00", "expected a time of the day such as 10:00 or 3:30pm", "应为时刻，例如 10:00 或 下午3点"),
        (time, "10:00+08:00", "expected a time of the day", "应为时刻"),
        (UUID, "x", "expected an id such as 123e4567", "应为编号，例如 123e4567"),
        (
            Annotated[str, Field(pattern="^[A-Z]{2}$")],
            "x",
            "expected a text of the form ^[A-Z]{2}$",
            "应为符合 ^[A-Z]{2}$ 的文本",
        ),
        (Annotated[int, Field(multiple_of=5)], "7", "expected a multiple of 5", "应为5 的倍数"),
        (HttpUrl, "x", "expected an address such as https://example.com", "应为网址，例如 https://example.com"),
        (HttpUrl, "ftp://x", "expected an address such as", "应为网址"),
        (complex, "x", "expected another value", "应为其他值"),
        (IPv4Address, "x", "expected another value", "应为其他值"),
        (Annotated[int, AfterValidator(even)], "3", "请给偶数 {x}", "请给偶数 {x}"),
        (list[UUID], "x", "expected an id", "应为编号"),
        (UUID | date, "x", "expected an id such as", "应为编号"),
    ],
)
def test_no_text_of_pydantic_reaches_a_person(annotation: Any, typed: str, english: str, chinese: str):
    bot = taking(annotation)
    check(bot)
    assert said(bot, f"/do {typed}", locale="en").startswith(f"value: {english}")
    for locale in ("zh", ""):
        assert said(bot, f"/do {typed}", locale=locale).replace("：", ": ").startswith(f"value: {chinese}")


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("10:30", time(10, 30)),
        ("下午3点", time(15)),
        ("9点半", time(9, 30)),
        ("3:30 pm", time(15, 30)),
        ("１０：００", time(10)),
    ],
)
def test_a_time_of_the_day_is_read_as_people_write_it(typed: str, value: time):
    assert said(taking(time), f"/do “{typed}”") == repr(value)


def test_a_choice_with_an_empty_value_is_shown_by_its_name():
    colour = Enum("colour", {"RED": "红", "NONE": ""})
    assert said(taking(colour), "/do x", locale="en").startswith("value: expected one of 红, NONE")
    assert said(taking(colour), "/do none") == repr(colour.NONE)


def test_a_message_without_a_mention_is_told_so():
    answer = said(bot_with(assign), "/do Ann write", locale="en")
    assert answer == "who: expected a mentioned person\n/do @WHO TASK [@BACKUP]"


def test_the_platforms_option_names_the_person():
    command = Command(name="do", options={"who": "ou_bob", "task": "write"})
    assert said(bot_with(assign), "", kind="command", command=command, mentions=(ANN, BOB)) == "ou_bob: write (ou_ann)"
    assert said(bot_with(assign), "", kind="command", command=command) == "ou_bob: write"


def test_handlers_without_a_command_get_persons_too():
    bot = Bot()
    bot.pattern("hello")(assign_nothing)
    assert said(bot, "hello @Bob", mentions=(BOB,)) == "ou_bob"
    assert said(bot, "hello", locale="en") == "who: expected a mentioned person"


def assign_nothing(who: Mention) -> str:
    return who.id


WRONG: list[tuple[Any, str, str, str]] = [
    (Size, "huge", "one of s, l", "以下之一：s, l"),
    (Literal["a", "b"], "c", "one of a, b", "以下之一：a, b"),
    (int, "x", "a whole number", "整数"),
    (int, "9" * 5000, "a whole number", "整数"),
    *((float, typed, "a number", "数字") for typed in ("nan", "inf", "-Infinity", "1e999")),
    (list[float], "1 nan", "a number", "数字"),
    (float | None, "nan", "a number", "数字"),
    (Annotated[float, Field(gt=0)], "inf", "a number", "数字"),
    (float, "x", "a number", "数字"),
    (Decimal, "x", "a number", "数字"),
    (Decimal, "NaN", "a number", "数字"),
    (
        Annotated[Decimal, Field(decimal_places=2)],
        "1.005",
        "a number with at most 2 decimal places",
        "最多 2 位小数的数字",
    ),
    (bool, "perhaps", "yes or no", "“是”或“否”"),
    (date, "2026-13-01", "a date such as 2026-12-31 or tomorrow", "日期，例如 2026-12-31 或 明天"),
    (date, "soon", "a date such as 2026-12-31 or tomorrow", "日期，例如 2026-12-31 或 明天"),
    (timedelta, "soon", "a duration such as 10m, 2h30m or 1d", "时长，例如 10分钟、2小时30分、1天"),
    (Annotated[int, Field(gt=0)], "0", "a value greater than 0", "大于 0 的值"),
    (Annotated[int, Field(le=9)], "10", "a value of at most 9", "不大于 9 的值"),
    (Annotated[str, Field(max_length=2)], "abc", "at most 2 characters or items", "最多 2 个字符或条目"),
    (list[int], "1 x", "a whole number", "整数"),
    (Annotated[list[int], Field(min_length=2)], "1", "at least 2 characters or items", "至少 2 个字符或条目"),
]


@pytest.mark.parametrize(("annotation", "typed", "english", "chinese"), WRONG, ids=lambda value: str(value)[:30])
def test_an_error_says_what_is_expected_in_the_language_of_the_person(
    annotation: Any, typed: str, english: str, chinese: str
):
    bot = taking(annotation)
    assert said(bot, f"/do {typed}", locale="en-GB").startswith(f"value: expected {english}\n/do VALUE")
    one_of, choices = english.startswith("one of "), english.removeprefix("one of ")
    both = f"以下之一 (expected one of): {choices}" if one_of else f"{chinese} (expected {english})"
    assert said(bot, f"/do {typed}").startswith(f"value：应为{both}\n/do VALUE")
    assert said(bot, f"/do {typed}", locale="zh-CN").startswith(f"value：应为{chinese}\n/do VALUE")


@pytest.mark.parametrize("kind", [list[str], list[int], Annotated[list[str], Field(max_length=3)]])
def test_a_required_list_has_an_item(kind: Any):
    assert said(taking(kind), "/do ,,，", locale="en") == "value is missing\n/do VALUE..."


def test_an_empty_quotation_in_a_list_is_no_item():
    assert said(taking(list[str]), "/do a '' b, “” c,") == "['a', 'b', 'c']"


@pytest.mark.parametrize("unit", ["'a ", "“a ", "'a “b 「c ", "“a”b ", "，", "、a", "a ", "''", "'' "])
def test_a_hostile_line_takes_linear_time(unit: str):
    def take(one: str, many: list[str]) -> str:
        return f"{one}{len(many)}"

    signature = bot_with(take).commands["do"].signature

    def run(text: str) -> None:
        with suppress(ArgumentError):  # no item
            signature.fill(Turn(make_message()), signature.parse(text) | {"one": ""})

    assert_linear(run, lambda size: "x " + unit * (size // len(unit)) + "”x", small=50_000, large=200_000)


@given(st.text("ab1 \u3000，、。,\"'“”「」@\n/"))
def test_no_line_raises_anything_but_an_argument_error(line: str):
    def take(one: str, two: int, three: Size, many: list[str]) -> str:
        return f"{one}{two}{three}{many}"

    with suppress(ArgumentError):
        Signature.of(take).fill(Turn(make_message()), Signature.of(take).parse(line, (ANN,)))


@given(st.lists(st.text("ab，'", min_size=1), min_size=3, max_size=3))
def test_quoted_texts_come_back_as_they_are(texts: list[str]):
    def take(one: str, two: str, three: str, rest: str = "") -> str:
        return f"{one}{two}{three}{rest}"

    line = "\u3000".join(f"“{text}”" for text in texts)
    assert list(Signature.of(take).parse(line).values()) == texts


KINDS: list[tuple[Any, str]] = [
    (timedelta, "str"), (date, "str"), (list[int], "str"), (Mention, "user"), (Mention | None, "user"), (Level, "int"),
]  # fmt: skip


@pytest.mark.parametrize(("annotation", "kind"), KINDS, ids=str)
def test_the_registered_option_has_a_kind_that_the_platform_has(annotation: Any, kind: str):
    (option,) = taking(annotation).specs()[0].options
    assert option.kind == kind


def test_a_reply_may_mention_the_person_of_an_argument():
    def greet(who: Mention) -> list[Any]:
        return [who, Text(text=" welcome")]

    assert said(bot_with(greet), "/do @Bob", mentions=(BOB,)) == "@Bob| welcome".replace("| ", "|")
