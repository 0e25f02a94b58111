"""Virtual time: a clock that moves only when a scheduler moves it, and the events that wait for their moment."""

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush

START = 1_800_000_000.0
"""The unix time at which every world begins."""


@dataclass(slots=True)
class Clock:
    """A virtual clock, in unix seconds."""

    now: float = START

    def __call__(self) -> float:
        """The current time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Move the clock forward by `seconds`."""
        self.now += max(0.0, seconds)


@dataclass(slots=True)
class Scheduler:
    """Runs actions at their moments, in the order of their times and then of their registration."""

    clock: Clock = field(default_factory=Clock)
    _events: list[tuple[float, int, Callable[[], None]]] = field(
        default_factory=list[tuple[float, int, Callable[[], None]]]
    )
    _count: int = 0

    def at(self, when: float, action: Callable[[], None]) -> None:
        """Run `action` at the unix time `when`."""
        self._count += 1
        heappush(self._events, (when, self._count, action))

    def run_due(self) -> None:
        """Run all actions whose time has come."""
        while self._events and self._events[0][0] <= self.clock():
            heappop(self._events)[2]()

    def next_time(self) -> float | None:
        """The time of the next action; None if there is none."""
        return self._events[0][0] if self._events else None
