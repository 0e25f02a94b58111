"""Every alarm on made-up series of its metrics: it fires when it should, and is quiet otherwise."""

from typing import Any

import pytest

from tests.cloudwatch import Series, fires, rings
from tests.template import functions, of_type, template
from tests.unit.test_alarms import ALARMS, NESTED_ALARMS, chapter_of
from tools.cost.figures import ASSUMPTIONS

SLOW = [100.0] * 90 + [600.0] * 10
FAST = [100.0] * 199 + [600.0]
LATE = [1000.0] * 50 + [6000.0]
SERVED = [1.0] * 200
"""API Gateway counts each request as a sample."""


def above(metric: str, limit: float, minutes: int = 1) -> tuple[list[Series], list[Series]]:
    """The series of an alarm on values above `limit` in each of so many minutes."""
    quiet: list[Series] = [{}, {metric: [limit] * minutes}]
    if minutes > 1:
        quiet.append({metric: [limit, *[limit + 1] * (minutes - 1)]})
        quiet.append({metric: [*[limit + 1] * (minutes - 1), None]})
    return [{metric: [limit + 1] * minutes}], quiet


def at_least(metric: str, number: int, minutes: int) -> tuple[list[Series], list[Series]]:
    """The series of an alarm on `number` or more in so many minutes together."""
    earlier = [*[float(number)], *[None] * minutes]
    return [{metric: [number - 1, *[None] * (minutes - 2), 1]}], [{}, {metric: [number - 1]}, {metric: earlier}]


