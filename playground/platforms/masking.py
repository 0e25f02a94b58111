"""What the record of calls shows of a request: its JSON, form or text, with secrets masked."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from playground.multipart import parse_multipart
from playground.platforms.http import Request, Response

_LONGEST = 20_000
"""Characters of one value that are kept."""


def masked(value: Any, secrets: Collection[str]) -> Any:
    """`value` with what stands under the names in `secrets` masked, at any depth."""
    if isinstance(value, Mapping):
        return {name: hidden(item) if name in secrets else masked(item, secrets) for name, item in value.items()}
    if isinstance(value, list):
        return [masked(item, secrets) for item in value]
    if isinstance(value, str) and len(value) > _LONGEST:
        return f"{value[:_LONGEST]}… ({len(value)} characters)"
    return value


def hidden(value: Any) -> str:
    """Enough of a secret to tell it from another, and no more."""
    text = str(value)
    return f"{text[:4]}…" if len(text) > 12 else "…"


def request_shown(request: Request, secrets: Collection[str]) -> Any:
    """The body of `request` for the record; a file in a form is shown by its size."""
    kind = request.headers.get("content-type", "")
    if kind.startswith("multipart/form-data"):
        fields = parse_multipart(kind, request.body) or []
        return {
            part.name: f"<{part.filename}, {len(part.data)} bytes>" if part.filename else part.text for part in fields
        }
    return _shown(request.body, secrets)


def response_shown(response: Response, secrets: Collection[str]) -> Any:
    """The body of `response` for the record."""
    return _shown(response.body, secrets)


def _shown(body: bytes, secrets: Collection[str]) -> Any:
    try:
        return masked(json.loads(body), secrets) if body else None
    except ValueError:
        pass
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return f"<{len(body)} bytes>"
    return masked(text, secrets)
