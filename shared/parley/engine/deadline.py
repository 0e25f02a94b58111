"""A deadline for code that is not ours: it ends by an exception where it stands, before Lambda ends the process."""

import math
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType


class DeadlineExceededError(BaseException):
    """The time is over. The message says where the code stood; no `except Exception` on the way stops it."""


@contextmanager
def deadline(seconds: float) -> Generator[None]:
    """Raise DeadlineExceededError in what runs within after so many `seconds`; at once where there are none left.

    By a signal, which Python gives to the main thread alone: that is where Lambda calls handlers. Elsewhere there is no
    deadline, and code in C that never returns to Python is not interrupted either.
    """
    if seconds == math.inf or threading.current_thread() is not threading.main_thread():
        yield
        return
    armed = True

    def ring(_number: int, frame: FrameType | None) -> None:
        if armed:  # else it rang while being switched off
            raise DeadlineExceededError(_place(frame))

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
    try:
        yield
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _place(frame: FrameType | None) -> str:
    return f"{frame.f_code.co_filename.rsplit('/', 1)[-1]}:{frame.f_lineno}" if frame else "an unknown place"
