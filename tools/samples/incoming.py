"""The events of EventBridge and SNS: a text that a program sends, and an alarm in both ways."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from tools.samples import feishu

_REGION, _ACCOUNT = "us-east-1", "000000000000"
_ALARM = f"arn:aws:cloudwatch:{_REGION}:{_ACCOUNT}:alarm:orders-5xx"
_TOPIC = f"arn:aws:sns:{_REGION}:{_ACCOUNT}:parley-local-incoming"


def events(now: int) -> dict[str, Any]:
    """One event per case."""
    at = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    destination = {"platform": "feishu", "app": "sample", "room_id": feishu.room("private")}
    sending = {"destination": destination, "reply": "Build 7 is deployed.", "key": f"build-{now}", "stage": "local"}
    alarm = {"alarmName": "orders-5xx", "state": {"value": "ALARM", "reason": "Threshold Crossed: 1 datapoint > 5."}}
    return {
        "send": _event("send", "parley.send", "builds", sending, [], at),
        "alarm": _event("alarm", "CloudWatch Alarm State Change", "aws.cloudwatch", alarm, [_ALARM], at),
        "notification": _notification(at),
    }


def _event(
    case: str, detail_type: str, source: str, detail: dict[str, Any], resources: list[str], at: str
) -> dict[str, Any]:
    return {
        "version": "0",
        "id": _id(case, at),
        "detail-type": detail_type,
        "source": source,
        "account": _ACCOUNT,
        "time": at,
        "region": _REGION,
        "resources": resources,
        "detail": detail,
    }


def _notification(at: str) -> dict[str, Any]:
    message = {
        "AlarmName": "orders-5xx",
        "AlarmArn": _ALARM,
        "NewStateValue": "ALARM",
        "NewStateReason": "Threshold Crossed: 1 datapoint > 5.",
        "OldStateValue": "OK",
    }
    notification = {
        "Type": "Notification",
        "MessageId": _id("notification", at),
        "TopicArn": _TOPIC,
        "Subject": 'ALARM: "orders-5xx"',
        "Message": json.dumps(message),
        "Timestamp": at,
        "MessageAttributes": {},
    }
    subscription = f"{_TOPIC}:{_id('subscription')}"
    record = {"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": subscription}
    return {"Records": [{**record, "Sns": notification}]}


def _id(*parts: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, " ".join(parts)))
