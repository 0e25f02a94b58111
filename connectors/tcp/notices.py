"""The queue of one instance, by which deliverers say that a conversation has a new reply.

Row `gateway#http#tcp#<instance>` says until when the instance is alive. The queue of one that has died is deleted by
another instance. A notice that is lost or repeated does no harm: the mailbox has the replies.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import boto3
import msgspec
from botocore.config import Config

from parley.engine.aws import AwsError, error_code
from parley.engine.notices import NO_QUEUE
from parley.engine.telemetry import log
from parley.journal import table as t
from parley.journal.table import gateway_pk
from parley.untrusted import decode_json, mapping, text

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_sqs import SQSClient

LIFE, RENEW = 60.0, 20.0
"""Seconds until an instance counts as dead, and between two renewals."""
_POLL = 10
"""Seconds that a request for notices waits."""
_KEPT = 86_400
_PAUSE = 1.0


class Notice(msgspec.Struct, frozen=True):
    """Something has happened in a conversation: a new reply, or the bot works on one."""

    conversation: str
    is_typing: bool = False


class Notices:
    """The queue of the instance `id_` of this stage. The methods are blocking, and raise AwsError."""

    def __init__(self, client: "DynamoDBClient", table: str, stage: str, id_: str, sqs: "SQSClient") -> None:
        self._client, self._table, self._id, self._sqs = client, table, id_, sqs
        self._prefix = f"{stage}-parley-tcp-"
        self.name = f"{self._prefix}{id_}"
        """The name of the queue, which stands in the addresses of watchers."""
        self._url = ""
        self._ended = threading.Event()

    def begin(self) -> None:
        """Create the queue. The row comes first, so that no other instance takes the queue for a leftover."""
        self.renew(time.time())
        attributes: Any = {"MessageRetentionPeriod": "60", "VisibilityTimeout": "30"}
        tags = {"parley:connector": "tcp"}
        self._url = self._sqs.create_queue(QueueName=self.name, Attributes=attributes, tags=tags)["QueueUrl"]

    def renew(self, now: float) -> None:
        """Say that this instance is alive."""
        change = "SET #lock_until = :until, #ttl = :ttl"
        request = t.update(self._table, self._pk(self._id), change, until=now + LIFE, ttl=int(now) + _KEPT)
        self._client.update_item(**request)

    def end(self) -> None:
        """Delete the queue and the row."""
        self._ended.set()
        if self._url:
            self._sqs.delete_queue(QueueUrl=self._url)
        self._client.delete_item(TableName=self._table, Key=t.key(self._pk(self._id)))

    def clean(self, now: float) -> int:
        """Delete the queues of instances that have died. Returns how many."""
        found = 0
        for url in self._sqs.list_queues(QueueNamePrefix=self._prefix).get("QueueUrls", []):
            id_ = url.rpartition("/")[2].removeprefix(self._prefix)
            row = t.get(self._client, self._table, self._pk(id_))
            if id_ != self._id and (t.get_number(row, "lock_until") or 0) < now:
                self._sqs.delete_queue(QueueUrl=url)
                found += 1
        return found

    def listen(self, notify: Callable[[Notice], object]) -> bool:
        """Call `notify` for each notice, until `end` is called. It is for a thread of its own, and never raises.

        Returns True if the queue is gone: another instance has taken this one for dead.
        """
        while not self._ended.is_set():
            try:
                self._receive(notify)
            except AwsError as error:
                code = error_code(error)
                if not self._ended.is_set():
                    log.warning("no notices", extra={"queue": self.name, "error": code})
                    if code in NO_QUEUE:
                        return True
                    self._ended.wait(_PAUSE)
        return False

    def _receive(self, notify: Callable[[Notice], object]) -> None:
        received = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=_POLL)
        messages = received.get("Messages", [])
        for message in messages:
            if notice := _notice(message.get("Body", "")):
                notify(notice)
        entries: Any = [
            {"Id": str(number), "ReceiptHandle": message.get("ReceiptHandle", "")}
            for number, message in enumerate(messages)
        ]
        if entries:
            self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)

    def _pk(self, id_: str) -> str:
        return gateway_pk("http", "tcp", id_)


def _notice(body: str) -> Notice | None:
    """The notice in a message of the queue; None if it is none."""
    with suppress(ValueError):
        found = mapping(decode_json(body.encode()))
        if conversation := text(found.get("conversation")):
            return Notice(conversation, found.get("number") is None)
    return None


def polling() -> "SQSClient":
    """A client of SQS that waits for the answer to a long poll."""
    config = Config(connect_timeout=2, read_timeout=_POLL + 10, retries={"total_max_attempts": 3, "mode": "standard"})
    return boto3.client("sqs", config=config)  # pyright: ignore[reportUnknownMemberType]
