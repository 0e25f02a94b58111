"""Live updates for open pages, as server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

_BACKLOG = 1000
"""Updates that a page may fall behind. A page that is further behind gets `reload` instead of them."""
_PING_EVERY = 15.0


class Hub:
    """Sends each update to all subscribers. `publish` may be called from any thread."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queues: set[asyncio.Queue[str | None]] = set()

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Use `loop`. Updates published before are dropped."""
        self._loop = loop

    def publish(self, kind: str, value: dict[str, Any]) -> None:
        """Send an update to every subscriber."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._put, f"event: {kind}\ndata: {json.dumps(value)}\n\n")

    def _put(self, text: str) -> None:
        for queue in self._queues:
            if queue.qsize() >= _BACKLOG:
                while not queue.empty():
                    queue.get_nowait()
                text = "event: reload\ndata: {}\n\n"
            queue.put_nowait(text)

    def close(self) -> None:
        """End every subscription."""
        for queue in self._queues:
            queue.put_nowait(None)

    async def subscribe(self) -> AsyncIterator[str]:
        """Updates in the format of server-sent events, until the hub is closed."""
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._queues.add(queue)
        try:
            yield "event: hello\ndata: {}\n\n"
            while True:
                try:
                    text = await asyncio.wait_for(queue.get(), _PING_EVERY)
                except TimeoutError:
                    text = ": ping\n\n"
                if text is None:
                    return
                yield text
        finally:
            self._queues.discard(queue)
