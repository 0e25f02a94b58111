"""Everything that can go wrong has an alarm, and the runbook says for each alarm what to check and what to do."""

import json
import re
from typing import Any

import pytest

from parley.adapter import SupportsPassiveReply
from parley.models.measures import measure, measure_spent, measure_tool_failure, measure_unanswered
from parley.models.model import Answer
from parley.platforms import NAMES, inbound
from parley.platforms.tencent.passive import REPLY_DEADLINE
from parley.testing import Scripted
from tests.template import NESTED, ROOT, functions, nested, of_type, template
from tools import backlog
from tools.names import logical_id

ALARMS = of_type("AWS::CloudWatch::Alarm")
NESTED_ALARMS = {
    name: body
    for stack in NESTED
    for name, body in nested(stack)["Resources"].items()
    if body["Type"] == "AWS::CloudWatch::Alarm"
}
"""The alarms of nested stacks. Each has a chapter of its own."""
COMPOSITE = of_type("AWS::CloudWatch::CompositeAlarm")
STEMS = [name.removesuffix("Function") for name in functions()]
CALLBACKS = [logical_id(name) for name in NAMES]
DELIVERING = ["Processor", "Deliverer"]
"""The functions that call the platforms."""
MODEL_ALARMS = ("Failures", "Fallbacks", "ToolFailures", "BudgetsSpent")
NAMED = template()["Mappings"]["Functions"]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
CHAPTERS = {
    found[1]: found[2] for found in re.finditer(r"^### (\w+Alarm)$(.*?)(?=^##|\Z)", RUNBOOK, re.MULTILINE | re.DOTALL)
}


def chapter_of(alarm: str) -> str:
    """The chapter that the description of an alarm names."""
    description = (ALARMS | NESTED_ALARMS)[alarm]["Properties"]["AlarmDescription"]
    found = re.search(r"\(runbook, (\w+)\)$", description["Fn::Sub"] if isinstance(description, dict) else description)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_an_alarm_names_its_chapter_of_the_runbook(name: str) -> None:
    chapter = chapter_of(name)

    assert chapter in CHAPTERS
    # A chapter is for one alarm, or for one kind of alarm of functions. Then the description says which function.
    stem = name.removesuffix(chapter)
    assert stem in ("", *STEMS)
    assert stem in ALARMS[name]["Properties"]["AlarmDescription"]


@pytest.mark.parametrize("name", sorted(NESTED_ALARMS))
def test_an_alarm_of_a_nested_stack_has_the_name_of_its_chapter(name: str) -> None:
    assert chapter_of(name) == name
    assert name in CHAPTERS
    assert name not in ALARMS


@pytest.mark.parametrize("name", sorted(COMPOSITE))
def test_a_composite_alarm_has_the_name_of_its_chapter(name: str) -> None:
    assert COMPOSITE[name]["Properties"]["AlarmDescription"].endswith(f"(runbook, {name})")
    assert name in CHAPTERS


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_says_what_its_alarm_means_what_to_check_and_what_to_do(chapter: str) -> None:
    assert chapter in {chapter_of(name) for name in ALARMS | NESTED_ALARMS} | set(COMPOSITE)
    assert [CHAPTERS[chapter].count(word) for word in ("**Meaning:**", "**Check:**", "**Do:**")] == [1, 1, 1]


@pytest.mark.parametrize("chapter", ["ErrorsAlarm", "ThrottlesAlarm"])
def test_a_chapter_for_all_functions_says_what_each_of_them_means(chapter: str) -> None:
    others = set(STEMS) - set(CALLBACKS)
    assert {"of a platform", *(f"`{stem}`" for stem in others)} <= set(re.split(r" \| |, |\n\| ", CHAPTERS[chapter]))


