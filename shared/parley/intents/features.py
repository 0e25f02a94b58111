"""What two texts can share: words, parts of words, Chinese characters, and groups of words with a similar meaning.

The groups are the lines of `thesaurus.txt`, in English and Chinese. So texts of both languages share features.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from unicodedata import normalize

Features = dict[str, float]
"""The weight of each feature of a text, without regard to how rare it is."""

LONGEST = 300
"""Characters of a text that are read. A request is in them, and a hostile text costs no more."""
_WORD = re.compile(r"[a-z0-9][a-z0-9'-]*|[\u3400-\u9fff]+")
_FREQUENT = frozenset(
    "a am an and any are at be by can could did do does for from had has have i if in is it just me my of on or our "
    "please pls so some that the there this to us was we what's will with would you your".split()
)
"""English words that say little about what a person wants."""
_NUMBER = (
    r"(?:[0-9]+(?:[.][0-9]+)?|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|forty"
    "|forty-five|fifty|sixty|ninety|several|few|couple of|half)"
)
_SHARE = "(?: and a (?:half|quarter))?"
_TIME = re.compile(
    rf"\b{_NUMBER}{_SHARE}[ -]?(?:hours?|hrs?|minutes?|mins?|seconds?|secs?)\b{_SHARE}"
    "|[0-9一二两三四五六七八九十百几半]+个?半?(?:小时|钟头|分钟|秒钟?)半?"
)
"""How long something takes: a number, and no word of a bot's intents, such as the opening hours."""
_ENDINGS = ("'s", "ing", "ed", "es", "s")
_SHORTEST_STEM = 3
_LONGEST_CHINESE = 4
"""Characters of a Chinese word of the thesaurus."""

_WEIGHT_FREQUENT = 0.3
_WEIGHT_GROUP = 2.0
_WEIGHT_PART = 0.5
_WEIGHT_CHARACTER = 0.7
_WEIGHT_NUMBER = 0.5


def words(text: str) -> list[str]:
    """The English words, the numbers and the runs of Chinese characters in the first `LONGEST` characters of `text`."""
    plain = normalize("NFKC", text[:LONGEST])[:LONGEST].casefold()
    return _WORD.findall(_TIME.sub(" 0 ", plain))


def features(text: str) -> Features:
    """The features of `text`: of its `words`, and of the groups that they belong to."""
    found: Features = defaultdict(float)
    for word in words(text):
        parts = _number() if word[0].isdecimal() else _english(word) if word.isascii() else _chinese(word)
        for feature, weight in parts:
            found[feature] += weight
    return found


def is_chinese(text: str) -> bool:
    """Whether a text has Chinese characters."""
    return any("\u3400" <= character <= "\u9fff" for character in text)


def is_frequent(word: str) -> bool:
    """Whether an English word says little about what a person wants."""
    return word in _FREQUENT


def stem(word: str) -> str:
    """An English word without its ending."""
    ending = next((e for e in _ENDINGS if word.endswith(e) and len(word) - len(e) >= _SHORTEST_STEM), "")
    return word.removesuffix(ending)


def lines_of(name: str) -> list[str]:
    """The lines of a file of this package."""
    return files(__package__ or "").joinpath(name).read_text("utf-8").splitlines()


def _number() -> Iterator[tuple[str, float]]:
    yield "#", _WEIGHT_NUMBER


def _english(word: str) -> Iterator[tuple[str, float]]:
    weight = _WEIGHT_FREQUENT if word in _FREQUENT else 1.0
    shortened = stem(word)
    yield f"w:{shortened}", weight
    yield from _groups(_thesaurus().get(word) or _thesaurus().get(shortened, ()), weight)
    padded = f"_{word}_"
    for size in (3, 4):
        for start in range(len(padded) - size + 1):
            yield padded[start : start + size], weight * _WEIGHT_PART


def _chinese(run: str) -> Iterator[tuple[str, float]]:
    for character in run:
        yield character, _WEIGHT_CHARACTER
    for start in range(len(run) - 1):
        yield run[start : start + 2], 1.0
    start = 0
    while start < len(run):
        size, groups = _longest(run, start)
        yield from _groups(groups, 1.0)
        start += size


def _longest(run: str, start: int) -> tuple[int, tuple[str, ...]]:
    """The length and the groups of the longest word of the thesaurus at `start`; one character if there is none."""
    for size in range(min(_LONGEST_CHINESE, len(run) - start), 0, -1):
        groups = _thesaurus().get(run[start : start + size])
        if groups:
            return size, groups
    return 1, ()


def _groups(groups: tuple[str, ...], weight: float) -> Iterator[tuple[str, float]]:
    """The groups of one word. They share its weight: a word with many meanings says less."""
    for group in groups:
        yield group, weight * _WEIGHT_GROUP / len(groups) ** 0.5


@cache
def _thesaurus() -> dict[str, tuple[str, ...]]:
    """The groups of each word, and of each English stem."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for number, line in enumerate(lines_of("thesaurus.txt")):
        for word in line.split():
            for form in {word, stem(word)} if word.isascii() else {word}:
                found[form][f"g:{number}"] = None
    return {word: tuple(groups) for word, groups in found.items()}
