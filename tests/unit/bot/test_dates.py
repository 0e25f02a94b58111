"""Dates in words, such as tomorrow: in arguments, answers, numbered forms and calls of a model, on every platform."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from parley.bot import Ask, Bot, Script, Turn
from parley.bot.dates import find_date, leading_date, read_date
from parley.bot.texts import BOTH
from parley.model import Card, plain_text
from parley.model.instant import Form, Input
from parley.platforms import NAMES
from parley.testing import PLATFORMS, Call, Chat, Scripted
from tests.factories import make_message

ANYWHERE = pytest.mark.parametrize("platform", PLATFORMS)
MONDAY = 1_796_040_000
"""2026-11-30, 8:00 in UTC."""
KIRITIMATI = "Pacific/Kiritimati"
"""14 hours before UTC. A chat begins there on Friday, 2027-01-15, at 22:00."""


def said(handler: Any, text: str, zone: str = "UTC", written: int = MONDAY, now: float = MONDAY) -> str:
    bot = Bot(zone=zone)
    bot.command("do")(handler)
    turn = Turn(make_message("m", text, timestamp=written), now=now)
    return "|".join(plain_text(reply.segments) for reply in bot.handle(turn))


def taking(annotation: Any) -> Any:
    def show(value: Any, note: str = "") -> str:
        return f"{value} {note}".strip()

    show.__annotations__["value"] = annotation
    return show


DAY = Form(id="form", title="Fill in", inputs=(Input(id="day", label="Day", kind="date"),))
WORDS = {
    "today": "2026-11-30",
    "Tomorrow": "2026-12-01",
    "day after tomorrow": "2026-12-02",
    "the day after tomorrow": "2026-12-02",
    "yesterday": "2026-11-29",
    "明天": "2026-12-01",
    "后天": "2026-12-02",
    "Friday": "2026-12-04",
    "on Friday": "2026-12-04",
    "this friday": "2026-12-04",
    "本周五": "2026-12-04",
    "next monday": "2026-12-07",
    "下周一": "2026-12-07",
    "下下周三": "2026-12-16",
    "20 January": "2027-01-20",
    "Jan 20th, 2028": "2028-01-20",
    "may 5": "2027-05-05",
    "1月20日": "2027-01-20",
    "１月２０日": "2027-01-20",
    "一月二十日": "2027-01-20",
    "2026/12/31": "2026-12-31",
    "2026年12月31号": "2026-12-31",
    "20261231": "2026-12-31",
}


@pytest.mark.parametrize(("typed", "expected"), WORDS.items())
def test_words_are_a_date_alone_and_before_another_argument(typed: str, expected: str) -> None:
    assert said(taking(date), f"/do {typed}") == expected
    assert said(taking(date), f'/do "{typed}"') == expected
    assert said(taking(date), f"/do {typed} at noon") == f"{expected} at noon"
    assert said(taking(date | None), f"/do {typed}，谢谢") == f"{expected} 谢谢"
    assert said(taking(Annotated[date, Field(ge=date(2026, 1, 1))]), f"/do {typed}") == expected


@pytest.mark.parametrize(
    "typed", ["soon", "last monday", "2026-13-01", "Feb 30", "tomorrows", "next", "5 may I", "in december", "明天开会"]
)
def test_other_words_are_no_date(typed: str) -> None:
    shown = said(taking(date), f'/do "{typed}"')
    assert shown.startswith("value：应为日期，例如 2026-12-31 或 明天 (expected a date such as 2026-12-31 or tomorrow)")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("tomorrow", "2026-12-01 00:00:00"),
        ("tomorrow 9:30", "2026-12-01 09:30:00"),
        ("next monday at 10:00", "2026-12-07 10:00:00"),
        ("明天10：00", "2026-12-01 10:00:00"),
        ("2026-12-31 23:59", "2026-12-31 23:59:00"),
        ("2026-12-31T23:59", "2026-12-31 23:59:00"),
        ("2026-12-31T23:59:01", "2026-12-31 23:59:01"),
    ],
)
def test_a_time_has_a_date_in_words(typed: str, expected: str) -> None:
    assert said(taking(datetime), f"/do {typed}") == expected
    assert said(taking(datetime), f"/do {typed} tea") == f"{expected} tea"


def test_what_is_no_time_is_answered_with_what_is_expected() -> None:
    assert "2026-12-31 10:00 或 明天 10:00 (expected a time such as" in said(taking(datetime), "/do soon")


def test_a_list_has_dates_of_several_words() -> None:
    def show(days: list[date]) -> str:
        return " ".join(map(str, days))

    typed = "/do tomorrow, next monday、下周三 2026-12-31 Jan 5, 2028"
    assert said(show, typed) == "2026-12-01 2026-12-07 2026-12-09 2026-12-31 2028-01-05"


def test_a_date_or_a_duration_is_read_as_either() -> None:
    assert said(taking(timedelta | date), "/do tomorrow") == "2026-12-01"
    assert said(taking(timedelta | date), "/do 10m") == "0:10:00"


@pytest.mark.parametrize(("zone", "expected"), [("UTC", "2026-12-01"), (KIRITIMATI, "2026-12-02")])
def test_today_is_the_day_of_the_message_in_the_zone_of_the_bot(zone: str, expected: str) -> None:
    written = MONDAY + 8 * 3600  # already Tuesday on Kiritimati
    assert said(taking(date), "/do tomorrow", zone, written, now=written + 30 * 86_400) == expected


def test_a_wrong_zone_is_refused_when_the_bot_loads() -> None:
    with pytest.raises(ValueError, match="no time zone 'Mars/Base'"):
        Bot(zone="Mars/Base")


# --- questions --------------------------------------------------------------------------------------------------------


def booking() -> Bot:
    bot = Bot(zone=KIRITIMATI)

    @bot.command()
    def book(turn: Turn, first: date, city: str = "") -> Script:
        begun = turn.today()
        last = yield Ask("Until which day?", type=date, timeout=timedelta(days=100))
        note = yield Ask("A note?", timeout=timedelta(days=100))
        return f"{begun} {first} {last} {turn.today()} {note}{city}"

    return bot


def answer(chat: Chat, text: str, platform: str) -> None:
    if platform == "discord":
        chat.press("Answer")
        chat.submit({"answer": text})
    else:
        chat.say(text)


@ANYWHERE
def test_words_mean_the_day_of_their_answer_however_late_the_handler_runs_again(platform: str) -> None:
    chat = Chat(booking(), platform)
    chat.say("/book tomorrow")
    assert "Until which day?" in chat.last.text
    chat.advance(minutes=119)
    answer(chat, "soon", platform)  # is no answer, one minute before midnight there
    answer(chat, "next monday", platform)
    assert "A note?" in chat.last.text
    chat.advance(minutes=2)
    answer(chat, "/back", platform)
    answer(chat, "tomorrow", platform)  # after midnight
    chat.advance(days=9)
    answer(chat, "x", platform)
    assert chat.last.text == "2027-01-15 2027-01-16 2027-01-17 2027-01-25 x"


@pytest.mark.parametrize("platform", [each for each in PLATFORMS if each not in ("feishu", "discord", "http")])
def test_words_are_a_date_in_a_numbered_form(platform: str) -> None:
    bot = Bot(zone=KIRITIMATI)

    @bot.command()
    def order() -> Card:
        return Card(text="Order", form=DAY)

    @bot.action("form")
    def filled(turn: Turn) -> str:
        action = turn.message.action
        return f"for {action.form['day']}" if action else ""

    chat = Chat(bot, platform)
    chat.say("/order")
    chat.say("1 tomorrow")
    assert chat.last.text == "for 2027-01-16"


def test_a_call_of_a_model_keeps_its_day_until_it_is_approved() -> None:
    bot, done = Bot(zone=KIRITIMATI), list[str]()

    @bot.command(tool="approve")
    def book(first: date, days: list[date]) -> str:
        done.append(f"{first}: {' '.join(map(str, days))}")
        return "booked"

    @bot.converse(model=lambda: pytest.fail("the test has a model"))
    def assistant(_turn: Turn) -> str:
        return ""

    chat = Chat(bot, model=Scripted([Call("book", first="tomorrow", days="后天, next monday"), "Done."]))
    chat.advance(minutes=110)
    chat.say("book it")
    chat.expect(contains='/book first="2027-01-16" days="2027-01-17, 2027-01-18"')
    chat.advance(minutes=50)
    chat.press("Approve")
    assert done == ["2027-01-16: 2027-01-17 2027-01-18"]


# --- any text ---------------------------------------------------------------------------------------------------------

PIECES = st.lists(
    st.sampled_from([*WORDS, "at", "10:00", " ", "，", "last", "may", "31", "x"]) | st.text(max_size=4), max_size=6
)


@given(PIECES.map(" ".join) | PIECES.map("".join))
def test_any_text_is_a_date_or_none(text: str) -> None:
    today = date(2026, 11, 30)
    whole = read_date(text, lambda: today)
    assert 0 <= leading_date(text, with_clock=False) <= leading_date(text, with_clock=True) <= len(text)
    found = find_date(text, today)
    if whole is not None:
        assert leading_date(text.strip(), with_clock=False) == len(text.strip())
        assert found is not None or "may" in text


def moment(typed: str, platform: str = "feishu") -> str:
    """What a command with a moment and a text shows."""
    bot = Bot()
    bot.command("do")(taking(datetime))
    [reply] = bot.handle(Turn(make_message("m", f"/do {typed}", platform=platform, timestamp=MONDAY), now=MONDAY))
    return plain_text(reply.segments)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("明天 9点 开会", "2026-12-01 09:00:00 开会"),
        ("明天9点半，开会", "2026-12-01 09:30:00 开会"),
        ("明天，下午3点 开会", "2026-12-01 15:00:00 开会"),
        ("明天晚上八点一刻 开会", "2026-12-01 20:15:00 开会"),
        ("明天 中午12点 吃饭", "2026-12-01 12:00:00 吃饭"),
        ("明天 １０：００ 开会", "2026-12-01 10:00:00 开会"),
        ("今晚8点 开会", "2026-11-30 20:00:00 开会"),
        ("tonight 8:30 go", "2026-11-30 20:30:00 go"),
        ("tomorrow 9am go", "2026-12-01 09:00:00 go"),
        ("tomorrow at 9 go", "2026-12-01 09:00:00 go"),
        ("20 January 3:30 pm go", "2027-01-20 15:30:00 go"),
        ("20 January 12am go", "2027-01-20 00:00:00 go"),
        ("2026-12-31 10:00:30 go", "2026-12-31 10:00:30 go"),
        ("2026-12-31T10:00:30", "2026-12-31 10:00:30"),
        ("明天 3个人", "2026-12-01 00:00:00 3个人"),
        ("明天 一点建议", "2026-12-01 00:00:00 一点建议"),
        ("tomorrow 10 people", "2026-12-01 00:00:00 10 people"),
    ],
)
def test_a_time_of_the_day_is_read_as_people_write_it(typed: str, shown: str):
    assert moment(typed) == shown


@pytest.mark.parametrize("platform", NAMES)
@pytest.mark.parametrize(
    "typed",
    [
        "2026-12-31 25:00 go",
        "tomorrow 10:60 go",
        "tomorrow 10:00x go",
        "tomorrow 13pm go",
        "tomorrow noon go",
        "明天 下午 开会",
        "明天25点 开会",
        "明天晚上12点 开会",
        "2026-12-31T10:00Z go",
        "2026-12-31T10:00+08:00 go",
        "1735689600",
    ],
)
def test_a_time_that_cannot_be_read_is_never_midnight(platform: str, typed: str):
    """A time with a zone would not compare with the times of the handler."""
    assert moment(typed, platform).startswith(f"value：应为{BOTH.moment}")


@given(st.integers(0, 23), st.integers(0, 59))
def test_a_time_is_read_in_each_of_its_forms(hour: int, minute: int):
    half = f"{hour % 12 or 12}:{minute:02}{'am' if hour < 12 else 'pm'}"
    for typed in (f"{hour}:{minute:02}", half, half.upper(), f"{hour}点{minute}分", f"{hour:02}:{minute:02}:00"):
        assert moment(f"2026-12-31 {typed} go") == f"2026-12-31 {hour:02}:{minute:02}:00 go"
