"""The commands for the dead-letter queues: list, show, send back, delete. Only `show` prints the texts of people."""

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer

from parley_cli import dead_letters, deployment
from parley_cli.command import Run, command
from parley_cli.dead_letters import DeadLetter
from parley_cli.deployment import QUEUES, Deployment, QueuePair
from parley_cli.problems import Problem

group = typer.Typer(
    help="Messages that failed too often: list them, send them back, delete them.", no_args_is_help=True
)

_QUEUE = Annotated[str, typer.Option(help=f"One queue only: {', '.join(QUEUES)}.")]
_ID = Annotated[str, typer.Argument(metavar="ID", help="The first characters of the id, or the platform's id.")]
_COUNT = "ApproximateNumberOfMessages"


@command(group, "list")
def list_(run: Run, queue: _QUEUE = "") -> None:
    """List all queues, with the reason and the age of each message."""
    found, queues = _queues(run, queue)
    values: list[dict[str, Any]] = []
    lines: list[str] = []
    for each in queues:
        attributes = found.sqs.get_queue_attributes(QueueUrl=each.dead, AttributeNames=[_COUNT])["Attributes"]
        lines.append(f"{each.name}: {attributes[_COUNT]} dead letters")
        for letter in dead_letters.dead_letters(found, each):
            values.append(_value(letter))
            lines.append(f"  {letter.id[:8]}  {_age(letter.age):>8}  {letter.state:<10}  {letter.about}")
            lines.append(f"      {letter.reason}")
    run.show(values, lines)


@command(group)
def show(run: Run, id_: _ID, queue: _QUEUE = "") -> None:
    """Print one message with its journal entry. It contains what people have written."""
    for letter in dead_letters.find(*_queues(run, queue), id_):
        value = _value(letter) | {"age": _age(letter.age), "body": _json(letter.body)}
        run.show(value, [json.dumps(value, ensure_ascii=False, indent=2)])


@command(group)
def send(run: Run, id_: _ID, queue: _QUEUE = "") -> None:
    """Send one message back to its queue. It is handled once, however late."""
    found, queues = _queues(run, queue)
    for letter in dead_letters.find(found, queues, id_):
        dead_letters.send_back(found, letter)
        run.show(_value(letter), [f"sent back to {letter.queue.name}: {letter.about}"])


@command(group)
def send_all(run: Run, queue: _QUEUE = "") -> None:
    """Send all messages back, each conversation in its order."""
    found, queues = _queues(run, queue)
    sent: dict[str, int] = {}
    with run.progress.status("sending") as status:
        number = 0

        def count() -> None:
            nonlocal number
            number += 1
            status.update(f"sent back: {number}")

        for each in queues:
            sent[each.name] = dead_letters.send_all(found, each, count)
    run.show(sent, [f"sent back to {name}: {number}" for name, number in sent.items()])


@command(group)
def delete(run: Run, id_: _ID, queue: _QUEUE = "") -> None:
    """Delete one message for ever: its sender gets no answer."""
    found, queues = _queues(run, queue)
    for letter in dead_letters.find(found, queues, id_):
        dead_letters.delete(found, letter)
        run.show(_value(letter), [f"deleted: {letter.about}"])


def _queues(run: Run, queue: str) -> tuple[Deployment, tuple[QueuePair, ...]]:
    if queue and queue not in QUEUES:
        raise Problem(f"There is no queue {queue!r}.", f"The queues are {', '.join(QUEUES)}.")
    found = deployment.of(run.place)
    return found, tuple(each for each in found.queues if queue in ("", each.name))


def _value(letter: DeadLetter) -> dict[str, Any]:
    """`letter` for programs, without the text."""
    value = asdict(letter)
    for name in ("receipt", "body", "group"):
        del value[name]
    return value | {"queue": letter.queue.name}


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
