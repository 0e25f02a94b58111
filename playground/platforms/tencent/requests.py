"""The bodies of API requests."""

from typing import Any

from playground.platforms.exchange import Request
from playground.platforms.tencent.errors import TencentError


def json_body(request: Request) -> dict[str, Any]:
    """The body as a JSON object. Raises TencentError."""
    body = request.json()
    if not isinstance(body, dict):
        raise TencentError(47001, "data format error")
    return body
