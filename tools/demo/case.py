"""One row of the demo: what is sent, what must come of it, and the function that tries."""

from collections.abc import Callable
from dataclasses import dataclass

from tools.demo.world import World


@dataclass(frozen=True)
class Seen:
    """What came of it, in the words that `Case.expected` uses, and how long it took."""

    words: str
    seconds: float


@dataclass(frozen=True)
class Case:
    """`run` does it in `world` and tells what it saw; it is ok if that is `expected`, word for word."""

    sent: str
    expected: str
    run: Callable[[World], Seen]


@dataclass(frozen=True)
class Result:
    """A case that was run. `ms` None: it took until the patience ended."""

    case: Case
    got: str
    ms: float | None

    @property
    def ok(self) -> bool:
        """Whether that was expected."""
        return self.got == self.case.expected
