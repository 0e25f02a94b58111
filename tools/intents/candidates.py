"""Ways to find an intent: the one that the library has, and simpler ones to compare it with."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from importlib import import_module
from unicodedata import normalize

from parley.intents import matcher
from tools.intents.figures import Guess, Guesser
from tools.intents.sets import Examples

Similarity = Callable[[str], dict[str, float]]


def ours(examples: Examples) -> Guesser:
    """`parley.intents.matcher`."""
    found = matcher.Matcher(examples)

    def guess(text: str) -> Guess:
        ranked = found.ranked(text)
        return ranked[0].name, matcher.confidence(ranked)

    return guess


def nearest(examples: Examples) -> Guesser:
    """The nearest example by TF-IDF of character n-grams."""
    vectors = _vectors(examples)
    return lambda text: max(((name, _cosine(vectors.of(text), v)) for name, v in vectors.known), key=_by_score)


def centroid(examples: Examples) -> Guesser:
    """The nearest centroid of the examples by TF-IDF of character n-grams."""
    vectors = _vectors(examples)
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for name, vector in vectors.known:
        sums[name].update(vector)
    centres = [(name, _unit(each)) for name, each in sums.items()]
    return lambda text: max(((name, _cosine(vectors.of(text), v)) for name, v in centres), key=_by_score)


def rapidfuzz(examples: Examples) -> Guesser:
    """The nearest example by rapidfuzz's ratio. The library does not need this package."""
    ratio: Callable[[str, str], float] = import_module("rapidfuzz.fuzz").ratio
    known = [(name, _plain(text)) for name, each in examples.items() for text in each]
    return lambda text: max(((name, ratio(_plain(text), t) / 100) for name, t in known), key=_by_score)


CANDIDATES: Mapping[str, Callable[[Examples], Guesser]] = {
    "parley.intents": ours,
    "n-grams, nearest": nearest,
    "n-grams, centroid": centroid,
    "rapidfuzz": rapidfuzz,
}


class _Vectors:
    """Texts as vectors of length 1."""

    def __init__(self, texts: list[tuple[str, str]]) -> None:
        grams = [(name, _grams(text)) for name, text in texts]
        counts = Counter(gram for _, each in grams for gram in each)
        self._idf = {gram: math.log(1 + len(texts) / count) for gram, count in counts.items()}
        self._unknown = math.log(1 + len(texts))
        self.known = [(name, self._weighted(each)) for name, each in grams]

    def of(self, text: str) -> dict[str, float]:
        return self._weighted(_grams(text))

    def _weighted(self, grams: Counter[str]) -> dict[str, float]:
        return _unit({gram: count * self._idf.get(gram, self._unknown) for gram, count in grams.items()})


def _vectors(examples: Examples) -> _Vectors:
    return _Vectors([(name, text) for name, each in examples.items() for text in each])


def _by_score(guess: Guess) -> float:
    return guess[1]


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", normalize("NFKC", text).casefold()))


def _grams(text: str) -> Counter[str]:
    padded = f" {_plain(text)} "
    return Counter(padded[start : start + size] for size in (1, 2, 3) for start in range(len(padded) - size + 1))


def _unit(vector: Mapping[str, float]) -> dict[str, float]:
    length = math.sqrt(sum(weight * weight for weight in vector.values())) or 1.0
    return {key: weight / length for key, weight in vector.items()}


def _cosine(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    return sum(weight * other.get(key, 0.0) for key, weight in one.items())
