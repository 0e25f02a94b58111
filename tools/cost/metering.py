"""A simulation that counts what AWS bills: invocations, requests, and DynamoDB's units by row."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple, Protocol

from playground.platforms.model import Delivery
from tools.faults.bot import make_bot
from tools.faults.dynamodb import DynamoDB
from tools.faults.exchange import RESPONSE
from tools.faults.policies import CallSite, Fault
from tools.faults.simulation import BOT_SECONDS, Simulation
from tools.faults.sqs import Queue
from tools.faults.targets import Target

STAGES = ("callback", "processor", "deliverer")
"""The functions that a message can pass."""
INDEX = "due"
"""The row of a unit of the index."""
_WRITE_UNIT, _READ_UNIT = 1024, 4096
"""Bytes of one DynamoDB unit."""
_WRITES = ("PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems")


class Unit(NamedTuple):
    """What a unit of DynamoDB is used for: `write` or `read`, the prefix of the row's key, and the request."""

    kind: str
    row: str
    request: str


@dataclass(slots=True)
class Usage:
    """What one message used."""

    invocations: Counter[str] = field(default_factory=Counter[str])
    """By function."""
    requests: dict[str, Counter[str]] = field(default_factory=dict[str, "Counter[str]"])
    """By function and operation. Calls to platforms begin with a slash."""
    polls: Counter[str] = field(default_factory=Counter[str])
    """SQS requests of the event source mappings: receives and deletions."""
    units: dict[Unit, float] = field(default_factory=dict[Unit, float])
    """Units of DynamoDB."""
    worked: float = 0
    """Seconds for which a handler waits, for a service outside for example."""

    def count(self, stage: str) -> float:
        """The number of AWS requests that `stage` makes."""
        return sum(number for operation, number in self._of(stage).items() if "/" not in operation)

    def platform_calls(self, stage: str) -> float:
        """The number of calls that `stage` makes to the platform."""
        return sum(number for operation, number in self._of(stage).items() if "/" in operation)

    def total(self, kind: str) -> float:
        """The units of one kind, `write` or `read`."""
        return sum(number for unit, number in self.units.items() if unit.kind == kind)

    def sqs_requests(self) -> float:
        """The requests of SQS: those of the functions and those of the event source mappings."""
        queueing = ("SendMessage", "ChangeMessageVisibility")
        return sum(self.polls.values()) + sum(self._of(stage)[name] for stage in self.requests for name in queueing)

    def _of(self, stage: str) -> Counter[str]:
        return self.requests.get(stage, Counter())


class HoldsUsage(Protocol):
    """An object whose usage is counted now."""

    usage: Usage


def mean(usages: list[Usage]) -> Usage:
    """The average of `usages`."""
    stages = {stage for usage in usages for stage in usage.requests}
    return Usage(
        _mean(usage.invocations for usage in usages),
        {stage: _mean(usage.requests.get(stage, Counter()) for usage in usages) for stage in stages},
        _mean(usage.polls for usage in usages),
        dict(_mean(Counter(usage.units) for usage in usages)),
        sum(usage.worked for usage in usages) / len(usages),
    )


def _mean(counters: Iterable[Counter[Any]]) -> Counter[Any]:
    each = list(counters)
    total: Counter[Any] = Counter()
    for counter in each:
        total.update(counter)
    return Counter({key: number / len(each) for key, number in total.items()})


class MeteredSimulation(Simulation):
    """A simulation of one platform that counts into `usage`. `fails`: see `Meter`."""

    def __init__(self, target: Target, *, at_once: bool, fails: bool = False, bot_seconds: float = BOT_SECONDS) -> None:
        self.usage = Usage()
        self.sweeps: list[Usage] = []
        """The usage of each run of the sweeper. It is no part of a message's."""
        self.meter = Meter(self, fails=fails)
        super().__init__((target,), self.meter, make_bot(), Random(1), at_once=float(at_once), bot_seconds=bot_seconds)
        self.aws.dynamodb = MeteredDynamoDB(self)

    @contextmanager
    def metering(self) -> Iterator[Usage]:
        """Count what happens inside the context."""
        before, self.usage = self.usage, Usage()
        self.meter.failed = False
        try:
            yield self.usage
        finally:
            self.usage = before

    def deliver(self, platform: str, delivery: Delivery) -> None:
        """Deliver an event, and count an invocation of the callback."""
        self.usage.invocations["callback"] += 1
        super().deliver(platform, delivery)

    def step(self, queue: Queue) -> bool:
        """Hand over a record, and count an invocation and the requests of the event source mapping."""
        before = len(queue)
        handled = super().step(queue)
        if handled:
            self.usage.invocations["processor" if queue is self.inbound else "deliverer"] += 1
            self.usage.polls["ReceiveMessage"] += 1
            self.usage.polls["DeleteMessage"] += before - len(queue)
        return handled

    def spend(self, seconds: float) -> None:
        """Let the handler spend `seconds`, and count its time."""
        self.usage.worked += seconds
        super().spend(seconds)

    def sweep(self) -> None:
        """Run the sweeper, and count its usage apart."""
        with self.metering() as usage:
            super().sweep()
        usage.invocations["sweeper"] += 1
        self.sweeps.append(usage)


