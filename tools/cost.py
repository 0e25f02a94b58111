"""The cost of a message on AWS: requests counted in the real code, times the list prices in tools/prices.toml.

    python -m tools.cost            prints docs/cost.md
    python -m tools.cost --write    writes it

One `/count`, with cached tokens and configurations, goes through the real handlers in a simulation of the faults suite.
The simulation counts each request and metric and measures each item. The alarms are counted in the template.
`tests/unit/test_cost.py` fails if the document is outdated.
"""

import math
import sys
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from parley.engine import telemetry
from playground.platforms.base import NewMessage
from tests.template import functions, of_type
from tools.faults.aws import isolated
from tools.faults.bot import make_bot
from tools.faults.dynamodb import DynamoDB
from tools.faults.exchange import RESPONSE
from tools.faults.policies import CallSite, Fault, FaultPlan
from tools.faults.simulation import Simulation
from tools.faults.targets import APP, TARGETS, Target, titled

FEISHU = titled("feishu")
FILE = Path(__file__).parents[1] / "docs" / "cost.md"
FIGURES: dict[str, Any] = tomllib.loads(Path(__file__).with_name("prices.toml").read_text())
PRICES: dict[str, Any] = FIGURES["prices"]
PER_MILLION: dict[str, float] = PRICES["per_million"]
PER_MONTH: dict[str, float] = PRICES["per_month"]
PER_MILLION_GB_SECONDS: float = PRICES["lambda_gb_second"] * 1_000_000
MEMORY_MB: int = FIGURES["assumptions"]["memory_mb"]
MILLISECONDS: dict[str, int] = FIGURES["assumptions"]["milliseconds"]
STAGES = ("callback", "processor", "deliverer")
LIMITS = {"callback": 1, "processor": 3, "deliverer": 4}
"""The most AWS requests that each function may make for one message with one reply of one call."""
_API_METRICS = 5
"""Detailed metrics of API Gateway for each method: Count, Latency, IntegrationLatency, 4XXError, 5XXError."""
_WRITE_UNIT, _READ_UNIT = 1024, 4096
"""Bytes of one DynamoDB unit."""


@dataclass(slots=True)
class Usage:
    """What one message used: requests by function and operation, and DynamoDB's units."""

    requests: dict[str, Counter[str]] = field(default_factory=lambda: {stage: Counter() for stage in STAGES})
    """Calls to platforms begin with a slash."""
    write_units: int = 0
    read_units: int = 0

    def count(self, stage: str) -> int:
        """The number of AWS requests of `stage`."""
        return sum(number for operation, number in self.requests[stage].items() if "/" not in operation)


