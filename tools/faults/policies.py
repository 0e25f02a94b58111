"""The faults that a call can have, and the policies that choose them: planned for chosen calls, or at random."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Protocol


class Crash(BaseException):
    """The process is killed here. `except Exception` does not catch it, just as code cannot catch SIGKILL."""


class Fault(StrEnum):
    """How one call fails."""

    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"
    STALL = "stall"
    """The process pauses before the call until its lease has expired and another process has done its work. Then it
    continues."""
    RESPONSE_LOST = "response lost"
    """The call is carried out, and the connection breaks before the response arrives."""
    ERROR = "error"
    """Nothing is done. DynamoDB and SQS throttle the request; a platform answers with HTTP 500."""
    TIMEOUT = "timeout"
    """Platforms only: nothing is done, and no response arrives."""
    RATE_LIMITED = "rate limited"
    """Platforms only: the call exceeds a rate limit."""
    TOKEN_EXPIRED = "token expired"  # noqa: S105
    """Platforms only: the platform revokes the token that the call carries."""


AWS_FAULTS = (Fault.CRASH_BEFORE, Fault.CRASH_AFTER, Fault.STALL, Fault.RESPONSE_LOST, Fault.ERROR)
PLATFORM_FAULTS = (*AWS_FAULTS, Fault.TIMEOUT, Fault.RATE_LIMITED, Fault.TOKEN_EXPIRED)


@dataclass(frozen=True, slots=True)
class CallSite:
    """A call that is about to be made. `kind` is the AWS operation, or method and path; `stage` is the function that
    makes it.
    """

    kind: str
    stage: str
    platform: bool

    @property
    def possible(self) -> tuple[Fault, ...]:
        """The faults that this call can have."""
        return PLATFORM_FAULTS if self.platform else AWS_FAULTS


@dataclass(slots=True)
class FaultPlan:
    """Faults by the number of the call, from 1. Calls are counted and recorded while the plan is armed."""

    faults: Mapping[int, Fault] = field(default_factory=dict[int, Fault])
    armed: bool = False
    calls: list[str] = field(default_factory=list[str])

    def decide(self, call: CallSite) -> Fault | None:
        """The fault of `call`; None if it succeeds."""
        if not self.armed:
            return None
        self.calls.append(call.kind)
        fault = self.faults.get(len(self.calls))
        return fault if fault in call.possible else None


Rates = Mapping[Fault, float]
"""The probability of each fault, for each call."""
DEFAULT_RATES: Rates = {
    Fault.CRASH_BEFORE: 0.01,
    Fault.CRASH_AFTER: 0.01,
    Fault.STALL: 0.001,
    Fault.RESPONSE_LOST: 0.03,
    Fault.ERROR: 0.03,
    Fault.TIMEOUT: 0.03,
    Fault.RATE_LIMITED: 0.03,
    Fault.TOKEN_EXPIRED: 0.02,
}


@dataclass(slots=True)
class RandomFaults:
    """Faults at random while armed. `injected` counts them."""

    random: Random
    rates: Rates = field(default_factory=lambda: DEFAULT_RATES)
    armed: bool = True
    injected: dict[Fault, int] = field(default_factory=dict[Fault, int])

    def decide(self, call: CallSite) -> Fault | None:
        """The fault of `call`; None if it succeeds."""
        if not self.armed:
            return None
        drawn = self.random.random()
        for fault in call.possible:
            drawn -= self.rates.get(fault, 0)
            if drawn < 0:
                self.injected[fault] = self.injected.get(fault, 0) + 1
                return fault
        return None


class Policy(Protocol):
    """Chooses the fault of each call."""

    def decide(self, call: CallSite) -> Fault | None:
        """The fault of `call`; None if it succeeds."""
        ...
