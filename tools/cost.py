"""What a message costs on AWS: requests counted in the code as it is, times list prices.

    python -m tools.cost            prints docs/cost.md
    python -m tools.cost --write    writes it

One `/count` from a warm start, tokens and configurations at hand, goes through the real handlers in the world of the
faults suite, where each request is counted and each item measured. `tests/unit/test_cost.py` fails while the document
says anything else.
"""

import math
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from playground.platforms.base import NewMessage
from tools.faults.bot import make_bot
from tools.faults.dynamodb import DynamoDB
from tools.faults.exchange import RESPONSE
from tools.faults.subjects import APP, SUBJECTS, Subject
from tools.faults.trouble import CallSite, Fault, Plan
from tools.faults.wire import visiting
from tools.faults.world import World

FILE = Path(__file__).parents[1] / "docs" / "cost.md"
STAGES = ("callback", "processor", "deliverer")
AIMS = {"callback": 1, "processor": 3, "deliverer": 4}
"""AWS requests of a stage for one message with one reply of one call."""

PRICED = "2024-11-30"
"""Date of the price lists, region us-east-1, in US dollars, without any free tier."""
PER_MILLION: Mapping[str, float] = {
    "API Gateway REST request": 3.50,
    "Lambda request": 0.20,
    "SQS FIFO request": 0.50,
    "DynamoDB write unit": 0.625,
    "DynamoDB read unit": 0.125,
}
GB_SECOND = 0.0000133334
"""Lambda on arm64."""
MEMORY_GB = 0.5
"""As template.yaml gives each function."""
SECONDS = {"callback": 0.010, "processor": 0.025, "deliverer": 0.250}
"""Assumed time of a warm call: AWS requests of 5 ms, and a platform's API of 200 ms."""
_UNIT_WRITE, _UNIT_READ = 1024, 4096


@dataclass(slots=True)
class Ledger:
    """What one message used. DynamoDB's units by its own rules: a transaction counts twice, an index once more."""

    requests: dict[str, Counter[str]] = field(default_factory=lambda: {stage: Counter() for stage in STAGES})
    write_units: int = 0
    read_units: int = 0

    def count(self, stage: str) -> int:
        """AWS requests that the code of `stage` makes."""
        return sum(number for operation, number in self.requests[stage].items() if "/" not in operation)


class _Metered(DynamoDB):
    """DynamoDB that notes the units it would charge."""

    __slots__ = ("ledger",)

    def __init__(self) -> None:
        DynamoDB.__init__(self)
        self.ledger = Ledger()

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out `operation`. Raises Refused."""
        before = dict(self.items)
        answer = DynamoDB.call(self, operation, request)
        written = [key for key, item in self.items.items() if before.get(key) is not item]
        factor = 2 if operation == "TransactWriteItems" else 1
        for key in written:
            units = math.ceil(_size(self.items[key]) / _UNIT_WRITE)
            self.ledger.write_units += units * factor + _index_units(before.get(key, {}), self.items[key])
        if operation in ("GetItem", "BatchGetItem"):
            self.ledger.read_units += _read_units(operation, request, answer)
        return answer


def _index_units(old: Mapping[str, Any], new: Mapping[str, Any]) -> int:
    """What the index `due` costs: an entry that goes, and one that comes; both where its place changes."""
    places = [(item.get("due_shard"), item.get("due_at")) for item in (old, new)]
    if places[0] == places[1]:
        return math.ceil(_size(new) / _UNIT_WRITE) if places[1][0] else 0
    return sum(math.ceil(_size(item) / _UNIT_WRITE) for item in (old, new) if "due_shard" in item)


def _read_units(operation: str, request: Mapping[str, Any], answer: Mapping[str, Any]) -> int:
    """Consistent reads: one for each key, one more for each 4 KB begun."""
    if operation == "GetItem":
        return max(1, math.ceil(_size(answer.get("Item", {})) / _UNIT_READ))
    [(table, asked)] = request["RequestItems"].items()
    found = answer["Responses"][table]
    return len(asked["Keys"]) - len(found) + sum(math.ceil(_size(item) / _UNIT_READ) for item in found)


def _size(item: Mapping[str, Any]) -> int:
    return sum(len(name) + len(str(next(iter(value.values()))).encode()) for name, value in item.items())


class _Stages(Plan):
    """Breaks nothing, and notes each call under the stage that makes it."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()

    def decide(self, call: CallSite) -> Fault | None:
        """No fault; the call is counted."""
        if self.armed and call.stage in STAGES and call.kind != RESPONSE:
            self.ledger.requests[call.stage][f"/{call.kind}" if call.platform else call.kind] += 1
        return None


