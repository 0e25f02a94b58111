"""`python -m connectors.discord APP...`: hold the connection to Discord's Gateway for these apps.

It reads PARLEY_STAGE, PARLEY_TABLE and PARLEY_INBOUND_URL, and the configuration of each app from SSM. Any number of
instances may run: one is active for each shard. SIGTERM gives the sessions to the next instance.
"""

import argparse
import asyncio
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Parley")
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", f"{os.environ.get('PARLEY_STAGE', 'local')}-discord-gateway")

from connectors.discord.lease import Timing  # the logger reads the environment when it is imported
from connectors.discord.shard import Shard
from connectors.pausing import pause
from parley.adapter import App
from parley.engine.apps import Apps, AppsUnavailableError, UnknownAppError
from parley.engine.batch import describe
from parley.engine.telemetry import count, log

_LOOK, _OVERLAP = 60.0, 30.0
"""Seconds between two looks at the number of shards, and until a new shard has its session for sure."""
_RETRY = 10.0
"""Seconds before another try to read a configuration, and after an error that nobody expects."""


def main(arguments: list[str]) -> int:
    """Run until SIGTERM or SIGINT. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="connectors.discord", description="Holds connections to Discord's Gateway.")
    parser.add_argument("apps", nargs="+", metavar="APP", help="the names of the apps")
    parser.add_argument("--alive", type=Path, help="a file that is touched every few seconds while this program works")
    parser.add_argument("--lease", type=float, default=Timing().lease, help="seconds until another instance takes over")
    options = parser.parse_args(arguments)
    lease: float = options.lease
    timing = Timing(lease=lease, renew=lease / 7, margin=min(lease / 2, Timing().margin))
    asyncio.run(_run(options.apps, options.alive, timing))
    return 0


async def _run(names: list[str], alive: Path | None, timing: Timing) -> None:
    count("ConnectorStarts")
    stopping, owner = asyncio.Event(), uuid4().hex
    loop = asyncio.get_running_loop()
    for signal_ in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_, stopping.set)
    apps = Apps()
    # One shard that fails does not stop the others.
    await asyncio.gather(*(_app(apps, name, owner, alive, timing, stopping) for name in names))


async def _app(apps: Apps, name: str, owner: str, alive: Path | None, timing: Timing, stopping: asyncio.Event) -> None:
    """Run the shards of an app. If it gets another number of them, those of the earlier number end a while after the
    new ones have begun: what comes twice meanwhile is handled once.
    """
    app, former, running = await _configured(apps, name, stopping), asyncio.Event(), set[asyncio.Task[None]]()
    while app is not None:
        count, ending = app.config.gateway_shards, asyncio.Event()
        for number in range(count):
            touch = lambda: alive.touch() if alive else None  # noqa: E731
            shard = Shard(app, number, owner, apps.reread, touch, timing, ending, count=count)
            running.add(asyncio.create_task(_forever(shard)))
        if len(running) > count:
            log.warning("another number of shards", extra={"platform": "discord", "app": name, "shards": count})
            await pause(stopping, _OVERLAP * count)
        former.set()
        former, app = ending, await _with_other_shards(apps, app, stopping)
    former.set()
    await asyncio.gather(*running)


async def _with_other_shards(apps: Apps, app: App, stopping: asyncio.Event) -> App | None:
    """The app once it has another number of shards; None if the program ends before."""
    count = app.config.gateway_shards
    while True:
        await pause(stopping, _LOOK)
        if stopping.is_set():
            return None
        with suppress(AppsUnavailableError):
            app = await asyncio.to_thread(apps.reread, app) or app
        if app.config.gateway_shards != count:
            return app


async def _configured(apps: Apps, name: str, stopping: asyncio.Event) -> App | None:
    """The app `name`, once its configuration can be read; None if the program ends before."""
    while not stopping.is_set():
        try:
            return await asyncio.to_thread(apps.get, "discord", name)
        except (UnknownAppError, AppsUnavailableError) as error:
            count("GatewayErrors")
            log.error("no configuration", extra={"platform": "discord", "app": name, "reason": describe(error)})
            await pause(stopping, _RETRY)
    return None


async def _forever(shard: Shard) -> None:
    """Run `shard` until the program ends, also after an error that nobody expects."""
    while not shard.stopping.is_set():
        started = time.monotonic()
        try:
            await shard.run()
        except Exception as error:  # noqa: BLE001
            count("GatewayErrors")
            ids = {"app": shard.app.name, "shard": str(shard.number), "seconds": round(time.monotonic() - started)}
            log.error("shard failed", extra={**ids, "error": describe(error)})
            await pause(shard.stopping, _RETRY)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
