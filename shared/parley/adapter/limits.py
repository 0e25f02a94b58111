"""Rate limits, and the feedback about them in a platform's answers."""

from typing import NamedTuple


class Limit(NamedTuple):
    """At most `calls` calls in any `period` seconds."""

    calls: int
    period: float


class Bucket(NamedTuple):
    """Calls that are counted together, over all instances, under `key`: at most `limit` in any `period` seconds.

    `longer` is the platform's second limit for the same calls, over a longer period. Both hold.
    """

    key: str
    limit: int
    period: float
    longer: Limit | None = None

    @property
    def limits(self) -> tuple[Limit, ...]:
        """The limits that hold for the bucket, the shortest period first."""
        first = Limit(self.limit, self.period)
        return (first,) if self.longer is None else (first, self.longer)


class Pause(NamedTuple):
    """The platform reports that `bucket` is empty: no instance draws from it for `seconds`."""

    bucket: Bucket
    seconds: float


class BreakerFailure(NamedTuple):
    """A failure that a circuit breaker counts, because the platform bans clients for many of them.

    It draws one from `bucket`. If `bucket` is empty, the breaker opens: `pauses` are paused until `bucket` has one
    again, and for `open_for` seconds at least. Each waiting instance makes one call when the pause ends; the minimum
    keeps many instances from making many such calls a second.
    """

    bucket: Bucket
    pauses: tuple[Bucket, ...]
    open_for: float = 60
