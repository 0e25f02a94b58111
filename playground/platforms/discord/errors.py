"""What Discord answers when it refuses. Discord docs: Opcodes and Status Codes › HTTP, JSON; Rate Limits."""

from typing import Any

from playground.platforms.http import Response


class Refused(Exception):
    """A refusal: Discord's code, its words, and the HTTP status that goes with it."""

    def __init__(
        self,
        status: int,
        code: int,
        message: str,
        *,
        errors: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        more: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.body = {"message": message, "code": code} | ({"errors": errors} if errors else {}) | (more or {})
        self.headers = headers or {}

    def response(self) -> Response:
        """The refusal as an HTTP response."""
        return Response.of(self.body, self.status, self.headers)


def unauthorized() -> Refused:
    """401: no bot token, or a wrong one."""
    return Refused(401, 0, "401: Unauthorized")


def not_found(code: int, what: str) -> Refused:
    """404: `Unknown Message` and the like."""
    return Refused(404, code, f"Unknown {what}")


UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, UNKNOWN_USER, UNKNOWN_WEBHOOK = 10003, 10008, 10013, 10015
UNKNOWN_INTERACTION, UNKNOWN_COMMAND = 10062, 10063


def invalid(field: str, code: str, message: str) -> Refused:
    """50035: the form of the request; `field` with dots for what is inside."""
    errors: dict[str, Any] = {"_errors": [{"code": code, "message": message}]}
    for name in reversed(field.split(".") if field else []):
        errors = {name: errors}
    return Refused(400, 50035, "Invalid Form Body", errors=errors)


def too_often(wait: float, *, everywhere: bool = False, scope: str = "user") -> Refused:
    """429: above the limit of a route, or of the bot altogether."""
    seconds = round(max(wait, 0.001), 3)
    headers = {"retry-after": str(max(1, -int(-seconds // 1))), "x-ratelimit-scope": scope}
    headers |= {"x-ratelimit-global": "true"} if everywhere else {}
    more = {"retry_after": seconds, "global": everywhere}
    refused = Refused(429, 0, "You are being rate limited.", headers=headers, more=more)
    del refused.body["code"]
    return refused


BANNED = Response(
    403, b"<html><body>Error 1015: you are being rate limited</body></html>", {"content-type": "text/html"}
)
"""What Cloudflare answers in Discord's place, after too many invalid requests."""
