"""Delivers the events of the simulated platforms to the callback URLs.

The first attempts of one room follow each other, in the order of the events. A failed attempt is repeated after the
platform's delay and does not hold up later events.
"""

import asyncio
import time
from collections.abc import Callable

import httpx

from playground.platforms.base import Platform
from playground.platforms.model import Attempt, Delivery, Wire
from playground.stack import StackUnavailableError

CallbackUrl = Callable[[str, str], str]
"""(platform, app) -> URL. Raises StackUnavailableError."""
_MAX_BODY_BYTES = 20_000
"""Of a recorded response; the rest is cut off."""


class WebhookSender:
    """Runs in one event loop. `send` may be called from any thread."""

    def __init__(self, callback_url: CallbackUrl, clock: Callable[[], float] = time.time) -> None:
        self._url = callback_url
        self._clock = clock
        self._client: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._last_in_room: dict[str, asyncio.Event] = {}
        """Set after the first attempt of the last delivery, by room."""
        self._finished: dict[str, asyncio.Event] = {}
        """Set once a delivery has succeeded or failed for good, by its id."""

    async def start(self) -> None:
        """Start to deliver."""
        self._loop = asyncio.get_running_loop()
        self._client = httpx.AsyncClient(
            trust_env=False, follow_redirects=False, limits=httpx.Limits(max_connections=64)
        )

    async def stop(self) -> None:
        """Cancel all deliveries."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()
        self._client = self._loop = None

    def send(self, platform: Platform) -> None:
        """Deliver all events in the outbox of `platform`."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._send, platform)

    def _send(self, platform: Platform) -> None:
        for delivery in platform.drain_outbox():
            room = f"{platform.name}/{delivery.app}/{delivery.room or delivery.id}"
            previous, attempted = self._last_in_room.get(room), asyncio.Event()
            self._last_in_room[room] = attempted
            self._finished[delivery.id] = asyncio.Event()
            task = asyncio.create_task(self._deliver(platform, delivery, previous, attempted))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def wait_until_finished(self, delivery: Delivery) -> bool:
        """Wait until `delivery` has succeeded or failed for good, at most a second beyond its deadline. False if it has
        not."""
        event = self._finished.get(delivery.id)
        if event is None:
            return delivery.state in ("delivered", "failed")
        try:
            await asyncio.wait_for(event.wait(), delivery.deadline + 1)
        except TimeoutError:
            return False
        return True

    async def redeliver(self, platform: Platform, delivery: Delivery, wire: Wire, forged: str = "") -> Attempt:
        """Deliver once more, without retries: the same callback, or the forged callback `wire`."""
        attempt, _, _ = await self._post(delivery, wire, forged)
        delivery.redeliveries.append(attempt)
        platform.notify("delivery", delivery)
        return attempt

    async def _deliver(
        self, platform: Platform, delivery: Delivery, previous: asyncio.Event | None, attempted: asyncio.Event
    ) -> None:
        try:
            if previous is not None:
                await previous.wait()
            while True:
                attempt, headers, body = await self._post(delivery, delivery.wire)
                delay = await asyncio.to_thread(platform.record_attempt, delivery, attempt, headers, body)
                attempted.set()
                if delay is None:
                    return
                await asyncio.sleep(delay)
        finally:
            attempted.set()
            if (finished := self._finished.pop(delivery.id, None)) is not None:
                finished.set()

    async def _post(self, delivery: Delivery, wire: Wire, forged: str = "") -> tuple[Attempt, dict[str, str], bytes]:
        at, started = self._clock(), time.perf_counter()

        def attempt(status: int, error: str = "", body: bytes = b"") -> Attempt:
            ms = round((time.perf_counter() - started) * 1000, 1)
            return Attempt(at, ms, status, error, body[:_MAX_BODY_BYTES].decode("utf-8", "replace"), forged)

        assert self._client is not None, "the sender has not been started"  # noqa: S101
        try:
            url = self._url(delivery.platform, delivery.endpoint)
            async with asyncio.timeout(delivery.deadline):
                response = await self._client.request(
                    wire.method,
                    url,
                    params=dict(wire.query) or None,
                    headers=dict(wire.headers),
                    content=wire.body,
                    timeout=delivery.deadline,
                )
        except StackUnavailableError as error:
            return attempt(0, str(error)), {}, b""
        except (TimeoutError, httpx.TimeoutException):
            return attempt(0, f"no response within {delivery.deadline:g} s"), {}, b""
        except httpx.HTTPError as error:
            return attempt(0, f"{type(error).__name__}: {error}"), {}, b""
        headers = {name.lower(): value for name, value in response.headers.items()}
        return attempt(response.status_code, "", response.content), headers, response.content
