"""A bot's commands from outside."""

from datetime import date, timedelta
from enum import Enum, IntEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from parley.bot import Bot, Option, Turn
from parley.bot.specs import command_spec
from parley.model.commands import CommandSpec, OptionSpec
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


@pytest.mark.parametrize(
    ("annotation", "least", "most"),
    [
        (Annotated[int, Field(ge=1, le=5)], 1, 5),
        (Annotated[int, Field(gt=0, lt=10)], 1, 9),
        (Annotated[float, Field(ge=0.5, lt=2)], 0.5, None),
        (Annotated[str, Field(min_length=2, max_length=20)], 2, 20),
        (Annotated[str | None, Field(max_length=20)], None, 20),
        (int, None, None),
        # What the platform sends is text: it cannot check these.
        (Annotated[list[int], Field(min_length=1, max_length=2)], None, None),
        (Annotated[timedelta, Field(le=timedelta(hours=1))], None, None),
        (Annotated[date, Field(gt=date(2026, 1, 1))], None, None),
    ],
)
def test_the_bounds_that_pydantic_checks_are_told_beforehand(
    annotation: Any, least: float | None, most: float | None
) -> None:
    bot = Bot()

    @bot.command()
    def do(what: annotation) -> None:  # pyright: ignore[reportInvalidTypeForm]
        """Never called."""

    ((option,),) = [spec.options for spec in bot.specs()]
    assert (option.minimum, option.maximum) == (least, most)


def test_what_a_handler_says_of_its_command_and_its_options_is_told() -> None:
    bot = Bot()
    who = Option(kind="user", help="Whom", names={"zh-CN": "谁"}, helps={"zh-CN": "问候谁"})
    how = Option(choices=(Choice("Short", "s"), Choice("Long", "l")))

    @bot.command(admin=True, anywhere=True, names={"zh-CN": "问候"}, helps={"zh-CN": "打个招呼"})
    def greet(who: Annotated[str, who], how: Annotated[str, how] = "s", why: str = "") -> None:
        """Say hello"""

    bot.completion("greet", "why")(lambda typed: [typed])
    assert bot.specs() == [
        CommandSpec(
            name="greet",
            help="Say hello",
            admin=True,
            anywhere=True,
            names={"zh-CN": "问候"},
            helps={"zh-CN": "打个招呼"},
            options=(
                OptionSpec(name="who", kind="user", help="Whom", required=True, names=who.names, helps=who.helps),
                OptionSpec(name="how", choices=how.choices),
                OptionSpec(name="why", completes=True),
            ),
        )
    ]


def test_an_entry_of_a_menu_has_no_options() -> None:
    bot = Bot()
    bot.command("Count words", menu="message")(lambda target: target)
    assert bot.specs() == [CommandSpec(name="Count words", menu="message")]
