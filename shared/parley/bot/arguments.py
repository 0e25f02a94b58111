"""The typed arguments of a command, read once from the handler's signature and filled for each message.

Pydantic converts the values, so every type that it supports is allowed: `int`, `date`, `Literal["a", "b"]`,
`Annotated[int, Field(gt=0)]`. A string as the last parameter takes the rest of the line, also if it is optional
(`str | None`) or annotated (`Annotated[str, ...]`).
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from parley.bot.specs import bare, is_text
from parley.bot.turn import Turn
from parley.errors import ParleyError
from parley.model import Message

if TYPE_CHECKING:
    from pydantic import TypeAdapter


_INJECTED = {"turn": "Turn", "message": "Message"}


class ArgumentError(ParleyError):
    """The arguments do not match the command. The message is for the person who sent them."""


@dataclass(frozen=True)
class Parameter:
    """One argument of a command. `default` is `inspect.Parameter.empty` if it is required."""

    name: str
    type: Any
    default: Any

    @property
    def required(self) -> bool:
        """Whether there is no default."""
        return self.default is inspect.Parameter.empty

    @cached_property
    def _adapter(self) -> "TypeAdapter[Any]":
        # Imported here: a bot whose arguments are all strings does not pay for it.
        from pydantic import TypeAdapter  # noqa: PLC0415

        return TypeAdapter(self.type)

    def convert(self, value: Any) -> Any:
        """`value` as the type of the parameter. Raises ArgumentError."""
        if bare(self.type) is str:
            return str(value)
        from pydantic import ValidationError  # noqa: PLC0415

        try:
            return self._adapter.validate_python(value)
        except ValidationError as error:
            raise ArgumentError(f"{self.name}: {error.errors()[0]['msg']}") from error


@dataclass(frozen=True)
class Signature:
    """The parameters of a handler: injected ones (`Turn`, `Message`), and the arguments of its command."""

    injected: Mapping[str, type[Turn] | type[Message]]
    parameters: tuple[Parameter, ...]
    models: tuple[type[Any], ...] = ()
    """The models of the states, from `Turn[Cart, Profile]`."""

    @classmethod
    def of(cls, handler: Callable[..., Any]) -> "Signature":
        """The signature of `handler`. Parameters annotated `Turn` or `Message` are injected; a parameter without an
        annotation is a string.

        Raises TypeError if a parameter `turn` or `message` has no annotation: it would be an argument of the command.
        """
        hints = get_type_hints(handler, include_extras=True)
        models: tuple[type[Any], ...] = ()
        injected: dict[str, type[Turn | Message]] = {}
        parameters: list[Parameter] = []
        for name, parameter in inspect.signature(handler).parameters.items():
            if name in _INJECTED and name not in hints:
                raise TypeError(f"{handler.__name__}: write `{name}: {_INJECTED[name]}` in the parameters")
            kind = hints.get(name, str)
            if get_origin(kind) is Turn or kind is Turn:
                injected[name] = Turn
                models = get_args(kind)
            elif kind is Message:
                injected[name] = Message
            else:
                parameters.append(Parameter(name, kind, parameter.default))
        return cls(injected, tuple(parameters), models)

    def fill(self, turn: Turn, given: Mapping[str, Any]) -> dict[str, Any]:
        """Keyword arguments for the handler. Raises ArgumentError."""
        turn.declare(self.models)
        filled: dict[str, Any] = {name: turn if kind is Turn else turn.message for name, kind in self.injected.items()}
        for parameter in self.parameters:
            if parameter.name in given:
                filled[parameter.name] = parameter.convert(given[parameter.name])
            elif parameter.required:
                raise ArgumentError(f"{parameter.name} is missing")
            else:
                filled[parameter.name] = parameter.default
        return filled

    def parse(self, rest: str) -> dict[str, str]:
        """The words of `rest` by parameter. Raises ArgumentError if there are too many."""
        given: dict[str, str] = {}
        for number, parameter in enumerate(self.parameters, start=1):
            rest = rest.strip()
            if not rest:
                return given
            if number == len(self.parameters) and is_text(parameter.type):
                given[parameter.name], rest = rest, ""
            else:
                # Any white space separates words: Chinese keyboards type a full-width space.
                given[parameter.name], *more = rest.split(maxsplit=1)
                rest = more[0] if more else ""
        if rest.strip():
            raise ArgumentError(f"too many arguments: {rest.strip()[:50]}")
        return given

    @property
    def usage(self) -> str:
        """The arguments as a usage text: `TEXT [TIMES]`."""
        return " ".join(p.name.upper() if p.required else f"[{p.name.upper()}]" for p in self.parameters)
