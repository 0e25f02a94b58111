"""Discord's rate limits. Facts: Discord docs, Rate Limits. The windows of this simulation are sliding."""

from dataclasses import dataclass, field

from playground.platforms.digests import stable_hex
from playground.platforms.discord.errors import rate_limited
from playground.platforms.limits import RateLimit, SlidingWindows

PER_ROUTE, ROUTE_SECONDS = 5, 5.0
PER_BOT = 50
"""Calls of one bot in a second, of all routes together."""
BAN_AT, BAN_SECONDS = 10_000, 600.0
"""Invalid requests in ten minutes after which all calls are blocked."""
_INVALID = RateLimit("invalid requests", BAN_AT, BAN_SECONDS)


@dataclass(slots=True)
class RateLimits:
    """Counts calls and rejections."""

    windows: SlidingWindows = field(default_factory=SlidingWindows)

    def count_call(self, bot: str, route: tuple[str, str], now: float) -> dict[str, str]:
        """Count one call. Returns the headers with the number of remaining calls. `bot` is empty for calls without a
        bot token: they do not count for the bot. Raises DiscordError."""
        if bot and (full := self.windows.acquire([RateLimit(bot, PER_BOT, 1)], now)):
            raise rate_limited(full[1], everywhere=True, scope="global")
        limit = RateLimit(route, PER_ROUTE, ROUTE_SECONDS)
        if full := self.windows.acquire([limit], now):
            error = rate_limited(full[1])
            error.headers |= self._headers(limit, route[0], now)
            raise error
        return self._headers(limit, route[0], now)

    def _headers(self, limit: RateLimit, route: str, now: float) -> dict[str, str]:
        used, wait = self.windows.usage(limit, now)
        return {
            "x-ratelimit-limit": str(PER_ROUTE),
            "x-ratelimit-remaining": str(PER_ROUTE - used),
            "x-ratelimit-reset": f"{now + wait:.3f}",
            "x-ratelimit-reset-after": f"{wait:.3f}",
            "x-ratelimit-bucket": stable_hex(route),
        }

    def count_response(self, status: int, scope: str, now: float) -> None:
        """Count a response if it counts towards the ban: 401, 403, and 429 unless the limit is shared."""
        if status in (401, 403) or (status == 429 and scope != "shared"):
            self.windows.acquire([_INVALID], now)

    def is_banned(self, now: float) -> bool:
        """Whether all calls are blocked."""
        return self.windows.usage(_INVALID, now)[0] >= BAN_AT
