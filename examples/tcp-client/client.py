"""A client of the TCP connector: sends each line of its input, and prints each reply.

PARLEY_TOKEN=... python client.py HOST PORT APP [CERTIFICATE]

CERTIFICATE: a file with the certificate authority of the server. `-`: no TLS, for a connector on this machine.
"""

import asyncio
import json
import os
import random
import ssl
import sys
import uuid
from contextlib import suppress
from typing import Any


class Client:
    """Connects again whenever the connection ends. No message and no reply is lost or comes twice."""

    def __init__(self, host: str, port: int, app: str, token: str, tls: ssl.SSLContext | None) -> None:
        self.place, self.app, self.token, self.tls = (host, port), app, token, tls
        self.waiting: dict[str, str] = {}  # messages that are not accepted yet, by their keys
        self.cursor: str | None = None  # the last reply that was shown
        self.writer: asyncio.StreamWriter | None = None

    def say(self, text: str) -> None:
        """Send a message, now or once there is a connection."""
        key = uuid.uuid4().hex
        self.waiting[key] = text
        self.send(type="message", key=key, text=text)

    def send(self, **frame: Any) -> None:
        """Send a frame: four bytes with its length, then JSON."""
        if self.writer:
            data = json.dumps(frame).encode()
            self.writer.write(len(data).to_bytes(4, "big") + data)

    async def run(self) -> None:
        """Stay connected."""
        while True:
            with suppress(OSError, EOFError):
                await self._connection()
            self.writer = None
            await asyncio.sleep(1 + random.random() * 4)  # not all clients of a connector that ends come at once

    async def _connection(self) -> None:
        reader, writer = await asyncio.open_connection(*self.place, ssl=self.tls)
        self.writer = writer
        pinging = asyncio.create_task(self._ping())
        try:
            self.send(type="hello", version=1, app=self.app, token=self.token)
            while True:
                length = int.from_bytes(await reader.readexactly(4), "big")
                self._received(json.loads(await reader.readexactly(length)))
        finally:
            pinging.cancel()
            writer.close()

    def _received(self, frame: dict[str, Any]) -> None:
        match frame["type"]:
            case "ready":
                self.send(type="open", room="", **({"after": self.cursor} if self.cursor else {}))
                for key, text in self.waiting.items():  # the same keys: what was stored already has no effect
                    self.send(type="message", key=key, text=text)
            case "accepted":
                self.waiting.pop(frame["key"], None)
            case "opened" if self.cursor is None:
                self.cursor = frame["cursor"]
            case "reply" if int(frame["cursor"]) > int(self.cursor or 0):
                self.cursor = frame["cursor"]
                print(frame.get("reply", {}).get("text", ""), flush=True)
                self.send(type="ack", room="", cursor=self.cursor)
            case "error":
                print(frame["status"], frame.get("detail", frame["error"]), file=sys.stderr, flush=True)
                self._refused(frame.get("key", ""), frame.get("retry_after"))
            case _:
                pass

    def _refused(self, key: str, retry_after: int | None) -> None:
        if key in self.waiting and retry_after is None:
            del self.waiting[key]  # it would be refused again
        elif key in self.waiting:
            text = self.waiting[key]
            again = asyncio.get_running_loop().call_later
            again(retry_after or 1, lambda: self.send(type="message", key=key, text=text))

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(30)
            self.send(type="ping")


async def main(host: str, port: str, app: str, certificate: str | None = None) -> None:
    """Run until the program is stopped."""
    tls = None if certificate == "-" else ssl.create_default_context(cafile=certificate)
    client = Client(host, int(port), app, os.environ["PARLEY_TOKEN"], tls)
    running = asyncio.create_task(client.run())
    while line := await asyncio.to_thread(sys.stdin.readline):
        client.say(line.rstrip("\n"))
    await running


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
