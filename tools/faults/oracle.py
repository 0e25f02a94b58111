"""The oracle: which replies must be at the platforms after a run, in which order, and whether they are."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import cast

from msgspec import convert

from parley.adapter import IDEMPOTENT, App, Call, Sent, Steps
from parley.journal.outbox import PASSIVE_RECEIPTS
from parley.journal.rows import row_of
from parley.journal.states import FINAL, ReplyState, Row
from parley.journal.table import Item, callback_pk, deferred_pk, get_text, message_pk, reply_pk
from parley.model import Conversation, Message, Outgoing, handled, message_key
from parley.model.codec import decode_message
from parley.platforms import config_type, outbound
from playground.platforms.base import Platform
from playground.platforms.model import Delivery
from tools.faults.access import check_access
from tools.faults.bot import NEVER
from tools.faults.endings import Endings
from tools.faults.findings import Findings
from tools.faults.payments import check_payments
from tools.faults.renderings import FOLLOWING, SAMPLE, SUFFIXES, Rendering, Renderings
from tools.faults.simulation import Simulation
from tools.faults.tags import Origin, origins_of
from tools.faults.transcript import Entry, ReplyKey, transcript

_COUNT = re.compile(r"\b\d+ (?=«)")
"""The number with which a reply to `/count` begins."""


def check(sim: Simulation, renderings: dict[str, Renderings], redriven: frozenset[str] = frozenset()) -> Findings:
    """Compare the messages at each platform with the replies that must be there. `renderings` is by platform.

    `redriven` are the tags of messages that were in a dead-letter queue: their place in the order is not fixed.
    """
    found = Findings(over_limit=list(sim.ledger.over_limit), redriven=sorted(redriven))
    for name, platform in sim.platforms.items():
        accepted = _accepted(sim, name)
        checked = _PlatformCheck(sim, platform, accepted, renderings[name], found, redriven)
        checked.check_acknowledged()
        checked.check_following()
        states = checked.states()
        checked.check_replies(states)
        found.lost += checked.endings.lost(states)
        _OrderCheck(checked, states).run()
        check_payments(sim, name, accepted, checked.origins, checked.endings, found)
        check_access(sim, platform.name, accepted, found)
    return found


def _accepted(sim: Simulation, platform: str) -> dict[str, Message]:
    """The messages that the inbound queue has accepted, by id, in the order of their first arrival."""
    accepted: dict[str, Message] = {}
    for message in (decode_message(record.body) for record in sim.inbound.accepted):
        if message.platform == platform:
            accepted.setdefault(message.id, message)
    return accepted


@dataclass(slots=True)
class _PlatformCheck:
    """The checks of one platform, except for the order of replies."""

    sim: Simulation
    platform: Platform
    accepted: dict[str, Message]
    renderings: Renderings
    found: Findings
    redriven: frozenset[str]
    origins: dict[str, Origin] = field(init=False)
    rejected: set[ReplyKey] = field(default_factory=set[ReplyKey])
    endings: Endings = field(init=False)

    def __post_init__(self) -> None:
        self.origins = origins_of(self.accepted.values(), self.sim.requested.schedules)
        self.endings = Endings([(*self.origins[id_], message) for id_, message in self.accepted.items()])

    def check_acknowledged(self) -> None:
        """Report acknowledged messages that never reached the queue."""
        for delivery in self.platform.deliveries.values():
            if delivery.state == "delivered" and delivery.journal_id not in self.accepted:
                self.found.lost.append(f"{delivery.journal_id}: acknowledged, but never in the queue")

    def check_following(self) -> None:
        """Report reminders, and what programs send, whose message never reached the queue."""
        there = [*self.origins.values()]
        for following, before in FOLLOWING.items():
            wanted = (f"{tag}{SUFFIXES[following]}" for command, tag in there if command == before)
            self.found.lost.extend(f"{tag}: never in the queue" for tag in wanted if (following, tag) not in there)

    def expected(self) -> Iterator[tuple[ReplyKey, list[Rendering]]]:
        """Each reply that must be there, in order, with all its right renderings."""
        for command, tag in self.origins.values():
            if tag.endswith(f"{NEVER}-reminded") and tag.replace(NEVER, "") not in self.redriven:
                continue  # it was cancelled when its message was on its way
            for ordinal, choices in enumerate(self.renderings.get(command, [])):
                plain = tag.removesuffix(SUFFIXES.get(command, ""))
                yield ReplyKey(tag, ordinal), [[text.replace(SAMPLE, plain) for text in each] for each in choices]

    # --- the journal ---

    def states(self) -> dict[ReplyKey, ReplyState]:
        """The state of each reply in the journal. Reports the unknown, unexplained and rejected ones."""
        origins = {message_key(message): message for message in self.accepted.values()}
        unreceived = self._unreceived()
        states: dict[ReplyKey, ReplyState] = {}
        for pk, item in self.sim.aws.dynamodb.items.items():
            if not pk.startswith(reply_pk("")):
                continue
            row = row_of(cast("Item", item))
            origin = origins.get(row.out.message_key)
            if origin is None:
                continue
            key = self.endings.key_of(*self.origins[origin.id], row.out.ordinal)
            states[key] = ReplyState.UNKNOWN if self._reacts_to_unknown(row) else row.state
            if row.out.id in unreceived:
                states[key] = ReplyState.UNKNOWN  # the journal cannot know whether the platform has shown it
                self.found.unknown.append(f"{key}: in a passive reply")
            elif self._is_rejected(row):
                self.found.rejected.append(f"{key}: {row.reason}")
                self.rejected.add(key)
            elif row.state is ReplyState.UNKNOWN:
                self.found.unknown.append(f"{key}: {row.reason}")
                if not self._is_explained(row, origin):
                    self.found.unexplained.append(f"{key}: {row.reason}")
            for part in self._joined(origin):
                states[part] = states[key]
                self.rejected |= {part} if key in self.rejected else set()
        return states

    def _joined(self, message: Message) -> Iterator[ReplyKey]:
        """The keys of the lines in the reply to `message` that answer the texts which it joins."""
        stored = get_text(self._item(message_pk(message_key(message))), "message")
        parts = decode_message(stored).parts if stored else ()
        yield from (ReplyKey(self.origins[part.id][1], 0) for part in parts if part.id != message.id)

    def _reacts_to_unknown(self, row: Row) -> bool:
        """Whether the reply is a reaction to one that may be there, and whose id is not known."""
        reply = row.out.reply
        item = self._item(reply_pk(handled(reply.target))) if reply.op == "react" else {}
        return bool(item) and row_of(item).state is ReplyState.UNKNOWN

    def _unreceived(self) -> set[str]:
        """The ids of the replies in passive replies that the platform never received because of a fault."""
        ledger = self.sim.ledger
        responses = (
            (id_, get_text(self._callback_row(id_), "response"))
            for id_, delivery in self.deliveries().items()
            if id_ in ledger.disrupted and delivery.state != "delivered"
        )
        return {reply for response in responses for reply in ledger.passive_replies.get(response, ())}

    def deliveries(self) -> dict[str, Delivery]:
        """The deliveries of the accepted messages, by the message's id."""
        found = {delivery.journal_id: delivery for delivery in self.platform.deliveries.values()}
        return {id_: found[id_] for id_ in self.accepted if id_ in found}

    def _callback_row(self, message_id: str) -> Item:
        """The journal's row of the callbacks that waited for a passive reply to a message; empty if none did."""
        return self._item(callback_pk(message_key(self.accepted[message_id])))

    def _is_rejected(self, row: Row) -> bool:
        """Whether the platform has rejected the reply because it allows only a few replies to each message. Then the
        reply is FAILED, or it (or an earlier one) is deferred to the person's next message.
        """
        rejected = self.sim.ledger.rejected
        if row.state is ReplyState.FAILED and row.out.id in rejected and self._is_right_spent(row.out):
            return True
        if not self.sim.targets[row.out.to.platform].message_interval:
            return False
        deferred = self._item(deferred_pk(row.out.to.key)).get("ids", {}).get("SS", ())
        if row.state not in FINAL and row.out.id in deferred:
            return any(row_of(self._item(reply_pk(reply))).out.to.key == row.out.to.key for reply in rejected)
        return row.state is ReplyState.FAILED and row.out.id in rejected

    def _is_right_spent(self, out: Outgoing) -> bool:
        """Whether a reply to another message was sent with the right to answer of `out`, on a platform where it is good
        for one: no poll had carried that reply. Replies to the same message have to share it.
        """
        if not self.sim.targets[out.to.platform].polls or not out.to.reply_token:
            return False
        rows = (
            row_of(cast("Item", item))
            for pk, item in self.sim.aws.dynamodb.items.items()
            if pk.startswith(reply_pk(""))
        )
        others = (
            row
            for row in rows
            if row.out.message_key != out.message_key and row.out.to.reply_token == out.to.reply_token
        )
        return any(row.state is ReplyState.SENT and row.receipts != PASSIVE_RECEIPTS for row in others)

    def _item(self, pk: str) -> Item:
        return cast("Item", self.sim.aws.dynamodb.items.get(pk, {}))

    def _is_explained(self, row: Row, origin: Message) -> bool:
        """Whether a fault explains the unknown outcome: one in this reply's own calls, or one in the callback that had
        to return it. A fault explains nothing if all calls of the reply are idempotent.
        """
        ledger = self.sim.ledger
        had_fault = row.out.id in ledger.uncertain or (origin.id in ledger.disrupted and self._callback_row(origin.id))
        return bool(had_fault) and _idempotent_for(self.sim, row.out) <= 0

    # --- the replies ---

    def check_replies(self, states: dict[ReplyKey, ReplyState]) -> None:
        """Report each part of a reply that is not there exactly once, and all messages that belong to no reply."""
        there = Counter(map(_name, transcript(self.platform)))
        known: set[str] = set()
        for key, choices in self.expected():
            names = [[f"{key}{_without_count(text)}" for text in each] for each in choices]
            known.update(*names)
            may_be_missing = key in self.rejected or states.get(key) is ReplyState.UNKNOWN
            # What cancels it was in a dead-letter queue: it is handled before or after that.
            may_be_missing = may_be_missing or (NEVER in key.message and key not in states)
            may_be_missing = may_be_missing or self.endings.may_lack(key, states)
            if not may_be_missing and not any(all(map(there.get, each)) for each in names):
                parts = "".join("." if there[text] else "x" for text in names[0])
                self.found.lost.append(f"{key} ({parts}): {states.get(key, 'never decided')}")
            for part in zip_longest(*names):
                texts = {text for text in part if text}
                times = sum(there[text] for text in texts)
                if times > 1:
                    self.found.duplicated.append(f"{times} times {min(texts)[:200]}")
        for text in there.keys() - known:
            if not any(f"{tag!r}" in text for tag in self.endings.rejected):
                self.found.duplicated.append(f"belongs to no reply: {text[:200]}")
            elif there[text] > 1:
                self.found.duplicated.append(f"{there[text]} times {text[:200]}")


