"""The dead-letter queues: what lies there and why, and back with it.

    python -m tools.dlq list                         what lies in both queues, with reason and age
    python -m tools.dlq show ID                      one of them whole, with what the journal knows
    python -m tools.dlq send ID                      one back to where it came from
    python -m tools.dlq send-all --queue inbound     all of one queue

Without options on the local stack; with `--stack NAME` on the CloudFormation stack of that name, with the credentials
and the region of the environment. A message that is sent back is handled once, however late: the journal knows it. It
stands behind what its conversation has said meanwhile. Texts are shown by `show` alone.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import boto3

from parley.journal.table import get_number, get_text, message_pk, reply_pk
from parley.model import message_key
from parley.model.codec import decode_message, decode_outgoing

NAMES = ("inbound", "outbound")
_HELD = 20
"""Seconds for which a message that is looked at is hidden from others; it is let go at once afterwards."""

_PATIENCE = 1
"""Seconds to wait for letters: a look that does not wait may miss some."""


class NotFound(Exception):
    """There is nothing under that name. The message says where it was looked for."""


class Pair(NamedTuple):
    """A queue and its dead letters, by URL."""

    name: str
    queue: str
    dead: str


@dataclass(frozen=True, slots=True)
class Place:
    """A deployment: its clients, its table, its queues."""

    sqs: Any
    dynamodb: Any
    table: str
    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Letter:
    """A message in a dead-letter queue, with what the journal knows of it. `age`: seconds since it was first sent."""

    pair: Pair
    id: str
    receipt: str
    body: str
    group: str
    receives: int
    age: float
    about: str
    """Platform, app and the platform's id of the message, or the id of the reply."""
    state: str
    reason: str


def local() -> Place:
    """The local stack. Raises NotFound where none runs."""
    file = Path(os.environ.get("PARLEY_LOCAL_DIR", ".local")) / "stack.json"
    try:
        facts: dict[str, Any] = json.loads(file.read_text())
    except FileNotFoundError as error:
        raise NotFound(f"no local stack runs here ({file}): make up") from error
    session = boto3.Session(
        aws_access_key_id=facts["account"], aws_secret_access_key=facts["account"], region_name=facts["region"]
    )
    queues = facts["queues"]
    return Place(
        session.client("sqs", endpoint_url=facts["aws_endpoint"]),
        session.client("dynamodb", endpoint_url=facts["aws_endpoint"]),
        facts["table"],
        tuple(Pair(name, queues[name], queues[f"{name}_dead"]) for name in NAMES),
    )


def deployed(stack: str) -> Place:
    """The CloudFormation stack `stack`."""
    [found] = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    outputs = {output.get("OutputKey", ""): output.get("OutputValue", "") for output in found.get("Outputs", [])}
    pairs = ((name, f"{name.title()}QueueUrl", f"{name.title()}DeadLettersUrl") for name in NAMES)
    return Place(
        boto3.client("sqs"),
        boto3.client("dynamodb"),
        outputs["StateTable"],
        tuple(Pair(name, outputs[queue], outputs[dead]) for name, queue, dead in pairs),
    )


def letters(place: Place, pair: Pair) -> Iterator[Letter]:
    """What lies in the dead letters of `pair`; each is hidden from others until the iteration ends.

    Of one conversation the first ten at the most: what is behind them comes when they are gone.
    """
    seen: dict[str, str] = {}
    try:
        while True:
            found = place.sqs.receive_message(
                QueueUrl=pair.dead,
                MaxNumberOfMessages=10,
                AttributeNames=["All"],
                VisibilityTimeout=_HELD,
                WaitTimeSeconds=_PATIENCE,
            ).get("Messages", [])
            new = [message for message in found if message["MessageId"] not in seen]
            if not new:
                return
            for message in new:
                seen[message["MessageId"]] = message["ReceiptHandle"]
                yield _letter(place, pair, message)
    finally:
        for receipt in seen.values():
            _let_go(place, pair, receipt)


def send_back(place: Place, letter: Letter) -> None:
    """Put `letter` back into its queue, and then take it out of the dead letters: dying in between, it is in both,
    which the journal absorbs.
    """
    place.sqs.send_message(
        QueueUrl=letter.pair.queue,
        MessageBody=letter.body,
        MessageGroupId=letter.group,
        # Not the id it had: within five minutes SQS would drop it. The same for the same letter: twice is once.
        MessageDeduplicationId=f"back-{letter.id}",
    )
    place.sqs.delete_message(QueueUrl=letter.pair.dead, ReceiptHandle=letter.receipt)


