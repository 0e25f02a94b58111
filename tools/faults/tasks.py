"""Tasks: work that can wait while the simulation goes on.

A task is a thread that runs only while the thread that resumed it is blocked. So only one thread runs at any time, and
the simulation alone decides the order.
"""

from collections.abc import Callable
from threading import Semaphore, Thread


class Task:
    """A suspendable call of `work`, which calls `suspend` in order to wait."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._resumed, self._suspended = Semaphore(0), Semaphore(0)
        self._error: BaseException | None = None
        # A daemon: tasks that still wait when a simulation is dropped must not keep the process alive.
        self._thread = Thread(target=self._run, daemon=True)

    def resume(self) -> None:
        """Run the task until it suspends itself or ends. Raises the exception that ended it."""
        if self._thread.ident is None:
            self._thread.start()
        else:
            self._resumed.release()
        self._suspended.acquire()
        if self._error is not None:
            raise self._error

    def suspend(self) -> None:
        """Wait until the task is resumed. Only the task itself calls this."""
        self._suspended.release()
        self._resumed.acquire()

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001  # raised again by `resume`
            self._error = error
        finally:
            self._suspended.release()
