"""A clock that tests set."""

from dataclasses import dataclass


@dataclass
class Clock:
    """Seconds since the epoch."""

    now: float = 1_764_000_000.0

    def __call__(self) -> float:
        return self.now
