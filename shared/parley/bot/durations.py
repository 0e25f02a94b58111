"""Durations as people write them: `10m`, `2h30m`, `1.5 hours`, `an hour and a half`, 十分钟, 半小时, 一个半小时."""

import re
from datetime import timedelta

from parley.bot.numbers import CHINESE, ENGLISH, VERY, number_of

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
_SHARES = {"half": 0.5, "quarter": 0.25}
_GAP = r"[\s-]{1,2}"
_UNIT = rf"(?:{'|'.join(sorted(_UNITS, key=len, reverse=True))})(?![a-z])"
_SHARE = "half|quarter"
_PART = re.compile(
    # half an hour, a quarter of an hour, three quarters of an hour
    rf"(?<![a-z])(?:(?P<many>an?|one|three){_GAP})?(?P<share>{_SHARE})s?{_GAP}(?:of{_GAP})?(?:an?{_GAP})?"
    rf"(?P<shared>{_UNIT})"
    # 2.5 hours, two and a half hours, an hour and a half, a couple of hours, 一个半小时, 两小时半
    rf"|(?P<number>[0-9]{{1,9}}(?:\.[0-9]{{1,6}})?|{CHINESE}{{1,7}}"
    rf"|(?<![a-z])(?:{ENGLISH}|(?:a{_GAP})?(?P<couple>couple){_GAP}of|an?(?={_GAP})))?"
    rf"(?:{_GAP}and{_GAP}(?:(?:a|one){_GAP})?(?P<more>{_SHARE}))?"
    rf"(?:{_GAP})?个?(?P<half>半)?个?"
    rf"(?P<unit>{_UNIT})"
    rf"(?:(?P<half_after>半)|{_GAP}and{_GAP}(?:a{_GAP})?(?P<more_after>{_SHARE})(?![a-z]))?",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"[\s,，]{0,2}(?:and\s{1,2}|[和又])?", re.IGNORECASE)
_OF = re.compile(r"(?<=分)之(?!后)")
_BEFORE = re.compile(r"in\s{1,2}", re.IGNORECASE)
_AFTER = re.compile(r"[\s,，]{0,2}(?:[之以]?后)?")
_NOT_AFTER = re.compile(
    r"(?:(?:times|once|twice|what|minus|negative|million|billion)\s{1,2}|[a-z0-9.]|[点负万亿]|零下|分之|[0-9],|[-/⁄])\Z",
    re.IGNORECASE,
)
"""What precedes the rest of a word, of a longer number, of a fraction or of a time (三点五分), a number with a minus
sign, and the `a day` of a rate."""


def parse_duration(text: str) -> timedelta | None:
    """The duration in `text`; None if there is none. A number needs a unit, and full-width digits are not read."""
    text = text.strip()
    if not text or len(text) > _LONGEST:
        return None
    before = _BEFORE.match(text)
    found = _read(text, before.end() if before else 0)
    if found is None or not _AFTER.fullmatch(text, found[1]):
        return None
    try:
        return timedelta(seconds=found[0])
    except OverflowError:
        return None


def find_duration(text: str, start: int = 0) -> tuple[int, int] | None:
    """Where the first duration stands in `text` from `start` on; None if there is none."""
    for part in _PART.finditer(text, start):
        if _value(part) is not None and not _in_word(text, part.start()):
            found = _read(text, part.start())
            return (part.start(), found[1]) if found else None
    return None


def _read(text: str, start: int) -> tuple[float, int] | None:
    """The seconds of the parts of a duration that begin at `start`, and the end of the last one."""
    seconds, end, at = 0.0, None, start
    while (part := _PART.match(text, at)) is not None and (value := _value(part)) is not None:
        seconds, end = seconds + value, part.end()
        between = _BETWEEN.match(text, end)
        at = between.end() if between else end
    return None if end is None else (seconds, end)


def _in_word(text: str, start: int) -> bool:
    """Whether what stands before `start` makes the number there another one, or none."""
    return _NOT_AFTER.search(text, max(0, start - 10), start) is not None


def _value(part: re.Match[str]) -> float | None:
    """The seconds of one part, such as `2h` or 一个半小时. None without a number and a half, and for 十分抱歉."""
    if VERY.match(part.string, part.start()) or _OF.match(part.string, part.end()):
        return None
    if part["share"]:
        many = 3 if (part["many"] or "").lower() == "three" else 1
        return many * _SHARES[part["share"].lower()] * _UNITS[part["shared"].lower()]
    more = sum(_SHARES[part[name].lower()] for name in ("more", "more_after") if part[name])
    more += 0.5 * ((part["half"] is not None) + (part["half_after"] is not None))
    number = _number(part) if part["number"] else 0 if part["half"] or part["half_after"] else None
    return None if number is None else (number + more) * _UNITS[part["unit"].lower()]


def _number(part: re.Match[str]) -> float | None:
    return 2 if part["couple"] else number_of(part["number"])
