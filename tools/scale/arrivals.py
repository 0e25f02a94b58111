"""Many messages a second, through the real engine in virtual time: what each row of the table gets, and each person.

The simulation runs one step after the other and its functions take no time. So it shows what the counts of requests
depend on: rate limits, portions, rows and partitions. It does not show how busy the functions are.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from random import Random
from typing import Any, NamedTuple

from playground.platforms.base import NewMessage
from tools.faults.aws import isolated
from tools.faults.bot import make_bot
from tools.faults.dynamodb import DynamoDB
from tools.faults.policies import FaultPlan
from tools.faults.simulation import Simulation
from tools.faults.targets import APP, Target, titled

_TAG = re.compile(r"«(m\d{6})")
_WRITES = ("PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems")


@dataclass(frozen=True, slots=True)
class Arrivals:
    """`rate` messages a second for `seconds`, from `people` who write in turn, spread over `apps` apps of Feishu."""

    rate: int
    seconds: int
    people: int
    apps: int
    at_once: bool = True

    @property
    def messages(self) -> int:
        """All messages."""
        return self.rate * self.seconds


class Outcome(NamedTuple):
    """What came of them. Times are seconds of virtual time."""

    arrivals: Arrivals
    lost: int
    repeated: int
    misplaced: int
    """Replies that are before an earlier one of the same conversation."""
    ended_after: float
    """From the first message to the last reply."""
    waiting: int
    """Messages and replies in the queues when the last message arrived."""
    writes: Counter[str]
    """Writes of rows, by the beginning of their keys."""
    hottest: Mapping[str, int]
    """The most writes of one row in one second, by the beginning of its key."""


def outcome(arrivals: Arrivals, seed: int) -> Outcome:
    """Let the messages arrive, and wait until everything is answered."""
    with isolated():
        return _outcome(arrivals, seed)


def _outcome(arrivals: Arrivals, seed: int) -> Outcome:
    sim = Simulation((_target(arrivals.apps),), FaultPlan(), make_bot(), Random(seed), at_once=float(arrivals.at_once))
    sim.aws.dynamodb = table = _Table(sim)
    begin = sim.clock()
    for number in range(arrivals.messages):
        sim.at(begin + number / arrivals.rate, partial(_say, sim, arrivals, number))
    sim.settle(until=begin + arrivals.seconds)
    waiting = len(sim.inbound) + len(sim.outbound)
    sim.settle()
    rooms: dict[str, list[str]] = {}
    shown = [each for each in sim.platforms["feishu"].messages.values() if each.sender_kind == "bot"]
    for message in shown:
        rooms.setdefault(message.room, []).extend(_TAG.findall(str(message.content)))
    tags = Counter(tag for found in rooms.values() for tag in found)
    return Outcome(
        arrivals,
        lost=arrivals.messages - len(tags),
        repeated=sum(tags.values()) - len(tags),
        misplaced=sum(tag < before for found in rooms.values() for before, tag in pairwise(found)),
        ended_after=max((message.at for message in shown), default=begin) - begin,
        waiting=waiting,
        writes=table.by_kind,
        hottest=table.hottest(),
    )


def _target(apps: int) -> Target:
    """Feishu with so many apps."""
    target = titled("feishu")
    sample = target.apps[APP]
    return replace(target, apps={_app(number): _named(sample, _app(number)) for number in range(apps)})


def _app(number: int) -> str:
    return f"app-{number}"


def _named(sample: Mapping[str, Any], app: str) -> dict[str, Any]:
    return {**sample, "app_id": f"cli_{app}", "webhooks": {}}


def _say(sim: Simulation, arrivals: Arrivals, number: int) -> None:
    person = number % arrivals.people
    app = _app(person % arrivals.apps)
    sim.platforms["feishu"].send_message(app, "private", f"person-{person}", NewMessage(text=f"/count m{number:06}"))


class _Table(DynamoDB):
    """A fake DynamoDB that counts the writes of each row, by second."""

    __slots__ = ("_clock", "_rows", "by_kind")

    def __init__(self, sim: Simulation) -> None:
        DynamoDB.__init__(self, sim.aws.dynamodb.table)
        self._clock = sim.clock
        self._rows: Counter[tuple[int, str]] = Counter()
        self.by_kind: Counter[str] = Counter()

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out `operation`. Raises ServiceError."""
        if operation in _WRITES:
            actions = [next(iter(each.values())) for each in request.get("TransactItems", ())] or [request]
            for key in ((action.get("Item") or action["Key"])["pk"]["S"] for action in actions):
                self._rows[int(self._clock()), key] += 1
                self.by_kind[key.partition("#")[0]] += 1
        return DynamoDB.call(self, operation, request)

    def hottest(self) -> dict[str, int]:
        """The most writes of one row in one second, by the beginning of its key."""
        most: dict[str, int] = {}
        for (_second, key), count in self._rows.items():
            kind = key.partition("#")[0]
            most[kind] = max(most.get(kind, 0), count)
        return most
