"""Conversations with a language model, which may use the bot's commands: `Bot.converse`.

What follows the text of a person is in `parley.bot.exchange`.
"""

import re
from collections.abc import Callable, Sequence
from inspect import iscoroutinefunction, signature
from typing import Any, Required, Self, TypedDict, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec.structs import replace

from parley.bot.dialogues import Script
from parley.bot.exchange import Exchange
from parley.bot.handlers import CommandHandler, Entry, Middleware
from parley.bot.replies import Replies
from parley.bot.rules import Rule
from parley.bot.tables import check_settings
from parley.bot.turn import Turn
from parley.models.making import missing_parts
from parley.models.model import MAX_TEXT, Model, Said

Extra = Callable[[Turn[Any, Any, Any]], Any]
"""Gets the turn, and returns what the model shall know: a text, which may be empty."""
ModelLike = Model | Callable[[], Model]
"""A model, or a function or class that makes it when it is needed: from settings, for example."""
_HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*", re.IGNORECASE)
_LONGEST = 900
"""Seconds of a call of a model at most: Lambda ends each function by then."""


class ConverseSettings(TypedDict, total=False):
    """The arguments of `Bot.converse`.

    `model` answers, and `fallback` if it does not. `system`: instructions for it. `tools`: the commands that it may
    call: all, none, or those with these names. `command`: the name of a command with which people talk to it where
    the bot gets no plain text (Discord). `links`: hosts that its answers may link.

    `steps`: calls of the model for one message. `history`: tokens of earlier and current texts in a prompt. `answer`:
    tokens of an answer. `seconds`: for one call, with its repetitions. `heard`: the last messages of the room that were
    not for the bot, which the model reads as quotes (`Bot(hear=...)`).
    """

    model: Required[ModelLike]
    fallback: ModelLike
    system: str
    tools: bool | Sequence[str]
    command: str
    links: Sequence[str]
    steps: int
    history: int
    answer: int
    seconds: float
    heard: int


class Conversing(msgspec.Struct, frozen=True, kw_only=True):
    """A model of a bot: its settings, the handler that asks it, and the handler that goes on after an approval."""

    entry: Entry
    approved: Entry
    model: Any
    fallback: Any = None
    system: str = ""
    tools: Any = True
    command: str = ""
    links: Sequence[str] = ()
    steps: int = 8
    history: int = 8_000
    answer: int = 1_000
    seconds: float = 60
    heard: int = 0

    @classmethod
    def of(cls, function: Extra, when: Rule | None, settings: ConverseSettings) -> Self:
        """The model of `Bot.converse`. Raises TypeError or ValueError if the settings are wrong."""
        _check(settings)
        made: list[Self] = []
        hints = get_type_hints(function).values()
        states: tuple[type[Any], ...] = next((get_args(hint) for hint in hints if get_origin(hint) is Turn), ())

        def context(turn: Turn) -> Any:
            turn.declare(states)
            return function(turn)

        def converse(turn: Turn) -> Replies:
            return Exchange(made[0], context, turn, approved).begin(turn.text)

        def approved(turn: Turn, pending: str) -> Script:
            exchange = Exchange(made[0], context, turn, approved, list(msgspec.json.decode(pending, type=list[Said])))
            return (yield from exchange.approved())

        for each, name in ((converse, ""), (approved, ".approved")):
            each.__module__, each.__qualname__ = function.__module__, f"{function.__qualname__}{name}"
        entry = Entry.of(converse, when, listens=True)
        begun = Entry.of(approved, None, registered="converse")
        begun = replace(begun, signature=replace(begun.signature, models=states))
        made.append(cls(entry=entry, approved=begun, **settings))
        return made[0]

    def within(self, when: Rule | None, around: tuple[Middleware, ...]) -> Self:
        """This model as part of a router that is included under the rule `when`."""
        return replace(self, entry=self.entry.within(when, around), approved=self.approved.within(None, around))


def command_of(conversing: Conversing) -> CommandHandler:
    """The command with which people talk to the model."""
    ask = conversing.entry.handler

    def command(turn: Turn, text: str) -> Any:
        message = turn.message
        turn.message = replace(message, content=replace(message.content, text=text))
        try:
            return ask(turn)
        finally:
            turn.message = message

    name = conversing.command
    return CommandHandler.of(
        command, conversing.entry.when, name=name, registered=f"/{name}", help="Ask me", tool=False
    )


def _check(settings: ConverseSettings) -> None:
    check_settings("converse", settings, ConverseSettings, "when")
    for name, low, high in (
        ("steps", 1, 50),
        ("history", 200, 32_000),
        ("answer", 16, MAX_TEXT // 3),
        ("heard", 0, 50),
    ):
        value: Any = settings.get(name, low)
        if type(value) is not int or not low <= value <= high:
            raise ValueError(f"converse({name}={value!r}): write a whole number from {low} to {high}")
    seconds: Any = settings.get("seconds", _LONGEST)
    if type(seconds) not in (int, float) or not 0 < seconds <= _LONGEST:
        raise ValueError(f"converse(seconds={seconds!r}): write seconds up to {_LONGEST}, such as seconds=60")
    for name in ("model", "fallback"):
        if settings.get(name) is not None or name == "model":
            _check_model(name, settings.get(name))
    for name in ("system", "command"):
        value = settings.get(name, "")
        if not isinstance(value, str):
            raise TypeError(f"converse({name}={value!r}): write a text")
    for name, example in (("tools", '("status",)'), ("links", '("example.com",)')):
        names: Any = settings.get(name, ())
        if not (name == "tools" and isinstance(names, bool)) and not _are_texts(names):
            raise TypeError(f"converse({name}={names!r}): write {name}={example}")
    _check_hosts(settings.get("links", ()))


def _check_model(name: str, value: Any) -> None:
    """Raise TypeError unless `value` is a model, or a function or class that makes one."""
    if not missing_parts(value):
        return
    wrong = f"converse({name}={value!r}): write a model, or a function that makes one"
    if not callable(value) or (isinstance(value, type) and not hasattr(value, "answer")):
        raise TypeError(wrong)
    if iscoroutinefunction(value):
        raise TypeError(f"{wrong}, without `async`")
    try:
        signature(value).bind()
    except TypeError as error:
        raise TypeError(f"{wrong} without arguments: {error}") from error
    except ValueError:  # some builtins have no signature
        return


def _check_hosts(links: Sequence[str]) -> None:
    for each in links:
        if not _HOST.fullmatch(each):
            raise ValueError(
                f'converse(links=...): {each!r} is no host: write links=("example.com",), which has its subdomains too'
            )


def _are_texts(value: Any) -> bool:
    is_several = isinstance(value, Sequence) and not isinstance(value, str | bytes)
    return is_several and all(isinstance(each, str) for each in cast("Sequence[Any]", value))
