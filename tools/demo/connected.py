"""Clients of the HTTP channel that are connected: by WebSocket, and to the TCP connector."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tools.demo.client import TIMEOUT, PlatformClient

_LENGTH = 4
"""Bytes with the length of a frame of TCP, which precede it."""


@dataclass(frozen=True)
class Connection:
    """One connection. `send` and `receive` pass one frame."""

    send: Callable[[bytes], None]
    receive: Callable[[], bytes]

    def ask(self, answer: str, **frame: Any) -> dict[str, Any]:
        """Send a frame, and return the next frame of type `answer`, or an error."""
        self.send(json.dumps(frame).encode())
        return self.next(answer)

    def next(self, wanted: str) -> dict[str, Any]:
        """The next frame of that type, or an error."""
        while True:
            frame: dict[str, Any] = json.loads(self.receive())
            if frame["type"] in (wanted, "error"):
                return frame


Connect = Callable[[PlatformClient, str], AbstractContextManager[Connection]]
"""Opens a connection for a client with a token, and says `hello`."""


@contextmanager
def websocket(client: PlatformClient, token: str) -> Iterator[Connection]:
    """A connection through API Gateway."""
    url = f"{client.stack['sockets']}?app={client.app}"
    headers = {"Authorization": f"Bearer {token}"}
    with connect(url, additional_headers=headers, proxy=None, open_timeout=TIMEOUT) as held:
        yield Connection(lambda frame: held.send(frame.decode()), lambda: held.recv(TIMEOUT, decode=False))


def refusal(client: PlatformClient, token: str) -> bool:
    """Whether a handshake with that token is refused. The emulator has one status for all reasons."""
    try:
        with websocket(client, token):
            return False
    except InvalidStatus:
        return True


@contextmanager
def tcp(client: PlatformClient, token: str) -> Iterator[Connection]:
    """A connection to the TCP connector of this machine."""
    place = client.stack["tcp"]
    until = time.monotonic() + TIMEOUT
    while True:
        try:
            held = socket.create_connection((place["host"], place["port"]), timeout=TIMEOUT)
            break
        except ConnectionRefusedError:  # the connector may have started just now
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
    with held, held.makefile("rb") as stream:

        def receive() -> bytes:
            return stream.read(int.from_bytes(stream.read(_LENGTH)))

        made = Connection(lambda frame: held.sendall(len(frame).to_bytes(_LENGTH) + frame), receive)
        hello = {"type": "hello", "version": 1, "app": client.app, "token": token}
        made.send(json.dumps(hello).encode())
        yield made
