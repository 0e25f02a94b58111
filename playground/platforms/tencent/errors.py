"""What the API answers when it refuses: HTTP 200, a code, words. Codes: WeCom and WeChat docs, Global error codes."""

from typing import Any

from playground.platforms.http import Response


class Refused(Exception):
    """A refusal: the platform's code and its words."""

    def __init__(self, code: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.code = code
        self.more = more

    def response(self) -> Response:
        """The refusal as an HTTP response."""
        return Response.of({"errcode": self.code, "errmsg": str(self), **self.more})


def done(**more: Any) -> Response:
    """It has been done."""
    return Response.of({"errcode": 0, "errmsg": "ok", **more})


TOKEN_MISSING = (41001, "access_token missing")
TOKEN_INVALID = (40014, "invalid access_token")
TOKEN_EXPIRED = (42001, "access_token expired")
MEDIA_INVALID = (40007, "invalid media_id")
