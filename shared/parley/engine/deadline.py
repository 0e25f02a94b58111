"""A deadline for the bot's code: an exception ends it before Lambda ends the process."""

import math
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

_AGAIN = 1.0
"""Seconds until the exception is raised again."""


class DeadlineExceededError(BaseException):
    """The deadline has passed. `except Exception` does not catch it."""


@contextmanager
def deadline(seconds: float) -> Generator[None]:
    """Raise DeadlineExceededError in the `with` block after `seconds`; at once if that is not positive.

    The block gets a second for its end, then the exception is raised again: asyncio waits for threads, and swallows an
    exception that is raised in a callback.

    It uses a signal, which Python delivers to the main thread only. Lambda calls handlers there. In other threads there
    is no deadline, and C code that does not return to Python is not interrupted.
    """
    if seconds == math.inf or threading.current_thread() is not threading.main_thread():
        yield
        return
    armed = True

    def ring(_number: int, _frame: FrameType | None) -> None:
        if armed:  # a signal may arrive while it is being switched off
            raise DeadlineExceededError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001), _AGAIN)
    try:
        yield
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
