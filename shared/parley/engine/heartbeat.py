"""The heartbeat of a worker: its record is hidden from other workers while it lives, and visible soon after its end."""

import time
from collections.abc import Callable

from parley.engine.aws import AwsError, error_code
from parley.engine.telemetry import log

HIDDEN = 45
"""Seconds for which a beat hides the record: the longest time until the death of a worker is noticed."""
INTERVAL = 15.0
"""Seconds between two beats. Two of them may fail."""
_AGAIN = 5.0
"""Seconds after which a failed beat is repeated."""


class Heartbeat:
    """Hides a record for HIDDEN seconds, again and again: `beat` is a step of `parley.engine.repeating`.

    `hide` gets the seconds, and raises AwsError. The queue has hidden the record for longer than HIDDEN: the first
    beat, at once, shortens that time. The clock is that of the day: a monotonic one may stand still while the machine
    does.
    """

    __slots__ = ("_clock", "_hidden_until", "_hide")

    def __init__(self, hide: Callable[[int], None], clock: Callable[[], float] = time.time) -> None:
        self._hide = hide
        self._clock = clock
        self._hidden_until = float("inf")

    @property
    def is_late(self) -> bool:
        """Whether the record may be visible again: the process stood still, or the beats have failed for too long.
        Another worker may be at the message.
        """
        return self._clock() >= self._hidden_until

    def beat(self) -> float:
        """Hide the record again, unless it is too late. Returns the seconds until the next beat."""
        now = self._clock()
        if now >= self._hidden_until:
            return INTERVAL
        # If the answer is lost, the record may be hidden for this long only.
        self._hidden_until = min(self._hidden_until, now + HIDDEN)
        try:
            self._hide(HIDDEN)
        except AwsError as error:
            log.warning("heartbeat failed", extra={"error": error_code(error)})
            return _AGAIN
        self._hidden_until = now + HIDDEN
        return INTERVAL
