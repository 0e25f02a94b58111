"""The transcript: the messages at a platform as people see them, attributed to the replies they belong to."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from parley.bot.texts import ENGLISH
from playground.platforms.base import Platform
from playground.platforms.model import Part
from tools.faults.bot import ENDED, UNDELIVERED, UNSHOWN
from tools.faults.targets import APP

_TAG = re.compile(r"«(?P<message>[\w-]+)\.(?P<ordinal>\d+)»")
_PLACE = re.compile(r"\b[0-9a-f]{32}\.\d+\.(?=\d)")
"""The place of a question in the value of its buttons. It differs in each dialogue."""
_FAILED = "Could not be done"
_OUTCOME = re.compile(rf"\b(?:Approved|Rejected|Withdrawn|{_FAILED})\b")
"""The outcome of an approval."""
_DECIDED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC")
"""Its time."""
_WHO = re.compile(r'@[^"\\]+')
"""The person who has decided it."""
_ABOUT = re.compile(r"‹(?P<dialogue>[0-9a-f]{8})›")
"""The dialogue of an approval, in its question."""


class ReplyKey(NamedTuple):
    """A reply: the tag of the message it answers, and its ordinal."""

    message: str
    ordinal: int


class Entry(NamedTuple):
    """A message at the platform, or the part of a message that belongs to one reply."""

    place: str
    """Order is promised within a place: a room, or a room and the app or webhook that sends to it."""
    text: str
    key: ReplyKey | None
    """The reply that the entry belongs to; None if it carries no tag."""
    within: str
    """The id of the message whose callback had this entry in its response; empty if it was sent by an API call."""


def transcript(platform: Platform) -> Iterator[Entry]:
    """All messages of bots at `platform` that are still there, in order, each with the reactions of bots to it."""
    passive = {
        delivery.result.get(name): delivery.journal_id
        for delivery in platform.deliveries.values()
        for name in ("passive", "passive_card")
    }
    for message in platform.messages.values():
        if message.sender_kind == "user" or message.recalled:
            continue
        sender = "" if message.app == APP else message.app or message.sender
        key: ReplyKey | None = None
        for parts in split(platform.parts(message)):
            text = _PLACE.sub("", json.dumps(_without_keys(parts), ensure_ascii=False, sort_keys=True))
            about = _of_dialogue(text) if message.edited is None else None
            key = about or _key(platform, text, parts)
            text = _of_any_approval(_TAG.sub("", text) if about else text)
            yield Entry(f"{message.room}/{sender}", text, key, passive.get(message.id, ""))
        for emoji in (platform.emoji(each) for each in message.reactions if platform.is_of_bot(each)):
            # The bot reacts to a reply with the next one.
            yield Entry(f"{message.room}/{sender}", emoji, key and ReplyKey(key.message, key.ordinal + 1), "")


def buttons(parts: Iterable[Part]) -> Iterator[str]:
    """The ids of the buttons in `parts` that answer something. One opens a form instead, which takes an instant
    function: the callbacks of the simulation have none.
    """
    for part in parts:
        if part.get("kind") == "buttons":
            there = (button for button in part["buttons"] if not button.get("url"))
            yield from (button["id"] for button in there if button["label"] != ENGLISH.write_answer)
        yield from buttons(part.get("blocks") or ())


def split(parts: list[Part]) -> Iterator[list[Part]]:
    """`parts`, split by reply if they are one text with the texts of several replies, and their pictures. Buttons of
    such a text repeat its words, and are left out.
    """
    texts = [part for part in parts if part.get("kind") != "buttons"]
    kinds = [part.get("kind") for part in texts]
    if kinds[:1] not in (["text"], ["markdown"]) or not {*kinds[1:]} <= {"image"}:
        yield parts
        return
    lines: list[str] = []
    current: str | None = None
    for line in str(texts[0]["text"]).split("\n"):
        tag = _TAG.search(line)
        # The reply after one that closes a card has the same tag.
        if tag and current is not None and (tag[0] != current or _DECIDED.search(lines[-1])):
            # A closed card begins with its outcome, which has no tag.
            head = [lines.pop()] if _OUTCOME.fullmatch(lines[-1].strip("*")) else []
            yield [{**texts[0], "text": "\n".join(lines)}]
            lines = head
        current = tag[0] if tag else current
        lines.append(line)
    yield [{**texts[0], "text": "\n".join(lines)}]
    yield from ([picture] for picture in texts[1:])


def _key(platform: Platform, text: str, parts: list[Part]) -> ReplyKey | None:
    """The reply that an entry belongs to, by the tag in its text or in the bytes of its image."""
    for tagged in (text, *(platform.media(key)[1].decode("utf-8", "ignore") for key in _images(parts))):
        tag = _TAG.search(tagged)
        if tag:
            return ReplyKey(tag["message"], int(tag["ordinal"]))
    return None


def _of_any_approval(text: str) -> str:
    """`text` without what differs between two approvals."""
    text = _WHO.sub("@", text) if _DECIDED.search(text) else text
    return _OUTCOME.sub("closed", _DECIDED.sub("", _ABOUT.sub("", text)))


def _of_dialogue(text: str) -> ReplyKey | None:
    """The reply that closes the card of an approval with a new message, or says that the dialogue cannot go on."""
    about = _ABOUT.search(text)
    if about is None:
        return None
    if _DECIDED.search(text):
        end = "approved" if _FAILED not in text else UNDELIVERED if UNSHOWN in text else ENDED
        return ReplyKey(f"{about['dialogue']}-{end}", 0)
    end = next((end for end in (ENDED, UNDELIVERED) if f"›\\n{end}" in text), "")
    return ReplyKey(f"{about['dialogue']}-{end}", 1) if end else None


def _images(value: object) -> Iterator[str]:
    """The keys of all images in `value`."""
    if isinstance(value, dict):
        if value.get("kind") == "image" and value.get("key"):
            yield str(value["key"])
        for inner in value.values():
            yield from _images(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _images(inner)


def _without_keys(value: Any) -> Any:
    """`value` without the ids and media keys, which differ in each run."""
    if isinstance(value, dict):
        return {name: _without_keys(inner) for name, inner in value.items() if name not in ("key", "id")}
    return [_without_keys(inner) for inner in value] if isinstance(value, list) else value
