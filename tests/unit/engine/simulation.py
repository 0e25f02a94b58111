"""Concurrent workers on a simulated clock. Each worker is a thread. One thread at a time runs, until it sleeps."""

import threading
from collections.abc import Callable
from heapq import heappop, heappush

START = 1_800_000_000.0
Worker = Callable[[], None]


class Simulation:
    """Runs workers until `end`, with its own `clock` and `sleep`. The worker that wakes first runs first."""

    def __init__(self, seconds: float) -> None:
        self.now = START
        self.end = START + seconds
        self._waking: list[tuple[float, int, threading.Event]] = []
        self._number = 0
        self._idle = threading.Event()
        self._failed: list[BaseException] = []

    def clock(self) -> float:
        """The simulated time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let other workers run for `seconds`. Raises Over at the end of the simulation."""
        wake_up = threading.Event()
        self._queue(self.now + max(0.0, seconds), wake_up)
        self._idle.set()
        wake_up.wait()
        if self.now >= self.end:
            raise Over

    def run(self, workers: list[Worker]) -> None:
        """Run `workers` to the end. Raises the first exception of a worker."""
        threads = [threading.Thread(target=self._work, args=(worker,)) for worker in workers]
        for thread in threads:
            self._idle.clear()
            thread.start()
            self._idle.wait()
        while self._waking:
            at, _, event = heappop(self._waking)
            self.now = max(self.now, at)
            self._idle.clear()
            event.set()
            self._idle.wait()
        for thread in threads:
            thread.join()
        if self._failed:
            raise self._failed[0]

    def _work(self, worker: Worker) -> None:
        try:
            self.sleep(0)
            worker()
        except Over:
            pass
        except BaseException as error:  # noqa: BLE001
            self._failed.append(error)
        finally:
            self._idle.set()

    def _queue(self, at: float, event: threading.Event) -> None:
        self._number += 1
        heappush(self._waking, (at, self._number, event))


class Over(Exception):
    """The simulation is over."""
