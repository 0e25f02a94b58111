"""The bot's commands as tools of a language model. The model may do what the person may do, and no more.

A tool call runs the command as if the person had typed it: its rule, its roles and its middleware hold, and its
arguments are checked. What the command returns is the result for the model.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from inspect import isgeneratorfunction
from typing import TYPE_CHECKING, Any, cast

import msgspec
from msgspec.structs import replace

from parley.bot import runs
from parley.bot.approvals import Admits, Approve
from parley.bot.arguments import ArgumentError
from parley.bot.conversions import is_list, is_person, plain_type
from parley.bot.handlers import CommandHandler, Entry
from parley.bot.once import StoppedError
from parley.bot.questions import text_of
from parley.bot.quotas import Quotas
from parley.bot.replies import Replies, replies_of
from parley.bot.results import check_plans, check_reply, check_states
from parley.bot.rules import Rule, is_sender
from parley.bot.specs import option_spec
from parley.bot.texts import ENGLISH, Texts
from parley.bot.turn import Turn
from parley.errors import LimitError
from parley.model import Link, Location, Markdown, Mention, Quote, Reply, Text, plain_text
from parley.model.commands import OptionSpec
from parley.models.model import Tool, ToolCall
from parley.text import one_line
from parley.untrusted import decode_json

if TYPE_CHECKING:
    from parley.bot.arguments import Parameter

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST_APPROVAL = 1_000
"""Characters of a call that somebody has to approve: they have to be able to read all of it."""
_READABLE = (Text, Markdown, Mention, Link, Location, Quote)
"""Segments that a model gets as text. A reply with others is shown to the person: the model cannot pass it on."""
_SHOWN = "(shown to the person)"
_ASKS = "not done: this asks the person a question, which works only if they write the command; tell them"
_TYPES = {"int": "integer", "float": "number", "bool": "boolean"}
_FORMATS = {
    "date": "a date such as 2026-12-31, or tomorrow, or next Monday",
    "datetime": "a time such as 2026-12-31 10:00, or tomorrow 10:00",
    "timedelta": "a duration such as 10m or 2h30m",
}


_ADMITTED = (True, None)


class CallError(Exception):
    """A tool call that cannot be carried out. The message is for the model."""


class NotAllowedError(CallError):
    """A tool call of a command that the person may not use. The model does not read that there is such a command."""


class Called(msgspec.Struct, frozen=True):
    """A command that the model calls, with checked arguments. `text`: as a person reads it, with the values as JSON."""

    command: CommandHandler
    given: Mapping[str, Any]
    text: str


class Commands(msgspec.Struct):
    """The commands of a bot for the message of `turn`.

    `admission` returns `(True, None)` if the person may use a command, and `call` runs one.
    """

    turn: Turn
    texts: Texts
    commands: Mapping[str, CommandHandler]
    admission: Callable[[Entry, Turn], tuple[bool, str | None]]
    call: Callable[[Entry, Turn, Mapping[str, Any], Texts], Replies]
    admits: Admits
    quotas: Quotas | None
    reminders: Collection[str]
    """The names of the handlers of reminders."""

    def tools(self, names: bool | Iterable[str]) -> list[Tool]:  # as in `Bot.converse`
        """The commands that the person may use now. `names`: those that are offered; True stands for all."""
        return [_tool(name, each) for name, each in self._callable(names) if self._is_admitted(each)]

    def read(self, call: ToolCall, names: bool | Iterable[str]) -> Called:  # as above
        """The command of a call, with its arguments. Raises CallError, NotAllowedError."""
        command = dict(self._callable(names)).get(call.name)
        if command is None or not self._is_admitted(command):
            raise (NotAllowedError if command else CallError)(f"there is no tool {call.name!r}")
        given = _arguments(call, command.signature.parameters)
        try:
            filled = command.signature.fill(self.turn, given, ENGLISH)
        except ArgumentError as error:
            raise CallError(str(error)) from error
        # A call that waits for an approval keeps the day that it was made for.
        given |= {name: _with_dates(value, filled[name]) for name, value in given.items()}
        words = (f"{name}={_quoted(value)}" for name, value in given.items())
        return Called(command, given, " ".join([f"/{command.name}", *words]))

    def approval(self, called: Called) -> Approve | None:
        """The question that somebody has to approve before the call; None if nobody has to. Raises CallError."""
        tool = called.command.tool
        if tool is True or (tool is None and not called.command.access.admin):
            return None
        if len(called.text) > _LONGEST_APPROVAL:
            raise CallError("the arguments are too long to be approved")
        sender = self.turn.message.sender.id
        own = Approve(self.texts.model_question, by=Rule(lambda turn, _has_role: is_sender(turn.message, sender)))
        asked = tool if isinstance(tool, Approve) else own
        # The call is one line: none of its arguments can look like a line of the bot, or like another argument.
        shown, words = one_line(called.text), text_of(asked.question)
        question = f"{words}\n{shown}"
        if isinstance(asked.question, Markdown):
            code = shown.replace("`", "'")
            question = Markdown(text=f"{words}\n```\n{code}\n```")
        return replace(asked, question=question, key=asked.key or words)

    def run(self, called: Called) -> str:
        """Run the command. Returns the result for the model; what only a person can see goes to the person.

        Raises CallError, StoppedError, and what the command raises. What it has done in the turn is taken back then:
        replies, changes of states and reminders. A limit that it has reached is a CallError, as is a question to the
        person: the model would get it in their place.
        """
        turn, step = self.turn, self.turn.step
        if not self._is_admitted(called.command):
            raise CallError("the person may not do this")
        point = runs.Point.of(turn)
        turn.step, turn.is_tool = None, True
        try:
            returned = list(replies_of(self.call(called.command, turn, called.given, ENGLISH)))
            said = turn.replies[point.said :]
            shown = list(filter(_is_for_person, returned))
            self._check((*said, *shown), point.said)
            if turn.plans.has_asked_since(point.plans):
                raise CallError(_ASKS)
        except (Exception, StoppedError, BaseExceptionGroup) as error:
            point.restore(turn)
            if isinstance(error, LimitError):
                raise CallError(runs.limit_text(error, ENGLISH)) from error
            raise
        finally:
            turn.step, turn.is_tool = step, False
        turn.replies += shown
        return "\n".join(filter(None, (*map(_public_text, said), *map(_text_for_model, returned)))) or "done"

    def _check(self, replies: Iterable[Reply], first: int) -> None:
        """Raise ResultError if what a command has done cannot be stored or shown. `first`: the number of its first
        reply.
        """
        for number, reply in enumerate(replies, start=first):
            check_reply(reply, number, self.turn.message)
        check_states(self.turn)
        self.turn.plans.check(self.reminders)
        check_plans(self.turn)

    def start(self, entry: Entry, pending: str) -> list[Reply]:
        """Begin a dialogue of `entry`, whose only argument is `pending`. Returns its first replies."""
        turn, step = self.turn, self.turn.step
        turn.step = None
        try:
            given = {"pending": pending}
            arguments = entry.signature.fill(turn, given, self.texts)
            return list(replies_of(runs.run(entry, turn, arguments, given, self.texts, self.admits)))
        finally:
            turn.step = step

    def _is_admitted(self, command: CommandHandler) -> bool:
        return self.admission(command, self.turn) == _ADMITTED

    def _callable(self, names: bool | Iterable[str]) -> Iterable[tuple[str, CommandHandler]]:  # as above
        """The commands that a model can call for some person, by the name of the tool."""
        chosen = self.commands if names is True else () if names is False else frozenset(names)
        known: set[str] = set()
        for command in self.commands.values():
            if command.name not in chosen or not can_be_called(command):
                continue
            name = _name(command.name, known)
            known.add(name)
            yield name, command


def can_be_called(command: CommandHandler) -> bool:
    """Whether a model can call the command. One that asks questions belongs to a person, as does a menu entry."""
    asks = isgeneratorfunction(command.handler)
    return command.tool is not False and not asks and not command.settings.get("menu")


def _name(name: str, known: set[str]) -> str:
    """The name of a command as models accept it, which none of `known` has."""
    plain = _UNSAFE.sub("_", name).strip("_")[:60] or "command"
    number = next(number for number in range(1, 1000) if (f"{plain}_{number}" if number > 1 else plain) not in known)
    return f"{plain}_{number}" if number > 1 else plain


def _tool(name: str, command: CommandHandler) -> Tool:
    parameters = [each for each in command.signature.parameters if not is_person(each.type)]
    return Tool(
        name=name,
        description=command.help or command.name,
        parameters={
            "type": "object",
            "properties": {each.name: _schema(each) for each in parameters},
            "required": [each.name for each in parameters if each.required],
            "additionalProperties": False,
        },
    )


def _schema(parameter: "Parameter") -> dict[str, Any]:
    """The JSON Schema of an argument, from its annotation."""
    option, plain = option_spec(parameter), plain_type(parameter.type)
    several = "several values, separated by spaces or commas" if is_list(parameter.type) else ""
    notes = (option.help, several, _FORMATS.get(getattr(plain, "__name__", ""), ""))
    schema: dict[str, Any] = {"type": _TYPES.get(option.kind, "string"), "description": "; ".join(filter(None, notes))}
    if option.choices:
        schema["enum"] = [choice.value for choice in option.choices]
    return {key: value for key, value in (schema | _bounds(option)).items() if value != ""}


def _bounds(option: OptionSpec) -> dict[str, Any]:
    names = ("minLength", "maxLength") if option.kind == "str" else ("minimum", "maximum")
    values = (option.minimum, option.maximum)
    return {name: value for name, value in zip(names, values, strict=True) if value is not None}


def _arguments(call: ToolCall, parameters: "Iterable[Parameter]") -> dict[str, Any]:
    """The arguments of a call by name. Persons are those whom the message mentions: a model cannot name one.

    Raises CallError.
    """
    try:
        value = decode_json(call.arguments.encode("utf-8", "replace"))
    except ValueError as error:
        raise CallError("the arguments are not JSON") from error
    if not isinstance(value, dict):
        raise CallError("the arguments are not an object")
    names = {each.name for each in parameters if not is_person(each.type)}
    given: dict[str, Any] = {}
    for name, each in value.items():  # pyright: ignore[reportUnknownVariableType]
        if name not in names:
            raise CallError(f"there is no argument {str(name)[:40]!r}")  # pyright: ignore[reportUnknownArgumentType]
        if isinstance(each, str | int | float):
            given[str(name)] = each  # pyright: ignore[reportUnknownArgumentType]
        elif each is not None:
            raise CallError(f"{name}: expected a text or a number")
    return given


def _quoted(value: Any) -> str:
    """`value` as JSON: a text in quotation marks cannot look like a further argument."""
    return msgspec.json.encode(value).decode()


def _with_dates(given: Any, value: Any) -> Any:
    """`given`, with dates in place of words such as `tomorrow` in it. `value`: what was read from it."""
    values = cast("list[Any]", value) if isinstance(value, list) else [value]
    dates = [each.isoformat() for each in values if isinstance(each, date)]
    return ", ".join(dates) if dates and len(dates) == len(values) else given


def _public_text(reply: Reply) -> str:
    """The text of a reply that everybody in the conversation sees."""
    return "" if reply.private or reply.to is not None else plain_text(reply.segments)


def _text_for_model(reply: Reply) -> str:
    """What a model gets of a reply that a command returns."""
    text = _public_text(reply)
    return f"{text} {_SHOWN}".strip() if _is_for_person(reply) else text


def _is_for_person(reply: Reply) -> bool:
    is_plain = reply.op == "send" and reply.to is None and not reply.private
    return not is_plain or not all(isinstance(segment, _READABLE) for segment in reply.segments)
