"""What must be at the platform once a world has come to rest, and what is there."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from random import Random
from typing import Any, NamedTuple, cast

from parley.journal.rows import row_of
from parley.journal.states import ReplyState
from parley.model import Conversation, Message
from parley.model.codec import decode_message
from playground.platforms.base import Platform, Pressed, Said
from tools.faults.bot import make_bot
from tools.faults.subjects import APP, Subject
from tools.faults.trouble import Plan
from tools.faults.world import World

_TAG = re.compile(r"«(?P<message>[\w-]+)\.(?P<ordinal>\d+)»")
_NUMBER = re.compile(r"\b\d+ (?=«)")
_SAMPLE = "sample"
_KEYS_LIVE = 0.0
"""Seconds for which an idempotency key has to cover a call so that nothing about it can stay unknown in these runs."""


class Key(NamedTuple):
    """A reply: the tag of the message it answers, and its number."""

    message: str
    ordinal: int


class Entry(NamedTuple):
    """A message at the platform, as people see it; which reply it is a part of, where that can be told."""

    place: str
    """Order is promised within it: a room, or a room and the app or webhook that speaks there."""
    text: str
    key: Key | None


@dataclass(slots=True)
class Findings:
    """What went wrong. All but `unknown` and `parked` must be empty, and each unknown must be explained."""

    lost: list[str] = field(default_factory=list[str])
    duplicated: list[str] = field(default_factory=list[str])
    out_of_order: list[str] = field(default_factory=list[str])
    unknown: list[str] = field(default_factory=list[str])
    unexplained: list[str] = field(default_factory=list[str])
    over_limit: list[str] = field(default_factory=list[str])
    parked: list[str] = field(default_factory=list[str])
    """Messages that waited in the dead letters until the operator sent them back."""

    @property
    def good(self) -> bool:
        """Whether every promise was kept."""
        return not (self.lost or self.duplicated or self.out_of_order or self.unexplained or self.over_limit)

    def add(self, other: "Findings") -> None:
        """Take those of another run in."""
        for each in fields(self):
            getattr(self, each.name).extend(getattr(other, each.name))


def judge(world: World, forms: "dict[str, Forms]", parked: frozenset[str] = frozenset()) -> Findings:
    """Compare what is at the platforms with what must be. `parked`: tags of messages that were in the dead letters,
    whose place in the order is where the operator put them.
    """
    found = Findings(over_limit=list(world.ledger.over_limit), parked=sorted(parked))
    for name, platform in world.platforms.items():
        accepted = _accepted(world, name)
        _acknowledged(platform, accepted, found)
        states = _states(world, name, found)
        _compare(list(_entries(platform)), accepted, forms[name], states, found, parked)
    return found


# --- what must be there -----------------------------------------------------------------------------------------------

Forms = dict[str, list[list[str]]]
"""For each command: for each of its replies, the messages that it makes, said to a message tagged `_SAMPLE`."""


def forms_of(subject: Subject) -> Forms:
    """How the replies to each command look at `subject`'s platform, seen in a world without trouble."""
    forms: Forms = {}
    for command in subject.all_commands:
        world = World((subject,), Plan(), make_bot(), Random(0))
        platform = world.platforms[subject.name]
        said = "card" if command == "press" else command
        platform.say(APP, "team", "lin", Said(text=_SAMPLE if said == "echo" else f"/{said} {_SAMPLE}"))
        world.settle()
        if command == "press":
            card = next(m.id for m in platform.messages.values() if m.sender_kind == "bot")
            platform.press(APP, card, "lin", Pressed(button="press"))
            world.settle()
        replies: dict[int, list[str]] = {}
        for entry in _attributed(_entries(platform)):
            if entry.key is not None and entry.key.message == f"{_SAMPLE}{'-pressed' * (command == 'press')}":
                replies.setdefault(entry.key.ordinal, []).append(entry.text)
        forms[command] = [replies[ordinal] for ordinal in sorted(replies)]
        if not forms[command]:
            raise ValueError(f"{subject.name} says nothing to {command}")
    return forms


def _accepted(world: World, platform: str) -> dict[str, Message]:
    """The messages that the inbound queue took in, by id, in order of their first arrival."""
    messages = (decode_message(message.body) for message in world.inbound.accepted)
    accepted: dict[str, Message] = {}
    for message in messages:
        if message.platform == platform:
            accepted.setdefault(message.id, message)
    return accepted


def _acknowledged(platform: Platform, accepted: dict[str, Message], found: Findings) -> None:
    for delivery in platform.deliveries.values():
        if delivery.state == "delivered" and delivery.journal_id not in accepted:
            found.lost.append(f"{delivery.journal_id}: acknowledged, and never in the queue")


def _expected(accepted: dict[str, Message], forms: Forms) -> Iterator[tuple[Key, list[str]]]:
    """Each reply that must be there, with the messages it makes, in order."""
    for message in accepted.values():
        command, mark = _asked(message)
        for ordinal, texts in enumerate(forms[command]):
            yield Key(mark, ordinal), [text.replace(_SAMPLE, mark.removesuffix("-pressed")) for text in texts]


