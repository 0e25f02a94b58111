"""Rate limits, and what answers tell about them."""

from typing import NamedTuple


class Bucket(NamedTuple):
    """At most `limit` calls in any `period` seconds, counted over all instances under `key`."""

    key: str
    limit: int
    period: float
    burst: int | None = None
    """At most so many at once: a second, shorter limit of the platform in the same bucket. None: a twentieth."""


class Pause(NamedTuple):
    """An answer has told that `bucket` is empty: no call draws from it for `seconds`, on any instance."""

    bucket: Bucket
    seconds: float


class BreakerFailure(NamedTuple):
    """An answer of the kind that a platform bans for in numbers: it draws one from `bucket`, and where that is empty,
    `pauses` are paused until it is not, and for `silence` seconds at least.

    Each instance that waits for its turn makes one more such call when the pause is over: the silence is what keeps
    many instances from making many of them a second.
    """

    bucket: Bucket
    pauses: tuple[Bucket, ...]
    silence: float = 60
