"""The live updates of a running playground: what its page shows, when it shows it."""

import json
from collections.abc import Iterator
from typing import Any

import httpx


def updates(playground: str, silence: float) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each update with its kind, from the first one after the subscription on, which is `hello`. Ends with the stack.

    Raises httpx.ReadTimeout after `silence` seconds without one.
    """
    with httpx.stream("GET", f"{playground}/api/stream", timeout=silence, trust_env=False) as response:
        kind = ""
        for line in response.iter_lines():
            if line.startswith("event: "):
                kind = line.removeprefix("event: ")
            elif line.startswith("data: "):
                yield kind, json.loads(line.removeprefix("data: "))
