"""What a text is about, as a vector: words with near meanings have near vectors, also across English and Chinese.

`words.txt` has the words, and `vectors.bin` the vector of each: `DIMENSIONS` signed bytes. A frequent word has a short
vector, so that it counts less. They were made from a language model once (`python -m tools.intents.vectors`).
"""

import math
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from operator import mul

from parley.intents.features import lines_of, stem, words

DIMENSIONS = 64
_LONGEST_CHINESE = 4
"""Characters of a Chinese word."""
Vector = Sequence[float]


def meaning(text: str) -> Vector:
    """The vector of `text`, of length 1: the sum of those of its words. Empty if it has no known word."""
    rows = [_vectors()[place * DIMENSIONS : (place + 1) * DIMENSIONS] for place in places(text)]
    summed = [float(sum(column)) for column in zip(*rows, strict=True)]
    length = math.sqrt(dot(summed, summed))
    return [each / length for each in summed] if length else ()


def _dot(one: Vector, other: Vector) -> float:
    return sum(map(mul, one, other))


_sumprod = getattr(math, "sumprod", _dot)
"""Python 3.12 has a faster one."""


def dot(one: Vector, other: Vector) -> float:
    """The product of two vectors; 0 if one is empty."""
    return _sumprod(one, other) if one and other else 0.0


def places(text: str) -> Iterator[int]:
    """The places of the known words in the list of words."""
    known = _words()
    for word in words(text):
        if word.isascii():
            place = known.get(word, known.get(stem(word)))
            if place is not None:
                yield place
            continue
        start = 0
        while start < len(word):
            sizes = range(min(_LONGEST_CHINESE, len(word) - start), 0, -1)
            size = next((size for size in sizes if word[start : start + size] in known), 0)
            if size:
                yield known[word[start : start + size]]
            start += size or 1


@cache
def _words() -> dict[str, int]:
    return {word: place for place, word in enumerate(lines_of("words.txt"))}


@cache
def _vectors() -> memoryview:
    return memoryview(files(__package__ or "").joinpath("vectors.bin").read_bytes()).cast("b")
