"""The queue of one instance, by which deliverers say that a conversation has a new reply.

Row `gateway#http#tcp#<instance>` says until when the instance is alive, and row `gateway#http#tcp#instances` names all
that may have a queue. The queue of one that has died is deleted by another instance. A notice that is lost or repeated
does no harm: the mailbox has the replies.
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
_INSTANCES = "instances"
"""In place of the id of an instance, for the row with all of them."""
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
        """Create the queue. The rows come first: no other instance takes the queue for a leftover, and each queue is
        known, also if this instance dies at once.
        """
        now = time.time()
        self.renew(now)
        self._list("ADD", self._id, now)
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
        now = time.time()
        self._list("DELETE", self._id, now)
        self._client.update_item(
            **t.update(self._table, self._pk(self._id), "REMOVE #lock_until SET #ttl = :ttl", ttl=int(now))
        )

    def clean(self, now: float) -> int:
        """Delete the queues of instances that have died. Returns how many."""
        known = t.get_texts(t.get(self._client, self._table, self._pk(_INSTANCES)), "instances")
        dead = [id_ for id_ in sorted(known - {self._id}) if self._is_dead(id_, now)]
        for id_ in dead:
            self._delete_queue_of(id_)
            self._list("DELETE", id_, now)
        return len(dead)

    def _is_dead(self, id_: str, now: float) -> bool:
        return (t.get_number(t.get(self._client, self._table, self._pk(id_)), "lock_until") or 0) < now

    def _delete_queue_of(self, id_: str) -> None:
        try:
            url = self._sqs.get_queue_url(QueueName=f"{self._prefix}{id_}")["QueueUrl"]
            self._sqs.delete_queue(QueueUrl=url)
        except AwsError as error:
            if error_code(error) not in NO_QUEUE:
                raise

    def _list(self, change: str, id_: str, now: float) -> None:
        """Add an instance to those that may have a queue, or remove it."""
        request = t.update(
            self._table,
            self._pk(_INSTANCES),
            f"SET #ttl = :ttl {change} #instances :instance",
            instance={id_},
            ttl=int(now) + _KEPT,
        )
        self._client.update_item(**request)

    def listen(self, notify: Callable[[Notice], object], missed: Callable[[], object]) -> bool:
        """Call `notify` for each notice, until `end` is called, and `missed` after a time in which notices can be lost.
        It is for a thread of its own, and never raises.

        Returns True if the queue is gone: another instance has taken this one for dead.
        """
        has_failed = False
        while not self._ended.is_set():
            try:
                self._receive(notify)
                if has_failed:
                    has_failed = False
                    missed()
            except AwsError as error:
                has_failed = True
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
