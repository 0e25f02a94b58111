"""Steps that are repeated in a thread while a handler runs."""

import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from types import TracebackType
from typing import Self

Step = Callable[[], float]
"""Does something, and returns the seconds until the next time. It raises nothing."""


class Repeating:
    """Repeats each of `steps` in a thread, during a `with` block. The seconds before a step are those until its first
    time. No step is under way after the block.
    """

    __slots__ = ("_ended", "_steps", "_thread")

    def __init__(self, *steps: tuple[float, Step]) -> None:
        self._steps = steps
        self._ended = threading.Event()
        self._thread = threading.Thread(target=copy_context().run, args=(self._run,), name="repeating", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        due = [time.monotonic() + first for first, _ in self._steps]
        while not self._ended.wait(max(0.0, min(due) - time.monotonic())):
            place = due.index(min(due))
            _, step = self._steps[place]
            due[place] = time.monotonic() + step()
