"""Numbers in digits and in words: `2.5`, `twenty-five`, `one hundred and five`, 二十五, 两千零一."""

import re

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
