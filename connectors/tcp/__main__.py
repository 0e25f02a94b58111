"""`python -m connectors.tcp [APP...]`: accept connections by TCP for these apps of the HTTP channel, or for all.

It reads PARLEY_STAGE, PARLEY_TABLE and PARLEY_INBOUND_URL, and the configuration of each app from SSM. SIGTERM closes
all connections once what is in flight is stored. The exit code is 1 if another instance has taken this one for dead.
"""

import argparse
import asyncio
import os
import resource
import signal
import sys
import threading
import time
from functools import partial
from pathlib import Path
from uuid import uuid4

os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Parley")
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", f"{os.environ.get('PARLEY_STAGE', 'local')}-tcp")

from connectors.pausing import pause
from connectors.tcp.limits import Limits  # the logger reads the environment when it is imported
from connectors.tcp.notices import LIFE, RENEW, Notices, polling
from connectors.tcp.server import Server
from connectors.tcp.service import Service
from connectors.tcp.tls import context
from parley.engine.aws import AwsError, dynamodb, error_code, setting
from parley.engine.telemetry import count, log
from parley.journal.watchers import TCP

_LOCAL = ("127.0.0.1", "::1")
_FILES = 200
"""File descriptors that are not connections."""
_RETRY = 5.0
_CLEAN_EVERY = 300.0


def main(arguments: list[str]) -> int:
    """Run until SIGTERM or SIGINT. Returns the exit code."""
    default = Limits()
    parser = argparse.ArgumentParser(prog="connectors.tcp", description="Accepts connections of clients by TCP.")
    parser.add_argument("apps", nargs="*", metavar="APP", help="the names of the apps; all by default")
    parser.add_argument("--host", default="0.0.0.0", help="the address to listen at")  # noqa: S104
    parser.add_argument("--port", type=int, default=8443)
    parser.add_argument("--certificate", type=Path, help="a file with the certificate and its chain (PEM)")
    parser.add_argument("--key", type=Path, help="a file with its private key (PEM)")
    parser.add_argument("--plain", action="store_true", help="no TLS; with --host 127.0.0.1 only")
    parser.add_argument("--alive", type=Path, help="a file that is touched every few seconds while this program works")
    parser.add_argument("--connections", type=int, default=default.connections, help="connections at most")
    parser.add_argument("--per-address", type=int, default=default.connections_of_address, help="of one address")
    options = parser.parse_args(arguments)
    if options.plain and options.host not in _LOCAL:
        parser.error("--plain needs --host 127.0.0.1: tokens may not leave the machine without TLS")
    try:
        tls = None if options.plain else context(options.certificate, options.key)
    except ValueError as error:
        parser.error(str(error))
    limits = Limits(connections=_possible(options.connections), connections_of_address=max(1, options.per_address))
    notices = Notices(dynamodb(), setting("TABLE"), setting("STAGE"), uuid4().hex[:16], polling())
    server = Server(Service(options.apps, f"{TCP}{notices.name}"), limits, tls)
    return asyncio.run(_run(server, notices, (options.host, options.port), options.alive))


def _possible(connections: int) -> int:
    """`connections`, or as many as the system has file descriptors for."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard != resource.RLIM_INFINITY and connections > hard - _FILES:
        log.warning("fewer connections: too few file descriptors", extra={"limit": hard})
        return hard - _FILES
    return connections


async def _run(server: Server, notices: Notices, place: tuple[str, int], alive: Path | None) -> int:
    count("ConnectorStarts")
    stopping, loop, dead = asyncio.Event(), asyncio.get_running_loop(), asyncio.Event()
    for signal_ in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_, stopping.set)
    if not await _begun(notices, stopping):
        return 0

    def listen() -> None:
        notify = partial(loop.call_soon_threadsafe, server.notified)
        if notices.listen(notify, partial(loop.call_soon_threadsafe, server.missed_notices)):
            loop.call_soon_threadsafe(dead.set)
            loop.call_soon_threadsafe(stopping.set)

    # A daemon: the program does not wait for the end of its long poll.
    threading.Thread(target=listen, daemon=True, name="notices").start()
    port = await server.start(*place)
    log.info("listening", extra={"address": place[0], "port": port, "queue": notices.name})
    renewing = asyncio.create_task(_renew(notices, alive))
    await stopping.wait()
    log.info("draining", extra={"connections": len(server.connections)})
    await server.drain()
    renewing.cancel()
    try:
        await asyncio.to_thread(notices.end)
    except AwsError as error:
        log.warning("queue left", extra={"queue": notices.name, "error": error_code(error)})
    return 1 if dead.is_set() else 0


async def _begun(notices: Notices, stopping: asyncio.Event) -> bool:
    """Create the queue. False if the program ends before that is possible."""
    while not stopping.is_set():
        try:
            await asyncio.to_thread(notices.begin)
        except AwsError as error:
            log.error("no queue", extra={"queue": notices.name, "error": error_code(error)})
            await pause(stopping, _RETRY)
        else:
            return True
    return False


async def _renew(notices: Notices, alive: Path | None) -> None:
    """Say that this instance is alive, and delete what dead ones have left.

    After DynamoDB was away, no instance has renewed for a while. So this one takes another for dead only after it has
    renewed without a failure for longer than an instance lives. `alive` is touched meanwhile: to start again would help
    nobody, and end all connections.
    """
    look_at = time.monotonic() + LIFE + RENEW
    while True:
        if alive:
            await asyncio.to_thread(alive.touch)
        try:
            await asyncio.to_thread(notices.renew, time.time())
            if time.monotonic() >= look_at:
                await asyncio.to_thread(notices.clean, time.time())
                look_at = time.monotonic() + _CLEAN_EVERY
        except AwsError as error:
            look_at = time.monotonic() + LIFE + RENEW
            log.warning("not renewed", extra={"queue": notices.name, "error": error_code(error)})
        await asyncio.sleep(RENEW)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
