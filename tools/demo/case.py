"""A case of the demo: what is sent, the expected outcome, and the function that carries it out."""

from collections.abc import Callable
from dataclasses import dataclass

from tools.demo.client import PlatformClient


@dataclass(frozen=True)
class Outcome:
    """The observation of a case, in the form of `Case.expected`, and the seconds that it took."""

    text: str
    seconds: float


@dataclass(frozen=True)
class Case:
    """One case. It passes if the text of its outcome equals `expected`."""

    sent: str
    expected: str
    run: Callable[[PlatformClient], Outcome]


@dataclass(frozen=True)
class Result:
    """The result of a case. `ms` is None if the case failed with an exception."""

    case: Case
    got: str
    ms: float | None

    @property
    def ok(self) -> bool:
        """Whether the case has passed."""
        return self.got == self.case.expected
