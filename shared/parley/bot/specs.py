"""A command as platforms see it, from the annotations of its handler."""

import types
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Annotated, Any, Literal, Protocol, Union, Unpack, get_args, get_origin

from parley.model.commands import CommandSettings, CommandSpec, Kind, Option, OptionSpec
from parley.model.instant import Choice


class Argument(Protocol):
    """An argument of a handler: `parley.bot.arguments.Parameter`."""

    @property
    def name(self) -> str:
        """As it is written."""
        ...

    @property
    def type(self) -> Any:
        """Its annotation."""
        ...

    @property
    def required(self) -> bool:
        """Whether it has to be given."""
        ...


def command_spec(
    name: str, help_: str, arguments: Iterable[Argument], **placing: Unpack[CommandSettings]
) -> CommandSpec:
    """The command of a handler. A type that is neither text, number, truth nor a list of choices is typed as text and
    converted by the bot. An entry of a menu has no options, whatever its handler takes.
    """
    options = () if placing.get("menu") else tuple(option_spec(argument) for argument in arguments)
    return CommandSpec(name=name, help=help_, options=options, **placing)


def option_spec(argument: Argument) -> OptionSpec:
    """The argument of a handler, by its annotation."""
    kind, choices = _meaning(argument.type)
    notes = tuple(_notes(argument.type))
    said = next((note for note in notes if isinstance(note, Option)), Option())
    least, most = _bounds(notes, whole=kind == "int")
    return OptionSpec(
        name=argument.name,
        kind=said.kind or kind,
        help=said.help,
        required=argument.required,
        choices=said.choices or choices,
        completes=said.completes,
        minimum=least,
        maximum=most,
        names=said.names,
        helps=said.helps,
    )


def bare(annotation: Any) -> Any:
    """The type in `annotation`, without an `Option`: that says nothing of what values are taken."""
    if get_origin(annotation) is not Annotated:
        return annotation
    plain, *notes = get_args(annotation)
    return plain if all(isinstance(note, Option) for note in notes) else annotation


def _notes(annotation: Any) -> Iterator[Any]:
    """What is annotated, pydantic's `Field(gt=0)` taken apart."""
    if get_origin(annotation) is Annotated:
        for note in get_args(annotation)[1:]:
            yield from (note, *getattr(note, "metadata", ()))


def _bounds(notes: Iterable[Any], *, whole: bool) -> tuple[float | None, float | None]:
    """The least and the most of a number, or of the length of a text, by the attributes of `annotated_types`. A number
    that must be more than another has a least one only among whole numbers.
    """
    found: Mapping[str, Any] = {
        name: value for note in notes for name in _BOUNDS if (value := getattr(note, name, None)) is not None
    }
    least = found.get("ge", found.get("min_length", found["gt"] + 1 if whole and "gt" in found else None))
    most = found.get("le", found.get("max_length", found["lt"] - 1 if whole and "lt" in found else None))
    return least, most


_BOUNDS = ("ge", "gt", "le", "lt", "min_length", "max_length")


def _meaning(annotation: Any) -> tuple[Kind, tuple[Choice, ...]]:
    if get_origin(annotation) is Annotated:
        return _meaning(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        some = [each for each in get_args(annotation) if each is not type(None)]
        return _meaning(some[0]) if len(some) == 1 else ("str", ())
    values = tuple(_values(annotation))
    if values and all(isinstance(value, str) for value in values):
        return "str", tuple(Choice(value, value) for value in values)
    if values and all(type(value) is int for value in values):
        return "int", tuple(Choice(str(value), value) for value in values)
    known: dict[Any, Kind] = {int: "int", float: "float", bool: "bool"}
    return known.get(annotation, "str"), ()


def _values(annotation: Any) -> Iterator[Any]:
    """The values to choose from, of a `Literal` or an enumeration."""
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
    elif isinstance(annotation, type) and issubclass(annotation, Enum):
        yield from (member.value for member in annotation)