SERIES: dict[str, tuple[list[Series], list[Series]]] = {
    "ErrorsAlarm": above("Errors", 0),
    "ThrottlesAlarm": above("Throttles", 0),
    "LatencyAlarm": (
        [{"AcknowledgeTime": [SLOW] * 5}],
        [{}, {"AcknowledgeTime": [FAST] * 5}, {"AcknowledgeTime": [*[SLOW] * 4, FAST]}],
    ),
    "ResponseTimeAlarm": ([{"CallbackTime": [LATE] * 5}], [{}, {"CallbackTime": [SLOW] * 5}]),
    "RejectedAlarm": (
        [{"rejected": [5.0], "invocations": [5.0]}, {"rejected": [3.0, 3.0], "invocations": [3.0, 3.0]}],
        [
            {},
            {"invocations": [9.0]},
            {"rejected": [4.0], "invocations": [4.0]},
            {"rejected": [50.0], "invocations": [51.0]},
        ],
    ),
    "InboundDeadLettersAlarm": above("ApproximateNumberOfMessagesVisible", 0),
    "OutboundDeadLettersAlarm": above("ApproximateNumberOfMessagesVisible", 0),
    "IncomingDeadLettersAlarm": above("ApproximateNumberOfMessagesVisible", 0),
    "InboundAgeAlarm": above("ApproximateAgeOfOldestMessage", 300, 3),
    "OutboundAgeAlarm": above("ApproximateAgeOfOldestMessage", 300, 3),
    "InboundBacklogAlarm": ([{"visible": [59_999], "hidden": [2]}], [{}, {"visible": [60_000], "hidden": [0]}]),
    "OutboundBacklogAlarm": ([{"visible": [59_999], "hidden": [2]}], [{}, {"visible": [60_000], "hidden": [0]}]),
    "RepliesUnknownAlarm": above("RepliesUnknown", 0),
    "RepliesFailedAlarm": above("RepliesFailed", 0),
    "RowsUnreadableAlarm": (
        [{"RowsUnreadable": [1] * 15}],
        [{}, {"RowsUnreadable": [0] * 15}, {"RowsUnreadable": [*[1] * 10, *[0] * 5]}],
    ),
    "ModelFailuresAlarm": at_least("ModelFailures", 3, 5),
    "ModelFallbacksAlarm": at_least("ModelFallbacks", 5, 5),
    "ModelToolFailuresAlarm": ([{"ModelToolFailures": [1]}], [{}, {"ModelToolFailures": [0]}]),
    "ModelBudgetsSpentAlarm": at_least("ModelBudgetsSpent", 20, 60),
    "MessageTimeAlarm": (
        [{"MessageTime": [SLOW] * 5}],
        [{}, {"MessageTime": [FAST] * 5}, {"MessageTime": [*[SLOW] * 4, FAST]}, {"MessageTime": [*[SLOW] * 4, None]}],
    ),
    "ApiSuccessAlarm": (
        [{"errors": [1], "requests": [SERVED]}, {"errors": [1, 0, 0, 0, 0], "requests": [[1.0] * 199] * 5}],
        [
            {},
            {"requests": [SERVED] * 5},
            {"errors": [0], "requests": [SERVED]},
            {"errors": [1], "requests": [SERVED] * 5},
        ],
    ),
    "RefusalsRisingAlarm": (
        [{"refused": [500], "requests": [[1.0] * 600]}],
        [
            {},
            {"requests": [[1.0] * 900]},
            {"refused": [499], "requests": [[1.0] * 499]},
            {"refused": [500], "requests": [[1.0] * 1000]},
        ],
    ),
    "TokenRefreshAlarm": (
        [{"processor": [3]}, {"processor": [1, 1], "deliverer": [1]}],
        [{}, {"deliverer": [2]}, {"processor": [3, *[None] * 5]}],
    ),
    "RepliesDeferredAlarm": (
        [{"processor": [10] * 2}, {"processor": [10], "deliverer": [10]}],
        [{}, {"processor": [19]}],
    ),
    "LoginsLostAlarm": at_least("LoginsLost", 3, 60),
    "StateTableThrottledAlarm": (
        [{"reads": [1, 0, 1]}, {"reads": [1, None, None], "writes": [None, None, 1]}],
        [{}, {"writes": [900, 0, 0]}, {"reads": [0, 0, 0]}],
    ),
    "FunctionMemoryAlarm": above("memory_utilization", 80, 5),
    # 512 MB are 0.29 of a core: 60 s have 17.4 s of it.
    "FunctionCpuAlarm": (
        [{"cpu": [13_000] * 5, "duration": [60_000] * 5}],
        [
            {},
            {"duration": [60_000] * 5},
            {"cpu": [11_000] * 5, "duration": [60_000] * 5},
            {"cpu": [*[13_000] * 4, 0], "duration": [60_000] * 5},
        ],
    ),
    # Connectors.
    "RestartsAlarm": at_least("ConnectorStarts", 5, 15),
    "LeaderAlarm": (
        [{}, {"GatewayLeading": [1, *[None] * 5]}],
        [{"GatewayLeading": [1] * 5}, {"GatewayLeading": [1, *[None] * 4]}],
    ),
    "HeartbeatAlarm": above("GatewayHeartbeatAge", 180_000, 2),
    "StoppedAlarm": above("GatewayStopped", 0),
    "ShardErrorsAlarm": at_least("GatewayErrors", 5, 5),
    "EventsDelayedAlarm": at_least("GatewayEventsDelayed", 10, 5),
    "LookupsAlarm": ([{"GatewayLookupsFailed": [1]}], [{}, {"GatewayLookupsFailed": [0] * 5}]),
    "IdentifiesAlarm": ([{"GatewayIdentifiesLow": [1]}], [{}, {"GatewayIdentifiesLow": [0] * 5}]),
    "TargetsAlarm": (
        [{}, {"HealthyHostCount": [0] * 3}],
        [{"HealthyHostCount": [[0, 1]] * 3}, {"HealthyHostCount": [1, 0, 0]}],
    ),
    "CpuAlarm": above("CPUUtilization", 70, 5),
    "MemoryAlarm": above("MemoryUtilization", 80, 5),
}
"""By chapter of the runbook: series on which its alarms fire, and series on which they are quiet."""
PAGER: dict[str, Any] = template()["Resources"]["PagerAlarm"]["Properties"]
RULE: str = PAGER["AlarmRule"]["Fn::Sub"]


