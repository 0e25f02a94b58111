"""Loaded by schemathesis: no request of its own waits for replies for long."""

from typing import Any

import schemathesis  # pyright: ignore[reportMissingImports]  # it is in an environment of its own


@schemathesis.hook
def map_query(context: Any, query: dict[str, Any] | None) -> dict[str, Any] | None:
    """A wait that the document allows becomes a second at most; one that it forbids stays."""
    wait = (query or {}).get("wait")
    if isinstance(wait, int) and not isinstance(wait, bool) and 1 < wait <= 25:
        return {**(query or {}), "wait": 1}
    return query
