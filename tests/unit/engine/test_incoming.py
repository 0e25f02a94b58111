"""AWS events from EventBridge and SNS: into the inbound queue, or to the dead letters."""

import json
import os
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from parley.engine.aws import sqs
from parley.engine.incoming import lambda_handler
from parley.model import Destination, Message, Reply, Text
from parley.model.codec import decode_message
from parley.model.sending import SEND, message_with, reply_in

pytestmark = pytest.mark.usefixtures("aws", "events_dead")
ROOM = {"platform": "feishu", "app": "demo", "room_id": "oc_1"}
ARN = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:api-5xx"
ALARM = {
    "version": "0",
    "id": "c4c1c1c9-6542-e61b-6ef0-8c4d36933a92",
    "detail-type": "CloudWatch Alarm State Change",
    "source": "aws.cloudwatch",
    "account": "123456789012",
    "time": "2026-01-02T17:04:40Z",
    "region": "eu-west-1",
    "resources": [ARN],
    "detail": {"alarmName": "api-5xx", "state": {"value": "ALARM", "reason": "Threshold Crossed"}},
}


@pytest.fixture
def events_dead(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The dead-letter queue of the function."""
    monkeypatch.setenv("PARLEY_INCOMING_DEAD_URL", sqs().create_queue(QueueName="incoming-dead")["QueueUrl"])


def bodies(queue: str) -> list[str]:
    """Empty a queue. Returns the bodies of its messages."""
    found: list[str] = []
    url = os.environ[f"PARLEY_{queue}_URL"]
    while some := sqs().receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for each in some:
            found.append(each.get("Body", ""))
            sqs().delete_message(QueueUrl=url, ReceiptHandle=each.get("ReceiptHandle", ""))
    return found


def accepted(event: dict[str, Any]) -> Message:
    lambda_handler(event, None)
    (body,) = bodies("INBOUND")
    assert bodies("INCOMING_DEAD") == []
    return decode_message(body)


def notification(message: Any, topic: str = "alarms", **more: Any) -> dict[str, Any]:
    """What SNS invokes a function with (SNS Developer Guide: message and JSON formats)."""
    text = message if isinstance(message, str) else json.dumps(message)
    sns = {
        "Type": "Notification",
        "MessageId": "95df01b4-ee98-5cb9-9903-4c221d41eb5e",
        "TopicArn": f"arn:aws:sns:eu-west-1:123456789012:{topic}",
        "Subject": None,
        "Message": text,
        "Timestamp": "2026-01-02T17:04:41.000Z",
        "MessageAttributes": {},
    }
    return {"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": sns | more}]}


def asking(detail: Any, **more: Any) -> dict[str, Any]:
    return {**ALARM, "detail-type": SEND, "source": "deployments", "resources": [], "detail": detail, **more}


# --- events for the bot -----------------------------------------------------------------------------------------------


def test_an_event_becomes_a_message_with_the_event_as_it_came() -> None:
    message = accepted(ALARM)

    assert message.id == ALARM["id"]
    assert (message.kind, message.event) == ("event", "aws.cloudwatch: CloudWatch Alarm State Change")
    assert message.raw == ALARM
    assert message.timestamp == 1_767_373_480


def test_the_events_of_one_resource_are_one_conversation() -> None:
    again, other = ALARM | {"id": "2"}, ALARM | {"id": "3", "resources": [f"{ARN}-2"]}
    rooms = [accepted(event).context.room_id for event in (ALARM, again, other, ALARM | {"id": "4", "resources": []})]
    assert rooms == [ARN, ARN, f"{ARN}-2", "aws.cloudwatch"]


def test_an_event_that_comes_twice_has_the_same_id() -> None:
    for _ in range(2):
        lambda_handler(ALARM, None)
    assert len(bodies("INBOUND")) == 1


ALARM_BY_SNS = {
    "AlarmName": "api-5xx",
    "AlarmDescription": None,
    "AWSAccountId": "123456789012",
    "NewStateValue": "ALARM",
    "NewStateReason": "Threshold Crossed",
    "StateChangeTime": "2026-01-02T17:04:40.000+0000",
    "Region": "EU (Ireland)",
    "AlarmArn": ARN,
    "OldStateValue": "OK",
    "Trigger": {},
}


def test_an_alarm_that_comes_by_sns_has_the_form_of_eventbridge() -> None:
    by_sns, by_bus = accepted(notification(ALARM_BY_SNS)), accepted(ALARM)

    assert (by_sns.event, by_sns.context) == (by_bus.event, by_bus.context)
    assert by_sns.id == "95df01b4-ee98-5cb9-9903-4c221d41eb5e"
    assert {"alarmName": "api-5xx", "state": by_bus.raw["detail"]["state"]}.items() <= by_sns.raw["detail"].items()


def test_an_event_that_eventbridge_has_sent_to_a_topic_is_the_event() -> None:
    assert accepted(notification(ALARM)) == accepted(ALARM)


@pytest.mark.parametrize("content", ["Disk full", "[1, 2]", {"disk": "full"}, {"source": "a", "detail-type": "b"}])
def test_another_notification_is_an_event_of_its_topic(content: Any) -> None:
    message = accepted(notification(content, topic="disks", Subject="Disk"))

    assert message.event == "aws.sns: disks"
    expected = json.loads(content) if content == "[1, 2]" else content
    assert message.raw["detail"] == {"subject": "Disk", "message": expected}


# --- what programs send -----------------------------------------------------------------------------------------------


def test_an_event_sends_the_same_as_parley_send() -> None:
    message = accepted(asking({"destination": ROOM, "reply": "deployed", "key": "build 7"}))

    to = Destination(platform="feishu", app="demo", room_id="oc_1")
    assert message.id == message_with(Reply.of("deployed"), to, "build 7", 0).id
    assert reply_in(message) == Reply(segments=(Text(text="deployed"),), to=to)


def test_a_notification_sends_as_well() -> None:
    detail = {"destination": ROOM, "reply": {"segments": [{"type": "text", "text": "deployed"}]}, "key": "build 7"}
    assert reply_in(accepted(notification(detail))) == reply_in(accepted(asking(detail | {"key": "build 8"})))


def test_without_a_key_the_id_of_the_event_makes_it_once() -> None:
    event = asking({"destination": ROOM, "reply": "deployed"})
    for each in (event, event, event | {"id": "another"}):
        lambda_handler(each, None)
    assert len({decode_message(body).id for body in bodies("INBOUND")}) == 2


# --- what cannot be read ----------------------------------------------------------------------------------------------

PRIVATE = "the words of a person"


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({}, "missing required field `id`"),
        (ALARM | {"detail": PRIVATE}, "Expected `object`, got `str` - at `$.detail`"),
        (ALARM | {"time": PRIVATE}, "Invalid RFC3339 encoded datetime - at `$.time`"),
        (ALARM | {"time": "2026-01-02T17:04:40"}, "timezone"),
        ({"Records": [{"eventSource": "aws:s3"}]}, "KeyError"),
        ({"Records": 7}, "TypeError"),
        (notification(ALARM_BY_SNS | {"AlarmArn": 7}), "Expected `str`, got `int` - at `$.AlarmArn`"),
        (asking({"reply": PRIVATE}), "missing required field `destination`"),
        (asking({"destination": ROOM, "reply": 7}), "at `$.reply`"),
        (asking({"destination": ROOM | {"platform": "fax"}, "reply": PRIVATE}), "the platform 'fax'"),
        (asking({"destination": {"platform": "feishu", "app": "demo"}, "reply": PRIVATE}), "has no place"),
        (asking({"destination": ROOM, "reply": PRIVATE, "key": "k" * 300}), "the key has 300 characters"),
        (asking({"destination": ROOM, "reply": PRIVATE, "Key": "1"}), "unknown field `Key`"),
        (asking({"destination": ROOM, "reply": {"segments": [{"type": PRIVATE}]}}), "at `$.reply.segments[0].type`"),
        (ALARM | {"detail": {"text": "x" * 1_000_000}}, "bytes"),
    ],
)
def test_what_cannot_be_read_goes_to_the_dead_letters_with_a_line_that_names_the_field(
    event: dict[str, Any], reason: str, logged: Callable[[], str], capsys: pytest.CaptureFixture[str]
) -> None:
    lambda_handler(event, None)

    assert bodies("INBOUND") == []
    assert [json.loads(body) for body in bodies("INCOMING_DEAD")] == [event]
    assert "event rejected" in logged()
    assert reason in logged()
    assert PRIVATE not in logged()
    assert "EventsRejected" in capsys.readouterr().out


def test_nothing_is_dropped_while_a_queue_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lambda then invokes the function again, and moves the event to the dead letters itself at last."""
    url = os.environ["PARLEY_INCOMING_DEAD_URL"]
    monkeypatch.setenv("PARLEY_INCOMING_DEAD_URL", f"{url}-gone")
    with pytest.raises(ClientError):
        lambda_handler({}, None)
    monkeypatch.setenv("PARLEY_INBOUND_URL", os.environ["PARLEY_INBOUND_URL"].replace("inbound", "gone"))
    with pytest.raises(ClientError):
        lambda_handler(ALARM, None)


def test_an_event_for_another_stage_is_left_to_that_stage() -> None:
    lambda_handler(asking({"destination": ROOM, "reply": "hi", "stage": "another"}), None)
    assert (bodies("INBOUND"), bodies("INCOMING_DEAD")) == ([], [])


@pytest.mark.parametrize("where", ["op", "type"])
def test_no_log_has_the_value_of_a_field_that_cannot_be_read(where: str, capsys: pytest.CaptureFixture[str]) -> None:
    segments = [{"type": "secret" if where == "type" else "text", "text": "hi"}]
    reply = {"op": "secret" if where == "op" else "send", "segments": segments}
    lambda_handler(asking({"destination": ROOM, "reply": reply}), None)
    assert len(bodies("INCOMING_DEAD")) == 1
    assert "secret" not in capsys.readouterr().out
