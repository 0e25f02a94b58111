"""The typed arguments of a command, read once from the handler's signature and filled for each message.

Every type that pydantic supports is allowed: `int`, `datetime`, `Annotated[int, Field(gt=0)]`. Choices, dates,
durations, mentioned persons and lists are read as people write them (`parley.bot.conversions`). The last parameter
takes the rest of the line if it is a list or a string, also if that is optional or annotated.
"""

import inspect
import re
import types
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

from parley.bot.conversions import ArgumentError, Today, convert, date_kind, is_list, is_person, plain_type
from parley.bot.specs import is_text
from parley.bot.texts import ENGLISH, Texts
from parley.bot.turn import Turn
from parley.model import Mention, Message

__all__ = ["ArgumentError", "Parameter", "Signature"]

_MENTIONED = re.compile(r"<@!?([0-9]+)>")
"""A mention in an option that is a text. Discord has no option for several persons."""
_BETWEEN = " \t\r\n\u3000，、,"
"""Characters that separate a mention from what follows it."""
_MANY = (Mapping, AbstractSet, Sequence)
"""Types that hold several values."""
_STATES = 3
_INJECTED = {"turn": "Turn", "message": "Message"}


class Parameter(msgspec.Struct, frozen=True):
    """One argument of a command. `default` is `inspect.Parameter.empty` if it is required."""

    name: str
    type: Any
    default: Any

    @property
    def required(self) -> bool:
        """Whether there is no default."""
        return self.default is inspect.Parameter.empty

    @property
    def takes_rest(self) -> bool:
        """Whether it takes the rest of the line if it is the last one."""
        return is_text(self.type) or is_list(self.type)

    def convert(self, value: Any, texts: Texts, today: Today) -> Any:
        """`value` as the type of the parameter. Raises as `conversions.convert`."""
        converted = convert(self.name, self.type, value, texts, today)
        if converted == [] and self.required:
            raise ArgumentError(texts.missing.format(name=self.name))
        return converted


class Signature(msgspec.Struct, frozen=True):
    """The parameters of a handler: injected ones (`Turn`, `Message`), and the arguments of its command."""

    injected: Mapping[str, type[Turn] | type[Message]]
    parameters: tuple[Parameter, ...]
    models: tuple[type[Any], ...] = ()
    """The models of the states, from `Turn[Cart, Profile]`."""

    @classmethod
    def of(cls, handler: Callable[..., Any]) -> "Signature":
        """The signature of `handler`. Parameters annotated `Turn` or `Message` are injected; a parameter without an
        annotation is a string.

        Raises TypeError if a parameter `turn` or `message` has no annotation, because it would be an argument of the
        command, and if a list is not the last argument.
        """
        hints = get_type_hints(handler, include_extras=True)
        models: tuple[type[Any], ...] = ()
        injected: dict[str, type[Turn | Message]] = {}
        parameters: list[Parameter] = []
        for name, parameter in inspect.signature(handler).parameters.items():
            if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                raise TypeError(
                    f"{handler.__name__}: write `{name}` as a plain parameter, a list as `{name}: list[str]`"
                )
            if name in _INJECTED and name not in hints:
                raise TypeError(f"{handler.__name__}: write `{name}: {_INJECTED[name]}` in the parameters")
            kind = hints.get(name, str)
            if get_origin(kind) is Turn or kind is Turn:
                injected[name] = Turn
                models = get_args(kind)
                if len(models) > _STATES:
                    raise TypeError(f"{handler.__name__}: `{name}` has {len(models)} models; a turn has three states")
            elif kind is Message:
                injected[name] = Message
            else:
                check_type(f"{handler.__name__}: `{name}`", kind)
                parameters.append(Parameter(name, kind, parameter.default))
        found = cls(injected, tuple(parameters), models)
        for kind in (found._typed, found._mentioned):
            for parameter in kind[:-1]:
                if is_list(parameter.type):
                    name = f"{handler.__name__}: the list `{parameter.name}`"
                    raise TypeError(f"{name} takes the rest; make it the last one")
        return found

    def fill(self, turn: Turn, given: Mapping[str, Any], texts: Texts = ENGLISH) -> dict[str, Any]:
        """Keyword arguments for the handler. Raises ArgumentError in the language of `texts`.

        Persons are the mentions of the message, in their order, unless `given` has the id of one.
        """
        turn.declare(self.models)
        filled: dict[str, Any] = {name: turn if kind is Turn else turn.message for name, kind in self.injected.items()}
        persons = self._persons(turn.message.mentions, given)
        for parameter in self.parameters:
            name = parameter.name
            if is_person(parameter.type) and name in persons:
                filled[name] = persons[name]
            elif name in given and not is_person(parameter.type):
                filled[name] = parameter.convert(given[name], texts, turn.today)
            elif not parameter.required:
                default = parameter.default
                filled[name] = default.copy() if isinstance(default, list) else default  # each message has its own
            elif is_person(parameter.type):
                raise ArgumentError(texts.wrong.format(name=name, expected=texts.person))
            else:
                raise ArgumentError(texts.missing.format(name=name))
        return filled

    def parse(self, rest: str, mentions: Sequence[Mention] = (), texts: Texts = ENGLISH) -> dict[str, str]:
        """The words of `rest` by parameter, without the `mentions` that `fill` uses.

        Raises ArgumentError if there are too many.
        """
        from parley.bot.words import Words  # noqa: PLC0415  # with the first command that is typed

        words = Words(_without(rest, self._persons(mentions, {})))
        given: dict[str, str] = {}
        for number, parameter in enumerate(self._typed, start=1):
            if words.done:
                return given
            if number == len(self._typed) and parameter.takes_rest:
                given[parameter.name] = words.rest
                return given
            if is_text(parameter.type):
                given[parameter.name] = words.text()
            elif word := words.value(date_kind(parameter.type)):
                given[parameter.name] = word
                words.skip()
        if not words.done:
            raise ArgumentError(texts.too_many.format(rest=words.rest[:50]))
        return given

    @property
    def usage(self) -> str:
        """The arguments as a usage text: `TEXT [TIMES] [NAMES...]`."""
        return " ".join(map(_usage, self.parameters))

    @property
    def _typed(self) -> list[Parameter]:
        """The arguments that are words of the line."""
        return [parameter for parameter in self.parameters if not is_person(parameter.type)]

    @property
    def _mentioned(self) -> list[Parameter]:
        """The arguments that are mentioned persons."""
        return [parameter for parameter in self.parameters if is_person(parameter.type)]

    def _persons(self, mentions: Sequence[Mention], given: Mapping[str, Any]) -> dict[str, Mention | list[Mention]]:
        """The mentioned persons by parameter: those whose ids are `given`, and else the next ones. Bots are no persons,
        and everyone is none.
        """
        ids = {each.name: _ids(each, given[each.name]) for each in self._mentioned if each.name in given}
        by_id = {mention.id: mention for mention in mentions}
        taken = {"all"}.union(*ids.values())
        left = (mention for mention in mentions if not mention.bot and mention.id not in taken)
        found: dict[str, Mention | list[Mention]] = {}
        for parameter in self._mentioned:
            named = [by_id.get(id_, Mention(id=id_)) for id_ in ids.get(parameter.name, ())]
            if is_list(parameter.type):
                many = [each for each in named if not each.bot] if parameter.name in ids else list(left)
                found |= {parameter.name: many} if many else {}
            else:
                one = named[0] if named else next(left, None)
                found |= {parameter.name: one} if one else {}
        return found


