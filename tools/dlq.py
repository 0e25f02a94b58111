"""Lists the messages in the dead-letter queues, sends them back, and deletes them.

    python -m tools.dlq list                         list all queues, with the reason and age of each message
    python -m tools.dlq show ID                      print one message with its journal entry
    python -m tools.dlq send ID                      send one message back to its queue
    python -m tools.dlq send-all --queue inbound     send all messages of one queue back
    python -m tools.dlq delete ID                    delete one message for ever: its sender gets no answer

The commands work on the local stack. With `--stack NAME` they work on that CloudFormation stack, with the credentials
and the region of the environment. A message that is sent back is handled once, however late. It follows the messages
that its conversation has sent meanwhile. Only `show` prints the texts of people.

The queue `incoming` has the AWS events that were not handed to the bot. They go back to the function `incoming`.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

import boto3

from parley.journal import table as t
from parley.journal.states import MessageState
from parley.journal.table import get_number, get_text, message_pk, reply_pk
from parley.model import message_key
from parley.model.codec import decode_message, decode_outgoing
from tools.dead_events import about_event, event_in, reason_of
from tools.local import running

NAMES = ("inbound", "outbound", "incoming")
_HIDDEN_FOR = 600
"""Seconds for which a message is hidden from other readers: longer than all of them take. It becomes visible again at
once when the reading ends."""
_POLL_SECONDS = 1
"""The seconds of long polling. Short polling can miss messages."""


class NotFoundError(Exception):
    """There is no such message or stack. The text says where the tool has looked."""


class QueuePair(NamedTuple):
    """The URLs of a queue and of its dead-letter queue. In the place of a queue, `incoming` has its function's name."""

    name: str
    queue: str
    dead: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """The clients, the table and the queues of a deployment."""

    sqs: Any
    lambda_: Any
    dynamodb: Any
    table: str
    queues: tuple[QueuePair, ...]
    s3: Any = None
    bucket: str = ""
    """The bucket with the media of clients; empty if there is none."""


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


def local() -> Deployment:
    """The local stack. Raises NotFoundError if none is running."""
    facts = running()
    if facts is None:
        raise NotFoundError("no local stack is running: start one with `make up`, or name a --stack")
    session = boto3.Session(
        aws_access_key_id=facts["account"], aws_secret_access_key=facts["account"], region_name=facts["region"]
    )
    urls = facts["queues"] | {"incoming": facts["functions"]["incoming"]}
    return Deployment(
        session.client("sqs", endpoint_url=facts["aws_endpoint"]),
        session.client("lambda", endpoint_url=facts["aws_endpoint"]),
        session.client("dynamodb", endpoint_url=facts["aws_endpoint"]),
        facts["table"],
        tuple(QueuePair(name, urls[name], urls[f"{name}_dead"]) for name in NAMES),
        session.client("s3", endpoint_url=facts["aws_endpoint"]),
        facts.get("bucket", ""),
    )


def deployed(stack: str) -> Deployment:
    """The CloudFormation stack `stack`."""
    [found] = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    outputs = {output.get("OutputKey", ""): output.get("OutputValue", "") for output in found.get("Outputs", [])}
    places = (outputs["InboundQueueUrl"], outputs["OutboundQueueUrl"], outputs["IncomingFunction"])
    return Deployment(
        boto3.client("sqs"),
        boto3.client("lambda"),
        boto3.client("dynamodb"),
        outputs["StateTable"],
        tuple(
            QueuePair(name, place, outputs[f"{name.title()}DeadLettersUrl"])
            for name, place in zip(NAMES, places, strict=True)
        ),
        boto3.client("s3"),
        outputs.get("MediaBucket", ""),
    )


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


def send_all(deployment: Deployment, queue: QueuePair) -> int:
    """Send all dead letters of `queue` back, each conversation in its order. Returns their number.

    A message that fails again while this works is not sent back a second time.
    """
    sent, began = 0, time.time()
    while True:
        before = sent
        for letter in dead_letters(deployment, queue):
            if letter.age >= time.time() - began:
                send_back(deployment, letter)
                sent += 1
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
    """The dead letter whose id begins with `id_`, hidden until the iteration ends. Raises NotFoundError."""
    for queue in queues:
        for letter in dead_letters(deployment, queue):
            if letter.id.startswith(id_) or letter.about.endswith(id_):
                yield letter
                return
    raise NotFoundError(f"no dead letter {id_!r} in {', '.join(queue.name for queue in queues)}")


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


# --- the command line -------------------------------------------------------------------------------------------------


def main(arguments: list[str]) -> int:
    """Run the command line. Returns the exit status: 1 if there is no such message or stack."""
    options = _parser().parse_args(arguments)
    commands = {"list": _list, "show": _show, "send": _send, "send-all": _send_all, "delete": _delete}
    try:
        deployment = deployed(options.stack) if options.stack else local()
        queues = tuple(queue for queue in deployment.queues if options.queue in (None, queue.name))
        commands[options.command](deployment, queues, options.id)
    except NotFoundError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.dlq", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["list", "show", "send", "send-all", "delete"], nargs="?", default="list")
    parser.add_argument("id", nargs="?", default="", help="the first characters of the id, or the platform's id")
    parser.add_argument("--queue", choices=NAMES)
    parser.add_argument("--stack", default="", help="name of a CloudFormation stack; without it, the local stack")
    return parser


def _list(deployment: Deployment, queues: tuple[QueuePair, ...], _id: str) -> None:
    wanted = "ApproximateNumberOfMessages"
    for queue in queues:
        attributes = deployment.sqs.get_queue_attributes(QueueUrl=queue.dead, AttributeNames=[wanted])["Attributes"]
        print(f"{queue.name}: {attributes[wanted]} dead letters")
        for letter in dead_letters(deployment, queue):
            print(f"  {letter.id[:8]}  {_age(letter.age):>8}  {letter.state:<10}  {letter.about}")
            print(f"      {letter.reason}")


def _show(deployment: Deployment, queues: tuple[QueuePair, ...], id_: str) -> None:
    for letter in find(deployment, queues, _required(id_)):
        shown = {
            "id": letter.id,
            "queue": letter.queue.name,
            "about": letter.about,
            "age": _age(letter.age),
            "state": letter.state,
            "attempts": letter.attempts,
            "reason": letter.reason,
            "body": _json(letter.body),
        }
        print(json.dumps(shown, ensure_ascii=False, indent=2))


def _send(deployment: Deployment, queues: tuple[QueuePair, ...], id_: str) -> None:
    for letter in find(deployment, queues, _required(id_)):
        send_back(deployment, letter)
        print(f"sent back to {letter.queue.name}: {letter.about}")


def _delete(deployment: Deployment, queues: tuple[QueuePair, ...], id_: str) -> None:
    for letter in find(deployment, queues, _required(id_)):
        delete(deployment, letter)
        print(f"deleted: {letter.about}")


def _send_all(deployment: Deployment, queues: tuple[QueuePair, ...], _id: str) -> None:
    for queue in queues:
        print(f"sent back to {queue.name}: {send_all(deployment, queue)}")


def _required(id_: str) -> str:
    if not id_:
        raise NotFoundError("the id is missing: take it from `list`")
    return id_


def _json(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body


def _age(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
