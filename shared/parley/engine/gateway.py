"""Events of API Gateway (REST API, proxy integration), and the responses to them."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from parley.adapter import App, Headers, Request, Response
from parley.errors import ParleyError

Event = Mapping[str, Any]
"""An API Gateway REST proxy event."""
_LONGEST = 30.0
"""Seconds. API Gateway ends every request within 29: an older event is not a request of now."""


class BadEventError(ParleyError):
    """The event's body is not the Base64 that it claims to be."""


def request_of(event: Event) -> Request:
    """The raw request in an API Gateway event. Raises BadEventError if its Base64 is not valid."""
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        try:
            data = base64.b64decode(body, validate=True)
        except (binascii.Error, ValueError) as error:
            raise BadEventError from error
    else:
        data = body.encode("utf-8", "surrogatepass")
    multi: Mapping[str, list[str]] = event.get("multiValueHeaders") or {}
    headers = {name: values[-1] for name, values in multi.items() if values} | dict(event.get("headers") or {})
    return Request(
        method=str(event.get("httpMethod") or "POST").upper(),
        headers=Headers(headers),
        query=dict(event.get("queryStringParameters") or {}),
        body=data,
        parameters=dict(event.get("pathParameters") or {}),
        route=str(event.get("resource") or ""),
    )


def lambda_response(response: Response) -> dict[str, Any]:
    """`response` as API Gateway expects it: text as it is, other bytes as Base64."""
    return {
        "statusCode": response.status,
        "headers": {
            "Content-Type": response.content_type,
            "X-Content-Type-Options": "nosniff",
            **response.headers,
        },
        **_body(response.body),
    }


def arrived(event: Event, started: float) -> float:
    """The time at which API Gateway received the request: before a cold start. `started` if the event has none."""
    context: Mapping[str, Any] = event.get("requestContext") or {}
    at = float(context.get("requestTimeEpoch") or 0) / 1000
    return at if 0 <= started - at <= _LONGEST else started


def is_listed(event: Event, app: App) -> bool:
    """Whether `event` comes from an address that the app lists, or the app lists none."""
    blocks = app.config.callback_ips
    if not blocks:
        return True
    # Imported here, so that apps without the list do not pay for it.
    from parley.engine import callback_sources  # noqa: PLC0415

    return callback_sources.is_listed(source(event), blocks)


def source(event: Event) -> str:
    """The address that the request came from, as API Gateway saw it. A header could be forged."""
    context: Mapping[str, Any] = event.get("requestContext") or {}
    identity: Mapping[str, Any] = context.get("identity") or {}
    return str(identity.get("sourceIp") or "")


def _body(body: bytes) -> dict[str, Any]:
    try:
        return {"body": body.decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:
        return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
