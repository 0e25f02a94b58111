"""Lets containers reach the local stack.

    python -m tools.relay STACK_JSON ADDRESS

The stack listens on the loopback interface alone, and inside a container that is the container itself. So the ports of
the local AWS and of the playground are forwarded from ADDRESS, by which containers know this machine (the gateway of
their bridge); no other machine can reach it there.
"""

import asyncio
import json
import signal
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

_IP_FREEBIND = 15
"""linux/in.h; podman takes its bridge away, and the address with it, while no container runs."""


def ports_of(stack: Path) -> list[int]:
    """The ports that functions call."""
    known = json.loads(stack.read_text())
    return [port for name in ("aws_endpoint", "playground") if (port := urlsplit(known[name]).port)]


async def main(ports: list[int], address: str) -> None:
    """Forward until told to end."""
    ended = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, ended.set)
    servers = [await _forward(address, port) for port in ports]
    await ended.wait()
    for server in servers:
        server.close()


async def _forward(address: str, port: int) -> asyncio.Server:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
    listening.bind((address, port))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pump(reader, back), _pump(there, writer))

    return await asyncio.start_server(serve, sock=listening)


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65_536):
            target.write(data)
            await target.drain()
    except OSError:
        pass
    finally:
        target.close()


if __name__ == "__main__":
    asyncio.run(main(ports_of(Path(sys.argv[1])), sys.argv[2]))
