"""A client for tests: sends frames and bytes, and collects what comes."""

import asyncio
import json
import ssl
from contextlib import suppress
from typing import Any

from connectors.tcp.framing import framed


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def connect(cls, port: int, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> "Client":
        name = "localhost" if tls else None
        return cls(*await asyncio.open_connection(host, port, ssl=tls, server_hostname=name))

    @classmethod
    async def known(cls, port: int, token: str, tls: ssl.SSLContext | None = None) -> "Client":
        """A client whose token is accepted."""
        client = await cls.connect(port, tls)
        client.send(type="hello", version=1, app="web", token=token)
        ready = await client.next()
        assert ready["type"] == "ready", ready
        return client

    def send(self, **frame: Any) -> None:
        self.raw(framed(json.dumps(frame).encode()))

    def raw(self, data: bytes) -> None:
        self.writer.write(data)

    async def next(self, seconds: float = 10) -> dict[str, Any]:
        """The next frame. Raises EOFError if the connection has ended."""
        async with asyncio.timeout(seconds):
            length = int.from_bytes(await self.reader.readexactly(4))
            return json.loads(await self.reader.readexactly(length))

    async def ask(self, **frame: Any) -> dict[str, Any]:
        self.send(**frame)
        return await self.next()

    async def ended(self, seconds: float = 10) -> bool:
        """Whether the connection ends, without another frame."""
        async with asyncio.timeout(seconds):
            try:
                return await self.reader.read(1) == b""
            except OSError:
                return True

    async def close(self) -> None:
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()
