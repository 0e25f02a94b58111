"""The billed items of a usage, with their prices."""

from typing import NamedTuple

from tools.cost.figures import CPU_MILLISECONDS, PER_MILLION, memory, milliseconds
from tools.cost.metering import STAGES, Usage


class Line(NamedTuple):
    """One billed item: the amount for one message, and dollars per million items."""

    name: str
    amount: float
    price: float

    @property
    def dollars(self) -> float:
        """Dollars per million messages."""
        return self.amount * self.price


def lines(usage: Usage, *, at_once: bool) -> list[Line]:
    """The billed items of one message."""
    amounts = {
        # The platform makes one request for each event.
        "API Gateway REST request": usage.invocations["callback"],
        "Lambda request": sum(usage.invocations[stage] for stage in STAGES),
        "Lambda GB-second": sum(gb_seconds(usage, stage, at_once=at_once) for stage in STAGES),
        "SQS FIFO request": usage.sqs_requests(),
        "DynamoDB write unit": usage.total("write"),
        "DynamoDB read unit": usage.total("read"),
    }
    return [Line(name, amount, PER_MILLION[name]) for name, amount in amounts.items()]


def total(usage: Usage, *, at_once: bool) -> float:
    """Dollars per million messages."""
    return sum(line.dollars for line in lines(usage, at_once=at_once))


def duration(usage: Usage, stage: str, *, at_once: bool) -> float:
    """Milliseconds that the function `stage` runs for one message, in all its invocations."""
    cpu = usage.invocations[stage] * CPU_MILLISECONDS[_measured(stage, at_once=at_once)]
    worked = 1000 * usage.worked if stage == "processor" else 0
    return worked + milliseconds(stage, cpu, usage.count(stage), usage.platform_calls(stage))


def gb_seconds(usage: Usage, stage: str, *, at_once: bool) -> float:
    """GB-seconds of the function `stage` for one message."""
    return memory(stage) / 1024 * duration(usage, stage, at_once=at_once) / 1000


def _measured(stage: str, *, at_once: bool) -> str:
    """The name of the function's CPU time in tools/prices.toml."""
    if stage != "processor":
        return stage
    return "processor, at once" if at_once else "processor, queue"
