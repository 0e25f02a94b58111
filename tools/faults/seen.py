"""What is there at a platform, as people see it."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from playground.platforms.base import Platform
from playground.platforms.model import Part
from tools.faults.subjects import APP

_TAG = re.compile(r"«(?P<message>[\w-]+)\.(?P<ordinal>\d+)»")


class Key(NamedTuple):
    """A reply: the tag of the message it answers, and its number."""

    message: str
    ordinal: int


class Entry(NamedTuple):
    """A message at the platform, or what it says of one reply where it says several."""

    place: str
    """Order is promised within it: a room, or a room and the app or webhook that speaks there."""
    text: str
    key: Key | None
    """The reply that it is a part of; None: of none that we know."""
    within: str
    """The id of the message whose callback it came with as the answer; empty for what the API was called for."""


def entries(platform: Platform) -> Iterator[Entry]:
    """All that bots have said at `platform`, in order."""
    answers = {delivery.result.get("passive"): delivery.journal_id for delivery in platform.deliveries.values()}
    for message in platform.messages.values():
        if message.sender_kind == "user":
            continue
        speaker = "" if message.app == APP else message.app or message.sender
        for parts in _replies(platform.parts(message)):
            text = json.dumps(_without_keys(parts), ensure_ascii=False, sort_keys=True)
            yield Entry(f"{message.room}/{speaker}", text, _key(platform, text, parts), answers.get(message.id, ""))


def buttons(parts: Iterable[Part]) -> Iterator[str]:
    """The ids of the buttons in `parts`."""
    for part in parts:
        if part.get("kind") == "buttons":
            yield from (button["id"] for button in part["buttons"] if not button.get("url"))
        yield from buttons(part.get("blocks") or ())


def _replies(parts: list[Part]) -> Iterator[list[Part]]:
    """`parts`; where they are the words of several replies in one text, those of each. What can be tapped in a text
    stands in its words, and is left out besides.
    """
    words = [part for part in parts if part.get("kind") != "buttons"]
    if len(words) != 1 or words[0].get("kind") != "text":
        yield parts
        return
    lines: list[str] = []
    about: str | None = None
    for line in str(words[0]["text"]).split("\n"):
        tag = _TAG.search(line)
        if tag and about not in (None, tag[0]):
            yield [{"kind": "text", "text": "\n".join(lines)}]
            lines = []
        about = tag[0] if tag else about
        lines.append(line)
    yield [{"kind": "text", "text": "\n".join(lines)}]


def _key(platform: Platform, text: str, parts: list[Part]) -> Key | None:
    """The reply that something belongs to, by the tag in its words or its picture."""
    for said in (text, *(platform.media(key)[1].decode("utf-8", "ignore") for key in _media(parts))):
        tag = _TAG.search(said)
        if tag:
            return Key(tag["message"], int(tag["ordinal"]))
    return None


def _media(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if value.get("kind") == "image" and value.get("key"):
            yield str(value["key"])
        for inner in value.values():
            yield from _media(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _media(inner)


def _without_keys(value: Any) -> Any:
    """`value` without what is different each time: the keys of media."""
    if isinstance(value, dict):
        return {name: _without_keys(inner) for name, inner in value.items() if name not in ("key", "id")}
    return [_without_keys(inner) for inner in value] if isinstance(value, list) else value
