"""Compares a text with the examples of each intent.

The similarity of two texts is the cosine of their features, weighted by how rare each feature is among all examples,
and a part of the cosine of their meanings (`parley.intents.meanings`).
The score of an intent is the mean of its nearest examples, minus a part of that of the background: sentences that
belong to no intent (`background.txt`). So a text that shares only frequent words with an example fits none.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from parley.intents.features import Features, features, lines_of
from parley.intents.meanings import dot, meaning

_NEAREST = 5
"""Examples of an intent that count: the nearest ones, since others can be in another language."""
_MEANING = 0.25
"""The part of the similarity of meanings that is added."""
_BACKGROUND = 0.5
"""The part of the background's similarity that an intent has to exceed."""
_SECOND = 0.3
"""The part of the second intent's score that is taken from the first one's confidence."""
THRESHOLD = 0.084
"""The least confidence of a text that fits an intent. `python -m tools.intents --tune` finds it."""
NEAR = 0.85
"""From this part of the best score, another intent may be meant too."""
MOST_OFFERED = 3


class Ranked(NamedTuple):
    """An intent with its score for a text, from about 0 to 1."""

    name: str
    score: float


class Matcher:
    """Finds intents by their `examples`: the texts by the name of the intent."""

    __slots__ = ("_idf", "_intents", "_meanings", "_postings", "_unknown")

    def __init__(self, examples: Mapping[str, Iterable[str]]) -> None:
        known = [(name, text) for name, each in examples.items() for text in each]
        known += [("", line) for line in lines_of("background.txt")]
        texts = [(name, features(text)) for name, text in known]
        counts = Counter(feature for _, found in texts for feature in found)
        self._idf = {feature: math.log(1 + len(texts) / count) for feature, count in counts.items()}
        self._unknown = math.log(1 + len(texts))
        self._intents = [name for name, _ in texts]
        self._meanings = [meaning(text) for _, text in known]
        self._postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for number, (_, found) in enumerate(texts):
            for feature, weight in self._vector(found).items():
                self._postings[feature].append((number, weight))

    def ranked(self, text: str) -> list[Ranked]:
        """All intents with their scores for `text`, the best first; equal ones in the order of their definition."""
        about = meaning(text)
        similarities = [_MEANING * dot(about, other) for other in self._meanings]
        for feature, weight in self._vector(features(text)).items():
            for number, other in self._postings.get(feature, ()):
                similarities[number] += weight * other
        by_intent: dict[str, list[float]] = defaultdict(list)
        for name, similarity in zip(self._intents, similarities, strict=True):
            by_intent[name].append(similarity)
        least = _BACKGROUND * _mean_of_nearest(by_intent.pop(""))
        scores = [Ranked(name, _mean_of_nearest(each) - least) for name, each in by_intent.items()]
        return sorted(scores, key=lambda each: -each.score)

    def _vector(self, found: Features) -> Features:
        """The weights of a text's features, of length 1. A feature of no example makes the others count less."""
        weighted = {feature: weight * self._idf.get(feature, self._unknown) for feature, weight in found.items()}
        length = math.sqrt(math.fsum(weight * weight for weight in weighted.values())) or 1.0
        return {feature: weight / length for feature, weight in weighted.items()}


def confidence(ranked: Sequence[Ranked]) -> float:
    """How clear the first one is: less clear if the second one is near. 0 if there is none."""
    if not ranked:
        return 0.0
    second = ranked[1].score if len(ranked) > 1 else 0.0
    return ranked[0].score - _SECOND * max(second, 0.0)


def meant(ranked: Sequence[Ranked], threshold: float = THRESHOLD) -> list[str]:
    """The intents that may be meant: none below the threshold, one if it is clear, and else those to choose from."""
    if confidence(ranked) < threshold or not ranked:
        return []
    best = ranked[0].score
    return [name for name, score in ranked[:MOST_OFFERED] if score >= NEAR * best]


def _mean_of_nearest(similarities: list[float]) -> float:
    nearest = sorted(similarities, reverse=True)[:_NEAREST]
    return math.fsum(nearest) / len(nearest)
