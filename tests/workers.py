"""Many workers with one table and one platform, in virtual time."""

from collections.abc import Callable

from parley.adapter import Answer, Call
from parley.engine.http import Http
from tools.faults.scheduler import Scheduler
from tools.faults.tasks import Task

WORKERS = 1_000


class Workers:
    """They begin at the time `now`. `calls`: the names of the calls of the platform."""

    def __init__(self, now: float) -> None:
        self.scheduler = Scheduler()
        self.scheduler.clock.now = now
        self.calls: list[str] = []
        self._current: Task | None = None

    def run(self, work: Callable[[], None], count: int = WORKERS) -> None:
        """Let so many workers begin `work` within a second, and wait for the end of all."""
        now = self.scheduler.clock()
        for number in range(count):
            task = Task(work)
            self.scheduler.at(now + number / count, lambda task=task: self._resume(task))
        while (following := self.scheduler.next_time()) is not None:
            self.scheduler.clock.now = max(self.scheduler.clock(), following)
            self.scheduler.run_due()

    def sleep(self, seconds: float) -> None:
        """Let the current worker wait."""
        task = self._current
        assert task is not None
        self.scheduler.at(self.scheduler.clock() + seconds, lambda: self._resume(task))
        task.suspend()

    def _resume(self, task: Task) -> None:
        self._current = task
        task.resume()


class SlowHttp(Http, kw_only=True):
    """Each call of the platform takes a second."""

    workers: Workers

    def perform(self, call: Call, token: str = "") -> Answer:
        self.workers.calls.append(call.name)
        self.workers.sleep(1)
        return Http.perform(self, call, token)
