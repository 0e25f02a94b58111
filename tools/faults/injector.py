"""Fault injection: before each call of the code under test, a policy decides whether that call fails, and how."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tools.faults.ledger import Ledger
from tools.faults.policies import CallSite, Crash, Fault, Policy
from tools.faults.tasks import Task

TIMEOUTS = {
    "callback": 10.0,
    "processor": 40.0,
    "deliverer": 20.0,
    "sweeper": 90.0,
    "incoming": 15.0,
    "socket": 29.0,
    "oauth": 29.0,
}
"""Seconds after which Lambda ends an invocation, by function; those of template.yaml."""
_CERTAIN = (Fault.RATE_LIMITED, Fault.TOKEN_EXPIRED)
"""Faults with a known outcome: the call was not carried out."""


@dataclass(slots=True)
class Execution:
    """The function invocation that runs now.

    `delivery` is the id of the message if the function is a callback, and `reply` is the id of the reply that a
    deliverer works on. `task` is set if the invocation can wait. `started` is the unix second of its beginning, and
    `timeout` the seconds after which Lambda ends it; those of its function by default.
    """

    stage: str = "sweeper"
    delivery: str = ""
    reply: str = ""
    task: Task | None = None
    started: float | None = None
    timeout: float | None = None

    @property
    def ends(self) -> float:
        """The unix second at which Lambda ends it."""
        return (self.started or 0) + (self.timeout or TIMEOUTS[self.stage])


class FaultInjector:
    """Applies the faults that `policy` chooses, and records in `ledger` which replies and deliveries they hit.

    `stall` lets the simulation go on while the current process is paused. It raises Crash if Lambda ends the process.
    """

    def __init__(
        self, policy: Policy, ledger: Ledger, clock: Callable[[], float], stall: Callable[[Execution], None]
    ) -> None:
        self._clock = clock
        self.policy = policy
        self.ledger = ledger
        self.current = Execution()
        self.last_fault: Fault | None = None
        """The fault of the last call to a platform."""
        self._stall = stall

    @contextmanager
    def executing(self, execution: Execution) -> Iterator[None]:
        """Attribute the calls inside the context to `execution`."""
        if execution.started is None:
            execution.started = self._clock()
        outer, self.current = self.current, execution
        try:
            yield
        finally:
            self.current = outer

    def before(self, kind: str, *, platform: bool = False) -> Fault | None:
        """Decide the fault of a call that is about to be carried out; None if it succeeds. Raises Crash."""
        fault = self.policy.decide(CallSite(kind, self.current.stage, platform=platform))
        if platform:
            self.last_fault = fault
        if fault is None:
            return None
        if self.current.reply and fault not in _CERTAIN:
            self.ledger.uncertain.add(self.current.reply)
        if self.current.delivery:
            self.ledger.disrupted.add(self.current.delivery)
        if fault is Fault.CRASH_BEFORE:
            raise Crash(kind)
        if fault is Fault.STALL:
            self._stall(self.current)
            return None
        return fault

    def after(self, fault: Fault) -> None:
        """Finish a call with `fault` that was carried out. Raises Crash."""
        if fault is Fault.CRASH_AFTER:
            raise Crash
