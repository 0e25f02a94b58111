"""The messages in the dead-letter queues: reading them, sending them back, deleting them.

A message that is sent back is handled once, however late. It follows the messages that its conversation has sent
meanwhile. The queue `incoming` has the AWS events that were not handed to the bot. They go back to the function
`incoming`.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from parley.journal import table as t
from parley.journal.states import MessageState
from parley.journal.table import get_number, get_text, message_pk, reply_pk
from parley.model import message_key
from parley.model.codec import decode_message, decode_outgoing
from parley_cli.dead_events import about_event, event_in, reason_of
from parley_cli.deployment import Deployment, QueuePair
from parley_cli.problems import Problem

_HIDDEN_FOR = 600
"""Seconds for which a message is hidden from other readers: longer than all of them take. It becomes visible again at
once when the reading ends."""
_POLL_SECONDS = 1
"""The seconds of long polling. Short polling can miss messages."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message in a dead-letter queue, with its journal entry. `age`: seconds since the message was first sent."""

    queue: QueuePair
    id: str
    receipt: str
    body: str
    group: str
    attempts: int
    age: float
    about: str
    """Platform and app, and the platform's id of the message or the id of the reply."""
    state: str
    reason: str


def dead_letters(deployment: Deployment, queue: QueuePair) -> Iterator[DeadLetter]:
    """The messages in the dead-letter queue of `queue`. They are hidden from other readers until the iteration ends.

    It yields at most ten messages of one conversation: SQS delivers the others after these are deleted.
    """
    seen: dict[str, str] = {}
    try:
        while True:
            found = deployment.sqs.receive_message(
                QueueUrl=queue.dead,
                MaxNumberOfMessages=10,
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
                VisibilityTimeout=_HIDDEN_FOR,
                WaitTimeSeconds=_POLL_SECONDS,
            ).get("Messages", [])
            if not found:
                return
            new = [message for message in found if message["MessageId"] not in seen]
            seen |= {message["MessageId"]: message["ReceiptHandle"] for message in found}
            for message in new:
                yield _dead_letter(deployment, queue, message)
    finally:
        for receipt in seen.values():
            _make_visible(deployment, queue, receipt)


def send_back(deployment: Deployment, letter: DeadLetter) -> None:
    """Send `letter` to its queue or function, and then delete it from the dead-letter queue.

    After a crash between the two it is in both places. That is harmless: the journal deduplicates it.
    """
    if letter.queue.name == "incoming":
        event, function = event_in(letter.body), letter.queue.queue
        deployment.lambda_.invoke(FunctionName=function, Qualifier="live", InvocationType="Event", Payload=event)
    else:
        deployment.sqs.send_message(
            QueueUrl=letter.queue.queue,
            MessageBody=letter.body,
            MessageGroupId=letter.group,
            # Not the original id: SQS would drop the message within five minutes. A second try has the same id again.
            MessageDeduplicationId=f"back-{letter.id}",
        )
    deployment.sqs.delete_message(QueueUrl=letter.queue.dead, ReceiptHandle=letter.receipt)


def send_all(deployment: Deployment, queue: QueuePair, sent_one: Callable[[], None] = lambda: None) -> int:
    """Send all dead letters of `queue` back, each conversation in its order. Returns their number.

    A message that fails again while this works is not sent back a second time. `sent_one` is called after each message.
    """
    sent, began = 0, time.time()
    while True:
        before = sent
        for letter in dead_letters(deployment, queue):
            if letter.age >= time.time() - began:
                send_back(deployment, letter)
                sent += 1
                sent_one()
        if sent == before:
            return sent


def delete(deployment: Deployment, letter: DeadLetter) -> None:
    """Delete `letter`, and what the journal holds of its handling. A message without a decision has no answer then."""
    _, key = _identify(letter.queue, letter.body)
    if letter.queue.name == "inbound" and key:
        undecided = t.delete(deployment.table, key, "#state = :received", received=MessageState.RECEIVED)
        with suppress(deployment.dynamodb.exceptions.ConditionalCheckFailedException):
            deployment.dynamodb.delete_item(**undecided)
    deployment.sqs.delete_message(QueueUrl=letter.queue.dead, ReceiptHandle=letter.receipt)


def find(deployment: Deployment, queues: tuple[QueuePair, ...], id_: str) -> Iterator[DeadLetter]:
    """The dead letter whose id begins with `id_`, or which is about the message `id_`. It is hidden until the iteration
    ends. Raises Problem.
    """
    if not id_:
        raise Problem("The id is missing.", "Take it from `parley dlq list`.")
    for queue in queues:
        for letter in dead_letters(deployment, queue):
            if letter.id.startswith(id_) or letter.about.endswith(id_):
                yield letter
                return
    raise Problem(
        f"No dead letter {id_!r} in {', '.join(queue.name for queue in queues)}.", "`parley dlq list` shows them all."
    )


def _dead_letter(deployment: Deployment, queue: QueuePair, message: dict[str, Any]) -> DeadLetter:
    attributes = message["Attributes"]
    about, key = _identify(queue, message["Body"])
    row = (
        deployment.dynamodb.get_item(TableName=deployment.table, Key={"pk": {"S": key}}).get("Item", {}) if key else {}
    )
    reason = get_text(row, "reason") or "the function crashed or timed out" if key else "not readable"
    return DeadLetter(
        queue=queue,
        id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        body=message["Body"],
        group=attributes.get("MessageGroupId", ""),
        attempts=int(get_number(row, "attempts") or 0),
        age=time.time() - int(attributes["SentTimestamp"]) / 1000,
        about=about,
        state=get_text(row, "state") or "not in the journal",
        reason=reason_of(message) if queue.name == "incoming" else reason,
    )


def _identify(queue: QueuePair, body: str) -> tuple[str, str]:
    """The `about` of a message and the key of its row in the journal. The key is empty if `body` is not readable."""
    if queue.name == "incoming":
        return about_event(body), ""
    try:
        if queue.name == "inbound":
            message = decode_message(body)
            return f"{message.platform}/{message.app} {message.id}", message_pk(message_key(message))
        out = decode_outgoing(body)
    except ValueError:
        return "?", ""
    return f"{out.to.platform}/{out.to.app} {out.id}", reply_pk(out.id)


def _make_visible(deployment: Deployment, queue: QueuePair, receipt: str) -> None:
    try:
        deployment.sqs.change_message_visibility(QueueUrl=queue.dead, ReceiptHandle=receipt, VisibilityTimeout=0)
    except deployment.sqs.exceptions.ClientError:
        return  # it was sent back, or it is visible again
