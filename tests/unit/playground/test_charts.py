"""The charts of the page: from metric lines to points, and the same as on the dashboard of a deployed stage."""

import json
import re
from typing import Any

import pytest

from parley.engine import telemetry
from playground.charts import CHARTS, QUEUES, SECONDS, STEP, Level, Levels, Line, Sample, percentile, samples, view
from playground.server import STATIC
from tests.template import of_type

NOW = 1_700_000_000.0
_BODY = of_type("AWS::CloudWatch::Dashboard")["MessagesDashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]


def sample(name: str, value: float = 1, platform: str = "feishu", ago: float = 20, service: str = "local-x") -> Sample:
    return Sample(NOW - ago, name, value, service, platform)


def lines(found: list[Sample], chart: str, levels: tuple[Level, ...] = ()) -> list[dict[str, Any]]:
    (one,) = [each for each in view(found, levels, NOW)["charts"] if each["name"] == chart]
    return one["lines"]


def test_the_metric_lines_of_the_functions_are_read(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "local-processor")
    telemetry.count("RepliesSent", 2, platform="wecom")
    telemetry.message_time(0.25, "feishu")
    telemetry.count("HandlerErrors")
    found = [each for line in capsys.readouterr().out.splitlines() for each in samples(line)]
    assert [(each.name, each.value, each.platform) for each in found] == [
        ("RepliesSent", 2, "wecom"),
        ("MessageTime", 250, "feishu"),
        ("HandlerErrors", 1, ""),
    ]
    assert found[0].service == "local-processor"
    # A callback function's service names its platform.
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "local-wecom_bot")
    telemetry.count("RepliesSent")
    assert [each.platform for each in samples(capsys.readouterr().out)] == ["wecom_bot"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "START RequestId: 1",
        '{"level": "INFO"}',
        '{"_aws": 1}',
        '["_aws"]',
        '{"_aws": {"Timestamp": "x"}}',
        '{"_aws": {"Timestamp": 1, "CloudWatchMetrics": [{"Metrics": [{"Name": "A"}]}]}}',
        '{"_aws": {',
        '"_aws"',
    ],
)
def test_a_line_that_is_no_metric_has_no_values(text: str) -> None:
    assert samples(text) == []


def test_counts_are_added_and_empty_points_are_zero() -> None:
    found = [sample("RepliesSent", 2), sample("RepliesSent", 3, "wecom"), sample("RepliesSent", ago=SECONDS * 2)]
    sent, failed, _ = lines(found, "replies")
    assert (sum(sent["points"]), max(sent["points"]), len(sent["points"])) == (5, 5, SECONDS // STEP)
    assert set(failed["points"]) == {0}


def test_a_percentile_without_values_is_a_gap() -> None:
    found = [sample("MessageTime", value) for value in range(1, 101)]
    p50, p99 = lines(found, "message")
    assert [point for point in p50["points"] if point is not None] == [50]
    assert [point for point in p99["points"] if point is not None] == [99]
    assert [percentile(values, 0.99) for values in ([], [7], [1, 2])] == [None, 7, 2]


def test_each_platform_has_a_line_and_a_row() -> None:
    found = [
        sample("RepliesSent", 2),
        sample("RepliesFailed", platform="wecom"),
        sample("BotTime", 40),
        sample("RepliesSent", 3, "discord"),
    ]
    assert [line["platform"] for line in lines(found, "sent")] == ["discord", "feishu"]
    rows = {row.pop("platform"): row for row in view(found, [], NOW)["platforms"]}
    assert rows.keys() == {"discord", "feishu", "wecom"}
    assert (rows["feishu"]["sent"], rows["feishu"]["bot_99"], rows["feishu"]["message_50"]) == (2, 40, None)
    assert (rows["wecom"]["failed"], rows["wecom"]["sent"]) == (1, 0)


def test_the_last_second_is_shown() -> None:
    (sent, *_) = lines([sample("RepliesSent", ago=0)], "replies")
    assert sent["points"][-1] == 1


def test_a_queue_waits_from_the_time_at_which_it_was_not_empty() -> None:
    seen = Levels()
    depths = (0, 2, 5, 1, 0, 1)
    last = [seen.add({"inbound": depth, "inbound_dead": 0}, NOW + at) for at, depth in enumerate(depths)][-1]
    waited = [each.waited for each in last if each.queue == "inbound"]
    assert waited == [0, 0, 1, 2, 0, 0]
    depth, _ = lines([], "depth", tuple(each._replace(at=NOW) for each in last))
    assert depth["points"][-1] == 5
    assert {each.at for each in seen.add({"inbound": 0}, NOW + 2 * SECONDS)} == {NOW + 2 * SECONDS}


def test_the_charts_are_those_of_the_dashboard() -> None:
    """Same titles, questions and own metrics. The page has one more: the emulator's queues do not tell their age."""
    text = (STATIC / "js" / "locales" / "en.js").read_text()
    titles = dict(re.findall(r'^  "charts\.(\w+)": "(.*)",$', text, re.MULTILINE))
    shown: dict[str, tuple[str, set[str]]] = {}
    question = ""
    for widget in json.loads(_BODY)["widgets"]:
        if widget["type"] == "text":
            question = widget["properties"]["markdown"].removeprefix("## ")
            continue
        metrics = json.dumps(widget["properties"]["metrics"])
        own = set(re.findall(r'MetricName=\\"(\w+)', metrics)) | set(re.findall(r'"Parley", "(\w+)"', metrics))
        shown[widget["properties"]["title"]] = (question, own)
    page = {
        titles[chart.name]: (titles[chart.question], {each.metric for each in chart.lines if isinstance(each, Line)})
        for chart in CHARTS
    }
    assert page.pop(titles["depth"])[0] == titles["stuck"]
    assert list(page) == list(shown)
    # API Gateway counts its requests. On this machine the callback functions do.
    assert page.pop(titles["requests"])[1] == {"CallbackTime", "CallbacksRejected"}
    shown.pop(titles["requests"])
    assert page == shown


def test_every_label_has_a_text() -> None:
    text = (STATIC / "js" / "locales" / "en.js").read_text()
    labels = {each.label for chart in CHARTS for each in chart.lines if isinstance(each, Line)} | set(QUEUES.values())
    assert {label for label in labels if label and f'"charts.label.{label}":' not in text} == set()
