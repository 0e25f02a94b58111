"""Chooses the threshold by cross-validation on the examples of the sets in `data/dev`: no other message is read.

One number is chosen by looking at the other messages of `data/dev`: which share of the examples has to be rejected.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from tools.intents.figures import Figures, Guessed, Guesser, figures, guesses, rejecting
from tools.intents.sets import Examples, Labelled

REJECTED = 0.60
"""The share of the examples of unknown intents that are rejected: the least step of `STEPS` at which `AIM` of the
messages in `data/dev` that fit no intent are rejected as well. The examples are harder: they are of the bot's domain.
"""
STEPS = tuple(step / 100 for step in range(50, 85, 5))
_FOLDS = 5
_GROUPS = 4

Train = Callable[[Examples], Guesser]


def tuned(sets: Iterable[Examples], train: Train) -> float:
    """The threshold that rejects `REJECTED` of the examples of intents that the matcher does not have."""
    return rejecting((each for examples in sets for each in cross_validated(examples, train)), REJECTED)


def steps(sets: Sequence[Labelled], train: Train) -> Iterator[tuple[float, float, Figures]]:
    """Each of `STEPS`, its threshold, and the figures of the messages of `sets` with it."""
    validated = [each for labels in sets for each in cross_validated(labels.examples, train)]
    guessed = [each for labels in sets for each in guesses(labels, train(labels.examples))]
    for step in STEPS:
        threshold = rejecting(validated, step)
        yield step, threshold, figures(guessed, threshold)


def cross_validated(examples: Examples, train: Train) -> Iterator[Guessed]:
    """Guesses for examples that the matcher has not seen.

    A quarter of the intents is left out in turn: their examples fit none of the others. Of the others, a fifth of the
    examples is left out in turn.
    """
    names = list(examples)
    for group in range(_GROUPS):
        left_out = names[group::_GROUPS]
        kept = {name: each for name, each in examples.items() if name not in left_out}
        guess = train(kept)
        yield from (Guessed("", *guess(text)) for name in left_out for text in examples[name])
        for fold in range(_FOLDS):
            seen = {name: tuple(t for n, t in enumerate(each) if n % _FOLDS != fold) for name, each in kept.items()}
            guess = train(seen)
            yield from (Guessed(name, *guess(text)) for name, each in kept.items() for text in each[fold::_FOLDS])
