"""Records of an SQS FIFO batch, one after the other. A failing conversation is parked alone: its later records wait
with it, in order, and every other conversation goes on.
"""

import traceback
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from parley.engine import telemetry
from parley.engine.aws import AwsError, error_code, sqs
from parley.engine.telemetry import log
from parley.errors import RetryAfter

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

Record = Mapping[str, Any]
"""One record of an SQS event."""
_MAX_VISIBILITY = 43_200
_MAX_BACKOFF = 60
_DEPLOYMENT = 90
"""Seconds until a record is tried again that this version cannot read. A newer one may have written it, which is here
in five minutes (the canary's); before that, its attempts may not be used up."""


def received(record: Record) -> int:
    """How often SQS has handed out this record, this time included."""
    return int(record["attributes"].get("ApproximateReceiveCount", "1"))


def run(event: Mapping[str, Any], queue_url: str, handle: Callable[[Record], None]) -> dict[str, Any]:
    """Handle each record of `event`; the answer tells SQS which of them to hand out again."""
    blocked: dict[str, int] = {}
    failures: list[dict[str, str]] = []
    for record in event["Records"]:
        group = record["attributes"]["MessageGroupId"]
        if group not in blocked:
            wait = _attempt(record, handle)
            if wait is None:
                continue
            blocked[group] = wait
        # SQS frees a group only when all its records of the batch are visible again.
        _hide(sqs(), queue_url, record, blocked[group])
        failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}


def _attempt(record: Record, handle: Callable[[Record], None]) -> int | None:
    """Handle `record`. None if it is done, else the seconds after which to try again."""
    try:
        handle(record)
    except RetryAfter as later:
        log.info("waiting", extra={"seconds": round(later.seconds, 1), "reason": str(later)})
        return min(_MAX_VISIBILITY, max(0, round(later.seconds + 0.5)))
    except Exception as error:  # noqa: BLE001  # whatever it is, the record must stay in the queue
        telemetry.count("RecordsFailed", error=error_code(error)[:64])
        log.error("record failed", extra={"record": record["messageId"], "error": describe(error)})
        return _backoff(received(record), error)
    return None


def _backoff(receives: int, error: Exception) -> int:
    """Seconds until the next attempt. AWS gets more time than the bot, whose author waits for it. What AWS fails on is
    handed out a thousand times before SQS parks it, which takes sixteen hours.
    """
    if isinstance(error, msgspec.ValidationError):
        return _DEPLOYMENT
    base = 4 if isinstance(error, AwsError) else 2
    return min(_MAX_BACKOFF, base ** min(receives, 10) - 1)


def describe(error: BaseException) -> str:
    """Type and place of `error`. Not its words: they may hold what people wrote."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else ""
    return f"{error_code(error)}{place}"


def _hide(client: "SQSClient", queue_url: str, record: Record, seconds: int) -> None:
    try:
        client.change_message_visibility(
            QueueUrl=queue_url, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=seconds
        )
    except AwsError as error:
        # The queue's own visibility timeout applies then: later, but not lost.
        log.warning("visibility not changed", extra={"record": record["messageId"], "error": error_code(error)})
