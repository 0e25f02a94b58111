"""How WeCom and WeChat reject API calls: HTTP 200 with an `errcode`.

Codes: WeCom and WeChat docs, Global error codes.
"""

from typing import Any

from playground.platforms.errors import ApiError
from playground.platforms.exchange import Response


class TencentError(ApiError):
    """The platform rejects a call with `code` and a message. `fields`: further fields of the response."""

    def __init__(self, code: int, message: str, **fields: Any) -> None:
        super().__init__(message, {"errcode": code, "errmsg": message, **fields}, 200)
        self.code = code


def ok(**fields: Any) -> Response:
    """The response to a successful call."""
    return Response.of({"errcode": 0, "errmsg": "ok", **fields})


TOKEN_MISSING = (41001, "access_token missing")
TOKEN_INVALID = (40014, "invalid access_token")
TOKEN_EXPIRED = (42001, "access_token expired")
API_FORBIDDEN = (48002, "api forbidden")
MEDIA_INVALID = (40007, "invalid media_id")