def test_the_runbook_says_how_every_platform_treats_a_callback_that_fails() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d+) s \| (?:\w.*) \| (?:\w.*) \|$", RUNBOOK, re.MULTILINE)
    limits = {stem: str(row["ResponseTimeout"] // 1000) for stem, row in NAMED.items() if "ResponseTimeout" in row}

    assert dict(rows) == limits
    assert set(limits) == set(CALLBACKS)


def test_the_runbook_quotes_log_lines_metrics_and_settings_that_exist() -> None:
    folders = (ROOT / folder for folder in ("shared", "connectors", "tools"))
    sources = [*(path for folder in folders for path in folder.rglob("*.py")), ROOT / "template.yaml"]
    sources += [ROOT / "stacks" / f"{stack}.yaml" for stack in NESTED]
    known = "\n".join(path.read_text() for path in sources)
    texts = r"[a-z'-]+( [a-z'-]+)+|[A-Z][a-z]+[A-Z]\w+"
    quoted = {text for text in re.findall(r"`([^`\n]+)`", RUNBOOK) if re.fullmatch(texts, text)}
    others = {"ConcurrentExecutions", "make dlq", "sam delete", "aws ssm put-parameter --overwrite"}
    others |= {
        "ThrottledRequests",
        "Init Duration",
        "OutOfMemoryError",
        "aws ecs update-service --force-new-deployment",
    }

    assert {"callback rejected", "AcknowledgeTime", "DelivererConcurrency"} <= quoted
    named = ALARMS.keys() | NESTED_ALARMS.keys()
    assert {text for text in quoted - others - named if not re.search(rf"\b{text}\b", known)} == set()


def test_every_queue_and_function_is_watched() -> None:
    watched = {name.removesuffix("Alarm") for name in ALARMS}

    assert watched >= {f"{stem}{what}" for stem in STEMS for what in ("Errors", "Throttles")}
    assert watched >= {f"{stem}{what}" for stem in CALLBACKS for what in ("Rejected", "Latency", "ResponseTime")}
    assert watched >= {"InboundDeadLetters", "OutboundDeadLetters", "IncomingDeadLetters"}
    assert watched >= {"InboundAge", "OutboundAge", "InboundBacklog", "OutboundBacklog"}
    assert watched >= {f"{stem}Replies{state}" for stem in DELIVERING for state in ("Unknown", "Failed")}
    assert watched >= {"MessageTime", "ApiSuccess", "RefusalsRising", "TokenRefresh", "RepliesDeferred", "LoginsLost"}
    assert watched >= {"StateTableThrottled"}
    assert watched >= {"RowsUnreadable", *(f"Model{kind}" for kind in MODEL_ALARMS)}


def test_alarms_on_own_metrics_use_the_dimensions_that_the_code_emits() -> None:
    watched = {name: body["Properties"] for name, body in ALARMS.items() if "Metrics" not in body["Properties"]}
    own = {name: alarm for name, alarm in watched.items() if alarm["Namespace"] == "Parley"}

    emitting = {f"{stem}Replies{state}Alarm": stem for stem in DELIVERING for state in ("Unknown", "Failed")}
    emitting |= {"RowsUnreadableAlarm": "Sweeper"}
    emitting |= {f"Model{kind}Alarm": "Processor" for kind in MODEL_ALARMS}
    emitting |= {"LoginsLostAlarm": "Processor"}
    emitting |= {f"{stem}{kind}Alarm": stem for stem in CALLBACKS for kind in ("Latency", "ResponseTime")}
    times = {"LatencyAlarm": "AcknowledgeTime", "ResponseTimeAlarm": "CallbackTime"}
    whole = own.pop("MessageTimeAlarm")
    assert whole["Dimensions"] == [{"Name": "service", "Value": {"Fn::Sub": "${Stage}-messages"}}]
    assert set(own) == set(emitting)
    for name, alarm in own.items():
        assert alarm["Dimensions"] == service_of(emitting[name])
        kind = name.removeprefix(emitting[name])
        assert alarm["MetricName"] == times.get(kind, kind.removesuffix("Alarm"))


def test_the_metrics_of_models_are_counted_as_the_alarms_watch_them(capsys: pytest.CaptureFixture[str]) -> None:
    measure_unanswered()
    measure_spent()
    measure_tool_failure(ValueError(), "")
    measure(Answer(model="scripted"), Scripted([]), 1, is_fallback=True)
    lines = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    written = [line for line in lines if "model" not in line and "_aws" in line]
    emitted = {metric["Name"] for line in written for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
    assert emitted == {f"Model{kind}" for kind in MODEL_ALARMS}
    assert all(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service"]] for line in written)


def service_of(stem: str) -> list[dict[str, Any]]:
    """The dimension under which a function emits all its metrics."""
    value = functions()[f"{stem}Function"]["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
    return [{"Name": "service", "Value": value}]


@pytest.mark.parametrize("stem", STEMS)
def test_a_deployment_goes_back_on_the_alarms_of_its_own_function(stem: str) -> None:
    preference = functions()[f"{stem}Function"]["DeploymentPreference"]
    kinds = ["Errors", "Latency"] if stem in CALLBACKS else ["Errors"]

    assert preference["Type"] == "Canary10Percent5Minutes"
    if stem == "Sweeper":  # runs once a minute: a canary would see nothing of it
        assert preference["Enabled"] is False
    else:
        assert preference["Enabled"] == {"Ref": "Canary"}
        assert preference["Alarms"] == {"Fn::If": ["Observed", [{"Ref": f"{stem}{kind}Alarm"} for kind in kinds], []]}


@pytest.mark.parametrize("stem", CALLBACKS)
def test_the_latency_that_stops_a_deployment_does_not_contain_the_wait_for_a_passive_reply(stem: str) -> None:
    alarm = ALARMS[f"{stem}LatencyAlarm"]["Properties"]
    assert (alarm["MetricName"], alarm["ExtendedStatistic"], alarm["Threshold"]) == ("AcknowledgeTime", "p99", 500)
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 5 * 60


@pytest.mark.parametrize(
    "stem", [stem for stem in CALLBACKS if isinstance(inbound(NAMED[stem]["Name"]), SupportsPassiveReply)]
)
def test_the_deliberate_wait_alone_does_not_count_as_a_response_that_comes_too_late(stem: str) -> None:
    assert NAMED[stem]["ResponseTimeout"] > REPLY_DEADLINE * 1000


@pytest.mark.parametrize("stem", CALLBACKS)
def test_it_is_noticed_when_responses_come_after_the_platform_has_given_up(stem: str) -> None:
    alarm = ALARMS[f"{stem}ResponseTimeAlarm"]["Properties"]

    assert (alarm["Namespace"], alarm["MetricName"]) == ("Parley", "CallbackTime")
    assert alarm["Threshold"] == NAMED[stem]["ResponseTimeout"]
    assert alarm["Dimensions"] == service_of(stem)


def test_no_alarm_needs_the_metrics_that_api_gateway_bills_for_every_method() -> None:
    assert template()["Resources"]["Api"]["Properties"]["MethodSettings"][0]["MetricsEnabled"] is False
    parts = [
        each["MetricStat"]["Metric"] for body in ALARMS.values() for each in body["Properties"].get("Metrics", ())[1:]
    ]
    # Those of the whole stage are free.
    free = [{"Name": "ApiName", "Value": template()["Resources"]["Api"]["Properties"]["Name"]}]
    free.append({"Name": "Stage", "Value": {"Ref": "Stage"}})
    assert {str(part["Dimensions"]) for part in parts if part["Namespace"] == "AWS/ApiGateway"} == {str(free)}
    assert "AWS/ApiGateway" not in {body["Properties"].get("Namespace") for body in ALARMS.values()}


@pytest.mark.parametrize("direction", ["Inbound", "Outbound"])
def test_a_backlog_is_noticed_before_sqs_stops_finding_the_messages_behind_it(direction: str) -> None:
    alarm = ALARMS[f"{direction}BacklogAlarm"]["Properties"]
    total, *parts = alarm["Metrics"]

    assert alarm["Threshold"] == backlog.ALARM < backlog.WINDOW
    assert total["Expression"] == "visible + hidden"
    for part, state in zip(parts, ("Visible", "NotVisible"), strict=True):
        metric = part["MetricStat"]["Metric"]
        assert (metric["Namespace"], metric["MetricName"]) == ("AWS/SQS", f"ApproximateNumberOfMessages{state}")
        queue = {"Fn::GetAtt": f"{direction}Queue.QueueName"}
        assert metric["Dimensions"] == [{"Name": "QueueName", "Value": queue}]


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_every_alarm_notifies_the_given_topic_or_else_the_one_of_the_stack(name: str) -> None:
    actions = ALARMS[name]["Properties"]["AlarmActions"]
    assert actions == [{"Fn::If": ["HasAlarmTopic", {"Ref": "AlarmTopicArn"}, {"Ref": "AlarmTopic"}]}]


def test_the_stack_makes_a_topic_for_an_e_mail_address_if_none_is_given() -> None:
    topic = template()["Resources"]["AlarmTopic"]
    conditions = template()["Conditions"]

    assert topic["Condition"] == "MakesAlarmTopic"
    assert topic["Properties"]["Subscription"] == [{"Protocol": "email", "Endpoint": {"Ref": "AlarmEmail"}}]
    given = {"Fn::Not": [{"Condition": "HasAlarmTopic"}]}
    assert conditions["MakesAlarmTopic"] == {"Fn::And": [{"Condition": "Observed"}, given]}


def test_alarms_that_notify_nobody_are_refused_before_the_deployment() -> None:
    rule = template()["Rules"]["AlarmsNotifySomebody"]
    (assertion,) = rule["Assertions"]

    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "Observability"}, "true"]}
    given = [{"Fn::Not": [{"Fn::Equals": [{"Ref": name}, ""]}]} for name in ("AlarmEmail", "AlarmTopicArn")]
    assert assertion["Assert"] == {"Fn::Or": given}


@pytest.mark.parametrize("stem", CALLBACKS)
def test_it_is_noticed_when_every_callback_of_a_platform_is_rejected(stem: str) -> None:
    alarm = ALARMS[f"{stem}RejectedAlarm"]["Properties"]
    alarming, rejected, invocations = alarm["Metrics"]
    assert (alarming["Expression"], rejected["Id"], invocations["Id"]) == (
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
    # WeCom and WeChat deliver one message three times.
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (5, "GreaterThanOrEqualToThreshold")


@pytest.mark.parametrize("stem", STEMS)
@pytest.mark.parametrize("kind", ["Errors", "Throttles"])
def test_errors_and_throttles_are_those_of_the_version_in_use(stem: str, kind: str) -> None:
    alarm = ALARMS[f"{stem}{kind}Alarm"]["Properties"]
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Threshold"]) == ("AWS/Lambda", kind, 0)
    assert alarm["Dimensions"] == [
        {"Name": "FunctionName", "Value": {"Ref": f"{stem}Function"}},
        {"Name": "Resource", "Value": {"Fn::Join": [":", [{"Ref": f"{stem}Function"}, "live"]]}},
    ]


def test_a_row_that_the_old_version_cannot_read_raises_no_alarm_during_a_canary() -> None:
    alarm = ALARMS["RowsUnreadableAlarm"]["Properties"]
    assert functions()["ProcessorFunction"]["DeploymentPreference"]["Type"] == "Canary10Percent5Minutes"
    assert alarm["Period"] * (alarm["EvaluationPeriods"] - 1) > 5 * 60
