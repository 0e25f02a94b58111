"""What a deployment costs: the estimate of the ledger behind docs/cost.md, or the bill of AWS."""

import json
import time
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Annotated, Any

import typer

from parley_cli import deployment
from parley_cli.command import Run, command
from parley_cli.place import Place
from parley_cli.problems import Problem

_DAYS = 30
_DAY = 86_400
_STACK_TAG = "aws:cloudformation:stack-name"


def register(root: typer.Typer) -> None:
    """Add the command."""
    command(root, "cost")(_cost)


def _cost(
    run: Run,
    actual: Annotated[
        bool, typer.Option("--actual", help="AWS's bill of the stack. Cost Explorer takes 0.01 dollars a request.")
    ] = False,
) -> None:
    """Estimate the cost of the last 30 days, from the messages and the figures of docs/cost.md."""
    if run.place.is_local:
        raise Problem("The local stack costs nothing.", "Name a stage on AWS: `parley cost --stage prod`.")
    if actual:
        rows = bill(run.place, datetime.now(UTC))
        total = sum(rows.values())
        lines = [f"{dollars:>10.2f}  {service}" for service, dollars in rows.items()]
        run.show({"total": total, "services": rows}, [*lines, f"{total:>10.2f}  together, US dollars in {_DAYS} days"])
        return
    found = estimate(run.place)
    lines = [
        f"{found['messages']} messages in {_DAYS} days; {found['queued']} replies went through the outbound queue",
        f"{found['dollars']:.2f} US dollars for them, and {found['alarms_dollars']:.2f} for {found['alarms']} alarms",
        f"at the prices of {found['date']} in {found['region']}",
        "without free tiers, taxes, language models, a fixed address and connectors: docs/cost.md",
    ]
    run.show(found, lines)


def figures() -> dict[str, Any]:
    """Dollars per million messages, and prices. `python -m tools.cost --write` writes them."""
    return json.loads(files("parley_cli").joinpath("figures.json").read_text())


def estimate(place: Place) -> dict[str, Any]:
    """Messages, dollars and alarms of the last 30 days."""
    known = figures()
    urls = {queue.name: queue.queue for queue in deployment.of(place).queues}
    messages, queued = (_sent(place, urls[name]) for name in ("inbound", "outbound"))
    at_once, queue = known["per_million"]["at once"], known["per_million"]["queue"]
    dollars = (messages * at_once + min(queued, messages) * (queue - at_once)) / 1e6
    pages = place.client("cloudwatch").get_paginator("describe_alarms").paginate(AlarmNamePrefix=f"{place.stack}-")
    alarms = sum(len(page.get("MetricAlarms", [])) for page in pages)
    return {
        "messages": messages,
        "queued": queued,
        "dollars": dollars,
        "alarms": alarms,
        "alarms_dollars": alarms * known["alarm"],
        "date": known["date"],
        "region": known["region"],
    }


def _sent(place: Place, url: str) -> int:
    """The messages that went into a queue in the last 30 days."""
    now = time.time()
    answer = place.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SQS",
        MetricName="NumberOfMessagesSent",
        Dimensions=[{"Name": "QueueName", "Value": url.rsplit("/", 1)[-1]}],
        StartTime=datetime.fromtimestamp(now - _DAYS * _DAY, UTC),
        EndTime=datetime.fromtimestamp(now, UTC),
        Period=_DAY,
        Statistics=["Sum"],
    )
    return int(sum(point["Sum"] for point in answer["Datapoints"]))


def bill(place: Place, now: datetime) -> dict[str, float]:
    """Dollars of the last 30 days by service, from Cost Explorer. Raises Problem if the stack's tag is not active."""
    answer = place.client("ce").get_cost_and_usage(
        TimePeriod={"Start": f"{now - timedelta(days=_DAYS):%Y-%m-%d}", "End": f"{now:%Y-%m-%d}"},
        Granularity="DAILY",
        Metrics=["UnblendedCost"],
        Filter={"Tags": {"Key": _STACK_TAG, "Values": [place.stack]}},
        GroupBy=[{"Type": "DIMENSION", "Key": "SERVICE"}],
    )
    rows: dict[str, float] = {}
    for group in (group for period in answer["ResultsByTime"] for group in period["Groups"]):
        service = group["Keys"][0]
        rows[service] = rows.get(service, 0.0) + float(group["Metrics"]["UnblendedCost"]["Amount"])
    if not rows:
        raise Problem(
            f"Cost Explorer knows no cost of {place.stack}.",
            f"Activate the tag {_STACK_TAG} once: Billing › Cost allocation tags › AWS-generated tags. It counts from "
            "the next day on.",
        )
    return dict(sorted(rows.items(), key=lambda row: -row[1]))
