"""A bot's commands from outside."""

from enum import Enum, IntEnum
from typing import Annotated, Any, Literal

import pytest

from parley.bot import Bot, Turn
from parley.commands import CommandSpec, OptionSpec, command_spec
from parley.model.instant import Choice


class Size(Enum):
    SMALL = "s"
    LARGE = "l"


class Level(IntEnum):
    ONE = 1
    TWO = 2


@pytest.mark.parametrize(
    ("annotation", "kind", "values"),
    [
        (str, "str", ()),
        (int, "int", ()),
        (float, "float", ()),
        (bool, "bool", ()),
        (int | None, "int", ()),
        (int | str, "str", ()),
        (bytes, "str", ()),
        (Annotated[int, "at least one"], "int", ()),
        (Literal["a", "b"], "str", ("a", "b")),
        (Literal[1, 2] | None, "int", (1, 2)),
        (Literal[1, "b"], "str", ()),
        (Literal[True], "str", ()),
        (Size, "str", ("s", "l")),
        (Level, "int", (1, 2)),
    ],
)
def test_an_annotation_is_a_kind_and_its_choices(annotation: Any, kind: Any, values: tuple[Any, ...]) -> None:
    bot = Bot()

    @bot.command("do", help="Do it")
    def do(turn: Turn, what: annotation) -> None:  # pyright: ignore[reportInvalidTypeForm]
        """Never called."""

    handler = bot.commands["do"]
    spec = command_spec(handler.name, handler.help, handler.signature.parameters)
    choices = tuple(Choice(str(value), value) for value in values)
    option = OptionSpec(name="what", kind=kind, required=True, choices=choices)
    assert spec == CommandSpec(name="do", help="Do it", options=(option,))


def test_what_has_a_default_need_not_be_given() -> None:
    bot = Bot()

    @bot.command()
    def say(text: str, times: int = 1) -> None:
        """Say it"""

    handler = bot.commands["say"]
    spec = command_spec(handler.name, handler.help, handler.signature.parameters)
    assert [(option.name, option.required) for option in spec.options] == [("text", True), ("times", False)]
