"""What a bot's instant functions return: answers that a platform wants at once, before any queue."""

from collections.abc import Iterable
from typing import Literal

import msgspec


class Choice(msgspec.Struct, frozen=True):
    """One of the values to choose from, and what a person sees of it."""

    label: str
    value: str | int | float


class Choices(msgspec.Struct, frozen=True, tag_field="type", tag="choices"):
    """Completions for the option that is being typed (`Command.focused`)."""

    choices: tuple[Choice, ...] = ()

    @classmethod
    def of(cls, values: Iterable[str | Choice]) -> "Choices":
        """A plain value stands under its own name."""
        return cls(tuple(Choice(value, value) if isinstance(value, str) else value for value in values))


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a form. What is filled in comes back in `Action.form` under `id`."""

    id: str
    label: str
    kind: Literal["line", "paragraph", "choice"] = "line"
    help: str = ""
    placeholder: str = ""
    value: str = ""
    """What the field holds when the form opens."""
    required: bool = True
    min_length: int = 0
    max_length: int = 0
    """Characters; 0 is the platform's own limit."""
    choices: tuple[Choice, ...] = ()


class Form(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="form"):
    """A form that opens at once. Sending it off comes back as an action named `id`."""

    id: str
    title: str
    inputs: tuple[Input, ...]
    value: str = ""
    """Comes back as `Action.value`."""


Instant = Choices | Form
