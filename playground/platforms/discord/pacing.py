"""How many calls Discord takes. Facts: Discord docs, Rate Limits. Windows are sliding here."""

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field

from playground.platforms.base import stable_hex
from playground.platforms.discord.errors import too_often
from playground.platforms.limits import Rule, Windows

PER_ROUTE, ROUTE_SECONDS = 5, 5.0
PER_BOT = 50
"""Calls of one bot in a second, all routes together."""
BAN_AT, BAN_SECONDS = 10_000, 600.0
"""Invalid requests in ten minutes that shut the door."""


@dataclass(slots=True)
class Pace:
    """Counts calls and refusals, and tells of them in headers."""

    windows: Windows = field(default_factory=Windows)
    invalid: deque[float] = field(default_factory=deque)
    used: dict[Hashable, deque[float]] = field(default_factory=dict[Hashable, "deque[float]"])

    def take(self, bot: str, route: tuple[str, str], now: float) -> dict[str, str]:
        """Count one call: the headers that tell how many are left. `bot` is empty where no bot's token is needed, for
        such calls do not count for the bot. Raises Refused.
        """
        if bot and (full := self.windows.take([Rule(bot, PER_BOT, 1)], now)):
            raise too_often(full[1], everywhere=True, scope="global")
        used = self.used.setdefault(route, deque())
        while used and used[0] + ROUTE_SECONDS <= now:
            used.popleft()
        if len(used) >= PER_ROUTE:
            refused = too_often(used[0] + ROUTE_SECONDS - now)
            refused.headers |= self._headers(route, used, now)
            raise refused
        used.append(now)
        return self._headers(route, used, now)

    def _headers(self, route: tuple[str, str], used: "deque[float]", now: float) -> dict[str, str]:
        after = used[0] + ROUTE_SECONDS - now if used else ROUTE_SECONDS
        return {
            "x-ratelimit-limit": str(PER_ROUTE),
            "x-ratelimit-remaining": str(PER_ROUTE - len(used)),
            "x-ratelimit-reset": f"{now + after:.3f}",
            "x-ratelimit-reset-after": f"{after:.3f}",
            "x-ratelimit-bucket": stable_hex(route[0]),
        }

    def refused(self, status: int, scope: str, now: float) -> None:
        """Count an answer that counts towards the ban."""
        if status in (401, 403) or (status == 429 and scope != "shared"):
            self.invalid.append(now)

    def banned(self, now: float) -> bool:
        """Whether there were so many that nothing is answered any more."""
        while self.invalid and self.invalid[0] + BAN_SECONDS <= now:
            self.invalid.popleft()
        return len(self.invalid) >= BAN_AT
