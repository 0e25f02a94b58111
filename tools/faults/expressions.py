"""DynamoDB's condition and update expressions, as far as Parley uses them: top-level attributes, comparisons, AND, OR,
NOT, attribute_exists, attribute_not_exists, size of a set; SET with + and - and if_not_exists, REMOVE, ADD, DELETE.

Everything else raises ValueError, so that no expression is misread.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from functools import lru_cache
from typing import Any

Attribute = dict[str, Any]
Item = dict[str, Attribute]

_TOKEN = re.compile(r"\s*([#:]?[A-Za-z_][A-Za-z0-9_]*|<=|>=|<>|[=<>(),+\-])")
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda one, other: one == other,
    "<>": lambda one, other: one != other,
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}
_DIGITS = Context(prec=38)
"""A DynamoDB number has 38 digits."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The input of an expression: the current item, and the names and values of the request."""

    item: Mapping[str, Attribute]
    names: Mapping[str, str]
    values: Mapping[str, Attribute]


Condition = Callable[[Scope], bool]
Operand = Callable[[Scope], Attribute | None]
Change = Callable[[Scope, Item], None]


def number(attribute: Attribute) -> Decimal:
    """The value of a number attribute. Raises ValueError for another type."""
    if "N" not in attribute:
        raise ValueError("An operand in the update expression has an incorrect data type")
    return Decimal(attribute["N"])


def number_attribute(value: Decimal) -> Attribute:
    """A number attribute as DynamoDB returns it: without an exponent or trailing zeros."""
    text = format(_DIGITS.plus(value), "f")
    return {"N": text.rstrip("0").rstrip(".") if "." in text else text}


@lru_cache(maxsize=1000)
def condition(text: str) -> Condition:
    """Parse a condition expression. Raises ValueError."""
    parser = _Parser(text)
    parsed = parser.either()
    parser.end()
    return parsed


