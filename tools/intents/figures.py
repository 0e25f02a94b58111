"""Figures of a matcher on labelled messages."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from parley.bot.understanding import parts_of
from parley.intents.matcher import Matcher, meant
from tools.intents.sets import Examples, Labelled

Guess = tuple[str, float]
"""The best intent for a message, and the confidence."""
Guesser = Callable[[str], Guess]
AIM = 0.90
"""The share of the messages without an intent that is to be rejected."""
LENIENT = 0.82
"""The same share in the figures of the set that the aim is about (`AIMED_AT`)."""
AIMED_AT = {"n-grams, nearest": ("0.87", "0.70"), "rapidfuzz, nearest": ("0.62", "")}
"""Simple ways on the set that the aim is about, which is not in this repository: the share of right guesses if nothing
may be rejected, and at `LENIENT` rejected. They say how hard that set is.
"""


@dataclass(frozen=True)
class Guessed:
    """A labelled message, with the guess. `intent` is "" if no intent is right."""

    intent: str
    guess: str
    confidence: float


@dataclass(frozen=True)
class Figures:
    """Shares between 0 and 1.

    `best`: right if nothing may be rejected. `right`: of the messages with an intent, those that get it (recall).
    `precision`: of the messages that get an intent, those with the right one. `rejected`: of the messages without an
    intent, those that get none.
    """

    best: float
    right: float
    precision: float
    rejected: float


def figures_of_parts(labelled: Labelled, matcher: Matcher) -> tuple[int, list[str]]:
    """How many messages get their one intent, and those of them that a bot takes for several intents."""

    def found(text: str) -> list[str]:
        return meant(matcher.ranked(text))

    one = [text for text, intent in labelled.messages if intent and found(text) == [intent]]
    return len(one), [text for text in one if parts_of(text, date(2027, 1, 5), found)]


def guesses(labelled: Labelled, guess: Guesser) -> list[Guessed]:
    """The guess for each message of a set."""
    return [Guessed(intent, *guess(text)) for text, intent in labelled.messages]


def figures(guessed: Sequence[Guessed], threshold: float) -> Figures:
    """The figures if guesses below `threshold` are rejected."""
    inside = [each for each in guessed if each.intent]
    taken = [each for each in guessed if each.confidence >= threshold]
    right = sum(each.guess == each.intent for each in taken)
    outside = [each for each in guessed if not each.intent]
    return Figures(
        best=sum(each.guess == each.intent for each in inside) / len(inside),
        right=right / len(inside),
        precision=right / max(1, len(taken)),
        rejected=sum(each.confidence < threshold for each in outside) / len(outside),
    )


def rejecting(guessed: Iterable[Guessed], share: float) -> float:
    """The least threshold that rejects this share of the messages without an intent."""
    outside = sorted(each.confidence for each in guessed if not each.intent)
    number = math.ceil(share * len(outside))
    return math.nextafter(outside[number - 1], math.inf)


def at_rejected(labelled: Labelled, train: Callable[[Examples], Guesser], share: float = AIM) -> Figures:
    """The figures of the threshold that rejects `share` of this very set: it compares ways only."""
    found = guesses(labelled, train(labelled.examples))
    return figures(found, rejecting(found, share))


def how_hard(labelled: Labelled, train: Callable[[Examples], Guesser]) -> tuple[str, str]:
    """The figures of a simple way on a set, in the form of `AIMED_AT`."""
    found = at_rejected(labelled, train, LENIENT)
    return f"{found.best:.2f}", f"{found.right:.2f}"
