"""Requests of clients before anything is queued: their rate limits, and idempotency keys that are used again.

Each check is one write. A request that is refused leaves no message.
"""

import time
from collections.abc import Callable

import msgspec

from parley.adapter import Accepted, Rejected
from parley.engine.aws import dynamodb, setting
from parley.engine.rate_limiter import RateLimiter
from parley.errors import RetryAfter
from parley.journal.posted import claim


class Admission(msgspec.Struct):
    """Checks the requests to one platform. `keep_for`: seconds for which the key of a message is known."""

    limiter: RateLimiter
    keep_for: float
    clock: Callable[[], float] = time.time

    def refuse(self, accepted: Accepted) -> Rejected | None:
        """The rejection of a request; None if it may go on. Raises AwsError."""
        try:
            self.limiter.wait(accepted.limits)
        except RetryAfter as limited:
            return Rejected(429, "too_many", "the client makes too many requests", retry_after=limited.seconds)
        if not accepted.fingerprint:
            return None
        client, table, ttl = self.limiter.client, self.limiter.table, int(self.clock() + self.keep_for)
        if all(claim(client, table, message, accepted.fingerprint, ttl) for message in accepted.messages):
            return None
        return Rejected(422, "key_reused", "the idempotency key was used for another request")


def admission(clock: Callable[[], float] = time.time) -> Admission:
    """The checks of this process."""
    keep_for = float(setting("RETENTION_DAYS", "30")) * 86_400
    return Admission(RateLimiter(dynamodb(), setting("TABLE"), clock), keep_for, clock)
