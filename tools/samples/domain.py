"""A request of a console for the verification file of the domain."""

from typing import Any

from tools.samples import gateway

FILE = "WW_verify_Sample0Sample0Sam.txt"


def events(now: int) -> dict[str, Any]:
    """One event per case."""
    event = gateway.callback("domain", {"User-Agent": "Mozilla/4.0"}, b"", now)
    context = event["requestContext"] | {"path": f"/local/{FILE}", "resourcePath": "/{file}"}
    request = {"resource": "/{file}", "path": f"/{FILE}", "pathParameters": {"file": FILE}}
    return {"verify": event | request | {"requestContext": context}}
