"""Events of the Gateway as messages in the inbound queue, in order. An event counts once it is there."""

import asyncio
import math
import time
from collections import ChainMap, OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial

from connectors.discord.api import Api, ApiUnavailableError, TokenRefusedError
from connectors.discord.session import Dispatch
from parley.adapter import App
from parley.engine import queues, telemetry
from parley.engine.aws import AwsError, error_code
from parley.engine.batch import describe
from parley.engine.stops import request_stop
from parley.engine.telemetry import log
from parley.model import Message, digest
from parley.model.stop import is_stop
from parley.platforms.discord.gateway import Event, channels_of, messages_of, unknown_channel
from parley.platforms.discord.servers import roles_of, unknown_role
from parley.platforms.discord.snowflake import snowflake

MOST = 2000
"""Events that wait at most."""
_CHANNELS, _SERVERS = 50_000, 10_000
"""Channels, and roles of servers, that are known at most."""
_PAUSES = (0.2, 0.5, 1, 2, 5, 10)
"""Seconds between the tries to store an event, and between those to ask the API for a channel or a role."""
_ASK_FOR, _ASK_AGAIN = 30.0, 60.0
"""Seconds for which the API is asked about an event, and for which it is asked nothing after it gave no answer."""
_LOOK = 0.1


class Intake:
    """Stores the events of one shard. `is_safe`: whether this instance may write to the queue now.

    `stored` is called for each event that is in the queue, or that the bot does not need. `bot_id` returns the id of
    the bot as a user.
    """

    def __init__(
        self,
        app: App,
        api: Api,
        *,
        is_safe: Callable[[], bool],
        stored: Callable[[Dispatch], None],
        bot_id: Callable[[], str],
    ) -> None:
        self._app, self._api, self._is_safe, self._stored, self._bot_id = app, api, is_safe, stored, bot_id
        self._waiting: asyncio.Queue[Dispatch] = asyncio.Queue()
        self._pending = 0
        """Events that wait, the one that is being stored included."""
        self._progress = asyncio.Event()
        self._parents: OrderedDict[str, str] = OrderedDict()
        self._roles: OrderedDict[str, str] = OrderedDict()
        self._ask_from = -math.inf
        """The time of the loop before which the API is asked nothing."""

    def add(self, event: Dispatch) -> bool:
        """Store `event` after those that wait. False if too many wait."""
        self._waiting.put_nowait(event)
        self._pending += 1
        return self._pending <= MOST

    async def below(self, number: int) -> None:
        """Wait until at most `number` events wait, the one that is being stored included."""
        while self._pending > number:
            self._progress.clear()
            await self._progress.wait()

    async def run(self) -> None:
        """Store the events, until it is cancelled. Raises TokenRefusedError."""
        while True:
            event = await self._waiting.get()
            await self._handle(event)
            self._stored(event)
            self._pending -= 1
            self._progress.set()

    async def _handle(self, event: Dispatch) -> None:
        bot_id = self._bot_id()
        _learn(self._parents, channels_of(event.name, event.data), _CHANNELS)
        _learn(self._roles, roles_of(event.name, event.data, bot_id), _SERVERS)
        found = Event(event.name, event.data, bot_id, digest(event.session_id, str(event.seq)), time.time())
        tries = 0
        while True:
            try:
                await self._store(await self._read(found))
            except AwsError as error:
                telemetry.count("GatewayEventsDelayed")
                log.warning("event not stored yet", extra={**self._ids(found), "error": error_code(error)})
                await asyncio.sleep(_pause(tries))
                tries += 1
            else:
                return

    async def _read(self, event: Event) -> tuple[Message, ...]:
        """The messages of `event`; none if it cannot be read. Raises TokenRefusedError.

        What the API does not say is left out: a mention of the bot's role is none then, and the message of a thread has
        no channel above it.
        """
        parents: Mapping[str, str] = self._parents
        try:
            if server := unknown_role(event.name, event.data, self._roles):
                role = await self._asked(event, partial(self._api.role, server, event.bot_id))
                _learn(self._roles, {} if role is None else {server: role}, _SERVERS)
            event = replace(event, role=self._roles.get(snowflake(event.data.get("guild_id")), ""))
            if channel := unknown_channel(event, self._app, self._parents):
                parent = await self._asked(event, partial(self._api.parent, channel))
                _learn(self._parents, {} if parent is None else {channel: parent}, _CHANNELS)
                parents = self._parents if parent is not None else ChainMap({channel: ""}, self._parents)
            return messages_of(event, self._app, parents)
        except TokenRefusedError:
            raise
        except Exception as error:  # noqa: BLE001  # one event may not stop all others
            telemetry.count("GatewayEventsFailed")
            log.error("event not readable", extra={**self._ids(event), "error": describe(error)})
            return ()

    async def _asked(self, event: Event, ask: Callable[[], Awaitable[str]]) -> str | None:
        """The API's answer; None if it gives none in time: all later events wait behind this one.

        Raises TokenRefusedError.
        """
        clock = asyncio.get_running_loop().time
        until, tries = clock() + _ASK_FOR, 0
        while clock() >= self._ask_from:
            try:
                return await ask()
            except ApiUnavailableError as error:
                telemetry.count("GatewayEventsDelayed")
                log.warning("the API does not answer", extra={**self._ids(event), "reason": str(error)})
                pause = max(_pause(tries), error.seconds)
            tries += 1
            if clock() + pause > until:
                self._ask_from = clock() + _ASK_AGAIN
                break
            await asyncio.sleep(pause)
        telemetry.count("GatewayLookupsFailed")
        return None

    async def _store(self, messages: tuple[Message, ...]) -> None:
        """Raises AwsError."""
        for message in messages:
            while not self._is_safe():  # noqa: ASYNC110  # it depends on the time
                await asyncio.sleep(_LOOK)
            try:
                await asyncio.to_thread(queues.send_messages, [message])
            except queues.TooLargeError:
                telemetry.count("GatewayEventsFailed")
                log.error("message too large", extra=telemetry.ids_of(message))
                continue
            log.info("message received", extra=telemetry.ids_of(message))
            if is_stop(message):
                await asyncio.to_thread(request_stop, message, time.time())

    def _ids(self, event: Event) -> dict[str, str]:
        return {"platform": self._app.platform, "app": self._app.name, "event": event.name, "event_id": event.id}


def _pause(tries: int) -> float:
    """Seconds before another try, after so many pauses."""
    return _PAUSES[min(tries, len(_PAUSES) - 1)]


def _learn(known: OrderedDict[str, str], more: Mapping[str, str], most: int) -> None:
    """Add `more` to `known`, and forget what has been known the longest above `most`."""
    known.update(more)
    while len(known) > most:
        known.popitem(last=False)
