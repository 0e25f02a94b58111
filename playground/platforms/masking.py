"""Bodies of requests and responses for the record of calls: JSON, form or text, with secrets masked."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from playground.multipart import parse_multipart
from playground.platforms.exchange import Request, Response

_MAX_CHARACTERS = 20_000
"""Of one value; the rest is cut off."""


def mask_fields(value: Any, secrets: Collection[str]) -> Any:
    """`value` with the fields named in `secrets` masked, at any depth."""
    if isinstance(value, Mapping):
        return {name: mask(item) if name in secrets else mask_fields(item, secrets) for name, item in value.items()}
    if isinstance(value, list):
        return [mask_fields(item, secrets) for item in value]
    if isinstance(value, str) and len(value) > _MAX_CHARACTERS:
        return f"{value[:_MAX_CHARACTERS]}… ({len(value)} characters)"
    return value


def mask(value: Any) -> str:
    """The first characters of a secret: enough to tell it from another one."""
    text = str(value)
    return f"{text[:4]}…" if len(text) > 12 else "…"


def request_body(request: Request, secrets: Collection[str]) -> Any:
    """The body of `request` for the record. A file in a form is recorded as its size."""
    kind = request.headers.get("content-type", "")
    if kind.startswith("multipart/form-data"):
        fields = parse_multipart(kind, request.body) or []
        return {
            part.name: f"<{part.filename}, {len(part.data)} bytes>" if part.filename else part.text for part in fields
        }
    return _body(request.body, secrets)


def response_body(response: Response, secrets: Collection[str]) -> Any:
    """The body of `response` for the record."""
    return _body(response.body, secrets)


def _body(body: bytes, secrets: Collection[str]) -> Any:
    try:
        return mask_fields(json.loads(body), secrets) if body else None
    except ValueError:
        pass
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return f"<{len(body)} bytes>"
    return mask_fields(text, secrets)