def send_all(place: Place, pair: Pair) -> int:
    """Send all dead letters of `pair` back, each conversation in its order; how many that were."""
    sent = 0
    while True:
        before = sent
        for letter in letters(place, pair):
            send_back(place, letter)
            sent += 1
        if sent == before:
            return sent


def find(place: Place, pairs: tuple[Pair, ...], id_: str) -> Iterator[Letter]:
    """The letter whose id begins with `id_`, held until the iteration ends. Raises NotFound."""
    for pair in pairs:
        for letter in letters(place, pair):
            if letter.id.startswith(id_) or letter.about.endswith(id_):
                yield letter
                return
    raise NotFound(f"no dead letter {id_!r} in {', '.join(pair.name for pair in pairs)}")


def _letter(place: Place, pair: Pair, message: dict[str, Any]) -> Letter:
    attributes = message["Attributes"]
    about, key = _about(pair, message["Body"])
    row = place.dynamodb.get_item(TableName=place.table, Key={"pk": {"S": key}}).get("Item", {}) if key else {}
    attempts = get_number(row, "attempts")
    return Letter(
        pair=pair,
        id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        body=message["Body"],
        group=attributes["MessageGroupId"],
        receives=int(attempts or 0),
        age=time.time() - int(attributes["SentTimestamp"]) / 1000,
        about=about,
        state=get_text(row, "state") or "not in the journal",
        reason=get_text(row, "reason") or "the worker died or ran out of time" if key else "not readable",
    )


def _about(pair: Pair, body: str) -> tuple[str, str]:
    """What a message is about, and the key of its row; no key where it cannot be read."""
    try:
        if pair.name == "inbound":
            message = decode_message(body)
            return f"{message.platform}/{message.app} {message.id}", message_pk(message_key(message))
        out = decode_outgoing(body)
    except ValueError:
        return "?", ""
    return f"{out.to.platform}/{out.to.app} {out.id}", reply_pk(out.id)


def _let_go(place: Place, pair: Pair, receipt: str) -> None:
    try:
        place.sqs.change_message_visibility(QueueUrl=pair.dead, ReceiptHandle=receipt, VisibilityTimeout=0)
    except place.sqs.exceptions.ClientError:
        return  # sent back, or visible again by itself


# --- the command line -------------------------------------------------------------------------------------------------


def main(arguments: list[str]) -> int:
    """Do what the command line says; status 1 where it cannot be done."""
    options = _parser().parse_args(arguments)
    try:
        place = deployed(options.stack) if options.stack else local()
        pairs = tuple(pair for pair in place.pairs if options.queue in (None, pair.name))
        return {"list": _list, "show": _show, "send": _send, "send-all": _send_all}[options.command](
            place, pairs, options.id
        )
    except NotFound as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.dlq", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["list", "show", "send", "send-all"], nargs="?", default="list")
    parser.add_argument("id", nargs="?", default="", help="how it begins, as `list` shows it; or the platform's own id")
    parser.add_argument("--queue", choices=NAMES)
    parser.add_argument("--stack", default="", help="name of a CloudFormation stack instead of the local one")
    return parser


def _list(place: Place, pairs: tuple[Pair, ...], _id: str) -> int:
    for pair in pairs:
        attributes = place.sqs.get_queue_attributes(QueueUrl=pair.dead, AttributeNames=["ApproximateNumberOfMessages"])
        print(f"{pair.name}: {attributes['Attributes']['ApproximateNumberOfMessages']} dead letters")
        for letter in letters(place, pair):
            print(
                f"  {letter.id[:8]}  {_age(letter.age):>8}  {letter.state:<10}  {letter.about}\n      {letter.reason}"
            )
    return 0


def _show(place: Place, pairs: tuple[Pair, ...], id_: str) -> int:
    for letter in find(place, pairs, _required(id_)):
        shown = {
            "id": letter.id,
            "queue": letter.pair.name,
            "about": letter.about,
            "age": _age(letter.age),
            "state": letter.state,
            "attempts": letter.receives,
            "reason": letter.reason,
            "body": _json(letter.body),
        }
        print(json.dumps(shown, ensure_ascii=False, indent=2))
    return 0


def _send(place: Place, pairs: tuple[Pair, ...], id_: str) -> int:
    for letter in find(place, pairs, _required(id_)):
        send_back(place, letter)
        print(f"sent back to {letter.pair.name}: {letter.about}")
    return 0


def _send_all(place: Place, pairs: tuple[Pair, ...], _id: str) -> int:
    for pair in pairs:
        print(f"sent back to {pair.name}: {send_all(place, pair)}")
    return 0


def _required(id_: str) -> str:
    if not id_:
        raise NotFound("which one? give its id as `list` shows it")
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
