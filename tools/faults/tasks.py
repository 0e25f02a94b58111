"""Work that waits in the middle while the world goes on: a thread of its own, which runs only while whoever lets it go
on stands still. So there is never more than one at work, and the order is the world's.
"""

from collections.abc import Callable
from threading import Semaphore, Thread


class Task:
    """`work`, which may call `wait`."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._go, self._back = Semaphore(0), Semaphore(0)
        self._error: BaseException | None = None
        # A world that is given up leaves its waiting tasks behind: they may not keep the process from ending.
        self._thread = Thread(target=self._run, daemon=True)

    def resume(self) -> None:
        """Let it begin, or go on, until it waits or ends. Raises what it ends by."""
        if self._thread.ident is None:
            self._thread.start()
        else:
            self._go.release()
        self._back.acquire()
        if self._error is not None:
            raise self._error

    def wait(self) -> None:
        """Called by the work itself: stand still until somebody resumes it."""
        self._back.release()
        self._go.acquire()

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001  # it belongs to whoever let the work go on
            self._error = error
        finally:
            self._back.release()
