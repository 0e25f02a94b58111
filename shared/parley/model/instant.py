"""Choices and forms. A bot's instant functions return them within the callback; cards show them."""

from collections.abc import Iterable
from typing import Literal

import msgspec


class Choice(msgspec.Struct, frozen=True):
    """One of the values to choose from. `label` is shown to the person."""

    label: str
    value: str | int | float


class Choices(msgspec.Struct, frozen=True, tag_field="type", tag="choices"):
    """Completions for the option that is being typed (`Command.focused`)."""

    choices: tuple[Choice, ...] = ()

    @classmethod
    def of(cls, values: Iterable[str | Choice]) -> "Choices":
        """Choices from `values`. A string is both value and label."""
        return cls(tuple(Choice(value, value) if isinstance(value, str) else value for value in values))


class Input(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One field of a form. The person's input is in `Action.form` under `id`; a date is `2026-12-31` there, or the
    person's own words where the platform has no date picker.
    """

    id: str
    label: str
    kind: Literal["line", "paragraph", "choice", "date"] = "line"
    help: str = ""
    placeholder: str = ""
    value: str = ""
    """The initial value."""
    required: bool = True
    min_length: int = 0
    max_length: int = 0
    """Characters; 0 means the platform's own limit."""
    choices: tuple[Choice, ...] = ()


class Form(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="form", omit_defaults=True):
    """A form that opens at once, or that a card shows. Its submission is an action with this `id`."""

    id: str
    title: str
    inputs: tuple[Input, ...]
    value: str = ""
    """The `Action.value` of the submission."""
    submit: str = "OK"
    """The label of the button that submits it, where the platform lets the bot choose one."""


Instant = Choices | Form
