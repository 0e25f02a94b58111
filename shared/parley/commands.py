"""What a bot's commands look like from outside, for platforms that want to know them beforehand (Discord, Telegram)."""

import types
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Annotated, Any, Literal, Protocol, Union, get_args, get_origin

import msgspec

from parley.model.instant import Choice

Kind = Literal["str", "int", "float", "bool", "user", "channel", "role", "mentionable", "file"]


class OptionSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One argument of a command. `names` and `helps` are translations by locale (`zh-CN`); `name` and `help` are used
    for all other languages. `minimum` and `maximum` bound a number, or the length of a string.
    """

    name: str
    kind: Kind = "str"
    help: str = ""
    required: bool = False
    choices: tuple[Choice, ...] = ()
    completes: bool = False
    """Whether the bot completes it while it is being typed (`Command.focused`); excludes `choices`."""
    minimum: float | None = None
    maximum: float | None = None
    names: dict[str, str] = {}
    helps: dict[str, str] = {}


class CommandSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One command. A name of two or three words is a sub-command: `"doc file check"`.

    `menu`: it is called on a person or on a message, from a context menu, and has no options. `admin`: only those who
    run the place may call it, until somebody there decides otherwise. `rooms_only`: not in direct chats. `anywhere`:
    people may take it along to chats that the bot is not in, where the platform knows such a thing.
    """

    name: str
    help: str = ""
    options: tuple[OptionSpec, ...] = ()
    menu: Literal["", "user", "message"] = ""
    admin: bool = False
    rooms_only: bool = False
    anywhere: bool = False
    names: dict[str, str] = {}
    helps: dict[str, str] = {}


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


def command_spec(name: str, help_: str, arguments: Iterable[Argument]) -> CommandSpec:
    """The command of a handler. A type that is neither text, number, truth nor a list of choices is typed as text and
    converted by the bot.
    """
    return CommandSpec(name=name, help=help_, options=tuple(option_spec(argument) for argument in arguments))


def option_spec(argument: Argument) -> OptionSpec:
    """The argument of a handler, by its annotation."""
    kind, choices = _meaning(argument.type)
    return OptionSpec(name=argument.name, kind=kind, required=argument.required, choices=choices)


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
