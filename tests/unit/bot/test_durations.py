"""Durations in Chinese and English."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.bot.durations import parse_duration
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
    ],
)
def test_a_duration_is_read(text: str, seconds: float):
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    ["", "10", "m", "十", "soon", "10x", "10m!", "-5m", "1e3s", "分钟", "三四五分", "10mm", "999999999w", "1h" * 40],
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
