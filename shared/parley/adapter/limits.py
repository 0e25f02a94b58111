"""Rate limits, and the feedback about them in a platform's answers."""

from typing import NamedTuple


class Bucket(NamedTuple):
    """At most `limit` calls in any `period` seconds, counted over all instances under `key`."""

    key: str
    limit: int
    period: float
    burst: int | None = None
    """Calls at once, if the platform has a second, shorter limit for the same calls. None: a twentieth of `limit`."""


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