@lru_cache(maxsize=1000)
def update(text: str) -> tuple[Change, ...]:
    """Parse an update expression. Each change reads the old item and writes the new one. Raises ValueError."""
    parser = _Parser(text)
    changes: list[Change] = []
    while not parser.done:
        clause = parser.take().upper()
        one = {"SET": parser.assignment, "REMOVE": parser.removal, "ADD": parser.addition, "DELETE": parser.deletion}
        if clause not in one:
            raise ValueError(f"{clause} in an update expression")
        changes.append(one[clause]())
        while parser.peek() == ",":
            parser.take()
            changes.append(one[clause]())
    return tuple(changes)


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens: list[str] = []
        at = 0
        while at < len(text.rstrip()):
            found = _TOKEN.match(text, at)
            if found is None:
                raise ValueError(f"unknown token: {text[at:]!r}")
            self.tokens.append(found[1])
            at = found.end()
        self.at = 0

    @property
    def done(self) -> bool:
        return self.at >= len(self.tokens)

    def peek(self) -> str:
        return "" if self.done else self.tokens[self.at]

    def take(self, wanted: str = "") -> str:
        token = self.peek()
        if not token or (wanted and token != wanted):
            raise ValueError(f"expected {wanted or 'another token'}, found {token!r}")
        self.at += 1
        return token

    def end(self) -> None:
        if not self.done:
            raise ValueError(f"unexpected {self.peek()!r}")

    # --- conditions

    def either(self) -> Condition:
        parts = [self.both()]
        while self.peek() == "OR":
            self.take()
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else lambda scope: any(part(scope) for part in parts)

    def both(self) -> Condition:
        parts = [self.term()]
        while self.peek() == "AND":
            self.take()
            parts.append(self.term())
        return parts[0] if len(parts) == 1 else lambda scope: all(part(scope) for part in parts)

    def term(self) -> Condition:
        match self.peek():
            case "NOT":
                self.take()
                negated = self.term()
                return lambda scope: not negated(scope)
            case "(":
                self.take()
                inner = self.either()
                self.take(")")
                return inner
            case "attribute_exists" | "attribute_not_exists" as function:
                self.take()
                self.take("(")
                name = _name(self.take())
                self.take(")")
                wanted = function == "attribute_exists"
                return lambda scope: (name(scope) in scope.item) == wanted
        left, compare, right = self.operand(), _COMPARISONS[self.take()], self.operand()
        return lambda scope: _compared(compare, left(scope), right(scope))

    # --- operands

    def operand(self) -> Operand:
        word = self.take()
        if word.startswith(":"):
            return lambda scope: scope.values[word]
        if word == "if_not_exists":
            self.take("(")
            name = _name(self.take())
            self.take(",")
            otherwise = self.operand()
            self.take(")")
            return lambda scope: scope.item.get(name(scope)) or otherwise(scope)
        if word == "size":
            self.take("(")
            sized = _name(self.take())
            self.take(")")
            return lambda scope: _size(scope.item.get(sized(scope)))
        named = _name(word)
        return lambda scope: scope.item.get(named(scope))

    # --- updates

    def assignment(self) -> Change:
        name = _name(self.take())
        self.take("=")
        value = self.operand()
        if self.peek() in {"+", "-"}:
            value = _sum(value, self.take(), self.operand())

        def change(scope: Scope, new: Item) -> None:
            found = value(scope)
            if found is None:
                raise ValueError("The provided expression refers to an attribute that does not exist in the item")
            new[name(scope)] = number_attribute(number(found)) if "N" in found else found

        return change

    def removal(self) -> Change:
        name = _name(self.take())

        def change(scope: Scope, new: Item) -> None:
            new.pop(name(scope), None)

        return change

    def addition(self) -> Change:
        name, value = _name(self.take()), self.operand()

        def change(scope: Scope, new: Item) -> None:
            old, more = scope.item.get(name(scope)), value(scope) or {}
            if "SS" in more:
                new[name(scope)] = {"SS": sorted({*(old or {"SS": []})["SS"], *more["SS"]})}
            else:
                new[name(scope)] = number_attribute(_DIGITS.add(number(old) if old else Decimal(0), number(more)))

        return change

    def deletion(self) -> Change:
        name, value = _name(self.take()), self.operand()

        def change(scope: Scope, new: Item) -> None:
            old, less = scope.item.get(name(scope)), value(scope) or {}
            left = sorted({*(old or {"SS": []})["SS"]} - {*less["SS"]})
            new.pop(name(scope), None)
            if left:
                new[name(scope)] = {"SS": left}

        return change


def _name(token: str) -> Callable[[Scope], str]:
    if token.startswith("#"):
        return lambda scope: scope.names[token]
    if not token[0].isalpha() and token[0] != "_":
        raise ValueError(f"expected a name, found {token!r}")
    return lambda _scope: token


def _size(attribute: Attribute | None) -> Attribute | None:
    """How many texts a set has. Raises ValueError for another type."""
    if attribute is None:
        return None
    if "SS" not in attribute:
        raise ValueError("size of an attribute that is no set of strings")
    return {"N": str(len(attribute["SS"]))}


def _sum(left: Operand, sign: str, right: Operand) -> Operand:
    def value(scope: Scope) -> Attribute:
        one, other = left(scope), right(scope)
        if one is None or other is None:
            raise ValueError("The provided expression refers to an attribute that does not exist in the item")
        both = number(one), number(other)
        return number_attribute(_DIGITS.add(*both) if sign == "+" else _DIGITS.subtract(*both))

    return value


def _compared(compare: Callable[[Any, Any], bool], one: Attribute | None, other: Attribute | None) -> bool:
    if one is None or other is None:
        return compare is _COMPARISONS["<>"] and one is not other
    (kind, value), (other_kind, other_value) = next(iter(one.items())), next(iter(other.items()))
    if kind != other_kind:
        return compare is _COMPARISONS["<>"]
    return compare(Decimal(value), Decimal(other_value)) if kind == "N" else compare(value, other_value)
