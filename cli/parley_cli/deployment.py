"""The queues, the table and the bucket of a deployment, with their clients."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from parley_cli.place import Place

QUEUES = ("inbound", "outbound", "incoming")
"""The queues that have a dead-letter queue. `incoming` has the AWS events that were not handed to the bot."""


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


def of(place: Place) -> Deployment:
    """The deployment at `place`."""
    return Deployment(
        place.client("sqs"),
        place.client("lambda"),
        place.client("dynamodb"),
        place.table,
        _queues(place),
        place.client("s3"),
        _bucket(place),
    )


def _queues(place: Place) -> tuple[QueuePair, ...]:
    if place.is_local:
        urls = place.facts["queues"] | {"incoming": place.facts["functions"]["incoming"]}
        return tuple(QueuePair(name, urls[name], urls[f"{name}_dead"]) for name in QUEUES)
    queues = map(place.output, ("InboundQueueUrl", "OutboundQueueUrl", "IncomingFunction"))
    return tuple(
        QueuePair(name, queue, place.output(f"{name.title()}DeadLettersUrl"))
        for name, queue in zip(QUEUES, queues, strict=True)
    )


def _bucket(place: Place) -> str:
    return place.facts.get("bucket", "") if place.is_local else place.outputs.get("MediaBucket", "")
