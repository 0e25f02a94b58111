"""Events of AWS: from EventBridge and SNS into the inbound queue.

EventBridge and SNS invoke the function asynchronously. Lambda repeats a failed invocation, and then moves the event to
the dead-letter queue; the function itself moves there what it cannot read. Both deliver an event at least once: the id
of its message is the same each time, and the inbox recognises it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast

import msgspec

from parley.engine import queues, telemetry
from parley.engine.aws import setting
from parley.engine.telemetry import log
from parley.errors import ParleyError, ResultError, without_value
from parley.model import Message
from parley.model.aws_events import Event, message_of
from parley.model.sending import SEND, Sending
from parley.sending import prepared


class Notification(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """The fields of an SNS notification that Parley reads."""

    message_id: str
    topic_arn: str
    message: str
    timestamp: str
    subject: str | None = None


class Alarm(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """The message of CloudWatch that an alarm sends to an SNS topic."""

    alarm_name: str
    alarm_arn: str
    new_state_value: str
    new_state_reason: str
    old_state_value: str = ""
    alarm_description: str | None = None


class InvalidEventError(ParleyError):
    """An event that cannot be read. The text names the field and holds no value."""


def messages_of(invocation: Mapping[str, Any]) -> Iterator[Message]:
    """The messages for the inbound queue. Raises InvalidEventError."""
    try:
        if "Records" not in invocation:
            events = [invocation]
        else:
            events = [_event_in(msgspec.convert(record["Sns"], Notification)) for record in invocation["Records"]]
        yield from (message for message in map(_message, events) if message is not None)
    except (KeyError, TypeError, ValueError, ResultError) as error:
        # Of its own exceptions Parley knows that they hold no text of a person.
        is_known = isinstance(error, msgspec.ValidationError | ResultError) or type(error) is ValueError
        raise InvalidEventError(without_value(error) if is_known else type(error).__name__) from error


def _message(raw: Mapping[str, Any]) -> Message | None:
    """The message of an event; None if it is for another stage."""
    event = msgspec.convert(raw, Event)
    if event.detail_type != SEND:
        return message_of(event, raw)
    sending = msgspec.convert(event.detail, Sending)
    if sending.stage not in ("", setting("STAGE")):
        return None  # stages can share a bus
    return prepared(sending.destination, sending.reply, sending.key or event.id)


def _event_in(notification: Notification) -> Mapping[str, Any]:
    """An SNS notification in the form of an EventBridge event.

    An event that EventBridge has sent to the topic is unchanged. An alarm gets the form that EventBridge has for it, so
    that one handler reads both. All others have the source `aws.sns` and, as detail-type, the name of the topic.
    """
    content = _content(notification.message)
    if isinstance(content, dict) and {"id", "time", "source", "detail-type", "detail"} <= content.keys():
        return cast("dict[str, Any]", content)
    common = {"id": notification.message_id, "time": notification.timestamp}
    if isinstance(content, dict) and {"destination", "reply"} <= content.keys():
        return {**common, "source": "aws.sns", "detail-type": SEND, "detail": content}
    if isinstance(content, dict) and {"AlarmName", "NewStateValue"} <= content.keys():
        return {**common, **_alarm(msgspec.convert(content, Alarm))}
    return {
        **common,
        "source": "aws.sns",
        "detail-type": notification.topic_arn.rpartition(":")[2],
        "resources": [notification.topic_arn],
        "detail": {"subject": notification.subject or "", "message": content},
    }


def _alarm(alarm: Alarm) -> dict[str, Any]:
    return {
        "source": "aws.cloudwatch",
        "detail-type": "CloudWatch Alarm State Change",
        "resources": [alarm.alarm_arn],
        "detail": {
            "alarmName": alarm.alarm_name,
            "state": {"value": alarm.new_state_value, "reason": alarm.new_state_reason},
            "previousState": {"value": alarm.old_state_value},
            "configuration": {"description": alarm.alarm_description or ""},
        },
    }


def _content(text: str) -> Any:
    """`text` as JSON, or as it is."""
    try:
        return msgspec.json.decode(text)
    except ValueError:
        return text


def lambda_handler(event: Mapping[str, Any], _context: object) -> None:
    """The `lambda_handler` of the function. Raises AwsError: Lambda tries again."""
    try:
        messages = list(messages_of(event))
        queues.send_messages(messages)
    except (InvalidEventError, queues.TooLargeError) as error:
        # The queue first: if it cannot be reached, nothing is recorded, and Lambda tries again.
        queues.move_event_to_dead_letters(msgspec.json.encode(event))
        telemetry.count("EventsRejected")
        log.error("event rejected", extra={"event_id": _id_of(event), "error": str(error)})
        return
    for message in messages:
        log.info("event accepted", extra=telemetry.ids_of(message))


def _id_of(invocation: Mapping[str, Any]) -> str:
    """The id that EventBridge or SNS gave, for the log; empty if there is none."""
    try:
        return str(invocation.get("id") or invocation["Records"][0]["Sns"]["MessageId"])
    except (KeyError, IndexError, TypeError):
        return ""
