"""Values of arguments from the words that a person typed, by the annotation of the parameter."""

import math
import types
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, date, datetime, time, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, cast, get_args, get_origin

from parley.bot.specs import bare, without_none
from parley.bot.texts import Texts
from parley.errors import ParleyError
from parley.model import Mention
from parley.text import one_line
from parley.width import fold, half_width

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Today = Callable[[], date]
_MOST_DAYS = 365_000
"""Days of a duration: about a thousand years."""
_TEXT_OF_ERROR = {
    "bool_parsing": "truth",
    "date_from_datetime_parsing": "date",
    "date_parsing": "date",
    "datetime_from_date_parsing": "moment",
    "datetime_parsing": "moment",
    "decimal_max_places": "decimal_places",
    "decimal_parsing": "number",
    "finite_number": "number",
    "float_parsing": "number",
    "greater_than": "greater_than",
    "greater_than_equal": "greater_than_equal",
    "int_from_float": "whole_number",
    "int_parsing": "whole_number",
    "int_parsing_size": "whole_number",
    "less_than": "less_than",
    "less_than_equal": "less_than_equal",
    "multiple_of": "multiple_of",
    "string_pattern_mismatch": "pattern",
    "string_too_long": "too_long",
    "string_too_short": "too_short",
    "time_delta_parsing": "duration",
    "time_parsing": "time",
    "too_long": "too_long",
    "too_short": "too_short",
    "url_parsing": "address",
    "url_scheme": "address",
    "url_syntax_violation": "address",
    "uuid_parsing": "uuid",
    "uuid_version": "uuid",
}
"""The field of `Texts` by pydantic's type of an error."""


class ArgumentError(ParleyError):
    """The arguments do not match the command. The message is for the person who sent them."""


class _UnfitError(ParleyError):
    """A value that is not of its type: the text for the person, and what was expected."""

    def __init__(self, text: str, expected: str) -> None:
        super().__init__(expected)
        self.text = text


@dataclass(frozen=True, slots=True)
class _Reading:
    """How words are read: `today` is the day on which they were written, `texts` are in the person's language."""

    texts: Texts
    today: Today


def convert(name: str, annotation: Any, value: Any, texts: Texts, today: Today) -> Any:
    """`value` as the type of the parameter `name`. Raises ArgumentError in the language of `texts`.

    `today`: returns the day on which the person has written `value`.
    """
    try:
        return _converted(annotation, value, _Reading(texts, today))
    except _UnfitError as error:
        raise ArgumentError(error.text.format(name=name, expected=error)) from error


def plain_type(annotation: Any) -> Any:
    """The type in `annotation` without None and without all metadata."""
    annotation = without_none(annotation)
    return plain_type(get_args(annotation)[0]) if get_origin(annotation) is Annotated else annotation


def is_list(annotation: Any) -> bool:
    """Whether the values are lists: `list[T]`, also if it is optional or annotated."""
    plain = plain_type(annotation)
    return plain is list or get_origin(plain) is list


def date_kind(annotation: Any) -> type[date] | None:
    """`date` or `datetime` if that is what the values are, or what they are lists of; None for every other type."""
    plain = plain_type(annotation)
    item = plain_type(get_args(plain)[0]) if is_list(plain) and get_args(plain) else plain
    return item if item in (date, datetime) else None


def is_person(annotation: Any) -> bool:
    """Whether the values are mentioned persons: `Mention`, or a list of them."""
    plain = plain_type(annotation)
    return plain is Mention or (is_list(plain) and get_args(plain) == (Mention,))


def _converted(annotation: Any, value: Any, reading: _Reading) -> Any:
    kind, plain = bare(annotation), plain_type(annotation)
    if kind is str:
        return str(value)
    read = _reader(plain)
    if read is not None:
        value = read(plain, value, reading)
        if kind is plain:
            return value
    elif isinstance(value, str) and plain is not str:
        value = half_width(value)
    return _validated(annotation, value, reading)


