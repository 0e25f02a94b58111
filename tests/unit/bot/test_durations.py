"""Durations in Chinese and English."""

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.bot.durations import find_duration, parse_duration
from parley.bot.numbers import ENGLISH, number_of
from tests.linear import assert_linear

HOUR = 3600


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10m", 600),
        ("2h30m", 2.5 * HOUR),
        ("2H 30M", 2.5 * HOUR),
        ("1d", 24 * HOUR),
        ("90s", 90),
        ("1.5h", 1.5 * HOUR),
        ("2 hours, 5 minutes", 2 * HOUR + 300),
        ("1w", 7 * 24 * HOUR),
        ("0s", 0),
        ("10分钟", 600),
        ("十分钟", 600),
        ("二十五分", 1500),
        ("一百二十秒", 120),
        ("一百零五秒", 105),
        ("两小时", 2 * HOUR),
        ("两个小时", 2 * HOUR),
        ("半小时", HOUR / 2),
        ("半个小时", HOUR / 2),
        ("一个半小时", 1.5 * HOUR),
        ("两小时半", 2.5 * HOUR),
        ("2小时30分", 2.5 * HOUR),
        ("一刻钟", 900),
        ("三天", 3 * 24 * HOUR),
        ("半天", 12 * HOUR),
        ("两周", 14 * 24 * HOUR),
        ("一个星期", 7 * 24 * HOUR),
        ("十分钟后", 600),
        ("两个半小时之后", 2.5 * HOUR),
        ("一小时又十分钟", HOUR + 600),
        ("一个小时零五分钟", HOUR + 300),
        ("三刻钟", 2700),
        ("一分半", 90),
        ("twenty minutes", 1200),
        ("in twenty minutes", 1200),
        ("Twenty-Five Minutes", 1500),
        ("one hundred and five seconds", 105),
        ("an hour", HOUR),
        ("an hour and a half", 1.5 * HOUR),
        ("an hour and a quarter", 1.25 * HOUR),
        ("an hour and twenty minutes", HOUR + 1200),
        ("2 hours and 5 minutes", 2 * HOUR + 300),
        ("half an hour", HOUR / 2),
        ("a half hour", HOUR / 2),
        ("half a day", 12 * HOUR),
        ("two and a half hours", 2.5 * HOUR),
        ("two-and-a-half-hour", 2.5 * HOUR),
        ("1 and a half hours", 1.5 * HOUR),
        ("a quarter of an hour", 900),
        ("quarter hour", 900),
        ("three quarters of an hour", 2700),
        ("a day and a half", 36 * HOUR),
        ("a couple of weeks", 14 * 24 * HOUR),
        ("zero minutes", 0),
    ],
)
def test_a_duration_is_read(text: str, seconds: float):
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "10",
            "m",
            "十",
            "soon",
            "10x",
            "10m!",
            "-5m",
            "1e3s",
            "分钟",
            "三四五分",
            "10mm",
            "999999999w",
            "1h" * 40,
        ),
        *("a", "two", "half", "hour", "in", "in an", "the hour", "hundred hours", "twenty ten minutes", "halfhour"),
        *("five and twenty minutes", "and a half hours", "half past two", "quarter to three", "two hours and", "a lot"),
        *("one thousand thousand hours", "nine hundred thousand weeks and nine hundred thousand weeks a"),
    ],
)
def test_other_texts_are_none(text: str):
    assert parse_duration(text) is None


@given(st.integers(0, 999), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_the_sum_of_the_parts_is_read(days: int, hours: int, minutes: int, seconds: int):
    expected = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    assert parse_duration(f"{days}d{hours}h{minutes}m{seconds}s") == expected
    assert parse_duration(f"{days}天{hours}小时{minutes}分钟{seconds}秒") == expected


@given(st.text("0123456789.零一十百两半个小时分钟天dhms ,，", max_size=80))
def test_no_text_raises(text: str):
    parse_duration(text)


@pytest.mark.parametrize("unit", ["1", "半", "个", " ", "十", "1h", "零"])
def test_a_hostile_text_takes_linear_time(unit: str):
    assert_linear(parse_duration, lambda size: unit * size, small=50_000, large=200_000)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("wake me in twenty minutes please", "twenty minutes"),
        ("call me in half an hour, the two of us", "half an hour"),
        ("in two and a half hours and then again", "two and a half hours"),
        ("an hour and a half of jazz", "an hour and a half"),
        ("in 10 minutes and tell Ann", "10 minutes"),
        ("两个半小时以后叫我", "两个半小时"),
        ("一刻钟后提醒", "一刻钟"),
        ("three times a day", None),
        ("what a day", None),
        ("三点五分开会", None),
        ("a12h", None),
        ("someone hour", None),
    ],
)
def test_the_first_duration_of_a_sentence_is_found(text: str, found: str | None):
    span = find_duration(text)
    assert (text[slice(*span)] if span else None) == found


ONES = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen".split()
ONES += ["seventeen", "eighteen", "nineteen"]
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()


def in_words(number: int, and_: str = " and ") -> str:
    """An independent writer of English numbers from 1 to 999,999."""
    if number < 20:
        return ONES[number - 1]
    if number < 100:
        return TENS[number // 10 - 2] + (f"-{in_words(number % 10)}" if number % 10 else "")
    size, name = (1000, "thousand") if number >= 1000 else (100, "hundred")
    rest = number % size
    return f"{in_words(number // size, and_)} {name}" + (f"{and_}{in_words(rest, and_)}" if rest else "")


@given(st.integers(1, 999_999), st.sampled_from([" and ", " "]))
def test_a_number_in_english_words_is_read(number: int, and_: str):
    words = in_words(number, and_)
    assert re.fullmatch(ENGLISH, words)
    assert number_of(words) == number


@given(st.integers(1, 99), st.sampled_from(["minute", "hour", "day"]), st.booleans(), st.booleans())
def test_words_and_digits_mean_the_same(number: int, unit: str, is_half: bool, is_later: bool):
    half, start = " and a half" * is_half, "in " * is_later
    expected = parse_duration(f"{number + 0.5 * is_half}{unit}s")
    assert expected is not None
    assert parse_duration(f"{start}{in_words(number)}{half} {unit}s") == expected
    assert parse_duration(f"{start}{number}{half} {unit}s") == expected
    assert parse_duration(f"{start}{in_words(number)} {unit}s{half}") == expected


WORDS = st.sampled_from(
    "a an and half quarter of hour hours minute day couple two twenty hundred thousand in".split()
    + "3 1.5 , 半 个 小时 两 刻钟 零 后".split()
)


@given(st.lists(WORDS, max_size=9).map(" ".join))
def test_what_is_found_is_read(text: str):
    parse_duration(text)
    span = find_duration(text)
    assert span is None or parse_duration(text[slice(*span)]) is not None


@pytest.mark.parametrize(
    "unit", ["a half ", "one hundred and ", "twenty-", "two hours and ", "a ", "half of an ", "- "]
)
def test_hostile_words_take_linear_time(unit: str):
    assert_linear(find_duration, lambda size: unit * (size // len(unit)), small=10_000, large=40_000)