class _MeteredDynamoDB(DynamoDB):
    """A fake DynamoDB that counts units by DynamoDB's rules: transactions count twice, the index adds its own."""

    __slots__ = ("usage",)

    def __init__(self) -> None:
        DynamoDB.__init__(self)
        self.usage = Usage()

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out `operation`. Raises ServiceError."""
        before = dict(self.items)
        response = DynamoDB.call(self, operation, request)
        factor = 2 if operation == "TransactWriteItems" else 1
        for key, item in self.items.items():
            if before.get(key) is not item:
                self.usage.write_units += _units(item, _WRITE_UNIT) * factor + _index_units(before.get(key, {}), item)
        if operation in ("GetItem", "BatchGetItem"):
            self.usage.read_units += _read_units(operation, request, response)
        return response


def _index_units(old: Mapping[str, Any], new: Mapping[str, Any]) -> int:
    """The write units of the index `due`: one entry is removed, and one is added. An entry that moves costs both."""
    before, after = ((item.get("due_shard"), item.get("due_at")) for item in (old, new))
    if before == after:
        return _units(new, _WRITE_UNIT) if after[0] else 0
    return sum(_units(item, _WRITE_UNIT) for item in (old, new) if "due_shard" in item)


def _read_units(operation: str, request: Mapping[str, Any], response: Mapping[str, Any]) -> int:
    """The units of consistent reads: at least one for each key."""
    if operation == "GetItem":
        return max(1, _units(response.get("Item", {}), _READ_UNIT))
    [(table, requested)] = request["RequestItems"].items()
    found = response["Responses"][table]
    return len(requested["Keys"]) - len(found) + sum(_units(item, _READ_UNIT) for item in found)


def _units(item: Mapping[str, Any], unit: int) -> int:
    size = sum(len(name) + len(str(next(iter(value.values()))).encode()) for name, value in item.items())
    return math.ceil(size / unit)


class _Counter(FaultPlan):
    """A fault policy without faults. It counts each call for the function that makes it."""

    def __init__(self) -> None:
        super().__init__()
        self.usage = Usage()

    def decide(self, call: CallSite) -> Fault | None:
        """Count `call`. Returns None: it succeeds."""
        if self.armed and call.stage in STAGES and call.kind != RESPONSE:
            self.usage.requests[call.stage][f"/{call.kind}" if call.platform else call.kind] += 1
        return None


def measure(target: Target = FEISHU) -> Usage:
    """The usage of one message with one reply, after two others like it."""
    with isolated():
        return _measure(target)


def _measure(target: Target) -> Usage:
    counter, metered = _Counter(), _MeteredDynamoDB()
    sim = Simulation((target,), counter, make_bot(), Random(1))
    sim.aws.dynamodb = metered
    for tag in ("first", "second"):
        _send(sim, target, tag)
        sim.clock.sleep(5)
    metered.usage = counter.usage
    counter.armed = True
    _send(sim, target, "measured")
    return counter.usage


def _send(sim: Simulation, target: Target, tag: str) -> None:
    message = NewMessage(text=f"/count {tag}")
    sim.platforms[target.name].send_message(APP, target.room, "lin", message)
    sim.settle()


def custom_metrics() -> int:
    """The number of custom metrics while every platform gets messages and replies, and nothing fails."""
    platforms = {target.name: target for target in reversed(TARGETS)}
    return len(set[tuple[str, ...]]().union(*map(metrics, platforms.values())))


def metrics(target: Target) -> set[tuple[str, ...]]:
    """The metrics of two messages: service, name, and the values of the dimensions that are added."""
    with isolated():
        return _metrics(target)


def _metrics(target: Target) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    sim = Simulation((target,), FaultPlan(), make_bot(), Random(1))

    def note(name: str, _unit: object, _value: float, dimensions: dict[str, str]) -> None:
        stage = sim.injector.current.stage
        service = target.name if stage == "callback" else stage
        found.update({(service, name), (service, name, *dimensions.values())})

    telemetry._emit = note  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001
    for tag in ("first", "second"):
        _send(sim, target, tag)
    return found


def alarm_metrics() -> int:
    """The number of metrics that the alarms of one stage watch: an alarm on an expression watches several."""
    alarms = of_type("AWS::CloudWatch::Alarm").values()
    return sum(
        sum("MetricStat" in metric for metric in alarm["Properties"].get("Metrics", [{"MetricStat": {}}]))
        for alarm in alarms
    )


def _api_methods() -> int:
    events = (event for function in functions().values() for event in function["Events"].values())
    return sum(event["Type"] == "Api" for event in events)


# --- the document -----------------------------------------------------------------------------------------------------


def lines(usage: Usage) -> list[tuple[str, float, float, float]]:
    """For each billed item: its name, the amount for one message, and dollars per million items and messages."""
    sent = sum(usage.requests[stage]["SendMessage"] for stage in STAGES)
    amounts = {
        "API Gateway REST request": 1.0,
        "Lambda request": float(len(STAGES)),
        # The code sends each queue message. The event source mapping receives and deletes it.
        "SQS FIFO request": float(3 * sent),
        "DynamoDB write unit": float(usage.write_units),
        "DynamoDB read unit": float(usage.read_units),
    }
    gb_seconds = MEMORY_MB / 1024 * sum(MILLISECONDS.values()) / 1000
    return [
        *((name, amount, PER_MILLION[name], amount * PER_MILLION[name]) for name, amount in amounts.items()),
        ("Lambda GB-second (arm64)", gb_seconds, PER_MILLION_GB_SECONDS, gb_seconds * PER_MILLION_GB_SECONDS),
    ]


def document(usage: Usage) -> str:
    """The text of docs/cost.md."""
    billed = lines(usage)
    return _TEXT.format(
        rows="\n".join(
            f"| {stage} | {usage.count(stage)} | {LIMITS[stage]} | {_operations(usage.requests[stage])} |"
            for stage in STAGES
        ),
        costs="\n".join(f"| {name} | {amount:g} | {price:g} | {cost:.2f} |" for name, amount, price, cost in billed),
        total=sum(cost for *_, cost in billed),
        date=PRICES["date"],
        region=PRICES["region"],
        memory=MEMORY_MB,
        **_fixed(),
        **MILLISECONDS,
    )


def _fixed() -> dict[str, Any]:
    """The rows of what a stage costs each month without any message."""
    numbers = {"custom metric": custom_metrics(), "metric of an alarm": alarm_metrics()}
    costs = {name: number * PER_MONTH[name] for name, number in numbers.items()}
    methods = _api_methods()
    return {
        "fixed": "\n".join(
            f"| {name} | {number} | {PER_MONTH[name]:.2f} | {costs[name]:.2f} |" for name, number in numbers.items()
        ),
        "fixed_total": sum(costs.values()),
        "methods": methods,
        "detailed": methods * _API_METRICS,
        "saved": methods * _API_METRICS * PER_MONTH["custom metric"],
    }


def _operations(requests: Counter[str]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(requests.items()) if "/" not in name)


_TEXT = """\
# Cost of a message