def _reader(plain: Any) -> Callable[[Any, Any, _Reading], Any] | None:
    """The function for a type that pydantic does not read as people write it."""
    if is_list(plain):
        return _list
    if get_origin(plain) in (Union, types.UnionType):
        return _one_of
    if get_origin(plain) is Literal or (isinstance(plain, type) and issubclass(plain, Enum)):
        return _choice
    readers: dict[Any, Callable[[Any, Any, _Reading], Any]] = {
        bool: _truth,
        date: _date,
        datetime: _moment,
        time: _clock,
        timedelta: _duration,
    }
    return readers.get(plain)


def _list(plain: Any, value: Any, reading: _Reading) -> list[Any]:
    (item,) = get_args(plain) or (str,)
    return [
        _converted(item, each, reading)
        for each in (_items(value, date_kind(item)) if isinstance(value, str) else [value])
    ]


def _one_of(plain: Any, value: Any, reading: _Reading) -> Any:
    """The value as the first type of a union that it fits. Every text is a `str`, so that one is the last."""
    expected: list[str] = []
    for member in sorted(get_args(plain), key=lambda member: member is str):
        try:
            return _converted(member, value, reading)
        except _UnfitError as error:
            expected.append(str(error))
    raise _UnfitError(reading.texts.wrong, " / ".join(expected))


def _items(line: str, kind: type[date] | None) -> list[str]:
    from parley.bot.words import Words  # noqa: PLC0415  # with the first list

    words, found = Words(line), list[str]()
    while not words.done:
        if word := words.item(kind):  # not for "" and after the last comma
            found.append(word)
    return found


def _choice(plain: Any, value: Any, reading: _Reading) -> Any:
    """The member of an enumeration, by its value or name, or the value of a `Literal`. Case counts only if two differ
    in nothing else.
    """
    members: list[Any] = list(get_args(plain) or plain)
    # A value goes before an equal name, and the first of equal ones before the others.
    exact = {_names(each)[place]: each for place in (0, -1) for each in reversed(members)}
    word = chosen(exact, str(value))
    if word is not None:
        return exact[word]
    raise _UnfitError(
        reading.texts.wrong,
        reading.texts.choice.format(choices=", ".join(one_line(_names(each)[-1]) for each in members)),
    )


def chosen(words: Collection[str], typed: str) -> str | None:
    """The one of `words` that a person typed. Width does not count, and case only if two differ in nothing else."""
    if typed in words:
        return typed
    return {fold(word): word for word in words}.get(fold(typed))


def _names(choice: Any) -> tuple[str, ...]:
    """The words that stand for a choice. The last one is shown to people: a value, unless it is empty."""
    if not isinstance(choice, Enum):
        return (str(choice),)
    value = str(choice.value)
    return (choice.name, value) if value.strip() else (choice.name,)


def _truth(_plain: Any, value: Any, reading: _Reading) -> bool:
    typed = half_width(value) if isinstance(value, str) else value
    return _validated(bool, {"是": True, "否": False}.get(typed, typed), reading)


def _date(_plain: Any, value: Any, reading: _Reading) -> date:
    from parley.bot.dates import read_date  # noqa: PLC0415  # most bots take no date

    typed = half_width(str(value))
    try:
        day = read_date(typed, reading.today) or date.fromisoformat(typed)
    except ValueError:
        raise _UnfitError(reading.texts.wrong, reading.texts.date) from None
    return _in_range(day, reading)


def _moment(_plain: Any, value: Any, reading: _Reading) -> datetime:
    from parley.bot.dates import read_moment  # noqa: PLC0415  # most bots take no date

    typed = half_width(str(value))
    try:
        moment = read_moment(typed, reading.today) or datetime.fromisoformat(typed)
    except ValueError:
        raise _UnfitError(reading.texts.wrong, reading.texts.moment) from None
    if moment.tzinfo is not None:  # what the handler compares it with has none
        raise _UnfitError(reading.texts.wrong, reading.texts.moment)
    return _in_range(moment, reading)


