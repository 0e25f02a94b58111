"""Looks for texts, names and credentials in lines of logs."""

import json
from collections.abc import Collection, Iterator
from typing import Any, cast

_LONG = 8
"""Characters from which a text is looked for within other texts. A shorter one, such as `once`, may be a word of a
sentence of Parley: it has to be a whole value."""


def leaks(lines: Collection[str], private: Collection[str]) -> list[tuple[str, str]]:
    """Each of `private` that stands in a line, with that line. In a line of JSON, only its values are looked at."""
    short = {text for text in private if text and len(text) < _LONG and not text.isdecimal()}
    long = {text for text in private if len(text) >= _LONG}
    found: list[tuple[str, str]] = []
    for line in lines:
        values = list(_values(line))
        found += ((text, line) for text in short if text in values)
        found += ((text, line) for text in long if any(text in value for value in values))
    return found


def _values(line: str) -> Iterator[str]:
    try:
        yield from _leaves(json.loads(line))
    except ValueError:
        yield line.strip()


def _leaves(document: Any) -> Iterator[str]:
    match document:
        case dict():
            for key, value in cast("dict[str, Any]", document).items():
                yield key
                yield from _leaves(value)
        case list():
            for value in cast("list[Any]", document):
                yield from _leaves(value)
        case _:
            yield str(document)
