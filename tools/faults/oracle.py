"""What must be at the platform once a world has come to rest, and whether it is there."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from itertools import zip_longest
from typing import Any, cast

from msgspec import convert

from parley.adapter import App, Call, Sent, Steps
from parley.journal.rows import row_of
from parley.journal.states import FINAL, ReplyState, Row
from parley.model import Conversation, Message, Outgoing, message_key
from parley.model.codec import decode_message
from parley.platforms import config_type, outbound
from playground.platforms.base import Platform
from playground.platforms.model import Delivery
from tools.faults.forms import SAMPLE, Form, Forms
from tools.faults.seen import Entry, Key, entries
from tools.faults.world import World

_NUMBER = re.compile(r"\b\d+ (?=«)")
_KEYS_LIVE = 0.0
"""Seconds for which an idempotency key has to cover a call so that nothing about it can stay unknown in these runs."""


@dataclass(slots=True)
class Findings:
    """What went wrong. All but unknown, refused, overtaken and parked must be empty, and each unknown explained."""

    lost: list[str] = field(default_factory=list[str])
    duplicated: list[str] = field(default_factory=list[str])
    out_of_order: list[str] = field(default_factory=list[str])
    unknown: list[str] = field(default_factory=list[str])
    unexplained: list[str] = field(default_factory=list[str])
    over_limit: list[str] = field(default_factory=list[str])
    refused: list[str] = field(default_factory=list[str])
    """Replies that came when the person had been told as much as the platform allows: FAILED, or owed to the next."""
    overtaken: list[str] = field(default_factory=list[str])
    """Answers within callbacks that got lost on their way: they came with a later delivery, behind others."""
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


def judge(world: World, forms: dict[str, Forms], parked: frozenset[str] = frozenset()) -> Findings:
    """Compare what is at the platforms with what must be. `parked`: tags of messages that were in the dead letters,
    whose place in the order is where the operator put them.
    """
    found = Findings(over_limit=list(world.ledger.over_limit), parked=sorted(parked))
    for name, platform in world.platforms.items():
        case = _Case(world, platform, _accepted(world, name), forms[name], found, parked)
        case.acknowledged()
        states = case.states()
        case.compare(states)
        _Order(case, states).check()
    return found


def asked(body: str) -> str:
    """The tag of the message in a record of the inbound queue."""
    return _asked(decode_message(body))[1]


def _accepted(world: World, platform: str) -> dict[str, Message]:
    """The messages that the inbound queue took in, by id, in order of their first arrival."""
    messages = (decode_message(message.body) for message in world.inbound.accepted)
    accepted: dict[str, Message] = {}
    for message in messages:
        if message.platform == platform:
            accepted.setdefault(message.id, message)
    return accepted


def _asked(message: Message) -> tuple[str, str]:
    """The command in `message`, and the tag of the replies to it."""
    if message.action is not None:
        return "press", f"{message.action.value}-pressed"
    if message.command is not None:
        return message.command.name, str(message.command.options["mark"])
    words = message.content.text.split()
    return (words[0][1:], words[1]) if words[0].startswith("/") else ("echo", words[0])


@dataclass(slots=True)
class _Case:
    """One platform of one world, after all is over."""

    world: World
    platform: Platform
    accepted: dict[str, Message]
    forms: Forms
    found: Findings
    parked: frozenset[str]
    refused: set[Key] = field(default_factory=set[Key])

    def acknowledged(self) -> None:
        """What was acknowledged must be in the queue."""
        for delivery in self.platform.deliveries.values():
            if delivery.state == "delivered" and delivery.journal_id not in self.accepted:
                self.found.lost.append(f"{delivery.journal_id}: acknowledged, and never in the queue")

    def expected(self) -> Iterator[tuple[Key, list[Form]]]:
        """Each reply that must be there, in order, with the forms it may have."""
        for message in self.accepted.values():
            command, mark = _asked(message)
            for ordinal, forms in enumerate(self.forms[command]):
                shown = mark.removesuffix("-pressed")
                yield Key(mark, ordinal), [[text.replace(SAMPLE, shown) for text in form] for form in forms]

    # --- the journal's side ---

    def states(self) -> dict[Key, ReplyState]:
        """How each reply ended by the journal. Unknown ones are noted, with whether anything explains them."""
        origins = {message_key(message): message for message in self.accepted.values()}
        unseen = self._unseen()
        states: dict[Key, ReplyState] = {}
        for pk, item in self.world.aws.dynamodb.items.items():
            if not pk.startswith("out#"):
                continue
            row = row_of(cast("Any", item))
            origin = origins.get(row.out.message_key)
            if origin is None:
                continue
            key = Key(_asked(origin)[1], row.out.ordinal)
            states[key] = row.state
            if row.out.id in unseen:
                # Of an answer that the platform never got, nobody can tell whether it showed.
                states[key] = ReplyState.UNKNOWN
                self.found.unknown.append(f"{key}: said within a callback")
            elif self._is_refused(row):
                self.found.refused.append(f"{key}: {row.reason}")
                self.refused.add(key)
            elif row.state is ReplyState.UNKNOWN:
                self.found.unknown.append(f"{key}: {row.reason}")
                if not self._explained(row, origin):
                    self.found.unexplained.append(f"{key}: {row.reason}")
        return states

    def _unseen(self) -> set[str]:
        """The ids of replies that were said in answers within callbacks which the platform never got, for reasons that
        we know.
        """
        ledger = self.world.ledger
        answers = (
            (id_, self._waited(id_).get("answer", {}).get("S", ""))
            for id_, delivery in self.deliveries().items()
            if id_ in ledger.disturbed and delivery.state != "delivered"
        )
        return {reply for answer in answers for reply in ledger.carried.get(answer, ())}

    def deliveries(self) -> dict[str, Delivery]:
        """The deliveries of what was accepted, by the message's id."""
        found = {delivery.journal_id: delivery for delivery in self.platform.deliveries.values()}
        return {id_: found[id_] for id_ in self.accepted if id_ in found}

    def _waited(self, message_id: str) -> dict[str, Any]:
        """What the journal knows of callbacks that waited for the answer to a message; nothing where none did."""
        key = message_key(self.accepted[message_id])
        return cast("dict[str, Any]", self.world.aws.dynamodb.items.get(f"callback#{key}", {}))

    def _is_refused(self, row: Row) -> bool:
        """Whether the platform, being one that allows a bot only a few replies to a person's message, has refused it
        and it has FAILED for that; or it, or what has to be said before, waits for the person's next message.
        """
        refused = self.world.ledger.refused
        if not self.world.subjects[row.out.to.platform].gap:
            return False
        owed = cast("dict[str, Any]", self.world.aws.dynamodb.items.get(f"deferred#{row.out.to.key}", {}))
        if row.state not in FINAL and row.out.id in owed.get("ids", {}).get("SS", ()):
            return any(self._row(reply).out.to.key == row.out.to.key for reply in refused)
        return row.state is ReplyState.FAILED and row.out.id in refused

    def _row(self, reply: str) -> Row:
        return row_of(cast("Any", self.world.aws.dynamodb.items[f"out#{reply}"]))

    def _explained(self, row: Row, origin: Message) -> bool:
        """Whether trouble in this very reply's calls, or in the callback that was to say it, explains that nobody knows
        about it, and no key covers a repetition.
        """
        ledger = self.world.ledger
        doubted = row.out.id in ledger.doubtful or (origin.id in ledger.disturbed and self._waited(origin.id))
        return bool(doubted) and _covered(self.world, row.out) <= _KEYS_LIVE

    # --- the comparison ---

    def compare(self, states: dict[Key, ReplyState]) -> None:
        """Each part of each reply must be there once, in one of its forms, and nothing else."""
        there = Counter(map(_name, entries(self.platform)))
        known: set[str] = set()
        for key, forms in self.expected():
            names = [[f"{key}{_plain(text)}" for text in form] for form in forms]
            known.update(*names)
            excused = key in self.refused or states.get(key) is ReplyState.UNKNOWN
            if not excused and not any(all(map(there.get, form)) for form in names):
                parts = "".join("." if there[text] else "x" for text in names[0])
                self.found.lost.append(f"{key} ({parts}): {states.get(key, 'never decided')}")
            for part in zip_longest(*names):
                texts = {text for text in part if text}
                times = sum(there[text] for text in texts)
                if times > 1:
                    self.found.duplicated.append(f"{times} times {min(texts)[:200]}")
        self.found.duplicated += [f"nobody asked for {text[:200]}" for text in there if text not in known]


