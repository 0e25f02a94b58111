"""The events of API Gateway for the requests of a platform (REST API, proxy integration, binary bodies)."""

import base64
import hashlib
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from parley.platforms import callback_path

_SOURCE = "203.0.113.7"
_DOMAIN = "abcdefghij.execute-api.us-east-1.amazonaws.com"


def callback(
    platform: str, headers: Mapping[str, str], body: bytes, now: int, *, query: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """A callback of `platform` to the app `sample`: a POST, or a GET if there is no body."""
    method = "POST" if body else "GET"
    sent = {"Host": _DOMAIN, "X-Forwarded-For": _SOURCE, "X-Forwarded-Proto": "https", **headers}
    return {
        "resource": callback_path(platform, "{app}"),
        "path": callback_path(platform, "sample"),
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": dict(query) if query else None,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} if query else None,
        "pathParameters": {"app": "sample"},
        "stageVariables": None,
        "requestContext": _context(platform, method, headers, body, now),
        "body": base64.b64encode(body).decode() if body else None,
        "isBase64Encoded": bool(body),
    }


def _context(platform: str, method: str, headers: Mapping[str, str], body: bytes, now: int) -> dict[str, Any]:
    return {
        "accountId": "123456789012",
        "apiId": _DOMAIN.split(".", 1)[0],
        "domainName": _DOMAIN,
        "domainPrefix": _DOMAIN.split(".", 1)[0],
        "httpMethod": method,
        "identity": {"sourceIp": _SOURCE, "userAgent": headers.get("User-Agent")},
        "path": "/local" + callback_path(platform, "sample"),
        "protocol": "HTTP/1.1",
        "requestId": str(uuid.UUID(bytes=hashlib.sha256(body + str(now).encode()).digest()[:16])),
        "requestTime": datetime.fromtimestamp(now, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "requestTimeEpoch": int(now * 1000),
        "resourcePath": callback_path(platform, "{app}"),
        "stage": "local",
    }