class _OrderCheck:
    """Checks that the replies of one conversation in one place are in the order of the messages.

    Two kinds of replies have no fixed place. A stalled worker may still send a reply that is unknown, after its lease.
    And a passive reply that got lost comes with the platform's next delivery, seconds later.
    """

    def __init__(self, checked: _PlatformCheck, states: dict[ReplyKey, ReplyState]) -> None:
        self._checked = checked
        self._unknown = frozenset(key for key, state in states.items() if state is ReplyState.UNKNOWN)
        self._rank: dict[str, int] = {}
        for at, (key, choices) in enumerate(checked.expected()):
            for each in choices:
                for n, text in enumerate(each):
                    self._rank.setdefault(f"{key}{_without_count(text)}", at * 1000 + n)
        self._origin = {checked.origins[message.id][1]: message for message in checked.accepted.values()}
        self._last: dict[str, tuple[int, str]] = {}
        self._unordered: set[str] = set()

    def run(self) -> None:
        """Report replies in the wrong order, and counters with a wrong number."""
        counts: dict[str, list[int]] = {}
        for entry in transcript(self._checked.platform):
            number = _COUNT.search(entry.text)
            if number:
                counts.setdefault(entry.place, []).append(int(number[0]))
            self._check_place(entry)
        for place, counted in counts.items():
            in_order = (sorted(counted) if place in self._unordered else counted) == sorted(set(counted))
            missing = max(counted) - len(counted)
            if not in_order or missing > len(self._unknown) + len(self._checked.rejected):
                self._checked.found.out_of_order.append(f"{place} reads {counted}")

    def _check_place(self, entry: Entry) -> None:
        if entry.key is None or entry.key in self._unknown or entry.key.message in self._checked.redriven:
            self._unordered.add(entry.place)
            return
        at = self._rank.get(_name(entry), -1)
        origin = self._origin.get(entry.key.message)
        place = entry.place + (Conversation.of(origin).key if origin else "")
        before, text = self._last.get(place, (-1, ""))
        if 0 <= at < before:
            self._unordered.add(entry.place)
            found = self._checked.found.delayed if self._is_delayed(entry) else self._checked.found.out_of_order
            found.append(f"{entry.text[:100]} after {text[:100]}")
        self._last[place] = max((before, text), (at, entry.text))

    def _is_delayed(self, entry: Entry) -> bool:
        """Whether the entry came in a passive reply that the platform received only with a later delivery."""
        delivery = self._checked.deliveries().get(entry.within)
        return delivery is not None and (
            entry.within in self._checked.sim.ledger.disrupted or len(delivery.attempts) > 1
        )


def _idempotent_for(sim: Simulation, out: Outgoing) -> float:
    """The least number of seconds for which a retry of a call of `out` is idempotent."""
    if out.to.reply_token:
        return 0  # the token can expire at any time, and a call without it has another idempotency key
    config = sim.targets[out.to.platform].apps[out.to.app]
    app = App(out.to.platform, out.to.app, convert(config, config_type(out.to.platform)))
    steps = outbound(out.to.platform).deliver(out, app, sim.clock())
    return min((call.idempotent_for for call in _calls(steps)), default=IDEMPOTENT)


def _calls(steps: Steps) -> Iterator[Call]:
    """The calls of a reply, if each of them succeeds."""
    try:
        call = next(steps)
        while True:
            yield call
            call = steps.send(Sent("id", {"key": "key"}))
    except StopIteration:
        return


def _name(entry: Entry) -> str:
    """The identity of a part of a reply: its key and its text without the number of `/count`."""
    return f"{entry.key}{_without_count(entry.text)}"


def _without_count(text: str) -> str:
    return _COUNT.sub("", text)