class Meter:
    """A fault policy that counts each call for the function that makes it. Without `fails` no call fails; with it, the
    first call to the platform in each metering does.
    """

    def __init__(self, sim: MeteredSimulation, *, fails: bool) -> None:
        self._sim = sim
        self._fails = fails
        self.failed = True

    def decide(self, call: CallSite) -> Fault | None:
        """Count `call`. Returns its fault."""
        if call.kind != RESPONSE:
            requests = self._sim.usage.requests.setdefault(call.stage, Counter())
            requests[f"/{call.kind}" if call.platform else call.kind] += 1
        if call.platform and self._fails and not self.failed:
            self.failed = True
            return Fault.ERROR
        return None


class MeteredDynamoDB(DynamoDB):
    """A fake DynamoDB that counts units into `holder.usage`, by DynamoDB's rules.

    A write costs the larger one of the item before and after it, also if its condition fails; in a transaction it costs
    twice as much. An entry of the index costs one unit when it appears and one when it disappears. The index holds keys
    only: a change of other attributes costs it nothing.
    """

    __slots__ = ("_holder",)

    def __init__(self, holder: "HoldsUsage") -> None:
        DynamoDB.__init__(self)
        self._holder = holder

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out `operation`. Raises ServiceError."""
        keys = _written(operation, request)
        before = {key: self.items.get(key, {}) for key in keys}
        try:
            response = DynamoDB.call(self, operation, request)
        finally:
            for key in keys:
                self._count_write(operation, key, before[key], self.items.get(key, {}))
        for row, units in _reads(operation, request, response):
            self._count("read", row, operation, units)
        return response

    def _count_write(self, operation: str, key: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        units = max(1, *(_units(item, _WRITE_UNIT) for item in (before, after)))
        self._count("write", _row(key), operation, units * (2 if operation == "TransactWriteItems" else 1))
        entries = [_entry(item) for item in (before, after)]
        if entries[0] != entries[1]:
            self._count("write", INDEX, operation, sum(_units(entry, _WRITE_UNIT) for entry in entries))

    def _count(self, kind: str, row: str, operation: str, units: float) -> None:
        counted, unit = self._holder.usage.units, Unit(kind, row, operation)
        if units:
            counted[unit] = counted.get(unit, 0) + units


def _written(operation: str, request: Mapping[str, Any]) -> list[str]:
    """The keys of the rows that a request writes, or only checks in a transaction."""
    if operation not in _WRITES:
        return []
    actions = [next(iter(each.values())) for each in request["TransactItems"]] if "Tr" in operation else [request]
    return [(action.get("Item") or action["Key"])["pk"]["S"] for action in actions]


def _entry(item: Mapping[str, Any]) -> dict[str, Any]:
    """The entry of the index for `item`: its keys; empty if it has none."""
    names = ("pk", "due_shard", "due_at")
    return {name: item[name] for name in names} if all(name in item for name in names) else {}


def _reads(operation: str, request: Mapping[str, Any], response: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """The row and the units of each consistent read, at least one; half as many for a query of the index."""
    match operation:
        case "GetItem":
            yield _row(request["Key"]["pk"]["S"]), max(1, _units(response.get("Item", {}), _READ_UNIT))
        case "BatchGetItem":
            [(table, requested)] = request["RequestItems"].items()
            items = {item["pk"]["S"]: item for item in response["Responses"][table]}
            for key in (key["pk"]["S"] for key in requested["Keys"]):
                yield _row(key), max(1, _units(items.get(key, {}), _READ_UNIT))
        case "Query":
            found = sum(map(size, response["Items"]))
            yield INDEX, max(1, math.ceil(found / _READ_UNIT)) / 2
        case _:
            return


def _row(key: str) -> str:
    return key.partition("#")[0]


def _units(item: Mapping[str, Any], unit: int) -> int:
    return math.ceil(size(item) / unit)


def size(item: Mapping[str, Any]) -> int:
    """The bytes of an item, as DynamoDB counts them: names and values; a number takes a byte for two digits."""
    return sum(len(name.encode()) + _value_size(*next(iter(value.items()))) for name, value in item.items())


def _value_size(kind: str, value: Any) -> int:
    match kind:
        case "N":
            return 1 + math.ceil(sum(map(str.isdigit, value)) / 2)
        case "SS":
            return 3 + sum(1 + len(text.encode()) for text in value)
        case _:
            return len(value.encode())
