"""Cron expressions in time zones: the next time, also where a clock is changed."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from parley.cron import next_time


def at(text: str, zone: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize(
    ("expression", "zone", "after", "expected"),
    [
        ("0 9 * * 1-5", "Asia/Shanghai", "2026-11-27T09:00", "2026-11-30T09:00"),  # Friday to Monday
        ("0 9 * * 1-5", "Asia/Shanghai", "2026-11-27T08:59:59", "2026-11-27T09:00"),
        ("30 2 * * *", "Europe/Berlin", "2027-03-27T12:00", "2027-03-28T03:00"),  # 2:30 is left out that day
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", "2026-10-25T02:30"),  # it comes twice that day
        ("0 0 29 2 *", "UTC", "2026-11-29T00:00", "2028-02-29T00:00"),
    ],
)
def test_the_next_time(expression: str, zone: str, after: str, expected: str) -> None:
    assert next_time(expression, zone, at(after, zone)) == at(expected, zone)


def test_an_hour_that_comes_twice_counts_once() -> None:
    first = next_time("30 2 * * *", "Europe/Berlin", at("2026-10-24T12:00", "Europe/Berlin"))
    assert next_time("30 2 * * *", "Europe/Berlin", first) == at("2026-10-26T02:30", "Europe/Berlin")


@pytest.mark.parametrize("expression", ["30 2 * * *", "15 1-3 * * *", "*/10 * * * *"])
@pytest.mark.parametrize("minutes", range(0, 180, 7))
def test_the_next_time_is_always_later(expression: str, minutes: int) -> None:
    """Also from within the hour that comes for the second time."""
    after = at("2026-10-25T01:30", "Europe/Berlin") + 60 * minutes + 0.5
    assert next_time(expression, "Europe/Berlin", after) > after


@pytest.mark.parametrize(
    ("expression", "zone", "message"),
    [
        ("0 9 * *", "UTC", r"^no cron expression '0 9 \* \*': Wrong number of fields$"),
        ("* * * * * *", "UTC", r"^no cron expression '\* \* \* \* \* \*': Wrong number of fields$"),  # each second
        ("0 25 * * *", "UTC", r"^no cron expression '0 25 \* \* \*': Bad hour$"),
        ("0 9 * * *", "Asia/Peking", r"^no time zone 'Asia/Peking'; write one like Asia/Shanghai$"),
        ("0 9 * * *", "America", r"^no time zone 'America'"),  # a folder
        ("0 9 * * *", "x" * 300, r"^no time zone 'xxx"),
        ("0 9 * * *", "../../etc/passwd", "ZoneInfo keys"),
        ("0 9 30 2 *", "UTC", r"never comes true|no cron expression"),
    ],
)
def test_what_is_no_time_is_an_error_that_says_so(expression: str, zone: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        next_time(expression, zone, 1_800_000_000)
