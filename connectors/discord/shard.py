"""One shard of an app: takes the lease, holds the session while it has it, and gives both to the next instance."""

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from connectors.discord.api import Api, ApiUnavailableError, Limit, TokenRefusedError
from connectors.discord.frames import Identity
from connectors.discord.intake import Intake
from connectors.discord.lease import Lease, Timing, take_turn
from connectors.discord.session import Dispatch, Phase, Saved, Session, Stopped
from connectors.discord.socket import Driver, Forbidden, Permission, Permitted, Refused
from connectors.pausing import pause
from parley.adapter import App
from parley.engine import telemetry
from parley.engine.apps import AppsUnavailableError
from parley.engine.aws import AwsError, dynamodb, error_code, setting
from parley.engine.telemetry import log
from parley.journal.table import gateway_pk
from parley.platforms.discord.config import Config
from parley.platforms.discord.intents import bits

_IDENTIFY_EVERY = 5.5
"""Seconds between two identifies of a bucket; Discord demands five."""
_DRAIN = 10.0
"""Seconds in which the events that wait are stored when the program ends."""
_MEASURED = 60.0
"""Seconds between two measurements."""
_FATAL_PAUSES = (60.0, 300.0, 900.0, 3600.0)
"""Seconds before the tries after an error that only a person can mend, unless the configuration changes. The first ones
are short, because the error may be Discord's."""
_WRONG_TOKEN = 4004


