"""What a stage costs each month without any message: the sweeper, the queues, metrics and alarms."""

from functools import cache
from random import Random

from parley.engine import telemetry
from playground.platforms.base import NewMessage
from tests.template import functions, of_type
from tools.cost import bill
from tools.cost.bill import Line
from tools.cost.cases import FEISHU
from tools.cost.figures import ASSUMPTIONS, PER_MILLION, memory
from tools.cost.metering import MeteredSimulation, Usage, mean
from tools.faults.aws import isolated
from tools.faults.bot import make_bot
from tools.faults.policies import FaultPlan
from tools.faults.simulation import Simulation
from tools.faults.targets import APP, TARGETS, Target

API_METRICS = 5
"""Detailed metrics of API Gateway for each method: Count, Latency, IntegrationLatency, 4XXError, 5XXError."""
_RUNS = 5
"""Measured runs of the sweeper."""
Metrics = frozenset[tuple[str, ...]]
"""Metrics: service, name, and the values of the dimensions that are added."""

# --- an idle month ----------------------------------------------------------------------------------------------------


def idle_month() -> list[Line]:
    """The billed items of a month without messages; amounts in millions, so that `dollars` are those of the month."""
    sweep = idle_sweep()
    hours = ASSUMPTIONS["hours_per_month"]
    runs = hours * 60 / _minutes_between_runs() / 1e6
    receives = event_source_mappings() * ASSUMPTIONS["pollers"] * hours * 3600 / ASSUMPTIONS["poll_seconds"] / 1e6
    amounts = {
        "EventBridge Scheduler invocation": runs,
        "Lambda request": runs,
        "Lambda GB-second": runs * bill.gb_seconds(sweep, "sweeper", at_once=True),
        "DynamoDB read unit": runs * sweep.total("read"),
        "SQS FIFO request": receives + runs * sweep.requests["sweeper"]["GetQueueAttributes"],
    }
    return [Line(name, amount, PER_MILLION[name]) for name, amount in amounts.items()]


def always_waiting() -> Line:
    """The time of the sweeper in a month if it waits for reminders all the time, in millions of GB-seconds."""
    amount = ASSUMPTIONS["hours_per_month"] * 3600 * memory("sweeper") / 1024 / 1e6
    return Line("Lambda GB-second", amount, PER_MILLION["Lambda GB-second"])


@cache
def idle_sweep() -> Usage:
    """The usage of one run of the sweeper while no reply waits."""
    with isolated():
        sim = MeteredSimulation(FEISHU, at_once=True)
        for _ in range(_RUNS):
            sim.sweep()
        return mean(sim.sweeps)


@cache
def idle_metrics() -> Metrics:
    """The metrics of the sweeper while no reply waits."""
    with isolated():
        sim = Simulation((FEISHU,), FaultPlan(), make_bot(), Random(1))
        found = _noted(sim)
        sim.sweep()
        return Metrics(found)


def event_source_mappings() -> int:
    """The number of queues that Lambda polls for a function."""
    return sum(
        event["Type"] == "SQS" for function in functions().values() for event in function.get("Events", {}).values()
    )


def _minutes_between_runs() -> int:
    (schedule,) = functions()["SweeperFunction"]["Events"].values()
    number, unit = schedule["Properties"]["ScheduleExpression"].removeprefix("rate(").removesuffix(")").split()
    if not unit.startswith("minute"):
        raise ValueError(f"the schedule of the sweeper is in {unit}")
    return int(number)


# --- metrics and alarms -----------------------------------------------------------------------------------------------


@cache
def custom_metrics() -> Metrics:
    """The custom metrics while every platform gets messages, replies go at once, and nothing fails."""
    return idle_metrics() | metrics(*_one_per_platform())


@cache
def deliverer_metrics() -> Metrics:
    """The metrics that the deliverer adds if replies go through the queue, on every platform."""
    return Metrics(entry for entry in metrics(*_one_per_platform(), at_once=False) if entry[0] == "deliverer")


def _one_per_platform() -> list[Target]:
    return list({target.name: target for target in reversed(TARGETS)}.values())


def metrics(*targets: Target, at_once: bool = True) -> Metrics:
    """The metrics of two messages on each of `targets`."""
    with isolated():
        return Metrics().union(*(_metrics(target, at_once=at_once) for target in targets))


def _metrics(target: Target, *, at_once: bool) -> Metrics:
    sim = Simulation((target,), FaultPlan(), make_bot(), Random(1), at_once=float(at_once))
    found = _noted(sim)
    for tag in ("first", "second"):
        text = f"/count {tag}"
        sim.platforms[target.name].send_message(APP, target.room, "lin", NewMessage(text=text))
        sim.settle()
    return Metrics(found)


def _noted(sim: Simulation) -> set[tuple[str, ...]]:
    """The metrics that `sim` emits from now on."""
    found: set[tuple[str, ...]] = set()

    def note(name: str, _unit: object, _value: float, dimensions: dict[str, str], own: str = "") -> None:
        stage = sim.injector.current.stage
        service = own or (next(iter(sim.targets)) if stage == "callback" else stage)
        found.update({(service, name), (service, name, *dimensions.values())})

    telemetry._emit = note  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001
    return found


def alarm_metrics(condition: str = "Observed") -> int:
    """The number of metrics that the alarms of one stage watch: an alarm on an expression watches several. `condition`:
    of the alarms; some need another parameter as well.
    """
    alarms = [alarm for alarm in of_type("AWS::CloudWatch::Alarm").values() if alarm["Condition"] == condition]
    return sum(
        sum("MetricStat" in metric for metric in alarm["Properties"].get("Metrics", [{"MetricStat": {}}]))
        for alarm in alarms
    )


def insighted() -> int:
    """The number of functions that Lambda Insights measures if its layer is given."""
    return sum("InsightsLayer" in str(function["Layers"]) for function in functions().values())


def api_methods() -> int:
    """The number of methods of the API."""
    events = (event for function in functions().values() for event in function.get("Events", {}).values())
    return sum(event["Type"] == "Api" for event in events)
