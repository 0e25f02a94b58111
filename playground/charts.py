"""The charts of the page, from the metrics that the local functions print and from the depth of the queues.

The metrics are the lines that CloudWatch reads of a deployed stage (embedded metric format). The charts are those of
the dashboard in template.yaml, which a test compares.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Literal, NamedTuple

from parley.platforms import NAMES

SECONDS = 900
"""The time that the charts show."""
STEP = 15
"""Seconds of one point."""
QUEUES = {
    "inbound": "messages",
    "outbound": "replies",
    "inbound_dead": "messages",
    "outbound_dead": "replies",
    "incoming_dead": "events",
}
"""The queues of stack.json, and what they hold."""
Statistic = Literal["sum", "samples", "p50", "p99"]
By = Literal["", "platform", "service"]


class Sample(NamedTuple):
    """One value of a metric. `at`: unix seconds. `platform` is empty for a metric without that dimension."""

    at: float
    name: str
    value: float
    service: str
    platform: str


class Level(NamedTuple):
    """A queue at one time: its entries, and for how many seconds it has not been empty."""

    at: float
    queue: str
    depth: int
    waited: float


class Line(NamedTuple):
    """A line of a chart: a statistic of a metric. With `by`, one line for each platform or service."""

    metric: str
    label: str
    statistic: Statistic = "sum"
    by: By = ""


class QueueLine(NamedTuple):
    """A line of a chart: the depth of a queue, or the seconds for which it has not been empty."""

    queue: str
    value: Literal["depth", "waited"]


class Chart(NamedTuple):
    """A chart. The page has its title in both languages under `charts.NAME`, and the question that it answers."""

    name: str
    question: str
    unit: Literal["count", "ms", "s"]
    lines: Sequence[Line | QueueLine]


CHARTS = (
    Chart(
        "replies",
        "answers",
        "count",
        (Line("RepliesSent", "sent"), Line("RepliesFailed", "failed"), Line("RepliesUnknown", "unknown")),
    ),
    Chart(
        "requests",
        "answers",
        "count",
        (Line("CallbackTime", "taken", "samples"), Line("CallbacksRejected", "refused")),
    ),
    Chart(
        "wrong",
        "answers",
        "count",
        (Line("HandlerErrors", "bot"), Line("TokenRefreshFailed", "tokens"), Line("CallbacksRejected", "rejected")),
    ),
    Chart("sent", "platform", "count", (Line("RepliesSent", "", by="platform"),)),
    Chart("decided", "platform", "count", (Line("BotTime", "", "samples", "platform"),)),
    Chart("message", "fast", "ms", (Line("MessageTime", "p50", "p50"), Line("MessageTime", "p99", "p99"))),
    Chart("bot", "fast", "ms", (Line("BotTime", "p50", "p50"), Line("BotTime", "p99", "p99"))),
    Chart(
        "p99",
        "fast",
        "ms",
        (Line("MessageTime", "", "p99", "platform"), Line("CallbackTime", "callback", "p99", "service")),
    ),
    Chart("age", "stuck", "s", (QueueLine("inbound", "waited"), QueueLine("outbound", "waited"))),
    Chart("depth", "stuck", "count", (QueueLine("inbound", "depth"), QueueLine("outbound", "depth"))),
    Chart(
        "dead",
        "stuck",
        "count",
        tuple(QueueLine(name, "depth") for name in ("inbound_dead", "outbound_dead", "incoming_dead")),
    ),
    Chart(
        "waiting",
        "stuck",
        "count",
        (Line("RepliesDeferred", "person"), Line("CallsRateLimited", "limit"), Line("RepliesSwept", "swept")),
    ),
)
_OUTCOMES = {
    "sent": "RepliesSent",
    "failed": "RepliesFailed",
    "unknown": "RepliesUnknown",
    "deferred": "RepliesDeferred",
}
_TIMES = {"message": "MessageTime", "bot": "BotTime"}


def samples(text: str) -> list[Sample]:
    """The values in one line of a log. Empty for a line that is no metric."""
    try:
        fields = json.loads(text) if '"_aws"' in text else None
        return list(_samples(fields)) if isinstance(fields, dict) else []
    except (AttributeError, KeyError, TypeError, ValueError):
        return []  # a bot may print anything


def _samples(fields: Mapping[str, Any]) -> Iterable[Sample]:
    at = fields["_aws"]["Timestamp"] / 1000
    service = str(fields.get("service", ""))
    platform = str(fields.get("platform") or _platform_of(service))
    for group in fields["_aws"]["CloudWatchMetrics"]:
        for name in (metric["Name"] for metric in group["Metrics"]):
            values = fields[name] if isinstance(fields[name], list) else [fields[name]]
            yield from (Sample(at, name, float(value), service, platform) for value in values)


def _platform_of(service: str) -> str:
    """The platform of a callback function, whose metrics name it as their service: `local-feishu`."""
    name = service.partition("-")[2]
    return name if name in NAMES else ""


def percentile(values: Iterable[float], share: float) -> float | None:
    """The smallest value that `share` of `values` do not exceed; None without values."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


