"""Numbers in digits and in words: `2.5`, `twenty-five`, `one hundred and five`, 二十五, 两千零一."""

import re
from collections.abc import Iterator

_ONES = {word: value for value, word in enumerate("one two three four five six seven eight nine".split(), 1)}
_TEENS = {
    word: value
    for value, word in enumerate(
        "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(), 10
    )
}
_TENS = {
    word: 10 * value for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
_VALUES = {"zero": 0, "a": 1, "an": 1, **_ONES, **_TEENS, **_TENS}
_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_PLACES = {"千": 1000, "百": 100, "十": 10}


def _any(words: dict[str, int]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_GAP = r"[\s-]{1,2}"
_AND = rf"(?:{_GAP}and)?{_GAP}"
_TWO_DIGITS = rf"(?:(?:{_any(_TENS)})(?:{_GAP}(?:{_any(_ONES)})\b)?|{_any(_TEENS)}|{_any(_ONES)}|zero)\b"
_HUNDREDS = rf"(?:(?:{_any(_ONES)}|an?){_GAP}hundred\b(?:{_AND}{_TWO_DIGITS})?|{_TWO_DIGITS})"
ENGLISH = rf"(?:(?:{_HUNDREDS}|an?){_GAP}thousand\b(?:{_AND}{_HUNDREDS})?|{_HUNDREDS})"
"""The pattern of an English number below a million. It is for lower case, or for `re.IGNORECASE`."""
CHINESE = "[零〇一二两三四五六七八九十百千]"
"""The pattern of a character of a Chinese number below 10,000."""

VERY = re.compile(
    rf"(?<!{CHINESE})[十百]分(?!钟|[之以]?后|{CHINESE}{{1,3}}秒|[0-9]{{1,2}}秒|\s{{0,2}}(?:\Z|[,.;:!?，。；：！？、\n]))"
)
"""十分 as "very", and 百分 of a percentage: no minutes and no number."""
_DIGIT_NUMBER = r"[0-9]{1,3}(?:,[0-9]{3}){1,4}(?![0-9])(?:\.[0-9]{1,9})?|[0-9]{1,15}(?:\.[0-9]{1,9})?"
_TIMES = {"dozen": 12, "hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9} | {
    "百": 100,
    "千": 1000,
    "万": 10**4,
    "亿": 10**8,
}
_MANY = "|".join(word for word in _TIMES if word.isascii())
_IN_CHINESE = "[零〇一二两三四五六七八九十百千万亿]"
_PARTS = "half|halves|thirds?|quarters?|fifths?|tenths?"
_NUMBER = re.compile(
    rf"(?P<none>[0-9]{{1,15}}\s?[/⁄]\s?[0-9]{{1,15}}|(?:{CHINESE}{{1,9}}|[0-9]{{1,9}})分之(?:{CHINESE}|[0-9.点]){{0,9}}"
    rf"|百分百|{VERY.pattern})"
    r"|(?:(?P<minus>(?<![\w.])-|\b(?:minus|negative)\s{1,2}|负|零下))?"
    rf"(?:(?<![a-z0-9_./⁄])(?P<digits>{_DIGIT_NUMBER})(?![0-9]|\.[0-9])"
    rf"(?:\s{{0,2}}(?P<times>[百千万亿]|(?:{_MANY})\b)|(?![0-9a-z]))"
    rf"|\b(?P<english>{ENGLISH})(?:\s{{1,2}}(?P<many>{_MANY})\b)?"
    rf"|(?P<chinese>{_IN_CHINESE}{{1,12}}))"
    rf"(?P<more>\sand\s(?:(?:an?|one)\s)?(?:{_PARTS})\b|[\s-](?:{_PARTS})\b|个?半|(?:{_IN_CHINESE}|[0-9]){{1,9}})?",
    re.IGNORECASE,
)
_NO_NUMBER = re.compile(rf"[下起样些直定般共旦边会]|{_IN_CHINESE}")
"""What follows a Chinese number if it is a part of another word."""
_ONE_BEFORE = re.compile(r"\b(?:no|any|every|each|which|this|that|another|some|the)[\s-]\Z", re.IGNORECASE)
_ONE_AFTER = re.compile(r"\s(?:more|another|of)\b|['’]s\b", re.IGNORECASE)


def find_numbers(text: str) -> Iterator[tuple[tuple[int, int], str]]:
    """Where the numbers stand in `text`, and their values: digits, which may have a minus sign and a point.

    The value is empty where it is not clear, or is no number but looks like one: `1/2`, 百分之五, `no one`, 十分感谢.
    """
    for found in _NUMBER.finditer(text):
        value = "" if found["none"] or found["more"] else _value(found)
        yield found.span(), f"-{value}" if value and found["minus"] else value


def _value(found: re.Match[str]) -> str:
    if found["digits"]:
        digits = found["digits"].replace(",", "")
        times = _TIMES[found["times"].lower()] if found["times"] else 1
        return digits if times == 1 else f"{round(float(digits) * times, 6):.15g}"
    if found["english"]:
        return (
            "" if _is_pronoun(found) else str(_english(found["english"]) * _TIMES.get((found["many"] or "").lower(), 1))
        )
    number = None if _NO_NUMBER.match(found.string, found.end()) else _myriads(found["chinese"])
    return "" if number is None else str(int(number))


def _is_pronoun(found: re.Match[str]) -> bool:
    """Whether "one" is no number: `no one`, `one more`."""
    text, start = found.string, found.start("english")
    is_one = found["english"].lower() == "one"
    return is_one and bool(_ONE_BEFORE.search(text, max(0, start - 9), start) or _ONE_AFTER.match(text, found.end()))


def _myriads(text: str) -> float | None:
    """The value of a Chinese number, with one 万 or 亿 at most. None if it is none, or has two meanings (一万二)."""
    head, unit, tail = text.partition("亿" if "亿" in text else "万")
    if not unit:
        return _chinese(text)
    is_clear = not tail or (unit == "万" and (tail[0] in "零〇" or "千" in tail))
    if not head or not is_clear or any(each in "万亿" for each in head + tail) or text.startswith("千万"):
        return None
    high, low = _chinese(head), _chinese(tail)
    return None if high is None or low is None else high * _TIMES[unit] + low


def number_of(text: str) -> float | None:
    """The value of digits with or without a point, of an `ENGLISH` number, or of a Chinese one below 10,000; None if
    the Chinese characters are no number.
    """
    if text[0].isdecimal():
        return float(text)
    return float(_english(text)) if text.isascii() else _chinese(text)


def _english(text: str) -> int:
    thousands, part = 0, 0
    for word in re.split(r"[\s-]+", text.lower()):
        if word == "thousand":
            thousands, part = part * 1000, 0
        elif word == "hundred":
            part *= 100
        elif word != "and":
            part += _VALUES[word]
    return thousands + part


def _chinese(text: str) -> float | None:
    total, digit = 0, None
    for character in text:
        if character in _PLACES:
            total, digit = total + _PLACES[character] * (1 if digit is None else digit), None
        elif digit in (None, 0):
            digit = _DIGITS[character]
        else:
            return None
    return float(total + (digit or 0))
