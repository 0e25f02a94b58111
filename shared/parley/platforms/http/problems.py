"""Errors as problem documents (RFC 9457)."""

import math
from http import HTTPStatus

import msgspec

from parley.adapter import Rejected, Response

CONTENT_TYPE = "application/problem+json"
_CHALLENGE = 'Bearer realm="parley", error="invalid_token"'
_DETAILS = {
    "forged": "The token is missing, or it is not valid here.",
    "stale": "The token has expired, or it is not valid yet.",
    "too_large": "The body is too large.",
    "unknown_app": "There is no such app.",
    "other_address": "Requests from this address are not accepted.",
    "too_many": "There are too many requests. Please send this one again later, with the same Idempotency-Key.",
    "key_reused": "The Idempotency-Key was used for another request. Please use a new one for each message.",
    "unavailable": "The message is not stored. Please send it again, with the same Idempotency-Key.",
}


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request is refused (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    """A sentence for the author of the client."""
    error: str
    """A code that does not change."""


def problem(rejected: Rejected, detail: str = "") -> Response:
    """The response to a refused request. `detail`: a sentence for the author of the client."""
    document = Problem(
        title=HTTPStatus(rejected.status).phrase,
        status=rejected.status,
        detail=detail or _DETAILS.get(rejected.reason, ""),
        error=rejected.reason,
    )
    headers: dict[str, str] = {}
    if rejected.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = _CHALLENGE
    if rejected.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "1"
    if rejected.status == HTTPStatus.TOO_MANY_REQUESTS:
        headers["Retry-After"] = str(max(1, math.ceil(rejected.retry_after)))
    return Response(rejected.status, msgspec.json.encode(document), CONTENT_TYPE, headers)
