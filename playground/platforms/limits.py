"""Rate limits and idempotency keys as a platform keeps them: exact, in memory."""

from collections import deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

Value = TypeVar("Value")


class Rule(NamedTuple):
    """At most `limit` requests in any `period` seconds under `key`."""

    key: Hashable
    limit: int
    period: float


@dataclass(slots=True)
class Windows:
    """Sliding windows. A refused request does not count."""

    _seen: dict[tuple[Hashable, float], deque[float]] = field(
        default_factory=dict[tuple[Hashable, float], "deque[float]"]
    )

    def take(self, rules: Sequence[Rule], now: float) -> tuple[Rule, float] | None:
        """Count one request under all `rules`; or, if one of them is used up, count nothing and return it with the
        seconds until it has room."""
        windows = [self._window(rule, now) for rule in rules]
        for rule, window in zip(rules, windows, strict=True):
            if len(window) >= rule.limit:
                return rule, window[0] + rule.period - now
        for window in windows:
            window.append(now)
        return None

    def _window(self, rule: Rule, now: float) -> "deque[float]":
        window = self._seen.setdefault((rule.key, rule.period), deque())
        while window and window[0] + rule.period <= now:
            window.popleft()
        return window


@dataclass(slots=True)
class Once(Generic[Value]):
    """What was done under an idempotency key, for `seconds` after it was done."""

    seconds: float
    _done: dict[Hashable, tuple[float, Value]] = field(default_factory=dict[Hashable, "tuple[float, Value]"])

    def get(self, key: Hashable, now: float) -> Value | None:
        """What was done under `key`, if that still counts."""
        at, value = self._done.get(key, (0.0, None))
        return value if value is not None and now < at + self.seconds else None

    def put(self, key: Hashable, value: Value, now: float) -> None:
        """Remember that `value` was done under `key`."""
        self._done[key] = (now, value)
