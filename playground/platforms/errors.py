"""The errors of a simulated platform: one for the user of the playground, one for the caller of the platform's API."""

from collections.abc import Mapping
from typing import Any

from playground.platforms.exchange import Response


class NotFoundError(Exception):
    """The platform has no such app, room, message, button, command or event. The text names it."""


class ApiError(Exception):
    """The platform rejects an API call. Each platform derives its own, with its codes and the form of its body.

    The text is the platform's own message; `status`, `body` and `headers` are the response.
    """

    def __init__(
        self, message: str, body: Mapping[str, Any], status: int = 400, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.body = dict(body)
        self.status = status
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """The HTTP response."""
        return Response.of(self.body, self.status, self.headers)
