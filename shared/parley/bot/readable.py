"""Checks of annotations: whether a text can be read as a type, and whether a default is of it."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from inspect import isroutine
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from parley.bot.arguments import check_type
from parley.bot.choices import problem_of
from parley.bot.conversions import adapter_of, is_list, is_person, names_of_choices, plain_type
from parley.bot.specs import bare, notes_of
from parley.model import Media

_STRUCTURES = {
    *("callable", "dataclass", "dict", "frozenset", "generator", "is-instance", "is-subclass"),
    *("list", "model", "set", "tuple", "typed-dict"),
}
"""Pydantic's types of values that no text is."""
_BOUNDS, _LENGTHS = ("ge", "gt", "le", "lt", "multiple_of"), ("min_length", "max_length", "pattern")
_UNFIT: dict[Any, tuple[str, ...]] = {
    **dict.fromkeys((str, list), _BOUNDS),
    **dict.fromkeys((bool, int, float, Decimal, date, datetime, timedelta), _LENGTHS),
}
"""The arguments of a `Field` that a type cannot have. Pydantic raises TypeError when it reads a value."""


def check_readable(annotation: Any, way: str = "write one argument for each of its values, or a list") -> None:
    """Raise TypeError if no text can be read as `annotation`, or if its metadata does not fit its type. `way`: what to
    write instead of a structure.
    """
    if bare(annotation) is str or is_person(annotation):
        return
    if _has_none(annotation):
        raise TypeError('None is no choice: write Literal["a", "b"] | None')
    problem = _problem_of_choices(annotation)
    if problem:
        raise TypeError(problem)
    plain = plain_type(annotation)
    if isroutine(plain):
        raise TypeError(f"{_name_of(plain)} is a function: write a type such as str, int or date")
    names = _UNFIT.get(get_origin(plain) or plain, ())
    unfit = next((name for name in names for note in notes_of(annotation) if getattr(note, name, None) is not None), "")
    if unfit:
        raise TypeError(f"Field({unfit}=...) is not for {getattr(plain, '__name__', plain)}")
    try:
        schema: Any = adapter_of(annotation).core_schema
    except Exception as error:  # pydantic has several, which have no base of their own
        reason = " ".join(str(error).split())[:200]
        raise TypeError(f"write a type such as str, int or date, or correct its Field: {reason}") from error
    kind = schema["schema"]["type"] if schema["type"] == "nullable" else schema["type"]
    if not is_list(annotation) and kind in _STRUCTURES:
        raise TypeError(way)


def check_answer(annotation: Any) -> None:
    """Raise TypeError if `Ask(type=annotation)` has no answer that a person can write or send."""
    plain, name = plain_type(annotation), _name_of(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Media):
        return
    if isinstance(plain, list | tuple | set | frozenset):
        raise TypeError(f"Ask(type={name}): write choices=(...) for the possible answers, and no type")
    if _has_file(annotation):
        raise TypeError(f"Ask(type={name}): write type=Image, with optional=True if the person may send none")
    if _has_none(annotation):
        raise TypeError(f'Ask(type={name}): None is no choice: write Literal["a", "b"], and optional=True')
    if plain is None or plain is type(None) or isinstance(plain, str | int | float):
        raise TypeError(f"Ask(type={name}): write a type such as str, int or date")
    check_type(f"Ask(type={name})", annotation)
    if not names_of_choices(annotation):
        try:
            check_readable(annotation, "ask a question for each of its values")
        except TypeError as error:
            raise TypeError(f"Ask(type={name}): no text can be read as an answer: {error}") from error


def _has_none(annotation: Any) -> bool:
    """Whether None is one of the values of a `Literal` in `annotation`: people would read and write "None"."""
    inner = get_args(annotation)
    return None in inner if get_origin(annotation) is Literal else any(map(_has_none, inner))


def _problem_of_choices(annotation: Any) -> str:
    """What people cannot choose in an enumeration or a `Literal` in `annotation`; empty if there is nothing."""
    plain = plain_type(annotation)
    names = names_of_choices(plain)
    if names or get_origin(plain) not in (list, Union, UnionType):
        return problem_of(names)
    return next((problem for each in get_args(plain) if (problem := _problem_of_choices(each))), "")


def _has_file(annotation: Any) -> bool:
    """Whether files are among the values of `annotation`."""
    is_file = isinstance(annotation, type) and get_origin(annotation) is None and issubclass(annotation, Media)
    return is_file or any(map(_has_file, get_args(annotation)))


def check_default(annotation: Any, default: Any) -> None:
    """Raise TypeError if `default` is not of the type `annotation`: a handler would get a value of another type. The
    bounds of a `Field` do not count.
    """
    if default is None and _may_be_none(annotation):
        return
    expected = f"write a default of the type {_name_of(plain_type(annotation))}"
    if default is None:
        raise TypeError(f"the default is None: annotate it with `{_name_of(annotation)} | None`, or {expected}")
    if not _is_of(plain_type(annotation), default):
        raise TypeError(f"the default {default!r} is a {type(default).__name__}: {expected}")


def _may_be_none(annotation: Any) -> bool:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return type(None) in get_args(annotation)


def _is_of(plain: Any, value: Any) -> bool:
    if isinstance(plain, type) and get_origin(plain) is None:
        is_number = plain is float and type(value) is int
        return is_number or (isinstance(value, plain) and (plain is bool or not isinstance(value, bool)))
    if get_origin(plain) is list:
        items = get_args(plain)
        return isinstance(value, list) and all(_is_of(plain_type(items[0]), each) for each in value)  # pyright: ignore[reportUnknownVariableType]
    if names_of_choices(plain):
        return any(type(each) is type(value) and each == value for each in get_args(plain))
    members = [member for member in get_args(plain) if member is not type(None)]
    return not members or any(_is_of(plain_type(member), value) for member in members)


def _name_of(annotation: Any) -> str:
    is_named = isroutine(annotation) or (isinstance(annotation, type) and not get_args(annotation))
    return annotation.__name__ if is_named else str(annotation)[:100]
