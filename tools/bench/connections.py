"""Memory of idle connections: `python -m tools.bench.connections [NUMBER]` holds so many on one TCP connector.

It prints the memory of the connector's process for each connection, with and without TLS, and the time of a `ping`
while all are open. Every token is accepted, and AWS is not needed. The system must allow so many files (`ulimit -n`).
"""

import asyncio
import json
import os
import resource
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from connectors.tcp.framing import framed
from connectors.tcp.limits import Limits
from connectors.tcp.server import Server
from connectors.tcp.tls import context
from parley.adapter import App, Client
from parley.issuers import Issuer
from parley.platforms.http import sockets
from parley.platforms.http.config import Config
from tests.unit.connectors.tcp import certificates

_AT_ONCE = 200
_ISSUER = Issuer(issuer="https://www.example.com", audience="parley", algorithm="HS256", secrets=("x" * 32,))


class _Everybody:
    """In place of `connectors.tcp.service.Service`: accepts every token."""

    def check(self, hello: Any, _source: str) -> tuple[Client, App]:
        client = Client(
            platform="http", app="web", person=hello.token, name="", rooms=frozenset(), until=int(time.time()) + 3600
        )
        return client, App("http", "web", Config(issuers=(_ISSUER,), sockets=True))

    def interpret(self, data: bytes, client: Client, app: App) -> Any:
        return sockets.action(data, client, app, time.time())


async def _serve(certificate: str, key: str, connections: int) -> None:
    """The process of the connector: prints its port, and its memory for each line of its input."""
    tls = context(Path(certificate), Path(key), {}) if certificate else None
    limits = Limits(
        connections=connections + 10, connections_of_address=connections + 10, hello_within=600, silent_for=3600
    )
    server = Server(_Everybody(), limits, tls)  # type: ignore[arg-type]
    print(await server.start("127.0.0.1", 0), flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        known = sum(bool(each.session and each.session.client) for each in server.connections)
        print(json.dumps({"memory": _memory(), "known": known}), flush=True)
    await server.drain()


def _memory() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def _open(
    port: int, number: int, tls: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    # Each address of the loopback network has ports of its own.
    local = (f"127.0.0.{2 + number // 20_000}", 0)
    name = "localhost" if tls else None
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=tls, server_hostname=name, local_addr=local, family=socket.AF_INET
    )
    hello = {"type": "hello", "version": 1, "app": "web", "token": f"p{number}"}
    writer.write(framed(json.dumps(hello).encode()))
    await reader.readexactly(int.from_bytes(await reader.readexactly(4)))
    return reader, writer


async def _ping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> float:
    started = time.perf_counter()
    writer.write(framed(b'{"type":"ping"}'))
    await reader.readexactly(int.from_bytes(await reader.readexactly(4)))
    return time.perf_counter() - started


def _with_process(number: int, files: tuple[str, str]) -> None:
    command = [sys.executable, "-m", "tools.bench.connections", "--serve", *files, str(number)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        asyncio.run(_measure(number, files, process))
        process.kill()


async def _measure(number: int, files: tuple[str, str], process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None  # noqa: S101
    assert process.stdout is not None  # noqa: S101
    answers, port = process.stdout, int(process.stdout.readline())

    def ask() -> dict[str, int]:
        print(file=process.stdin, flush=True)
        while "memory" not in (line := answers.readline()):
            pass  # metrics
        return json.loads(line)

    before = ask()["memory"]
    tls = certificates.trusting(Path(files[0])) if files[0] else None
    gate, started = asyncio.Semaphore(_AT_ONCE), time.perf_counter()

    async def one(each: int) -> Any:
        async with gate:
            return await _open(port, each, tls)

    opened = await asyncio.gather(*map(one, range(number)))
    seconds = time.perf_counter() - started
    await asyncio.sleep(2)
    found = ask()
    pings = sorted([await _ping(*opened[each]) for each in range(0, number, max(1, number // 100))])
    middle, longest = pings[len(pings) // 2] * 1000, pings[-1] * 1000
    print(
        f"{'TLS 1.3' if files[0] else 'plain':8} {found['known']:,} connections in {seconds:.1f} s, "
        f"{found['memory'] / 2**20:.0f} MiB in all, {(found['memory'] - before) / number / 1024:.1f} KiB for each, "
        f"ping {middle:.1f} ms (median), {longest:.1f} ms (longest of {len(pings)})",
        flush=True,
    )


def main(arguments: list[str]) -> None:
    """Measure, or be the connector that is measured."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if arguments[:1] == ["--serve"]:
        asyncio.run(_serve(arguments[1], arguments[2], int(arguments[3])))
        return
    number = int(arguments[0]) if arguments else 10_000
    with tempfile.TemporaryDirectory() as directory:
        certificate, key = map(str, certificates.make(Path(directory)))
        for files in (("", ""), (certificate, key)):
            _with_process(number, files)


if __name__ == "__main__":
    main(sys.argv[1:])
