"""Brings the events of the imitated platforms to the callback URLs, by each platform's own rules.

The first attempts of one room go out one after the other, as they were said; a failed one is tried again on the
platform's ladder and holds nobody up.
"""

import asyncio
import time
from collections.abc import Callable

import httpx

from playground.platforms.base import Platform
from playground.platforms.model import Attempt, Delivery, Wire
from playground.stack import StackUnavailable

CallbackUrl = Callable[[str, str], str]
"""(platform, app) -> URL. Raises StackUnavailable."""
_BODY_KEPT = 20_000


class Courier:
    """Runs in one event loop; `collect` may be called from any thread."""

    def __init__(self, callback_url: CallbackUrl, clock: Callable[[], float] = time.time) -> None:
        self._url = callback_url
        self._clock = clock
        self._client: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._first: dict[str, asyncio.Event] = {}
        self._ended: dict[str, asyncio.Event] = {}

    async def start(self) -> None:
        """Begin to deliver."""
        self._loop = asyncio.get_running_loop()
        self._client = httpx.AsyncClient(
            trust_env=False, follow_redirects=False, limits=httpx.Limits(max_connections=64)
        )

    async def stop(self) -> None:
        """End all deliveries where they are."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()
        self._client = self._loop = None

    def collect(self, platform: Platform) -> None:
        """Deliver what waits in the outbox of `platform`."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._collect, platform)

    def _collect(self, platform: Platform) -> None:
        for delivery in platform.take():
            key = f"{platform.name}/{delivery.app}/{delivery.room or delivery.id}"
            before, mine = self._first.get(key), asyncio.Event()
            self._first[key] = mine
            self._ended[delivery.id] = asyncio.Event()
            task = asyncio.create_task(self._deliver(platform, delivery, before, mine))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def ended(self, delivery: Delivery, timeout: float) -> bool:  # noqa: ASYNC109
        """Wait until `delivery` has succeeded or failed for good; False if it has not after `timeout` seconds."""
        event = self._ended.get(delivery.id)
        if event is None:
            return delivery.state in ("delivered", "failed")
        try:
            await asyncio.wait_for(event.wait(), timeout)
        except TimeoutError:
            return False
        return True

    async def again(self, platform: Platform, delivery: Delivery, wire: Wire, forged: str = "") -> Attempt:
        """Deliver once more, outside of the ladder: what a platform that doubts does, or, with another `wire`, somebody
        who forges."""
        attempt, _, _ = await self._post(delivery, wire, forged)
        delivery.repeats.append(attempt)
        platform.notify("delivery", delivery)
        return attempt

    async def _deliver(
        self, platform: Platform, delivery: Delivery, before: asyncio.Event | None, mine: asyncio.Event
    ) -> None:
        try:
            if before is not None:
                await before.wait()
            while True:
                attempt, headers, body = await self._post(delivery, delivery.wire)
                again = await asyncio.to_thread(platform.record_attempt, delivery, attempt, headers, body)
                mine.set()
                if again is None:
                    return
                await asyncio.sleep(again)
        finally:
            mine.set()
            if (ended := self._ended.pop(delivery.id, None)) is not None:
                ended.set()

    async def _post(self, delivery: Delivery, wire: Wire, forged: str = "") -> tuple[Attempt, dict[str, str], bytes]:
        at, started = self._clock(), time.perf_counter()

        def attempt(status: int, error: str = "", body: bytes = b"") -> Attempt:
            ms = round((time.perf_counter() - started) * 1000, 1)
            return Attempt(at, ms, status, error, body[:_BODY_KEPT].decode("utf-8", "replace"), forged)

        assert self._client is not None, "the courier has not been started"  # noqa: S101
        try:
            url = self._url(delivery.platform, delivery.app)
            async with asyncio.timeout(delivery.deadline):
                answer = await self._client.request(
                    wire.method,
                    url,
                    params=dict(wire.query) or None,
                    headers=dict(wire.headers),
                    content=wire.body,
                    timeout=delivery.deadline,
                )
        except StackUnavailable as error:
            return attempt(0, str(error)), {}, b""
        except (TimeoutError, httpx.TimeoutException):
            return attempt(0, f"no answer within {delivery.deadline:g} s"), {}, b""
        except httpx.HTTPError as error:
            return attempt(0, f"{type(error).__name__}: {error}"), {}, b""
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return attempt(answer.status_code, "", answer.content), headers, answer.content
