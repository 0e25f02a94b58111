"""JSON values of a bot."""

from math import isfinite
from typing import cast

from parley.errors import ResultError


def check_json(value: object, where: str) -> None:
    """Raise ResultError if `value` would come back from the journal as something else: a set as a list, for example.

    A note of the error names the place in `value`: its keys may hold texts of people.
    """
    found = _problem(value, where)
    if found is not None:
        problem, place = found
        error = ResultError(f"{where} has {problem}")
        error.add_note(f"at {place}")
        raise error


def _problem(value: object, place: str) -> tuple[str, str] | None:
    """What JSON cannot hold, and where it is. None if there is nothing."""
    if isinstance(value, dict):
        for key, each in cast("dict[object, object]", value).items():
            if not isinstance(key, str):
                return f"a key of type {type(key).__name__}; JSON has text keys only", place
            if found := _problem(key, place) or _problem(each, f"{place}[{key!r}]"):
                return found
        return None
    if isinstance(value, list):
        several = enumerate(cast("list[object]", value))
        return next(filter(None, (_problem(each, f"{place}[{number}]") for number, each in several)), None)
    if isinstance(value, str):
        return None if _is_whole(value) else ("a text with half of a character, which JSON has not", place)
    if isinstance(value, float) and not isfinite(value):
        return "a number that is not finite, which JSON has not", place
    if value is None or isinstance(value, int | float):
        return None
    return f"a value of type {type(value).__name__}, which JSON has not", place


def _is_whole(text: str) -> bool:
    """Whether `text` has an encoding: half of a surrogate pair has none."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