@pytest.mark.parametrize("name", sorted(ALARMS | NESTED_ALARMS))
def test_an_alarm_fires_on_what_it_is_for_and_is_quiet_otherwise(name: str) -> None:
    alarm = (ALARMS | NESTED_ALARMS)[name]["Properties"]
    firing, quiet = SERIES[chapter_of(name)]

    assert [series for series in firing if not fires(alarm, series)] == []
    assert [series for series in quiet if fires(alarm, series)] == []


def test_no_series_is_left_of_an_alarm_that_does_not_exist() -> None:
    assert set(SERIES) == {chapter_of(name) for name in ALARMS | NESTED_ALARMS}


def test_the_pager_rings_when_people_get_no_answers_and_not_for_what_can_wait() -> None:
    for name in ("MessageTimeAlarm", "ApiSuccessAlarm", "ProcessorErrorsAlarm", "InboundDeadLettersAlarm"):
        assert rings(RULE, {name})
    assert not rings(RULE, set())
    assert not rings(RULE, {"SweeperErrorsAlarm", "ModelBudgetsSpentAlarm", "RefusalsRisingAlarm"})


def test_the_pager_names_alarms_that_exist_whenever_it_exists() -> None:
    named = {part.split("}")[0] for part in RULE.split("${")[1:]}
    assert {ALARMS[name]["Condition"] for name in named} == {"Observed"}
    assert template()["Conditions"]["HasPager"]["Fn::And"][0] == {"Condition": "Observed"}
    assert PAGER["AlarmActions"] == PAGER["OKActions"] == [{"Ref": "PagerTopicArn"}]


def test_no_budget_and_no_pager_exists_unless_asked_for() -> None:
    parameters = template()["Parameters"]
    assert (parameters["PagerTopicArn"]["Default"], parameters["MonthlyBudget"]["Default"]) == ("", 0)
    assert of_type("AWS::Budgets::Budget")["SpendBudget"]["Condition"] == "HasBudget"
    assert of_type("AWS::CloudWatch::CompositeAlarm")["PagerAlarm"]["Condition"] == "HasPager"


def test_the_spend_is_told_before_the_budget_is_used_up_and_when_it_will_be() -> None:
    notifications = of_type("AWS::Budgets::Budget")["SpendBudget"]["Properties"]["NotificationsWithSubscribers"]
    told = [(each["Notification"]["NotificationType"], each["Notification"]["Threshold"]) for each in notifications]
    assert told == [("ACTUAL", 80), ("FORECASTED", 100)]


@pytest.mark.parametrize("stem", ["Processor", "Deliverer"])
def test_the_part_of_a_core_in_the_alarm_is_that_of_the_memory(stem: str) -> None:
    expression = ALARMS[f"{stem}FunctionCpuAlarm"]["Properties"]["Metrics"][0]["Expression"]
    core, memory_of_function = ASSUMPTIONS["core_mb"], functions()[f"{stem}Function"]["MemorySize"]
    assert expression == f"100 * {core:g} / {memory_of_function} * cpu / duration"


def test_lambda_insights_are_there_only_if_asked_for() -> None:
    assert template()["Parameters"]["InsightsLayer"]["Default"] == ""
    assert {ALARMS[name]["Condition"] for name in ALARMS if "LambdaInsights" in str(ALARMS[name])} == {
        "ObservesInsights"
    }
    choice = {"Fn::If": ["HasInsights", {"Ref": "InsightsLayer"}, {"Ref": "AWS::NoValue"}]}
    assert {name for name, body in functions().items() if choice in body["Layers"]} == {
        "ProcessorFunction",
        "DelivererFunction",
    }
    assert of_type("AWS::IAM::Policy")["InsightsPolicy"]["Condition"] == "HasInsights"
