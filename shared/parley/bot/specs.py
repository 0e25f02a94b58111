"""A command as platforms see it, from the annotations of its handler."""

import types
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Annotated, Any, Literal, Protocol, Union, Unpack, get_args, get_origin

from parley.model import Mention
from parley.model.commands import CommandSettings, CommandSpec, Kind, Option, OptionSpec
from parley.model.instant import Choice


class Argument(Protocol):
    """An argument of a handler: `parley.bot.arguments.Parameter`."""

    @property
    def name(self) -> str:
        """The name."""
        ...

    @property
    def type(self) -> Any:
        """The annotation."""
        ...

    @property
    def required(self) -> bool:
        """Whether there is no default."""
        ...


def command_spec(
    name: str, help_: str, arguments: Iterable[Argument], **settings: Unpack[CommandSettings]
) -> CommandSpec:
    """The command of a handler.

    A mentioned person is registered as a user. An argument that is not a string, number, boolean, person or list of
    choices is registered as a string; the bot converts it. An entry of a menu has no options.
    """
    options = () if settings.get("menu") else tuple(option_spec(argument) for argument in arguments)
    return CommandSpec(name=name, help=help_, options=options, **settings)


def option_spec(argument: Argument) -> OptionSpec:
    """The option for an argument, from its annotation."""
    kind, choices = _meaning(argument.type)
    notes = tuple(notes_of(argument.type))
    option = next((note for note in notes if isinstance(note, Option)), Option())
    least, most = _bounds(notes, kind) if kind != "str" or is_text(argument.type) else (None, None)
    return OptionSpec(
        name=argument.name,
        kind=option.kind or kind,
        help=option.help,
        required=argument.required,
        choices=option.choices or choices,
        completes=option.completes,
        minimum=least,
        maximum=most,
        names=option.names,
        helps=option.helps,
    )


def bare(annotation: Any) -> Any:
    """The type in `annotation` without an `Option` and without None, which do not restrict the given values."""
    annotation = without_none(annotation)
    if get_origin(annotation) is not Annotated:
        return annotation
    plain, *notes = get_args(annotation)
    return bare(plain) if all(isinstance(note, Option) for note in notes) else annotation


def is_text(annotation: Any) -> bool:
    """Whether the values are strings: `str`, `str | None`, `Annotated[str, ...]`, in any combination."""
    annotation = without_none(annotation)
    return annotation is str or (get_origin(annotation) is Annotated and is_text(get_args(annotation)[0]))


def without_none(annotation: Any) -> Any:
    """`X` for `X | None` and `Optional[X]`. Other annotations are returned unchanged."""
    if get_origin(annotation) not in (Union, types.UnionType):
        return annotation
    some = [each for each in get_args(annotation) if each is not type(None)]
    return some[0] if len(some) == 1 else annotation


def notes_of(annotation: Any) -> Iterator[Any]:
    """The metadata of an annotation, including the parts of pydantic's `Field(gt=0)`."""
    annotation = without_none(annotation)
    if get_origin(annotation) is Annotated:
        plain, *notes = get_args(annotation)
        for note in notes:
            yield from (note, *getattr(note, "metadata", ()))
        yield from notes_of(plain)


def _bounds(notes: Iterable[Any], kind: Kind) -> tuple[float | None, float | None]:
    """Minimum and maximum of a number, or of the length of a string, from the attributes of `annotated_types`. An
    exclusive bound counts for integers only.
    """
    names = ("min_length", "max_length") if kind == "str" else ("ge", "gt", "le", "lt")
    found: Mapping[str, Any] = {
        name: value for note in notes for name in names if (value := getattr(note, name, None)) is not None
    }
    if kind == "str":
        return found.get("min_length"), found.get("max_length")
    whole = kind == "int"
    least = found.get("ge", found["gt"] + 1 if whole and "gt" in found else None)
    most = found.get("le", found["lt"] - 1 if whole and "lt" in found else None)
    return least, most


def _meaning(annotation: Any) -> tuple[Kind, tuple[Choice, ...]]:
    if get_origin(annotation) is Annotated:
        return _meaning(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        some = without_none(annotation)
        return ("str", ()) if some is annotation else _meaning(some)
    values = tuple(_values(annotation))
    if values and all(isinstance(value, str) for value in values):
        return "str", tuple(Choice(value, value) for value in values)
    if values and all(type(value) is int for value in values):
        return "int", tuple(Choice(str(value), value) for value in values)
    known: dict[Any, Kind] = {int: "int", float: "float", bool: "bool", Mention: "user"}
    return known.get(annotation, "str"), ()


def _values(annotation: Any) -> Iterator[Any]:
    """The values of a `Literal` or an enumeration."""
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
    elif isinstance(annotation, type) and issubclass(annotation, Enum):
        yield from (member.value for member in annotation)
