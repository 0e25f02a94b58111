"""Whether a person wants a run to stop: `/stop` reaches it past the queue."""

from collections.abc import Callable

from parley.engine import telemetry
from parley.engine.aws import AwsError, dynamodb, error_code, setting
from parley.engine.telemetry import log
from parley.journal.runs import Runs
from parley.model import Message

FIRST = 3.0
"""Seconds after which a run begins to look for a stop. A shorter run costs no request."""
INTERVAL = 2.0
"""Seconds between two looks."""


class Stops:
    """Looks for a stop, again and again: `look` is a step of `parley.engine.repeating`.

    `go_on` records that the run goes on. It returns False if the run has to stop, and raises AwsError.
    """

    __slots__ = ("_go_on", "is_stopped")

    def __init__(self, go_on: Callable[[], bool]) -> None:
        self._go_on = go_on
        self.is_stopped = False

    def look(self) -> float:
        """Look, unless the run has to stop already. Returns the seconds until the next look."""
        if not self.is_stopped:
            try:
                self.is_stopped = not self._go_on()
            except AwsError as error:
                log.warning("no look for a stop", extra={"error": error_code(error)})
        return INTERVAL


def request_stop(message: Message, now: float) -> None:
    """Stop what runs in the conversation of `message`, past the queue. If that fails, the message itself is stored, and
    the person is told that nothing was stopped.
    """
    try:
        Runs(dynamodb(), setting("TABLE")).stop(message, now)
    except AwsError as error:
        log.warning("not stopped", extra={**telemetry.ids_of(message), "error": error_code(error)})
