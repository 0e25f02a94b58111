"""Makes the local stack reachable from containers.

    python -m tools.relay STACK_JSON ADDRESS

The stack listens on the loopback interface only, and inside a container that is the container itself. So the relay
forwards the ports of the local AWS and of the playground from ADDRESS. This is the gateway of the containers' bridge,
by which containers reach this machine. No other machine can reach it.
"""

import asyncio
import json
import signal
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

_IP_FREEBIND = 15
"""From linux/in.h. It is needed because podman removes its bridge, and the address, while no container runs."""


def ports_of(stack: Path) -> list[int]:
    """The ports that the functions call."""
    known = json.loads(stack.read_text())
    return [port for name in ("aws_endpoint", "playground") if (port := urlsplit(known[name]).port)]


async def main(ports: list[int], address: str) -> None:
    """Forward until SIGTERM or SIGINT."""
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
