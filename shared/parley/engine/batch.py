"""One SQS record a function invocation. A record that cannot be handled yet stays in its FIFO queue, hidden for a
while; its message group waits with it, in order, and all other groups go on.
"""

import traceback
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from parley.engine import telemetry
from parley.engine.aws import AwsError, error_code, sqs
from parley.engine.telemetry import log
from parley.errors import AuthorError, RetryAfter

Record = Mapping[str, Any]
"""One record of an SQS event."""
_MAX_VISIBILITY = 42_300
"""Seconds. SQS allows 43,200 from the receive on, and handling the record takes some of them."""
_MAX_BACKOFF = 60
_DEPLOYMENT = 90
"""Seconds before another try with a record that this version cannot read. A newer version may have written it and takes
over within five minutes (the canary). Until then the record's receives may not be used up."""


def received(record: Record) -> int:
    """How often SQS has delivered this record, this time included."""
    return int(record["attributes"].get("ApproximateReceiveCount", "1"))


def run(event: Mapping[str, Any], queue_url: str, handle: Callable[[Record], None]) -> dict[str, Any]:
    """Handle the record of `event`; the event source mapping has a batch size of 1.

    The result tells SQS whether to deliver the record again. `handle` raises RetryAfter if the record has to wait; that
    is not a failure. Every other exception is one, and the record is retried with back-off. An event without a record
    does nothing: `make up` sends one to each function, to see that its code loads.
    """
    if not event["Records"]:
        return {"batchItemFailures": []}
    (record,) = event["Records"]
    with telemetry.about({"conversation": record["attributes"].get("MessageGroupId", "")}):
        wait = _attempt(record, handle)
        if wait is None:
            return {"batchItemFailures": []}
        _hide(queue_url, record, wait)
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}


def _attempt(record: Record, handle: Callable[[Record], None]) -> int | None:
    """Handle `record`. None if it is done, else the seconds before the next attempt."""
    try:
        handle(record)
    except RetryAfter as later:
        log.info("waiting", extra={"seconds": round(later.seconds, 1), "reason": str(later)})
        return min(_MAX_VISIBILITY, max(0, round(later.seconds + 0.5)))
    except Exception as error:  # noqa: BLE001  # after any error the record stays in the queue
        telemetry.count("RecordsFailed", error=error_code(error)[:64])
        log.error("record failed", extra={"record": record["messageId"], "error": describe(error)})
        return _backoff(received(record), error)
    return None


def _backoff(receives: int, error: Exception) -> int:
    """Seconds before the next attempt. A failure of AWS gets more time than a failure of the bot, whose author is
    waiting.

    SQS delivers a record a thousand times before it moves it to the dead-letter queue; with these delays that takes
    sixteen hours.
    """
    if isinstance(error, msgspec.ValidationError):
        return _DEPLOYMENT
    base = 4 if isinstance(error, AwsError) else 2
    return min(_MAX_BACKOFF, base ** min(receives, 10) - 1)


def describe(error: BaseException) -> str:
    """Type and place of `error`, without its message: that may hold a person's text. Of an AuthorError, the message."""
    if isinstance(error, AuthorError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else ""
    return f"{error_code(error)}{place}"


def hide(queue_url: str, record: Record, seconds: int) -> None:
    """Hide `record` for `seconds` from now on. Raises AwsError."""
    sqs().change_message_visibility(
        QueueUrl=queue_url, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=seconds
    )


def _hide(queue_url: str, record: Record, seconds: int) -> None:
    try:
        hide(queue_url, record, seconds)
    except AwsError as error:
        # The queue's own visibility timeout applies: the record comes later, and is not lost.
        log.warning("visibility not changed", extra={"record": record["messageId"], "error": error_code(error)})
