"""How Discord rejects API calls. Facts: Discord docs, Opcodes and Status Codes › HTTP, JSON; Rate Limits."""

from collections.abc import Mapping
from typing import Any

from playground.platforms.errors import ApiError
from playground.platforms.exchange import Response


class DiscordError(ApiError):
    """Discord rejects a call with an HTTP status, `code` and a message. `code` None: the body has no code."""

    def __init__(
        self, status: int, code: int | None, message: str, headers: Mapping[str, str] | None = None, **fields: Any
    ) -> None:
        body = {"message": message} | ({} if code is None else {"code": code}) | fields
        super().__init__(message, body, status, headers)


def unauthorized() -> DiscordError:
    """401: no bot token, or a wrong one."""
    return DiscordError(401, 0, "401: Unauthorized")


def not_found(code: int, what: str) -> DiscordError:
    """404, for example `Unknown Message`."""
    return DiscordError(404, code, f"Unknown {what}")


UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, UNKNOWN_USER, UNKNOWN_WEBHOOK = 10003, 10008, 10013, 10015
UNKNOWN_COMMAND = 10063


def invalid(field: str, code: str, message: str) -> DiscordError:
    """50035: a field of the request is invalid; dots in `field` separate the levels."""
    errors: dict[str, Any] = {"_errors": [{"code": code, "message": message}]}
    for name in reversed(field.split(".") if field else []):
        errors = {name: errors}
    return DiscordError(400, 50035, "Invalid Form Body", errors=errors)


def rate_limited(wait: float, *, everywhere: bool = False, scope: str = "user") -> DiscordError:
    """429: above the limit of a route, or with `everywhere` of the bot. `wait`: seconds until there is room."""
    seconds = round(max(wait, 0.001), 3)
    headers = {"retry-after": str(max(1, -int(-seconds // 1))), "x-ratelimit-scope": scope}
    headers |= {"x-ratelimit-global": "true"} if everywhere else {}
    message = "You are being rate limited."
    return DiscordError(429, None, message, headers, **{"retry_after": seconds, "global": everywhere})


BANNED = Response(
    403, b"<html><body>Error 1015: you are being rate limited</body></html>", {"content-type": "text/html"}
)
"""Cloudflare's response in place of Discord's, after too many invalid requests."""