_STATISTICS: dict[Statistic, Callable[[Sequence[float]], float | None]] = {
    "sum": sum,
    "samples": len,
    "p50": lambda values: percentile(values, 0.5),
    "p99": lambda values: percentile(values, 0.99),
}


def view(found: Sequence[Sample], levels: Sequence[Level], until: float) -> dict[str, Any]:
    """The charts of the SECONDS before `until`, and the table of the platforms, as JSON.

    A point is the value of STEP seconds, or null without one: `{"since", "step", "charts": [{"name", "question",
    "unit", "lines": [{"label", "platform", "points"}]}], "platforms": [...]}`. Times of metrics are in milliseconds.
    """
    end = math.floor(until / STEP) * STEP + STEP
    since = end - SECONDS
    recent = [each for each in found if since <= each.at < end]
    charts = [
        {
            "name": chart.name,
            "question": chart.question,
            "unit": chart.unit,
            "lines": [drawn for line in chart.lines for drawn in _drawn(line, recent, levels, since)],
        }
        for chart in CHARTS
    ]
    return {"since": since, "step": STEP, "charts": charts, "platforms": _platforms(recent)}


def _drawn(
    line: Line | QueueLine, found: Sequence[Sample], levels: Sequence[Level], since: float
) -> Iterable[dict[str, Any]]:
    if isinstance(line, QueueLine):
        values = [(each.at, float(getattr(each, line.value))) for each in levels if each.queue == line.queue]
        yield {"label": QUEUES[line.queue], "platform": "", "points": _points(values, since, max, None)}
        return
    mine = [each for each in found if each.name == line.metric]
    empty = None if line.statistic in ("p50", "p99") else 0
    for one in sorted({getattr(each, line.by) for each in mine} - {""}) if line.by else ("",):
        values = [(each.at, each.value) for each in mine if not line.by or getattr(each, line.by) == one]
        points = _points(values, since, _STATISTICS[line.statistic], empty)
        name = one if line.by == "platform" else one.partition("-")[2]
        yield {"label": line.label, "platform": name, "points": points}


def _points(
    values: Iterable[tuple[float, float]],
    since: float,
    statistic: Callable[[Sequence[float]], float | None],
    empty: float | None,
) -> list[float | None]:
    points: list[float | None] = [empty] * (SECONDS // STEP)
    placed = sorted((int((at - since) // STEP), value) for at, value in values)
    for place, group in groupby(placed, key=lambda each: each[0]):
        if 0 <= place < len(points):
            points[place] = statistic([value for _, value in group])
    return points


def _platforms(found: Sequence[Sample]) -> list[dict[str, Any]]:
    """One row for each platform that has a value: the outcomes of its replies, and its times in milliseconds."""
    return [
        {"platform": platform}
        | {name: sum(_values(found, metric, platform)) for name, metric in _OUTCOMES.items()}
        | {
            f"{name}_{percent}": percentile(_values(found, metric, platform), percent / 100)
            for name, metric in _TIMES.items()
            for percent in (50, 99)
        }
        for platform in sorted({each.platform for each in found if each.platform})
    ]


def _values(found: Iterable[Sample], metric: str, platform: str) -> list[float]:
    return [each.value for each in found if (each.name, each.platform) == (metric, platform)]


@dataclass(slots=True)
class Levels:
    """The depths of the queues at the times at which they were looked at."""

    _seen: list[Level] = field(default_factory=list[Level])
    _since: dict[str, float] = field(default_factory=dict[str, float])

    def add(self, depths: Mapping[str, int], now: float) -> list[Level]:
        """Add what the queues hold now. Returns all levels of the last SECONDS."""
        for queue, depth in depths.items():
            if not depth:
                self._since.pop(queue, None)
            waited = now - self._since.setdefault(queue, now) if depth else 0.0
            self._seen.append(Level(now, queue, depth, waited))
        self._seen = [each for each in self._seen if each.at > now - SECONDS - STEP]
        return list(self._seen)