def check_type(where: str, annotation: Any, *, is_item: bool = False) -> None:
    """Raise TypeError for a type whose values stand in no line: dictionaries, sets, tuples, and lists inside lists.
    `where` names the parameter.
    """
    plain = plain_type(annotation)
    kind = get_origin(plain) or plain
    if kind in (Turn, Message):
        raise TypeError(f"{where} is always there: write its type without None")
    if kind in (Union, types.UnionType):
        for member in get_args(plain):
            check_type(where, member, is_item=is_item)
    elif kind is list and not is_item:
        for item in get_args(plain):
            check_type(where, item, is_item=True)
    elif isinstance(kind, type) and issubclass(kind, _MANY) and not issubclass(kind, str | bytes):
        raise TypeError(f"{where} is a {kind.__name__}, which nobody can type: write list[str] or list[int]")


def _ids(parameter: Parameter, value: object) -> list[str]:
    """The ids in the value of an option for persons: that of one person, or all in a text with mentions."""
    mentioned = list(dict.fromkeys(_MENTIONED.findall(str(value))))
    return mentioned if mentioned or is_list(parameter.type) else [str(value)]


def _without(line: str, persons: Mapping[str, Mention | list[Mention]]) -> str:
    """`line` without the words that mention `persons`, which are in its order."""
    kept: list[str] = []
    for mention in (each for value in persons.values() for each in (value if isinstance(value, list) else [value])):
        found = _mention_in(line, f"@{mention.name}") if mention.name else None
        if found:
            kept.append(line[: found.start()].strip())
            line = line[found.end() :].lstrip(_BETWEEN)
    return " ".join(filter(None, [*kept, line]))


def _mention_in(line: str, words: str) -> re.Match[str] | None:
    """The first place of a mention in `line` that is no part of an address, and of no longer name if there is one."""
    mention = rf"(?<![A-Za-z0-9_.+-]){re.escape(words)}"
    return re.search(rf"{mention}(?![A-Za-z0-9_])", line) or re.search(mention, line)


def _usage(parameter: Parameter) -> str:
    name = parameter.name.upper()
    shown = f"@{name}" if is_person(parameter.type) else name
    shown += "..." if is_list(parameter.type) else ""
    return shown if parameter.required else f"[{shown}]"
