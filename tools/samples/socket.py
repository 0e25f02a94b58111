"""Events of the WebSocket API, and a request for a ticket, of clients of the HTTP channel."""

import json
from typing import Any

from tools.samples import gateway
from tools.samples.http import authorization

_CONNECTION = "SampleConnection="


def events(now: int) -> dict[str, Any]:
    """One event per case. `message` belongs to the connection of `connect`."""
    headers = authorization(now)
    ticket = gateway.callback("http", headers, b"{}", now)
    path = {"resource": "/v1/{app}/tickets", "path": "/v1/sample/tickets"}
    context = ticket["requestContext"] | {"path": "/local/v1/sample/tickets", "resourcePath": path["resource"]}
    query = {"queryStringParameters": {"app": "sample"}}
    frame = json.dumps({"type": "message", "key": "sample-1", "text": "/count"})
    return {
        "ticket": ticket | path | {"requestContext": context},
        "connect": {"headers": headers, **query, **_event("CONNECT", "$connect", now)},
        "message": {"body": frame, **_event("MESSAGE", "$default", now)},
        "disconnect": {"headers": {}, **_event("DISCONNECT", "$disconnect", now)},
    }


def _event(kind: str, route: str, now: int) -> dict[str, Any]:
    context = {
        "routeKey": route,
        "eventType": kind,
        "connectionId": _CONNECTION,
        "connectedAt": now * 1000,
        "requestTimeEpoch": now * 1000,
        "apiId": "sample",
        "stage": "local",
        "identity": {"sourceIp": "203.0.113.7"},
    }
    return {"requestContext": context, "isBase64Encoded": False}
