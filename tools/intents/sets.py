"""The labelled messages: in `data/dev` those that the matcher is developed with, in `data/test` those that it is not.

Each file is a bot of another domain: for each intent the examples, half of them in each language, and other messages
with the same meaning; in `none` messages that fit no intent, some of them nearly.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

DATA = Path(__file__).parent / "data"
Part = Literal["dev", "test"]
Examples = Mapping[str, tuple[str, ...]]
"""The examples by intent."""


@dataclass(frozen=True)
class Labelled:
    """The intents of one bot, and messages with the right intent; with "" if none is right."""

    name: str
    examples: Examples
    messages: tuple[tuple[str, str], ...]
    """(message, intent)"""

    @property
    def outside(self) -> int:
        """How many messages fit no intent."""
        return sum(not intent for _, intent in self.messages)


def labelled(part: Part) -> list[Labelled]:
    """The sets of a part."""
    return [_read(path) for path in sorted((DATA / part).glob("*.toml"))]


def together(sets: Iterable[Labelled]) -> Labelled:
    """One bot with the intents of all `sets`."""
    examples = {f"{each.name}.{name}": texts for each in sets for name, texts in each.examples.items()}
    messages = ((text, name and f"{each.name}.{name}") for each in sets for text, name in each.messages)
    return Labelled("together", examples, tuple(messages))


def _read(path: Path) -> Labelled:
    content = tomllib.loads(path.read_text("utf-8"))
    none = [(text, "") for text in content.pop("none")]
    inside = [(text, name) for name, each in content.items() for text in each["utterances"]]
    examples = {name: tuple(each["examples"]) for name, each in content.items()}
    return Labelled(path.stem, examples, (*inside, *none))
