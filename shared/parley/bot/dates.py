"""Dates as people write them: 2026-12-31, 31 December, 12月31日, 十二月三十一日, tomorrow, 后天, Friday, 下周一."""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import cache

from parley.bot.clocks import LIKE, read_clock
from parley.bot.numbers import number_of

_DAYS = {
    "day after tomorrow": 2,
    "tomorrow": 1,
    "yesterday": -1,
    "today": 0,
    "tonight": 0,
    "大后天": 3,
    "后天": 2,
    "明天": 1,
    "明日": 1,
    "明早": 1,
    "明晚": 1,
    "今天": 0,
    "今日": 0,
    "今晚": 0,
    "昨天": -1,
    "前天": -2,
}
"""Words by the number of days from today. Longer ones come before those that they contain."""
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CHINESE_WEEKDAYS = "一二三四五六日"
_FULL = re.compile(r"(?<![0-9])([0-9]{4})(?:[-/.]|年)([0-9]{1,2})(?:[-/.]|月)([0-9]{1,2})(?![0-9])[日号]?")
_CHINESE_NUMBER = "[一二三四五六七八九十]{1,3}"
_MONTH = re.compile(
    rf"(?<![0-9])([0-9]{{1,2}}|{_CHINESE_NUMBER})月([0-9]{{1,2}}|{_CHINESE_NUMBER})[日号]",
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMED = re.compile(
    # Without a capital, "may" is a verb.
    r"(?<![\w.])(?:(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?(?: of)? )?"
    r"(?P<month>May|(?!may)(?i:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?))\b\.?"
    r"(?(day)|(?: (?P<after>[0-9]{1,2})(?:st|nd|rd|th)?\b)?)(?:,? (?P<year>[0-9]{4})\b)?"
)
_RELATIVE = re.compile(
    rf"(\b(?:{'|'.join(w for w in _DAYS if w.isascii())})\b|{'|'.join(w for w in _DAYS if not w.isascii())})",
    re.IGNORECASE,
)
_WEEKDAY = re.compile(
    rf"(?<!last )\b(?P<next>next )?(?P<english>{'|'.join(_WEEKDAYS)})\b"
    r"|(?<!上)(?<!上个)(?P<xia>(?:下个?){0,2})(?:周|星期|礼拜)(?P<chinese>[一二三四五六日天])",
    re.IGNORECASE,
)
_Reader = Callable[[re.Match[str], date], date]
_BEFORE = re.compile(r"(?:(?:on|the|this) |本|这个?)?", re.IGNORECASE)
"""What can stand before a date that is an answer or an argument."""
_EVENING = re.compile("晚|tonight", re.IGNORECASE)
_NARROW = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}
_LONGEST = 60
"""Characters of such a date."""
_CLOCK = (
    rf"(?:(?:T|[,，]?\s{{0,2}}(?:at\s)?)(?P<clock>(?:{LIKE})|(?<=\sat\s)[0-9]{{1,2}}|(?<=T)[0-9][^\s，、；。,;]*))?"
)
"""A time of the day may follow."""
_END = r"(?=[\s，、；。,;]|\Z)"


def find_date(text: str, today: date) -> tuple[tuple[int, int], str] | None:
    """The place and the ISO date of the first date in `text`; None if there is none.

    A day without a year is the next one. So is a day of the week, which can be today. `next Monday` and 下周一 are
    in the week after this one, which begins on Monday, and 下下周一 in the one after that. `last Monday` is none.
    """
    text = text.translate(_NARROW)
    for pattern, read in _readers():
        for match in pattern.finditer(text):
            try:
                return match.span(), read(match, today).isoformat()
            except (ValueError, OverflowError):
                continue
    return None


def read_date(text: str, today: Callable[[], date]) -> date | None:
    """The date that all of `text` is, with the rules of `find_date`; None if it is none."""
    found = _whole(text, today, "")
    return found[0] if found else None


def read_moment(text: str, today: Callable[[], date]) -> datetime | None:
    """The date that all of `text` is, with or without a time of the day such as `10:00`; None if it is none."""
    found = _whole(text, today, _CLOCK)
    if found is None:
        return None
    day, match = found
    if match["clock"] is None:
        return datetime.combine(day, time())
    words = match.string[: match.start("clock")]
    clock = read_clock(match["clock"], is_evening=_EVENING.search(words) is not None)
    return datetime.combine(day, clock) if clock else None


def leading_date(line: str, *, with_clock: bool) -> int:
    """The length of the date with which `line` begins; 0 without one. `with_clock`: a time of the day may follow."""
    line = _plain(line)
    start, more = _start(line), (_CLOCK if with_clock else "") + _END
    found = (pattern.match(line, start) for pattern, _ in _readers(more))
    return max((match.end() for match in found if match), default=0)


def _whole(text: str, today: Callable[[], date], more: str) -> tuple[date, re.Match[str]] | None:
    """The date that `text` is, and the match with what the expression `more` has found behind it."""
    text = _plain(text.strip())
    if len(text) > _LONGEST:
        return None
    for pattern, read in _readers(more):
        match = pattern.fullmatch(text, _start(text))
        try:
            if match:
                return read(match, date.min if read is _full else today()), match
        except (ValueError, OverflowError):
            continue
    return None


def _plain(text: str) -> str:
    """`text`, of the same length, with ASCII in place of full-width forms. It is a date if it can be one, so that the
    word "may" in it is a month.
    """
    return re.sub(r"\bmay\b", "May", text.translate(_NARROW))


def _start(text: str) -> int:
    found = _BEFORE.match(text)
    return found.end() if found else 0


@cache
def _readers(more: str = "") -> tuple[tuple[re.Pattern[str], _Reader], ...]:
    """The expressions for dates, each followed by the expression `more`, and the functions that read them."""
    readers: tuple[tuple[re.Pattern[str], _Reader], ...] = (
        (_FULL, _full),
        (_MONTH, _in_month),
        (_NAMED, _named),
        (_RELATIVE, _relative),
        (_WEEKDAY, _weekday),
    )
    if not more:
        return readers
    return tuple((re.compile(f"(?:{pattern.pattern}){more}", pattern.flags), read) for pattern, read in readers)


def _full(match: re.Match[str], _today: date) -> date:
    return date(*map(int, match.groups()[:3]))


def _in_month(match: re.Match[str], today: date) -> date:
    month, day = (int(number_of(each) or 0) for each in match.groups()[:2])
    return _next(month, day, today)


def _named(match: re.Match[str], today: date) -> date:
    month = 1 + _MONTHS.index(match["month"][:3].lower())
    day = int(match["day"] or match["after"] or 0)
    return date(int(match["year"]), month, day) if match["year"] else _next(month, day, today)


def _next(month: int, day: int, today: date) -> date:
    found = date(today.year, month, day)
    return found if found >= today else date(today.year + 1, month, day)


def _relative(match: re.Match[str], today: date) -> date:
    return today + timedelta(days=_DAYS[match[1].lower()])


def _weekday(match: re.Match[str], today: date) -> date:
    chinese = (match["chinese"] or "").replace("天", "日")
    number = _CHINESE_WEEKDAYS.index(chinese) if chinese else _WEEKDAYS.index(match["english"].lower())
    weeks = 1 if match["next"] else (match["xia"] or "").count("下")
    if weeks:
        return today + timedelta(days=7 * weeks - today.weekday() + number)
    return today + timedelta(days=(number - today.weekday()) % 7)
