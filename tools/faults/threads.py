"""Threads of a process, in virtual time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from parley.engine.repeating import Step


class VirtualThreads:
    """Repeats steps as `parley.engine.repeating` does: when the simulation lets time pass in a handler."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._due: dict[Step, float] = {}

    @contextmanager
    def repeat(self, *steps: tuple[float, Step]) -> Iterator[None]:
        """Repeat each of `steps` inside the context. The seconds before a step are those until its first time."""
        self._due = {step: self._clock() + first for first, step in steps}
        self.run_due()
        try:
            yield
        finally:
            self._due.clear()

    def next_time(self) -> float:
        """The unix second of the next step; infinite if there is none."""
        return min(self._due.values(), default=float("inf"))

    def run_due(self) -> None:
        """Do all steps whose time has come."""
        for step in [step for step, due in self._due.items() if due <= self._clock()]:
            self._due[step] = self._clock() + step()
