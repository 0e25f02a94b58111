"""HTTP requests and responses as plain values, without a web framework."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. Header names are in lower case; `path` starts with a slash and has no query."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""

    def json(self) -> Any:
        """The body as JSON; None if it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def of(cls, value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> "Response":
        """A JSON response. Non-ASCII characters are not escaped."""
        body = json.dumps(value, ensure_ascii=False).encode()
        return cls(status, body, {"content-type": "application/json; charset=utf-8", **(headers or {})})

    @classmethod
    def file(cls, data: bytes, mime: str, name: str = "") -> "Response":
        """A download. `name`: the file name for the client."""
        named = {"content-disposition": f'attachment; filename="{name}"'} if name else {}
        return cls(200, data, {"content-type": mime, **named})


class NoResponse(Exception):
    """The client gets no response to its request."""


class ResponseTimeout(NoResponse):
    """The request was not carried out, and the client waits until its own time-out."""


class ConnectionDropped(NoResponse):
    """The request was carried out, and the connection breaks before the response."""


def dumps(value: Any) -> bytes:
    """Compact UTF-8 JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
