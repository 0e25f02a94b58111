"""The calls of Discord's API that a session needs: the address of the Gateway, the limit of identifies, channels, and
roles.

Discord docs: Gateway › Get Gateway Bot, Session Start Limit, Sharding; Channel › Get Channel.
"""

from collections.abc import Mapping
from typing import Any, Self, cast

import httpx
import msgspec

from parley.errors import ParleyError
from parley.platforms.discord.config import Config
from parley.platforms.discord.gateway import parent_of
from parley.platforms.discord.servers import bot_role
from parley.untrusted import decode_json, integer, mapping, text

_LOW, _RESERVE = 100, 20
"""Identifies that are left in the day, of a thousand: an alarm, and the last ones, which are for an operator. Past the
limit, Discord ends all sessions and resets the token of the bot."""
_TIMEOUT = httpx.Timeout(10, connect=5)
_PAUSE = 5.0
"""Seconds before another call if Discord does not say when."""
_NO_CHANNEL = (403, 404)


class ApiUnavailableError(ParleyError):
    """Discord's API gives no answer that can be used. Try again in `seconds`."""

    def __init__(self, reason: str, seconds: float = _PAUSE) -> None:
        super().__init__(reason)
        self.seconds = seconds


class TokenRefusedError(ParleyError):
    """The bot token is wrong."""


class Limit(msgspec.Struct, frozen=True):
    """Whether a session may identify. `wait`: seconds until then. `is_low`: few identifies are left in the day."""

    wait: float
    is_low: bool
    remaining: int
    at_once: int
    """Sessions that may identify within five seconds: one for each value of `shard % at_once`."""


class Gateway(msgspec.Struct, frozen=True):
    """The address of the Gateway, and the limit of its identifies."""

    url: str
    limit: Limit


def may_identify(start_limit: Mapping[str, Any]) -> Limit:
    """The limit in a `session_start_limit`."""
    remaining, at_once = integer(start_limit.get("remaining")), integer(start_limit.get("max_concurrency"))
    reset = max(0, integer(start_limit.get("reset_after")) or 0) / 1000
    left = _LOW if remaining is None else remaining
    wait = max(reset, _PAUSE) if left <= _RESERVE else 0.0
    return Limit(wait, left < _LOW, left, max(1, at_once or 1))


def rounds(shards: int, at_once: int) -> list[list[int]]:
    """The shards in the order in which they identify. Those of one round may do it together; five seconds follow."""
    return [list(range(start, min(start + at_once, shards))) for start in range(0, shards, at_once)]


class Api:
    """Calls Discord's API as a bot. Use it with `async with`."""

    def __init__(self, config: Config, transport: httpx.AsyncBaseTransport | None = None) -> None:
        headers = {"Authorization": f"Bot {config.bot_token}", "User-Agent": config.user_agent}
        self._host = config.host
        self._http = httpx.AsyncClient(headers=headers, timeout=_TIMEOUT, trust_env=False, transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def gateway(self) -> Gateway:
        """Where to connect. Raises ApiUnavailableError, TokenRefusedError."""
        found = await self._get("/gateway/bot")
        url = text(found.get("url"))
        if not url.startswith(("wss://", "ws://") if self._host.startswith("http://") else ("wss://",)):
            raise ApiUnavailableError("the answer has no address of the Gateway")
        return Gateway(url, may_identify(mapping(found.get("session_start_limit"))))

    async def parent(self, channel: str) -> str:
        """The id of the channel of a thread; empty if `channel` is no thread, or the bot may not see it.

        Raises ApiUnavailableError, TokenRefusedError.
        """
        return parent_of(await self._get(f"/channels/{channel}", missing=_NO_CHANNEL))

    async def role(self, server: str, bot_id: str) -> str:
        """The id of the bot's role in a server; empty if it has none, or the bot has left.

        Raises ApiUnavailableError, TokenRefusedError.
        """
        return bot_role((await self._get(f"/guilds/{server}", missing=_NO_CHANNEL)).get("roles"), bot_id)

    async def _get(self, path: str, missing: tuple[int, ...] = ()) -> dict[str, Any]:
        try:
            answer = await self._http.get(f"{self._host}{path}")
        except httpx.HTTPError as error:
            raise ApiUnavailableError(type(error).__name__) from error
        if answer.status_code == 401:
            raise await self._refused()
        if answer.status_code in missing:
            return {}
        body = _json(answer.content)
        if answer.status_code != 200:
            raise ApiUnavailableError(f"status {answer.status_code}", _retry_after(answer, body))
        return body

    async def _refused(self) -> ParleyError:
        """What a 401 means. The token is wrong if Discord cannot say whose it is. Otherwise a server before Discord has
        erred.
        """
        try:
            answer = await self._http.get(f"{self._host}/users/@me")
        except httpx.HTTPError as error:
            return ApiUnavailableError(type(error).__name__)
        return TokenRefusedError() if answer.status_code == 401 else ApiUnavailableError("status 401, once")


def _json(content: bytes) -> dict[str, Any]:
    try:
        return mapping(decode_json(content))
    except ValueError:
        return {}


def _retry_after(answer: httpx.Response, body: Mapping[str, Any]) -> float:
    """Discord docs: Rate Limits. Behind Cloudflare, the body may be missing."""
    said = body.get("retry_after", answer.headers.get("Retry-After"))
    try:
        return min(3600.0, max(_PAUSE, float(cast("float", said))))
    except (TypeError, ValueError):
        return _PAUSE
