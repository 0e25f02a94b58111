"""Rate limits and idempotency keys of a simulated platform: exact, in memory."""

from collections import deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

Value = TypeVar("Value")


class RateLimit(NamedTuple):
    """At most `limit` requests in any `period` seconds under `key`."""

    key: Hashable
    limit: int
    period: float


@dataclass(slots=True)
class SlidingWindows:
    """Counts requests in sliding windows. A rejected request does not count."""

    _times: dict[tuple[Hashable, float], deque[float]] = field(
        default_factory=dict[tuple[Hashable, float], "deque[float]"]
    )

    def acquire(self, limits: Sequence[RateLimit], now: float) -> tuple[RateLimit, float] | None:
        """Count one request under all `limits`. If one of them is used up, count nothing and return that limit with the
        seconds until it has room."""
        for limit in limits:
            used, wait = self.usage(limit, now)
            if used >= limit.limit:
                return limit, wait
        for limit in limits:
            self._window(limit, now).append(now)
        return None

    def usage(self, limit: RateLimit, now: float) -> tuple[int, float]:
        """The requests that count now, and the seconds until the oldest of them no longer counts (the whole period if
        there are none)."""
        window = self._window(limit, now)
        return len(window), window[0] + limit.period - now if window else limit.period

    def _window(self, limit: RateLimit, now: float) -> "deque[float]":
        window = self._times.setdefault((limit.key, limit.period), deque())
        while window and window[0] + limit.period <= now:
            window.popleft()
        return window


@dataclass(slots=True)
class IdempotencyKeys(Generic[Value]):
    """The results of requests by their idempotency keys, for `seconds` after each request."""

    seconds: float
    _results: dict[Hashable, tuple[float, Value]] = field(default_factory=dict[Hashable, "tuple[float, Value]"])

    def get(self, key: Hashable, now: float) -> Value | None:
        """The result under `key`; None if there is none or it has expired."""
        at, value = self._results.get(key, (0.0, None))
        return value if value is not None and now < at + self.seconds else None

    def put(self, key: Hashable, value: Value, now: float) -> None:
        """Store the result under `key`."""
        self._results[key] = (now, value)
