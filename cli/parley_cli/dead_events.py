"""The dead letters of the function `incoming`: AWS events that EventBridge, Lambda or the function itself put there.

Lambda puts an event into a record of its own (AWS Lambda Developer Guide: Adding a destination). EventBridge leaves it
as it is, and says why in the attributes of the SQS message (Amazon EventBridge User Guide: dead-letter queues).
"""

import json
from collections.abc import Mapping
from typing import Any

from parley.untrusted import array, mapping, text

_REJECTED = "rejected: `event rejected` in the log of the function says why"


def event_in(body: str) -> str:
    """The event in a dead letter, as JSON. A body that is no JSON is returned unchanged."""
    record = _object(body)
    return json.dumps(record["requestPayload"]) if "requestPayload" in record else body


def about_event(body: str) -> str:
    """The source, the detail-type and the id of the event in a dead letter. `?` if it is not readable."""
    event = _object(event_in(body))
    notification = mapping(mapping(next(iter(array(event.get("Records"))), None)).get("Sns"))
    if notification:
        return f"{text(notification.get('TopicArn'))} {text(notification.get('MessageId'))}"
    names = (text(event.get(name)) for name in ("source", "detail-type", "id"))
    return " ".join(filter(None, names)) or "?"


def reason_of(message: Mapping[str, Any]) -> str:
    """Why the event in the SQS message `message` was not handed over."""
    attributes = mapping(message.get("MessageAttributes"))
    found = (text(mapping(attributes.get(name)).get("StringValue")) for name in ("ERROR_CODE", "ERROR_MESSAGE"))
    condition = text(mapping(_object(message["Body"]).get("requestContext")).get("condition"))
    return ": ".join(filter(None, found)) or condition or _REJECTED


def _object(body: str) -> dict[str, Any]:
    """`body` as a JSON object; empty if it is none."""
    try:
        return mapping(json.loads(body))
    except ValueError:
        return {}
