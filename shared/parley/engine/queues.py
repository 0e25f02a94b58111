"""The two SQS queues: the message group and the deduplication id of each entry.

Entries of a conversation are sent one by one. In a batch, SQS may refuse one entry and accept the next, which would
break the order.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from parley.engine.aws import setting, sqs
from parley.errors import ParleyError
from parley.model import Conversation, Message, Outgoing, message_key
from parley.model.codec import encode

if TYPE_CHECKING:
    from types_boto3_sqs.literals import QueueAttributeNameType
    from types_boto3_sqs.type_defs import MessageAttributeValueTypeDef, SendMessageBatchRequestEntryTypeDef

_MAX_BYTES = 1_000_000
"""SQS takes 1 MiB for a message with its attributes."""
MAX_TOGETHER = 10
"""Messages that SQS takes in one request."""
_SWEPT = "-swept-"
_ARRIVED = "arrived"
"""The message attribute with the unix second at which the callback arrived."""
_COUNTS: "list[QueueAttributeNameType]" = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
]


class TooLargeError(ParleyError):
    """A message that is larger than a queue accepts."""


def send_messages(messages: Iterable[Message], url: str = "", arrived: float | None = None) -> None:
    """Put `messages` into the inbound queue (by default, that of this function), in order. `arrived`: the unix second
    at which their callback arrived.

    Raises AwsError, TooLargeError.
    """
    for message in messages:
        _send(
            url or setting("INBOUND_URL"), encode(message), Conversation.of(message).key, message_key(message), arrived
        )


def send_together(messages: Sequence[Message]) -> dict[int, str]:
    """Put up to MAX_TOGETHER `messages` of different conversations into the inbound queue, in one request.

    Returns the error code of each one that SQS has refused, by its index. Raises AwsError.
    """
    entries: list[SendMessageBatchRequestEntryTypeDef] = [
        {
            "Id": str(number),
            "MessageBody": _text(encode(message)),
            "MessageGroupId": Conversation.of(message).key,
            "MessageDeduplicationId": message_key(message),
        }
        for number, message in enumerate(messages)
    ]
    answer = sqs().send_message_batch(QueueUrl=setting("INBOUND_URL"), Entries=entries)
    return {int(refused["Id"]): refused["Code"] for refused in answer.get("Failed", [])}


def send_replies(rows: Iterable[Outgoing], *, attempt: str = "") -> None:
    """Put `rows` into the outbound queue, in order. SQS drops repetitions with the same `attempt` for five minutes.

    Raises AwsError, TooLargeError.
    """
    for row in rows:
        _send(setting("OUTBOUND_URL"), encode(row), row.to.key, f"{row.id}{attempt}")


def send_swept(row: Outgoing, updated: float) -> None:
    """Put `row`, unchanged since `updated`, into the outbound queue again. Raises AwsError, TooLargeError."""
    send_replies([row], attempt=f"{_SWEPT}{int(updated)}")


def arrival(record: Mapping[str, Any]) -> float | None:
    """The unix second at which the callback of a record of the inbound queue arrived. For a message without a callback
    the second at which it was sent; None if the record does not say either.
    """
    attribute = record.get("messageAttributes", {}).get(_ARRIVED)
    sent = record["attributes"].get("SentTimestamp")
    try:
        return float(attribute["stringValue"]) if attribute else int(sent) / 1000 if sent else None
    except (KeyError, ValueError):
        return None


def is_outbound_empty() -> bool:
    """Whether the outbound queue holds no record: waiting, hidden or delayed. SQS counts them approximately.

    Raises AwsError.
    """
    answer = sqs().get_queue_attributes(QueueUrl=setting("OUTBOUND_URL"), AttributeNames=_COUNTS)
    counts = answer.get("Attributes", {})
    return all(counts.get(name) == "0" for name in _COUNTS)


def is_swept(record: Mapping[str, Any]) -> bool:
    """Whether a record of the outbound queue is an additional one from `send_swept`."""
    return _SWEPT in record["attributes"].get("MessageDeduplicationId", "")


def move_to_dead_letters(record: Mapping[str, Any]) -> None:
    """Put a record of the inbound queue into its dead-letter queue. Raises AwsError.

    The deduplication id is the record's own id: a repetition is dropped, and a message that an operator has sent back
    and that fails again is a new one.
    """
    sqs().send_message(
        QueueUrl=setting("INBOUND_DEAD_URL"),
        MessageBody=record["body"],
        MessageGroupId=record["attributes"]["MessageGroupId"],
        MessageDeduplicationId=record["messageId"],
    )


def move_event_to_dead_letters(event: bytes) -> None:
    """Put an AWS event into the dead-letter queue of the function `incoming`, as JSON. Raises AwsError."""
    sqs().send_message(QueueUrl=setting("INCOMING_DEAD_URL"), MessageBody=_text(event))


def _text(body: bytes) -> str:
    # SQS refuses these two characters. In JSON they occur in strings only, where the escaped form means the same.
    return body.decode().replace("\ufffe", r"\ufffe").replace("\uffff", r"\uffff")


def _send(url: str, body: bytes, group: str, dedup: str, arrived: float | None = None) -> None:
    text = _text(body)
    if len(text.encode()) > _MAX_BYTES:
        raise TooLargeError(f"{len(body)} bytes")
    noted: dict[str, MessageAttributeValueTypeDef] = {}
    if arrived is not None:
        noted[_ARRIVED] = {"DataType": "Number", "StringValue": f"{arrived:.3f}"}
    sqs().send_message(
        QueueUrl=url, MessageBody=text, MessageGroupId=group, MessageDeduplicationId=dedup, MessageAttributes=noted
    )