One million text messages, each with one reply, cost about US$ {total:.2f} on AWS. `python -m tools.cost --write` makes
this document from the code and from [tools/prices.toml](../tools/prices.toml). A test fails if it is outdated.

The tool sends one message through the real functions and counts their requests. Configurations and access tokens are
cached.

| function | AWS requests | limit | operations |
|---|--:|--:|---|
{rows}

The callback makes its one request before it acknowledges the message. A reply of several calls to the platform needs
three more AWS requests for each further call: two for its rate limits and one for its receipt.

| billed item | per message | US$ per million items | US$ per million messages |
|---|--:|--:|--:|
{costs}
| **total** | | | **{total:.2f}** |

The prices and assumptions:

- List prices of {region} on {date}, without free tiers, taxes, data transfer, logs and traces. Check the current
  prices before you plan with them: <https://aws.amazon.com/pricing/>.
- Functions with {memory} MB run for {callback} ms (callback), {processor} ms (processor) and {deliverer} ms
  (deliverer). The platform's API responds within 200 ms. A slower bot costs more.
- DynamoDB runs in on-demand mode. A write in a transaction costs twice as much. An index entry that moves costs two
  units.
- Costs that do not depend on the number of messages are not included: empty receives of the event source mappings, the
  sweeper's eight queries per minute, and a new access token every hour or two. They are about one dollar per month.
- Storage is not included: about 4 KB per message for 30 days.

## Metrics and alarms

The metrics and alarms of a stage cost about US$ {fixed_total:.2f} per month. The number of messages does not change
that. Two stages in one account cost twice as much.

| billed item | number | US$ per month each | US$ per month |
|---|--:|--:|--:|
{fixed}
| **total** | | | **{fixed_total:.2f}** |

- CloudWatch counts each combination of a name and values of dimensions as one metric. The tool sends messages through
  every platform and counts the combinations. Failures add metrics, such as `CallbacksRejected` by reason.
- A metric is billed for the hours in which it has data. The number is for a stage that gets messages on every platform
  in every hour.
- The alarms exist if `Observability` is `true`. An alarm that compares metrics is billed for each of them.
- API Gateway's detailed metrics are off: {methods} methods with {detailed} metrics would cost US$ {saved:.2f} per
  month. The metric `CallbackTime` measures the same for each platform.
"""


def main(arguments: list[str]) -> int:
    """Print or write the document. Returns the exit status."""
    text = document(measure())
    if arguments == ["--write"]:
        FILE.write_text(text)
        print(f"written: {FILE.relative_to(FILE.parents[1])}")
    else:
        print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
