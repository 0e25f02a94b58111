"""Logs and metrics. Logs hold ids and reasons, never texts or credentials. Metrics have few, bounded dimensions.

Each metric has the dimension `service`, which names the stage and the function: `prod-deliverer`. So two stages in one
account do not mix. `MessageTime` alone has one service for the whole stage. The service of a callback function names
the platform, so its metrics have no dimension for it.
"""

import logging
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from parley.model import Conversation, Message, Outgoing, message_key

log = Logger()
"""The JSON logger of this process. Its service name comes from the environment."""
_EXEMPLARS = frozenset(
    {"MessageTime", "BotTime", "HandlerErrors", "RepliesFailed", "RepliesUnknown", "RepliesDeferred", "RecordsFailed"}
)
"""The metrics whose lines name the message: as a property, which CloudWatch does not bill, and not as a dimension."""
_about: ContextVar[dict[str, str] | None] = ContextVar("about", default=None)


@contextmanager
def about(ids: Mapping[str, str]) -> Generator[None]:
    """Every line of this thread's log in a `with` block has `ids`, and what `tell` adds, unless it has its own."""
    token = _about.set({**(_about.get() or {}), **ids})
    try:
        yield
    finally:
        _about.reset(token)


def tell(ids: Mapping[str, str]) -> None:
    """Add `ids` to the lines until the end of the `with` block of `about`. Without one, nothing happens."""
    told = _about.get()
    if told is not None:
        told.update(ids)


def _add_ids(record: logging.LogRecord) -> bool:
    for name, value in (_about.get() or {}).items():
        if value:
            record.__dict__.setdefault(name, value)
    return True


log.addFilter(_add_ids)


def count(name: str, value: float = 1, **dimensions: str) -> None:
    """Add `value` to the metric `name`: to its total, which the alarms watch, and to its series by `dimensions`.

    CloudWatch bills each combination of values as a metric of its own. docs/cost.md counts them.
    """
    _emit(name, MetricUnit.Count, value, dimensions)


def duration(name: str, seconds: float, **dimensions: str) -> None:
    """Record a duration under the metric `name`, in milliseconds."""
    _emit(name, MetricUnit.Milliseconds, max(0.0, seconds * 1000), dimensions)


def message_time(seconds: float, platform: str) -> None:
    """Record how long a person has waited for the platform to take the reply, without the bot's own time.

    The service is `STAGE-messages` in every function: so the percentile is that of all messages.
    """
    _emit("MessageTime", MetricUnit.Milliseconds, max(0.0, seconds * 1000), {"platform": platform}, _of_messages())


def ids_of(message: Message) -> dict[str, str]:
    """The ids of `message` for a log line. `key` is in the lines about its replies too; `conversation` in all of one
    conversation.
    """
    return {
        "platform": message.platform,
        "app": message.app,
        "message_id": message.id,
        "key": message_key(message),
        "conversation": Conversation.of(message).key,
    }


def ids_of_reply(out: Outgoing) -> dict[str, str]:
    """The ids of a reply for a log line. `key` is that of the message which it answers."""
    return {
        "platform": out.to.platform,
        "app": out.to.app,
        "reply_id": out.id,
        "key": out.message_key,
        "conversation": out.to.key,
    }


def _of_messages() -> str:
    return f"{os.environ.get('PARLEY_STAGE', 'dev')}-messages"


def _emit(name: str, unit: MetricUnit, value: float, dimensions: dict[str, str], service: str = "") -> None:
    metrics = EphemeralMetrics(service=service or None)
    metrics.add_metric(name=name, unit=unit, value=value)
    if dimensions:
        # Powertools makes a second set of these. Its first one is `service` alone.
        service = service or os.environ.get("POWERTOOLS_SERVICE_NAME", "service_undefined")
        metrics.add_dimensions(service=service, **dimensions)
    key = (_about.get() or {}).get("key") if name in _EXEMPLARS else None
    if key:
        metrics.add_metadata("key", key)
    metrics.flush_metrics()