@dataclass(slots=True)
class Shard:
    """Shard `number` of `count`. `reread` returns the app if its configuration has changed. `alive` is called every few
    seconds, also while AWS is away: to start again would not help. `draw` returns a number from 0 to 1 by chance.
    """

    app: App
    number: int
    owner: str
    reread: Callable[[App], App | None]
    alive: Callable[[], None] = lambda: None
    timing: Timing = field(default_factory=Timing)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    draw: Callable[[], float] = random.random
    count: int = 1
    _stops: int = field(default=0, init=False)
    """Errors in a row that only a person can mend."""

    async def run(self) -> None:
        """Hold the session whenever no other instance does, until `stopping` is set."""
        while not self.stopping.is_set():
            lease = Lease(dynamodb(), setting("TABLE"), self._pk(self._name), self.owner, self.timing)
            saved = await self._take(lease)
            if saved is None:
                await pause(self.stopping, self.timing.renew)
                continue
            log.info("leading", extra={**self._ids, "resumes": bool(saved.session_id)})
            telemetry.count("GatewayTakeovers")
            # A standby may have read its configuration days ago.
            await self._reread()
            await self._lead(lease, saved)

    async def _take(self, lease: Lease) -> Saved | None:
        self.alive()
        try:
            return await asyncio.to_thread(lease.take)
        except AwsError as error:
            log.warning("lease not read", extra={**self._ids, "error": error_code(error)})
            return None

    async def _lead(self, lease: Lease, saved: Saved) -> None:
        config: Config = self.app.config
        shard = (self.number, self.count)
        who = Identity(token=config.bot_token, intents=bits(config.gateway_intents), shard=shard)
        session, begun = Session(who, saved, self.draw), asyncio.Event()
        async with Api(config) as api:
            intake = Intake(
                self.app,
                api,
                is_safe=lambda: lease.is_safe,
                stored=lambda event: _stored(session, event, begun),
                bot_id=lambda: session.saved.user_id or config.application_id,
            )
            driver = Driver(session, intake, lambda: self._may_identify(api), self._ids)
            running = asyncio.create_task(driver.run())
            storing = asyncio.create_task(intake.run())
            renewing = asyncio.create_task(self._renew(lease, session, begun))
            tasks: list[asyncio.Task[Any]] = [running, storing, renewing, asyncio.create_task(self._stop(driver))]
            try:
                await asyncio.wait(tasks[:3], return_when=asyncio.FIRST_COMPLETED)
                if renewing.done():
                    renewing.result()
                elif storing.done():
                    await self._fatal(_intake_end(storing))
                else:
                    await self._ended(running.result(), lease, session, intake)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _stop(self, driver: Driver) -> None:
        await self.stopping.wait()
        driver.stop()

    async def _ended(self, end: Stopped, lease: Lease, session: Session, intake: Intake) -> None:
        """The session has ended: for good, or because the program does. Then the next instance continues it."""
        if end.code:
            await self._fatal(end)
            return
        try:
            async with asyncio.timeout(_DRAIN):
                await intake.below(0)
        except TimeoutError:
            log.warning("events left", extra=self._ids)
        try:
            await asyncio.to_thread(lease.release, session.saved)
        except AwsError as error:
            log.warning("lease not released", extra={**self._ids, "error": error_code(error)})

    async def _fatal(self, end: Stopped) -> None:
        """Wait until a person has changed something. The lease is still renewed, so that the standby does not try."""
        telemetry.count("GatewayStopped")
        log.error("stopped: a person has to act", extra={**self._ids, "code": end.code, "reason": end.reason})
        until = time.monotonic() + _FATAL_PAUSES[min(self._stops, len(_FATAL_PAUSES) - 1)]
        self._stops += 1
        while not await self._reread() and time.monotonic() < until and not self.stopping.is_set():
            await pause(self.stopping, _MEASURED)
            telemetry.count("GatewayStopped")

    async def _reread(self) -> bool:
        """Whether the configuration has changed. Then it is used."""
        try:
            changed = await asyncio.to_thread(self.reread, self.app)
        except AppsUnavailableError:
            return False
        if changed is None:
            return False
        self.app, self._stops = changed, 0
        return True

    async def _renew(self, lease: Lease, session: Session, begun: asyncio.Event) -> None:
        """Renew the lease and store where the next instance continues, until another instance has the lease.

        A session that has `begun` is stored at once: no other instance can continue one that it does not know.
        """
        measured = 0.0
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.timing.renew):
                    await begun.wait()
            begun.clear()
            try:
                held = await asyncio.to_thread(lease.renew, session.saved)
            except AwsError as error:
                log.warning("lease not renewed", extra={**self._ids, "error": error_code(error)})
                held = lease.is_held
            self.alive()
            if not held:
                telemetry.count("GatewayLeasesLost")
                log.warning("lease lost", extra=self._ids)
                return
            if time.monotonic() - measured >= _MEASURED:
                measured = time.monotonic()
                self._stops = 0 if session.phase is Phase.LIVE else self._stops
                telemetry.count("GatewayLeading")
                telemetry.duration("GatewayHeartbeatAge", min(86_400, time.monotonic() - session.acked_at))

    async def _may_identify(self, api: Api) -> Permission:
        """Whether the session may begin now: the limits of the day and of five seconds, over all instances."""
        try:
            found = await api.gateway()
            self._watch(found.limit)
            if found.limit.wait:
                return Refused(found.limit.wait)
            bucket = self._pk(f"identify{self.number % found.limit.at_once}")
            wait = await asyncio.to_thread(
                take_turn, dynamodb(), setting("TABLE"), bucket, _IDENTIFY_EVERY, time.time()
            )
        except TokenRefusedError:
            return Forbidden(_WRONG_TOKEN)
        except ApiUnavailableError as error:
            log.warning("no address of the Gateway", extra={**self._ids, "error": str(error)})
            return Refused(error.seconds)
        except AwsError as error:
            log.warning("no turn to identify", extra={**self._ids, "error": error_code(error)})
            return Refused(self.timing.renew)
        if wait:
            return Refused(wait)
        telemetry.count("GatewayIdentifies")
        return Permitted(found.url)

    def _watch(self, limit: Limit) -> None:
        if limit.is_low:
            telemetry.count("GatewayIdentifiesLow")
            log.error("few identifies left", extra={**self._ids, "left": limit.remaining, "seconds": limit.wait})

    @property
    def _name(self) -> str:
        """The shard in the table. Shards of another number of them have other servers: no one continues the other."""
        return f"shard{self.number}" if self.count == 1 else f"shard{self.number}of{self.count}"

    def _pk(self, part: str) -> str:
        return gateway_pk(self.app.platform, self.app.name, part)

    @property
    def _ids(self) -> dict[str, str]:
        return {"platform": self.app.platform, "app": self.app.name, "shard": self._name, "owner": self.owner}


def _stored(session: Session, event: Dispatch, begun: asyncio.Event) -> None:
    session.stored(event)
    if event.name == "READY":
        begun.set()


def _intake_end(task: "asyncio.Task[None]") -> Stopped:
    """Why the intake has ended: the API refuses the token. Any other error is raised."""
    error = task.exception()
    if isinstance(error, TokenRefusedError):
        return Stopped(_WRONG_TOKEN, "the bot token is wrong")
    raise error or RuntimeError("the intake has ended")
