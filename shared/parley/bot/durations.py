"""Durations as people write them: `10m`, `2h30m`, `1.5 hours`, 十分钟, 两小时, 半小时, 一个半小时."""

import re
from datetime import timedelta

_LONGEST = 64
"""Characters of a duration. The limit keeps the time of a hostile text short."""
_SECONDS = {
    1: "s sec secs second seconds 秒 秒钟",
    60: "m min mins minute minutes 分 分钟",
    900: "刻 刻钟",
    3600: "h hr hrs hour hours 时 小时 钟头",
    86400: "d day days 天 日",
    604800: "w week weeks 周 星期 礼拜",
}
_UNITS = {word: seconds for seconds, words in _SECONDS.items() for word in words.split()}
_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_PLACES = {"千": 1000, "百": 100, "十": 10}
_PART = re.compile(
    r"(?P<number>[0-9]{1,9}(?:\.[0-9]{1,6})?|[零〇一二两三四五六七八九十百]{1,7})?"
    r"\s?个?(?P<half>半)?个?"
    rf"(?P<unit>{'|'.join(sorted(_UNITS, key=len, reverse=True))})(?![a-z])"
    r"(?P<half_after>半)?[\s,，]{0,2}",
    re.IGNORECASE,
)


def parse_duration(text: str) -> timedelta | None:
    """The duration in `text`; None if there is none. A number needs a unit, and full-width digits are not read."""
    text = text.strip()
    if not text or len(text) > _LONGEST:
        return None
    seconds, at = 0.0, 0
    while at < len(text):
        part = _PART.match(text, at)
        value = _value(part) if part else None
        if part is None or value is None:
            return None
        seconds, at = seconds + value, part.end()
    try:
        return timedelta(seconds=seconds)
    except OverflowError:
        return None


def find_duration(text: str) -> tuple[int, int] | None:
    """Where the first duration stands in `text`; None if there is none."""
    span: tuple[int, int] | None = None
    for part in _PART.finditer(text):
        if _value(part) is None or (span and part.start() > span[1]) or (not span and _in_word(text, part.start())):
            if span:
                return span
            continue
        span = (span[0] if span else part.start(), part.end())
    return span


def _in_word(text: str, start: int) -> bool:
    """Whether the number at `start` is the rest of a word or of a longer number."""
    before = text[start - 1 : start]
    return before.isascii() and (before.isalnum() or before == ".")


def _value(part: re.Match[str]) -> float | None:
    """The seconds of one part, such as `2h` or 一个半小时. None without a number and a half."""
    halves = 0.5 * ((part["half"] is not None) + (part["half_after"] is not None))
    number = number_of(part["number"]) if part["number"] else 0 if halves else None
    return None if number is None else (number + halves) * _UNITS[part["unit"].lower()]


def number_of(digits: str) -> float | None:
    """A decimal number, or a Chinese one below 10,000; None if the characters are no number."""
    if digits[0].isascii():
        return float(digits)
    total, digit = 0, None
    for character in digits:
        if character in _PLACES:
            total, digit = total + _PLACES[character] * (1 if digit is None else digit), None
        elif digit in (None, 0):
            digit = _DIGITS[character]
        else:
            return None
    return float(total + (digit or 0))
