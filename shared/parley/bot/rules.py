"""Rules: which messages a handler gets. Combine them with `&`, `|` and `~`, and pass them as `when=`.

@bot.fallback(when=private & ~person("ou_1"))
"""

from collections.abc import Callable, Coroutine
from typing import Any, get_origin, get_type_hints

import msgspec

from parley.bot.addressing import is_addressed
from parley.bot.coroutines import finished, prepare
from parley.bot.turn import Turn
from parley.model import Message, is_direct
from parley.model.aws_events import AWS
from parley.platforms import NAMES, is_same_person

HasRole = Callable[[Message, str], bool]
"""Whether the sender of a message has a role. The bot knows it."""


class Rule(msgspec.Struct, frozen=True):
    """A condition for a message and its turn. The functions and values of this module make rules."""

    holds: Callable[[Turn, HasRole], bool]
    admits_bots: bool = False
    """Whether it names `from_bot`. Handlers with other rules do not get messages of bots."""
    rejects_bots: bool = False
    """Whether it names `~from_bot`."""
    decides_addressed: bool = False
    """Whether it names `addressed`, `mentioned` or `anything`. With other rules, patterns and the fallback do not get
    messages that are not for the bot."""
    roles: frozenset[str] = frozenset()
    """The roles that it names."""

    def __and__(self, other: "Rule") -> "Rule":
        one, two = self.holds, check_rule(other).holds
        return self._with(other, lambda turn, has_role: one(turn, has_role) and two(turn, has_role))

    def __or__(self, other: "Rule") -> "Rule":
        one, two = self.holds, check_rule(other).holds
        return self._with(other, lambda turn, has_role: one(turn, has_role) or two(turn, has_role))

    def __rand__(self, other: Any) -> "Rule":
        return check_rule(other) & self

    __ror__ = __rand__

    def __invert__(self) -> "Rule":
        holds = self.holds
        return Rule(
            lambda turn, has_role: not holds(turn, has_role),
            self.rejects_bots,
            self.admits_bots,
            self.decides_addressed,
            self.roles,
        )

    def __bool__(self) -> bool:
        raise TypeError("combine rules with &, | and ~ instead of `and`, `or` and `not`")

    def _with(self, other: "Rule", holds: Callable[[Turn, HasRole], bool]) -> "Rule":
        return Rule(
            holds,
            self.admits_bots or other.admits_bots,
            self.rejects_bots or other.rejects_bots,
            self.decides_addressed or other.decides_addressed,
            self.roles | other.roles,
        )

    @property
    def unnamed_role(self) -> str:
        """What to write for a role of it that no bot without `roles=` has; empty if there is none."""
        missing = sorted(self.roles - {"admin"})
        if not missing:
            return ""
        return f"the bot names no roles, so nobody has role({missing[0]!r}): write Bot(roles=...)"


def check_rule(value: Any) -> Rule:
    """`value`. Raises TypeError if it is no rule."""
    if isinstance(value, Rule):
        return value
    name = getattr(value, "__name__", None)
    if callable(value) and name in ("department", "flag", "platform", "person", "role", "room"):
        raise TypeError(f'the rule `{name}` needs names: write {name}("...")')
    if callable(value):
        raise TypeError(f"{name or repr(value)} is a function and no rule: write rule({name or 'function'})")
    raise TypeError(f"{value!r} is no rule: use those of parley.bot.rules, or rule(function)")


def optional_rule(value: Any) -> Rule | None:
    """`value`. Raises TypeError if it is neither a rule nor None."""
    return None if value is None else check_rule(value)


def both(one: Rule | None, two: Rule | None) -> Rule | None:
    """The rule that holds if both do. None stands for no rule."""
    return two if one is None else one if two is None else one & two


