"""Everything that can go wrong has an alarm, and whoever is woken by it finds in the runbook what to do."""

import re
from typing import Any

import pytest

from parley.platforms import NAMES
from tests.template import ROOT, functions, of_type

ALARMS = of_type("AWS::CloudWatch::Alarm")


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_an_alarm_stands_in_the_runbook_with_what_it_means_where_to_look_and_what_to_do(name: str) -> None:
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    found = re.search(rf"^### {name}$(.*?)(?=^##|\Z)", runbook, re.MULTILINE | re.DOTALL)

    assert found is not None
    assert all(word in found[1] for word in ("**Means**", "**Look**", "**do**" if "**do**" in found[1] else "**Do**"))
    assert f"runbook, {name}" in ALARMS[name]["Properties"]["AlarmDescription"]


def test_the_runbook_explains_no_alarm_that_does_not_exist() -> None:
    chapters = re.findall(r"^### (\w+)$", (ROOT / "docs" / "runbook.md").read_text(), re.MULTILINE)

    assert sorted(chapters) == sorted(ALARMS)


def test_every_queue_and_function_is_watched() -> None:
    watched = {name.removesuffix("Alarm") for name in ALARMS}
    stems = {name.removesuffix("Function") for name in functions()}

    assert watched >= {f"{stem}{what}" for stem in stems for what in ("Errors", "Throttles")}
    assert watched >= {f"{stem}Rejected" for stem in stems if stem.lower() in NAMES}
    assert watched >= {"InboundDeadLetters", "OutboundDeadLetters"}
    assert watched >= {"InboundAge", "OutboundAge", "CallbackLatency"}
    assert watched >= {"RepliesUnknown", "RepliesFailed", "RowsUnreadable"}


def test_alarms_on_own_metrics_use_the_dimensions_that_the_code_emits() -> None:
    watched = {name: body["Properties"] for name, body in ALARMS.items() if "Metrics" not in body["Properties"]}
    own = {name: alarm for name, alarm in watched.items() if alarm["Namespace"] == "Parley"}

    emitting = {"RepliesFailed": "Deliverer", "RepliesUnknown": "Deliverer", "RowsUnreadable": "Sweeper"}
    assert {alarm["MetricName"] for alarm in own.values()} == set(emitting)
    for alarm in own.values():
        assert alarm["Dimensions"] == service_of(emitting[alarm["MetricName"]])


def service_of(stem: str) -> list[dict[str, Any]]:
    """The dimension under which a function counts everything."""
    value = functions()[f"{stem}Function"]["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
    return [{"Name": "service", "Value": value}]


@pytest.mark.parametrize("stem", [name.capitalize() for name in NAMES])
def test_it_is_noticed_when_a_platform_gets_nothing_but_refusals(stem: str) -> None:
    alarm = ALARMS[f"{stem}RejectedAlarm"]["Properties"]
    told, rejected, invocations = alarm["Metrics"]
    assert (told["Expression"], rejected["Id"], invocations["Id"]) == (
        "IF(rejected >= invocations, rejected, 0)",
        "rejected",
        "invocations",
    )
    assert [metric.get("ReturnData", True) for metric in alarm["Metrics"]] == [True, False, False]
    assert {(metric["MetricStat"]["Stat"], metric["MetricStat"]["Period"]) for metric in (rejected, invocations)} == {
        ("Sum", 900)
    }
    assert rejected["MetricStat"]["Metric"] == {
        "Namespace": "Parley",
        "MetricName": "CallbacksRejected",
        "Dimensions": service_of(stem),
    }
    # Invocations are counted as errors are.
    errors = ALARMS[f"{stem}ErrorsAlarm"]["Properties"]
    assert invocations["MetricStat"]["Metric"] == {
        "Namespace": errors["Namespace"],
        "MetricName": "Invocations",
        "Dimensions": errors["Dimensions"],
    }
    # One message of WeCom's or WeChat's comes three times.
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (5, "GreaterThanOrEqualToThreshold")


def test_a_row_that_the_old_version_cannot_read_wakes_nobody_during_a_canary() -> None:
    alarm = ALARMS["RowsUnreadableAlarm"]["Properties"]
    assert functions()["ProcessorFunction"]["DeploymentPreference"]["Type"] == "Canary10Percent5Minutes"
    assert alarm["Period"] * (alarm["EvaluationPeriods"] - 1) > 5 * 60
