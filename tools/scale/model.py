"""What a message needs of each resource, and how many messages a second its quota is enough for."""

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from parley.engine.apps import MAX_AGE
from parley.journal.table import DUE_SHARDS
from tests.template import template
from tools.cost import bill
from tools.cost.cases import STANDARD, Ledger
from tools.cost.metering import INDEX, Usage

FILE = Path(__file__).parents[1] / "quotas.toml"
QUOTAS: dict[str, Any] = tomllib.loads(FILE.read_text())
RATES = (10, 1000, 50_000)
"""Messages a second for which the document has a chapter."""


class Resource(NamedTuple):
    """`need`: of one message, in the unit of `quota`. `fix`: what to do if it is not enough."""

    name: str
    need: float
    quota: float
    fix: str

    @property
    def enough_for(self) -> float:
        """Messages a second."""
        return self.quota / self.need

    def share(self, rate: float) -> float:
        """The part of the quota that so many messages a second use."""
        return rate / self.enough_for


class Needs(NamedTuple):
    """What one message needs. Seconds are those in which an execution of the function is busy."""

    callback_seconds: float
    processor_seconds: float
    deliverer_seconds: float
    """Of a message whose reply goes through the queue."""
    write_units: float
    read_units: float
    queued_write_units: float
    index_units: float
    """Writes of the index for a reply that goes through the queue."""


def needs(ledger: Ledger) -> Needs:
    """What the standard message of docs/cost.md needs."""
    at_once, queued = (ledger[STANDARD, way].average for way in (True, False))
    return Needs(
        _seconds(at_once, "callback", at_once=True),
        _seconds(at_once, "processor", at_once=True),
        _seconds(queued, "deliverer", at_once=False),
        at_once.total("write"),
        at_once.total("read"),
        queued.total("write"),
        sum(number for unit, number in queued.units.items() if unit.row == INDEX),
    )


def _seconds(usage: Usage, stage: str, *, at_once: bool) -> float:
    return bill.duration(usage, stage, at_once=at_once) / 1000


def default(parameter: str) -> float:
    """The default of a parameter of the template."""
    return float(template()["Parameters"][parameter]["Default"])


def settings(need: Needs) -> list[Resource]:
    """What the parameters of the stack allow by default."""
    return [
        Resource("`ThrottleRate`", 1, default("ThrottleRate"), "set it to the highest rate that you expect"),
        Resource(
            "`ProcessorConcurrency`",
            need.processor_seconds,
            default("ProcessorConcurrency"),
            "set it to twice the rate times the seconds of the processor, up to 1,000",
        ),
        Resource(
            "executions of a new account",
            need.callback_seconds + need.processor_seconds,
            QUOTAS["account"]["Lambda executions at once, new account"],
            "ask AWS for 1,000, which every account can have",
        ),
        Resource(
            "write units of a new table",
            need.write_units,
            QUOTAS["table"]["write units a second, new table"],
            "it takes twice its last peak at once. Before a launch, let its warm throughput be raised",
        ),
    ]


def quotas(need: Needs) -> list[Resource]:
    """What AWS allows by default, whatever the parameters are."""
    account, queue, table = QUOTAS["account"], QUOTAS["queue"], QUOTAS["table"]
    executions = need.callback_seconds + need.processor_seconds
    return [
        Resource(
            "Lambda executions at once",
            executions,
            account["Lambda executions at once"],
            "ask AWS for more: tens of thousands are usual",
        ),
        Resource(
            "concurrency of the processor's event source mapping",
            need.processor_seconds,
            queue["concurrency of an event source mapping"],
            "several stages, each with its apps; or a mapping in provisioned mode, without a maximum",
        ),
        Resource(
            "DynamoDB write units",
            need.write_units,
            table["write units a second"],
            "ask AWS for more: a table has no upper end, because no row is shared by all",
        ),
        Resource("API Gateway requests", 1, account["API Gateway requests a second"], "ask AWS for more"),
        Resource(
            "DynamoDB read units",
            need.read_units,
            table["read units a second"],
            "ask AWS for more, with the write units",
        ),
        Resource(
            "requests of a kind at the inbound queue, in most regions",
            1,
            queue["requests of a kind a second, most other regions"],
            "a larger region (70,000 in us-east-1, us-west-2 and eu-west-1), or several stages",
        ),
        Resource(
            "requests of a kind at the inbound queue, in the largest regions",
            1,
            queue["requests of a kind a second, us-east-1, us-west-2, eu-west-1"],
            "several stages",
        ),
        Resource(
            "messages in flight at the inbound queue",
            need.processor_seconds,
            queue["messages in flight"],
            "several stages",
        ),
        Resource(
            "writes of the index `due`, if every reply goes through the queue",
            need.index_units / len(DUE_SHARDS),
            table["write units of a row a second"],
            "raise `_SHARDS` in shared/parley/journal/table.py",
        ),
    ]


def first_to_break(resources: Iterable[Resource]) -> list[Resource]:
    """`resources`, the one that is enough for the fewest messages first."""
    return sorted(resources, key=lambda resource: resource.enough_for)


def configurations_a_second(executions: float, apps: float) -> float:
    """Reads of configurations from SSM: each execution reads each app again every `MAX_AGE` seconds."""
    return executions * apps / MAX_AGE


def cold_reads_a_second() -> float:
    """Reads of configurations while a function gains executions as fast as it can, each of which reads one app."""
    return QUOTAS["account"]["Lambda executions a function gains a second"]


def conversation_rate(need: Needs) -> float:
    """Messages a second of one conversation, which are handled one after the other."""
    return 1 / need.processor_seconds
