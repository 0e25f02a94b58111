"""Reads what the charts show from the local stack: the metric lines of the logs, and the queues' attributes."""

import threading
import time
from typing import Any

from playground.charts import QUEUES, SECONDS, STEP, Levels, samples, view
from playground.logs import events_of
from playground.stack import Stack, reading

_COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed")


class Charts:
    """The charts of one stack. Nothing is read or kept before the first page asks."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._levels = Levels()
        self._lock = threading.Lock()

    def now(self) -> dict[str, Any]:
        """The charts of the last minutes (`charts.view`). Raises StackUnavailableError."""
        with self._lock:
            now = time.time()
            levels = self._levels.add(self._depths(), now)
            groups = self._stack.describe().get("log_groups", {}).values()
            found = [
                sample
                for group in groups
                for event in events_of(self._stack, group, now - SECONDS - STEP)
                for sample in samples(event["message"])
            ]
            return view(found, levels, now)

    def _depths(self) -> dict[str, int]:
        urls = self._stack.describe().get("queues", {})
        return {name: self._depth(urls[name]) for name in QUEUES if name in urls}

    def _depth(self, url: str) -> int:
        with reading("the queues"):
            answer = self._stack.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=list(_COUNTS))
        return sum(int(answer.get("Attributes", {}).get(name, 0)) for name in _COUNTS)