def measure(subject: Subject = SUBJECTS[0]) -> Ledger:
    """One message with one reply, after others like it."""
    with visiting():
        return _measured(subject)


def _measured(subject: Subject) -> Ledger:
    stages = _Stages()
    world = World((subject,), stages, make_bot(), Random(1))
    world.aws.dynamodb = metered = _Metered()
    platform = world.platforms[subject.name]
    for mark in ("first", "second"):
        platform.send_message(APP, "team", "lin", NewMessage(text=f"/count {mark}"))
        world.settle()
        world.clock.sleep(5)
    metered.ledger = stages.ledger
    stages.armed = True
    platform.send_message(APP, "team", "lin", NewMessage(text="/count measured"))
    world.settle()
    return stages.ledger


# --- the document -----------------------------------------------------------------------------------------------------


def lines(ledger: Ledger) -> list[tuple[str, float, float]]:
    """What is paid for: its name, how many a message, and dollars for a million messages."""
    sent = sum(ledger.requests[stage]["SendMessage"] for stage in STAGES)
    amounts = {
        "API Gateway REST request": 1.0,
        "Lambda request": float(len(STAGES)),
        # Each message is sent by our code, and received and deleted by the event source mapping.
        "SQS FIFO request": float(3 * sent),
        "DynamoDB write unit": float(ledger.write_units),
        "DynamoDB read unit": float(ledger.read_units),
    }
    paid = [(name, amount, amount * PER_MILLION[name]) for name, amount in amounts.items()]
    gb_seconds = MEMORY_GB * sum(SECONDS.values())
    return [*paid, ("Lambda GB-second (arm64)", gb_seconds, gb_seconds * GB_SECOND * 1_000_000)]


def document(ledger: Ledger) -> str:
    """docs/cost.md."""
    rows = "\n".join(
        f"| {stage} | {ledger.count(stage)} | {AIMS[stage]} | {_named(ledger.requests[stage])} |" for stage in STAGES
    )
    paid = lines(ledger)
    costs = "\n".join(f"| {name} | {amount:g} | {_price(name)} | {dollars:.2f} |" for name, amount, dollars in paid)
    return _TEXT.format(
        rows=rows,
        costs=costs,
        total=sum(dollars for _, _, dollars in paid),
        priced=PRICED,
        callback=SECONDS["callback"] * 1000,
        processor=SECONDS["processor"] * 1000,
        deliverer=SECONDS["deliverer"] * 1000,
        memory=int(MEMORY_GB * 1024),
    )


def _named(requests: Counter[str]) -> str:
    ours = sorted((name, number) for name, number in requests.items() if "/" not in name)
    return ", ".join(f"{number} {name}" for name, number in ours)


def _price(name: str) -> str:
    return f"{PER_MILLION[name]:g}" if name in PER_MILLION else f"{GB_SECOND * 1_000_000:g}"


_TEXT = """\
# What a message costs

Made by `python -m tools.cost --write`; a test fails while this document and the code disagree. One text message with
one reply, from a warm start: configurations and the access token are at hand. Requests are counted where they leave.

| stage | AWS requests | at most | which |
|---|--:|--:|---|
{rows}

The callback makes its one request before it acknowledges. A reply of several calls takes three more for each further
call: its two limits and the receipt.

| what is paid for | a message | US$ a million | US$ for a million messages |
|---|--:|--:|--:|
{costs}
| **together** | | | **{total:.2f}** |

Assumptions, which the code cannot know:

- List prices of us-east-1 as of {priced}, without free tiers, taxes, data transfer, logs, traces and alarms. Check
  them before you plan with them: <https://aws.amazon.com/pricing/>.
- Functions of {memory} MB busy for {callback:.0f} ms (callback), {processor:.0f} ms (processor) and
  {deliverer:.0f} ms (deliverer; the platform's API answers within 200 ms). A bot that thinks longer pays for it.
- DynamoDB on demand; an item of a transaction costs twice, an index entry that moves costs two units.
- What does not depend on the messages is left out: empty receives of the event source mappings, the sweeper's eight
  queries a minute, a token every hour or two; about a dollar a month. So is storage, 4 KB a message for 30 days.
"""


def main(arguments: list[str]) -> int:
    """Print or write the document."""
    text = document(measure())
    if arguments == ["--write"]:
        FILE.write_text(text)
    else:
        print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