def rule(function: Callable[[Any], bool | Coroutine[Any, Any, bool]]) -> Rule:
    """The rule of a function that gets the message; or the turn, if its parameter has the annotation `Turn`.

    It must be fast. It may be used as a decorator, and may be an `async def`.
    """
    if isinstance(function, Rule):
        raise TypeError("this is a rule already: write it without rule(...)")
    prepare(function)
    wants_turn = any((get_origin(hint) or hint) is Turn for hint in get_type_hints(function).values())
    return Rule(lambda turn, _has_role: finished(function(turn if wants_turn else turn.message)))


def role(name: str) -> Rule:
    """The sender has this role: `"admin"`, or a role that `Bot(roles=...)` names."""
    _texts("role", (name,))
    return Rule(lambda turn, has_role: has_role(turn.message, name), roles=frozenset({name}))


def room(*ids: str) -> Rule:
    """The message is in one of these rooms."""
    return _one_of("room", ids, lambda message: message.context.room_id)


def person(*ids: str) -> Rule:
    """The sender is one of these persons."""
    known = _texts("person", ids)
    return Rule(lambda turn, _has_role: any(is_sender(turn.message, id_) for id_ in known))


def is_sender(message: Message, id_: str) -> bool:
    """Whether the person with this id has sent `message`."""
    return is_same_person(message.platform, message.sender.id, id_)


def department(*ids: str) -> Rule:
    """The sender is in one of these departments of Feishu or WeCom. The app needs `"names": true`. It does not hold
    while the platform does not say the departments of the sender.
    """
    known = _texts("department", ids)
    return Rule(lambda turn, _has_role: not known.isdisjoint(turn.message.sender.departments or ()))


def platform(*names: str) -> Rule:
    """The message is from one of these platforms. Raises ValueError for a name that no platform has."""
    unknown = next((name for name in names if name not in (*NAMES, AWS)), None)
    if unknown is not None:
        raise ValueError(f"there is no platform {unknown!r}; there are {', '.join((*NAMES, AWS))}")
    return _one_of("platform", names, lambda message: message.platform)


def flag(name: str, *, default: bool = False) -> Rule:
    """The feature is on for the message: see `Turn.flag`."""
    _texts("flag", (name,))
    return Rule(lambda turn, _has_role: turn.flag(name, default))


def _texts(name: str, values: tuple[str, ...]) -> frozenset[str]:
    if not values or not all(isinstance(value, str) and value for value in values):  # pyright: ignore[reportUnnecessaryIsInstance]
        example = '"..."' if name in ("flag", "role") else '"...", "..."'
        raise TypeError(f"the rule `{name}` takes texts that are not empty: write {name}({example})")
    spaced = next((value for value in values if value != value.strip()), None)
    if spaced is not None:  # it holds for nobody, and its opposite for everybody
        raise ValueError(f"the rule `{name}` has white space around {spaced!r}: write {name}({spaced.strip()!r})")
    return frozenset(values)


def _one_of(name: str, values: tuple[str, ...], value_of: Callable[[Message], str]) -> Rule:
    known = _texts(name, values)
    return Rule(lambda turn, _has_role: value_of(turn.message) in known)


def _mentions_bot(message: Message) -> bool:
    # In a group, a mentioned bot may be another one.
    return message.context.mentioned is not False and any(mention.bot for mention in message.mentions)


private = Rule(lambda turn, _has_role: is_direct(turn.message))
"""The message is in a chat of one person with the bot."""
in_room = ~private
"""The message is in a group."""
addressed = Rule(lambda turn, _has_role: is_addressed(turn.message), decides_addressed=True)
"""The message is for the bot; see `Turn.addressed`."""
mentioned = Rule(lambda turn, _has_role: _mentions_bot(turn.message), decides_addressed=True)
"""The message mentions the bot."""
anything = Rule(lambda _turn, _has_role: True, decides_addressed=True)
"""Always, also for messages in a room that are not for the bot."""
from_bot = Rule(lambda turn, _has_role: turn.message.sender.kind == "bot", admits_bots=True)
"""The sender is a bot. A handler gets messages of bots only if its rule names this one. Two bots can answer each other
without end: let the handler reply to some messages only."""
