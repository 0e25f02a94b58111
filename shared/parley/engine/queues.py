"""The two queues: who is in which group, and under which id SQS drops a repetition.

Messages go one by one: of a batch, SQS may refuse an entry and take the one behind it, and order would be lost.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from parley.engine.aws import setting, sqs
from parley.model import Conversation, Message, Outgoing, message_key
from parley.model.codec import encode

_MAX_BYTES = 1_000_000
"""SQS takes 1 MiB for a message; the rest is left for attributes."""
_SWEPT = "-swept-"


class TooLargeError(Exception):
    """A message that no queue takes."""


def send_messages(messages: Iterable[Message]) -> None:
    """Put `messages` into the inbound queue, in order. Raises AwsError, TooLargeError."""
    for message in messages:
        _send(setting("INBOUND_URL"), encode(message), Conversation.of(message).key, message_key(message))


def send_replies(rows: Iterable[Outgoing], *, attempt: str = "") -> None:
    """Put `rows` into the outbound queue, in order. Under one `attempt`, SQS drops repetitions for five minutes.

    Raises AwsError, TooLargeError.
    """
    for row in rows:
        _send(setting("OUTBOUND_URL"), encode(row), row.to.key, f"{row.id}{attempt}")


def send_swept(row: Outgoing, updated: float) -> None:
    """Put `row`, left behind since `updated`, into the outbound queue once more. Raises AwsError, TooLargeError."""
    send_replies([row], attempt=f"{_SWEPT}{int(updated)}")


def is_swept(record: Mapping[str, Any]) -> bool:
    """Whether a record of the outbound queue is a further one of its reply, from `send_swept`."""
    return _SWEPT in record["attributes"].get("MessageDeduplicationId", "")


def park(record: Mapping[str, Any]) -> None:
    """Put a record of the inbound queue among its dead letters. Raises AwsError.

    Under the record's own id: parking it twice is once, and the same message, sent back and failing again, is new.
    """
    sqs().send_message(
        QueueUrl=setting("INBOUND_DEAD_URL"),
        MessageBody=record["body"],
        MessageGroupId=record["attributes"]["MessageGroupId"],
        MessageDeduplicationId=record["messageId"],
    )


def _send(url: str, body: bytes, group: str, dedup: str) -> None:
    # Two characters that people can write and SQS refuses; in JSON they can only stand in strings, as this or as that.
    text = body.decode().replace("\ufffe", r"\ufffe").replace("\uffff", r"\uffff")
    if len(text.encode()) > _MAX_BYTES:
        raise TooLargeError(f"{len(body)} bytes")
    sqs().send_message(QueueUrl=url, MessageBody=text, MessageGroupId=group, MessageDeduplicationId=dedup)