def _clock(_plain: Any, value: Any, reading: _Reading) -> time:
    from parley.bot.clocks import read_clock  # noqa: PLC0415  # most bots take no time

    typed = half_width(str(value)).strip()
    try:
        found = read_clock(typed) or time.fromisoformat(typed)
    except ValueError:
        found = None
    if found is None or found.tzinfo is not None:
        raise _UnfitError(reading.texts.wrong, reading.texts.time)
    return found


def _duration(_plain: Any, value: Any, reading: _Reading) -> timedelta:
    from parley.bot.durations import parse_duration  # noqa: PLC0415  # most bots take no duration

    found = parse_duration(half_width(str(value)))
    return _in_range(_validated(timedelta, value, reading) if found is None else found, reading)


def _in_range(value: Any, reading: _Reading) -> Any:
    """`value`. Raises _UnfitError for a date in the year 9999, or a duration with which no date can be computed."""
    if isinstance(value, timedelta) and abs(value.days) > _MOST_DAYS:
        raise _UnfitError(reading.texts.wrong, reading.texts.less_than_equal.format(le=f"{_MOST_DAYS}d"))
    if isinstance(value, date) and value.year == MAXYEAR:
        raise _UnfitError(reading.texts.wrong, reading.texts.date)
    return value


_MOST_ADAPTERS = 256
_adapters: dict[Any, "TypeAdapter[Any]"] = {}
"""By `_key`: equal annotations share one, and the oldest makes room."""


def _key(annotation: Any) -> Any:
    """The types in an annotation, and what its metadata looks like: a `Field` equals itself only."""
    inner = get_args(annotation)
    if inner:
        return (get_origin(annotation), *map(_key, inner))
    return annotation if isinstance(annotation, type) else repr(annotation)


def adapter_of(annotation: Any) -> "TypeAdapter[Any]":
    """Pydantic's reader of a type. Raises as `TypeAdapter` if there can be none."""
    # Imported here: a bot whose arguments are all strings does not pay for it.
    from pydantic import TypeAdapter  # noqa: PLC0415

    key = _key(annotation)
    if key not in _adapters:
        if len(_adapters) >= _MOST_ADAPTERS:
            del _adapters[next(iter(_adapters))]
        _adapters[key] = TypeAdapter(annotation)
    return _adapters[key]


def _validated(annotation: Any, value: Any, reading: _Reading) -> Any:
    from pydantic import ValidationError  # noqa: PLC0415

    try:
        found = adapter_of(annotation).validate_python(value)
    except ValidationError as error:
        raise _unfit(cast("Mapping[str, Any]", error.errors()[0]), reading.texts) from error
    if isinstance(found, float) and not math.isfinite(found):
        # `nan` and `inf`: a handler does not expect them, and no state can hold them, because JSON has neither.
        raise _UnfitError(reading.texts.wrong, reading.texts.number)
    return _in_range(found, reading)


def _unfit(error: Mapping[str, Any], texts: Texts) -> _UnfitError:
    """What a person reads of pydantic's `error`: the validator's own text, or the library's in their language."""
    context = error.get("ctx", {})
    own = context.get("error")
    if isinstance(own, Exception) and str(own):
        return _UnfitError("{name}: {expected}", str(own))
    text: str = getattr(texts, _TEXT_OF_ERROR.get(error["type"], "other"))
    return _UnfitError(texts.wrong, text.format(**context))


def words_of_choices(annotation: Any) -> list[str]:
    """All words that stand for the choices of an enumeration or a `Literal`; empty for every other type."""
    plain = plain_type(annotation)
    if _reader(plain) is not _choice:
        return []
    return [name for each in (get_args(plain) or plain) for name in _names(each)]


def names_of_choices(annotation: Any) -> list[str]:
    """The choices of an enumeration or a `Literal` as people see them; empty for every other type."""
    plain = plain_type(annotation)
    if _reader(plain) is not _choice:
        return []
    return [_names(each)[-1] for each in (get_args(plain) or plain)]