class _Order:
    """What one conversation says in one place must be in the order in which the conversation was heard.

    Of a reply that is unknown nobody can tell when it is said, or whether: a worker that stood still may say it after
    its lease. And an answer within a callback that gets lost is given with the platform's next delivery, seconds later.
    """

    def __init__(self, case: _Case, states: dict[Key, ReplyState]) -> None:
        self._case = case
        self._unknown = frozenset(key for key, state in states.items() if state is ReplyState.UNKNOWN)
        self._rank: dict[str, int] = {}
        for at, (key, forms) in enumerate(case.expected()):
            for form in forms:
                self._rank |= {f"{key}{_plain(text)}": at * 1000 + number for number, text in enumerate(form)}
        self._origin = {_asked(message)[1]: message for message in case.accepted.values()}
        self._last: dict[str, tuple[int, str]] = {}
        self._unordered: set[str] = set()

    def check(self) -> None:
        """Note what is not where it should be."""
        numbers: dict[str, list[int]] = {}
        for entry in entries(self._case.platform):
            number = _NUMBER.search(entry.text)
            if number:
                numbers.setdefault(entry.place, []).append(int(number[0]))
            self._place(entry)
        for place, counted in numbers.items():
            inorder = (sorted(counted) if place in self._unordered else counted) == sorted(set(counted))
            if not inorder or max(counted) - len(counted) > len(self._unknown) + len(self._case.refused):
                self._case.found.out_of_order.append(f"{place} reads {counted}")

    def _place(self, entry: Entry) -> None:
        if entry.key is None or entry.key in self._unknown or entry.key.message in self._case.parked:
            self._unordered.add(entry.place)
            return
        at = self._rank.get(_name(entry), -1)
        origin = self._origin.get(entry.key.message)
        place = entry.place + (Conversation.of(origin).key if origin else "")
        before, words = self._last.get(place, (-1, ""))
        if 0 <= at < before:
            self._unordered.add(entry.place)
            what = f"{entry.text[:100]} after {words[:100]}"
            (self._case.found.overtaken if self._late(entry) else self._case.found.out_of_order).append(what)
        self._last[place] = max((before, words), (at, entry.text))

    def _late(self, entry: Entry) -> bool:
        """Whether it was said within a callback, and got lost on its way, so that the platform had it later."""
        delivery = self._case.deliveries().get(entry.within)
        return delivery is not None and (
            entry.within in self._case.world.ledger.disturbed or len(delivery.attempts) > 1
        )


def _covered(world: World, out: Outgoing) -> float:
    """For how many seconds a repetition of the least covered call of `out` is harmless."""
    if out.to.reply_token:
        return 0  # a grant may end at any time, and no key of a call with it covers one without it
    config = world.subjects[out.to.platform].apps[out.to.app]
    app = App(out.to.platform, out.to.app, convert(config, config_type(out.to.platform)))
    steps = outbound(out.to.platform).deliver(out, app, world.clock())
    return min(call.idempotent_for for call in _calls(steps))


def _calls(steps: Steps) -> Iterator[Call]:
    """The calls of a reply, each answered as if it was done."""
    try:
        call = next(steps)
        while True:
            yield call
            call = steps.send(Sent("id", {"key": "key"}))
    except StopIteration:
        return


def _name(entry: Entry) -> str:
    """What a part of a reply is known by: its words without the number that `/count` puts first."""
    return f"{entry.key}{_plain(entry.text)}"


def _plain(text: str) -> str:
    return _NUMBER.sub("", text)
