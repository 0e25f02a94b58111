"""What can go wrong at a call, and who decides it: a plan for one call, or dice for all of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random


class Crash(BaseException):
    """The process dies here. No `except Exception` sees it, as nothing sees a kill."""


class Fault(StrEnum):
    """What happens to one call."""

    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"
    STALL = "stall"
    """The worker stands still until everybody takes it for dead and has done its work; then it goes on."""
    LOST = "answer lost"
    """The call is carried out, and the connection breaks before the answer."""
    REFUSED = "refused"
    """DynamoDB, SQS: throttled. A platform: HTTP 500, nothing done."""
    HELD = "held"
    """A platform only: nothing done, and no answer in time."""
    LIMITED = "limited"
    """A platform only: too often."""
    EXPIRED = "token expired"
    """A platform only: it forgets the token that the call carries."""


AWS_FAULTS = (Fault.CRASH_BEFORE, Fault.CRASH_AFTER, Fault.STALL, Fault.LOST, Fault.REFUSED)
PLATFORM_FAULTS = (*AWS_FAULTS, Fault.HELD, Fault.LIMITED, Fault.EXPIRED)


@dataclass(frozen=True, slots=True)
class CallSite:
    """A call that is about to be made. `kind` is the AWS operation, or method and path; `stage` is the function."""

    kind: str
    stage: str
    platform: bool


@dataclass(slots=True)
class Plan:
    """One fault, at call number `at` from when the plan is armed; every call is counted while it is."""

    at: int = 0
    fault: Fault | None = None
    armed: bool = False
    calls: list[str] = field(default_factory=list[str])

    def decide(self, call: CallSite) -> Fault | None:
        """The fault of `call`; None if it succeeds."""
        if not self.armed:
            return None
        self.calls.append(call.kind)
        if len(self.calls) != self.at:
            return None
        if self.fault not in (PLATFORM_FAULTS if call.platform else AWS_FAULTS):
            return None
        return self.fault


Rates = Mapping[Fault, float]
USUAL: Rates = {
    Fault.CRASH_BEFORE: 0.01,
    Fault.CRASH_AFTER: 0.01,
    Fault.STALL: 0.001,
    Fault.LOST: 0.03,
    Fault.REFUSED: 0.03,
    Fault.HELD: 0.03,
    Fault.LIMITED: 0.03,
    Fault.EXPIRED: 0.02,
}


@dataclass(slots=True)
class Dice:
    """Faults at random, each kind with its own probability a call."""

    random: Random
    rates: Rates = field(default_factory=lambda: USUAL)
    armed: bool = True
    thrown: dict[Fault, int] = field(default_factory=dict[Fault, int])

    def decide(self, call: CallSite) -> Fault | None:
        """The fault of `call`; None if it succeeds."""
        if not self.armed:
            return None
        roll = self.random.random()
        for fault in PLATFORM_FAULTS if call.platform else AWS_FAULTS:
            roll -= self.rates.get(fault, 0)
            if roll < 0:
                self.thrown[fault] = self.thrown.get(fault, 0) + 1
                return fault
        return None


Decider = Plan | Dice
