"""Times of the day as people write them: 10:00, 10:00:30, 3:30pm, 9am, 9点, 九点半, 下午3点."""

import re
from datetime import time

from parley.bot.numbers import number_of

_MORNING = ("凌晨", "清晨", "早上", "早晨", "上午", "早")
_AFTERNOON = ("午后", "下午", "傍晚")
_EVENING = ("晚上", "夜里", "晚")
_PART = "|".join((*_MORNING, "中午", *_AFTERNOON, *_EVENING))
_CHINESE = "[零〇一二两三四五六七八九十]{1,3}"
_HALF = r"[ap]\.?m\b\.?"
_COLON = (
    rf"(?P<part>{_PART})?\s?(?P<hour>[0-9]{{1,2}})(?::(?P<minute>[0-9]{{2}})(?::(?P<second>[0-9]{{2}}))?)?"
    rf"(?:\s?(?P<half>{_HALF}))?"
)
_POINT = (
    rf"(?P<part>{_PART})?\s?(?P<hour>[0-9]{{1,2}}|{_CHINESE})[点时]"
    rf"(?:(?P<more>半|[一三]刻)|(?P<minute>[0-9]{{1,2}}|{_CHINESE})分?|整|钟)?"
)
_MINUTES = {None: 0, "半": 30, "一刻": 15, "三刻": 45}
LIKE = (
    rf"(?:(?:{_PART})\s?)?"
    rf"(?:[0-9]{{1,4}}(?::|[点时])[^\s，、；。,;]*(?:\s?{_HALF})?|[0-9]{{1,4}}\s?(?:{_HALF}|o'?clock)"
    rf"|{_CHINESE}[点时](?:半|[一三]刻|(?:[0-9]{{1,2}}|{_CHINESE})分?|整|钟)?)"
    rf"|{_PART}|(?:morning|noon|afternoon|evening|midnight|night)\b"
)
"""The expression of what people mean as a time of the day, also if it is none, such as `25:00`."""


def read_clock(text: str, *, is_evening: bool = False) -> time | None:
    """The time of the day that all of `text` is; None if it is none.

    `is_evening`: an hour such as 8 is in the evening.
    """
    found = re.fullmatch(_COLON, text, re.IGNORECASE) or re.fullmatch(_POINT, text)
    if found is None:
        return None
    values = found.groupdict()
    hour = _hour(_number(values["hour"]), values["part"] or ("晚" if is_evening else ""), values.get("half"))
    minute = _number(values["minute"]) if values["minute"] else _MINUTES[values.get("more")]
    try:
        return None if hour is None else time(hour, minute, _number(values.get("second") or "0"))
    except ValueError:
        return None


def _hour(hour: int, part: str, half: str | None) -> int | None:
    """The hour from 0 to 23; None if `hour` is not in this part or half of the day, or could be in two days."""
    if half:
        return hour % 12 + 12 * (half[0] in "pP") if 1 <= hour <= 12 else None
    if part in _MORNING:
        return hour % 12 if part == "凌晨" and hour == 12 else hour if hour <= 12 else None
    if part == "中午":
        return hour + 12 if hour in (1, 2) else hour if 11 <= hour <= 14 else None
    if part in _AFTERNOON:
        return hour + 12 if 1 <= hour < 12 else hour if hour >= 12 else None
    if part in _EVENING:
        return hour + 12 if 5 <= hour < 12 else hour if hour > 12 else None
    return hour


def _number(digits: str) -> int:
    return int(number_of(digits) or 0)
