"""Faults of a simulated platform: calls that fail on request."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from playground.platforms.exchange import Request

KINDS = ("http_500", "timeout", "limited", "forbidden", "token_expired", "drop_response")
"""The kinds of faults.

`http_500`: responds 500, does nothing else. `timeout`: does nothing, not even respond. `limited`: responds that the
rate limit is exceeded, does nothing else. `forbidden`: responds that the app lacks the permission, does nothing else.
`token_expired`: revokes the token of the call, then handles the call.
`drop_response`: carries the call out, and breaks the connection before the response.
"""


@dataclass(slots=True)
class Fault:
    """One fault: it hits the next `times` calls, or each call with probability `rate` in an order fixed by `seed`."""

    kind: str
    times: int | None = None
    rate: float | None = None
    seed: int = 0
    path: str = ""
    """Only calls whose path contains this."""
    method: str = ""
    hits: int = 0
    _random: Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._random = Random(self.seed)

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> "Fault":
        """The fault that `spec` describes. Raises ValueError; the text says what is wrong."""
        kind, times, rate = spec.get("kind"), spec.get("times"), spec.get("rate")
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
        if times is not None and rate is not None:
            raise ValueError("give times or rate, not both")
        if times is None and rate is None:
            times = 1
        if times is not None and (not isinstance(times, int) or isinstance(times, bool) or times < 1):
            raise ValueError(f"times must be a whole number from 1, not {times!r}")
        if rate is not None and (not isinstance(rate, int | float) or not 0 < rate <= 1):
            raise ValueError(f"rate must be above 0 and at most 1, not {rate!r}")
        seed = spec.get("seed", 0)
        if isinstance(seed, int):
            return cls(kind, times, rate, seed, str(spec.get("path") or ""), str(spec.get("method") or "").upper())
        raise ValueError(f"seed must be a whole number, not {seed!r}")

    def hit(self, request: Request, has_token: bool) -> bool:
        """Whether this call fails, counted. A call that this fault does not concern uses up neither `times` nor the
        random numbers."""
        if self.kind == "token_expired" and not has_token:
            return False
        if self.path not in request.path or (self.method and self.method != request.method):
            return False
        hit = self._random.random() < self.rate if self.rate is not None else self.hits < (self.times or 0)
        self.hits += hit
        return hit

    @property
    def used_up(self) -> bool:
        """Whether it can hit no further call."""
        return self.times is not None and self.hits >= self.times

    def to_json(self) -> dict[str, Any]:
        """The fault in the control API."""
        value: dict[str, Any] = {"kind": self.kind, "hits": self.hits}
        value |= {"times": self.times} if self.rate is None else {"rate": self.rate, "seed": self.seed}
        return value | {name: found for name in ("path", "method") if (found := getattr(self, name))}


@dataclass(slots=True)
class Faults:
    """The faults of one platform, in the order in which they were added."""

    _faults: list[Fault] = field(default_factory=list[Fault])

    def add(self, fault: Fault) -> None:
        """Add a fault."""
        self._faults.append(fault)

    def clear(self) -> None:
        """Remove all faults."""
        self._faults.clear()

    def pick(self, request: Request, has_token: bool) -> str | None:
        """The kind of the first fault that hits this call; None if none does."""
        kind = next((fault.kind for fault in self._faults if fault.hit(request, has_token)), None)
        self._faults = [fault for fault in self._faults if not fault.used_up]
        return kind

    def to_json(self) -> list[dict[str, Any]]:
        """The faults that can still hit a call, in the control API."""
        return [fault.to_json() for fault in self._faults]