def _asked(message: Message) -> tuple[str, str]:
    """The command in `message`, and the tag of the replies to it."""
    if message.action is not None:
        return "press", f"{message.action.value}-pressed"
    if message.command is not None:
        return message.command.name, str(message.command.options["mark"])
    words = message.content.text.split()
    return (words[0][1:], words[1]) if words[0].startswith("/") else ("echo", words[0])


# --- what is there ----------------------------------------------------------------------------------------------------


def _entries(platform: Platform) -> Iterator[Entry]:
    for message in platform.messages.values():
        if message.sender_kind == "user":
            continue
        text = json.dumps(_without_keys(platform.parts(message)), ensure_ascii=False, sort_keys=True)
        tag = _TAG.search(text)
        speaker = "" if message.app == APP else message.app or message.sender
        key = Key(tag["message"], int(tag["ordinal"])) if tag else None
        yield Entry(f"{message.room}/{speaker}", text, key)


def _without_keys(value: object) -> object:
    """`value` without what is different each time: the keys of media."""
    if isinstance(value, dict):
        return {name: _without_keys(inner) for name, inner in value.items() if name not in ("key", "id")}
    return [_without_keys(inner) for inner in value] if isinstance(value, list) else value


def _attributed(entries: Iterable[Entry]) -> Iterator[Entry]:
    """What has no tag belongs to the reply before it in the same place."""
    last: dict[str, Key | None] = {}
    for entry in entries:
        key = entry.key or last.get(entry.place)
        last[entry.place] = key
        yield entry._replace(key=key)


def _states(world: World, platform: str, found: Findings) -> dict[Key, ReplyState]:
    """How each reply ended by the journal; unknown ones are noted, with whether anything explains them."""
    states: dict[Key, ReplyState] = {}
    for pk, item in world.aws.dynamodb.items.items():
        if not pk.startswith("out#"):
            continue
        row = row_of(cast("Any", item))
        if row.out.to.platform != platform:
            continue
        tag = _TAG.search(item["body"]["S"])
        key = Key(tag["message"], int(tag["ordinal"])) if tag else Key(row.out.id, 0)
        states[key] = row.state
        if row.state is ReplyState.UNKNOWN:
            found.unknown.append(f"{key}: {row.reason}")
            if row.out.id not in world.ledger.doubtful or world.covered(row.out) > _KEYS_LIVE:
                found.unexplained.append(f"{key}: {row.reason}")
    return states


# --- the comparison ---------------------------------------------------------------------------------------------------


def _compare(
    entries: list[Entry],
    accepted: dict[str, Message],
    forms: Forms,
    states: dict[Key, ReplyState],
    found: Findings,
    parked: frozenset[str],
) -> None:
    expected = list(_expected(accepted, forms))
    there = Counter(_plain(entry.text) + _mark(entry) for entry in _attributed(entries))
    rank: dict[str, int] = {}
    for key, texts in expected:
        for number, text in enumerate(texts):
            wanted = f"{_plain(text)}{key}"
            rank[wanted] = len(rank)
            if not there[wanted] and states.get(key) is not ReplyState.UNKNOWN:
                found.lost.append(f"{key} part {number}: {states.get(key, 'never decided')}")
    for text, times in there.items():
        if text not in rank:
            found.duplicated.append(f"nobody asked for {text[:200]}")
        elif times > 1:
            found.duplicated.append(f"{times} times {text[:200]}")
    origin = {_asked(message)[1]: Conversation.of(message).key for message in accepted.values()}
    unknown = frozenset(key for key, state in states.items() if state is ReplyState.UNKNOWN)
    _check_order(entries, rank, origin, found, parked, unknown)


def _check_order(
    entries: list[Entry],
    rank: dict[str, int],
    origin: dict[str, str],
    found: Findings,
    parked: frozenset[str],
    unknown: frozenset[Key],
) -> None:
    """What one conversation says in one place must be in the order in which the conversation was heard. Of a reply that
    is unknown nobody can tell when it is said, or whether: a worker that stood still may say it after its lease.
    """
    last: dict[str, tuple[int, str]] = {}
    numbers: dict[str, list[int]] = {}
    unordered: set[str] = set()
    for entry in _attributed(entries):
        at, text = rank.get(_plain(entry.text) + _mark(entry), -1), entry.text
        number = _NUMBER.search(text)
        if number:
            numbers.setdefault(entry.place, []).append(int(number[0]))
        if entry.key is not None and entry.key.message in parked:
            unordered.add(entry.place)
            continue
        if entry.key in unknown:
            unordered.add(entry.place)
            continue
        place = entry.place + origin.get(entry.key.message if entry.key else "", "")
        before = last.get(place, (-1, ""))
        if 0 <= at < before[0]:
            found.out_of_order.append(f"{text[:100]} after {before[1][:100]}")
        last[place] = max(before, (at, text))
    for place, counted in numbers.items():
        inorder = (sorted(counted) if place in unordered else counted) == sorted(set(counted))
        if not inorder or max(counted) - len(counted) > len(unknown):
            found.out_of_order.append(f"{place} reads {counted}")


def asked(body: str) -> str:
    """The tag of the message in a record of the inbound queue."""
    return _asked(decode_message(body))[1]


def _plain(text: str) -> str:
    """`text` without the number that `/count` puts first."""
    return _NUMBER.sub("", text)


def _mark(entry: Entry) -> str:
    return str(entry.key)
