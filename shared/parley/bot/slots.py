"""The values for a handler's parameters that stand somewhere in a sentence: dates, durations, choices, numbers.

Each value is taken from the sentence once. The first parameter of a type gets the first value. Mentioned persons come
from the message (`Signature.fill`).
"""

import re
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from parley.bot.arguments import ArgumentError, Parameter
from parley.bot.conversions import half_width, is_person, plain_type, words_of_choices
from parley.bot.dates import find_date
from parley.bot.durations import find_duration
from parley.bot.numbers import find_numbers
from parley.bot.texts import ENGLISH

Span = tuple[int, int]
Found = tuple[Span, str]
"""Where a value stands, and the value as `Parameter.convert` reads it."""

LONGEST = 300
"""Characters of a sentence that are read."""
_NUMBERS = (int, float, Decimal)
_LATER = re.compile(r"(?:[之以]?[后前])?")


def is_slot(annotation: Any) -> bool:
    """Whether a value of this annotation can be found in a sentence."""
    return is_person(annotation) or _finder(annotation) is not None


def slots_in(parameters: Iterable[Parameter], sentence: str, today: date) -> dict[str, str]:
    """The values of `parameters` in `sentence`, as text that their types are read from.

    A value that its type does not allow (`Field(gt=0)`) is left out.
    """
    rest, found = half_width(sentence[:LONGEST])[:LONGEST], dict[str, str]()
    for parameter in sorted(parameters, key=lambda each: _order(each.type)):
        find = _finder(parameter.type)
        value = find(parameter.type, rest, today) if find else None
        if value is None:
            continue
        (start, end), text = value
        rest = rest[:start] + " " * (end - start) + rest[end:]
        try:
            parameter.convert(text, ENGLISH, lambda: today)
        except ArgumentError:
            continue
        found[parameter.name] = text
    return found


def values_in(text: str, today: date) -> list[Span]:
    """Where dates, durations and numbers stand in `text`, with what belongs to them, such as 后."""
    found: list[Span] = []
    for find in (_date, _duration):
        while (value := find(None, text, today)) is not None:
            (start, end), _ = value
            later = _LATER.match(text, end)
            found.append((start, later.end() if later else end))
            text = text[:start] + " " * (end - start) + text[end:]
    return [*found, *(span for span, _ in find_numbers(text))]


def _order(annotation: Any) -> int:
    """Numbers are read last: dates and durations have numbers in them."""
    plain = plain_type(annotation)
    return 3 if plain in _NUMBERS else 1 if plain is date else 2 if plain is timedelta else 0


def _finder(annotation: Any) -> Callable[[Any, str, date], Found | None] | None:
    plain = plain_type(annotation)
    if plain is date:
        return _date
    if plain is timedelta:
        return _duration
    if words_of_choices(annotation):
        return _choice
    return _number if plain in _NUMBERS else None


def _date(_type: Any, text: str, today: date) -> Found | None:
    return find_date(text, today)


def _duration(_type: Any, text: str, _today: date) -> Found | None:
    span = find_duration(text)
    return (span, text[slice(*span)].strip()) if span else None


def _choice(annotation: Any, text: str, _today: date) -> Found | None:
    """The choice that stands first; the longest one if several begin there."""
    found: list[tuple[int, int, str]] = []
    for word in words_of_choices(annotation):
        edge = r"(?<![a-z0-9])%s(?![a-z0-9])" if word.isascii() else "%s"
        match = re.search(edge % re.escape(word), text, re.IGNORECASE)
        if match and match[0]:
            found.append((match.start(), -match.end(), word))
    if not found:
        return None
    start, end, word = min(found)
    return (start, -end), word


def _number(_type: Any, text: str, _today: date) -> Found | None:
    """The first number whose value is clear."""
    return next(((span, value) for span, value in find_numbers(text) if value), None)
