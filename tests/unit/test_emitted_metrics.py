"""The metrics of alarms and of the dashboard are those that the code emits."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from parley.engine import telemetry
from parley.engine.delivery import _METRICS  # pyright: ignore[reportPrivateUsage]
from tests.cloudwatch import metrics
from tests.template import ROOT, of_type
from tests.unit.test_alarms import ALARMS, NESTED_ALARMS

BODY: str = of_type("AWS::CloudWatch::Dashboard")["MessagesDashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
DASHBOARD: dict[str, Any] = json.loads(BODY)
CALLS = ("count", "duration", "_emit")


def emitted() -> set[str]:
    """The names of the metrics in the code."""
    sources = [path for folder in ("shared", "connectors") for path in (ROOT / folder).rglob("*.py")]
    return {name for path in sources for name in _names(path)} | set(_METRICS.values())


def _names(path: Path) -> Iterator[str]:
    text = path.read_text()
    for node in ast.walk(ast.parse(text)) if "telemetry" in text or path.stem == "telemetry" else ():
        if isinstance(node, ast.Call) and node.args:
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in CALLS:
                first = node.args[0]
                options = (first.body, first.orelse) if isinstance(first, ast.IfExp) else (first,)
                yield from (
                    each.value for each in options if isinstance(each, ast.Constant) and isinstance(each.value, str)
                )


def shown() -> Iterator[tuple[str, str]]:
    """The namespace and the name of each metric on the dashboard."""
    for widget in DASHBOARD["widgets"]:
        for metric in widget["properties"].get("metrics", ()):
            if isinstance(metric[0], str):
                yield metric[0], metric[1]
            else:
                yield from (("Parley", name) for name in re.findall(r'MetricName="(\w+)"', metric[0]["expression"]))


def test_every_metric_of_an_alarm_is_emitted() -> None:
    alarms = (ALARMS | NESTED_ALARMS).values()
    watched = {metric for body in alarms for metric in metrics(body["Properties"]).values()}
    own = {name for namespace, name in watched if namespace == "Parley"}
    assert len(own) > 15
    assert own - emitted() == set()
    assert {space for space, _ in watched} == {
        "Parley",
        "AWS/Lambda",
        "LambdaInsights",
        "AWS/SQS",
        "AWS/ApiGateway",
        "AWS/DynamoDB",
        "AWS/ECS",
        "AWS/NetworkELB",
    }


def test_every_metric_of_the_dashboard_is_emitted() -> None:
    own = {name for namespace, name in shown() if namespace == "Parley"}
    assert own - emitted() == set()
    assert {"RepliesSent", "MessageTime", "BotTime", "RepliesDeferred"} <= own
    assert {namespace for namespace, _ in shown()} == {"Parley", "AWS/SQS", "AWS/ApiGateway"}


def test_the_dashboard_answers_four_questions_and_no_widget_covers_another() -> None:
    texts = [each["properties"]["markdown"] for each in DASHBOARD["widgets"] if each["type"] == "text"]
    assert [text.removeprefix("## ").partition("?")[0] for text in texts] == [
        "Are people getting answers",
        "On which platform",
        "How fast",
        "What is stuck",
    ]
    cells = [
        (column, row)
        for each in DASHBOARD["widgets"]
        for column in range(each["x"], each["x"] + each["width"])
        for row in range(each["y"], each["y"] + each["height"])
    ]
    assert len(cells) == len(set(cells))
    assert max(column for column, _ in cells) == 23


def test_a_search_of_the_dashboard_names_the_dimensions_of_its_metric() -> None:
    """Those by platform have two dimensions; only metrics that the code counts by platform may be searched so."""
    shown_ones = [each["properties"].get("metrics", ()) for each in DASHBOARD["widgets"]]
    searched = [metric[0]["expression"] for each in shown_ones for metric in each if isinstance(metric[0], dict)]
    assert {re.search(r"\{([\w,]+)}", text)[1] for text in searched} == {  # pyright: ignore[reportOptionalSubscript]
        "Parley,service",
        "Parley,platform,service",
    }
    assert all("${Stage}" in text for text in searched)


def test_the_time_of_messages_has_one_service_in_every_function(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARLEY_STAGE", "prod")
    for function in ("prod-processor", "prod-deliverer"):
        monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", function)
        telemetry.message_time(0.25, "feishu")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["service"] for line in lines} == {"prod-messages"}
    assert all(line["MessageTime"] in (250, [250]) for line in lines)
    assert {tuple(names) for line in lines for names in line["_aws"]["CloudWatchMetrics"][0]["Dimensions"]} == {
        ("service",),
        ("service", "platform"),
    }
