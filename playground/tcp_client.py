"""A client of the TCP connector at `/tcp`, for an app of the HTTP channel on the local stack.

A browser has no TCP. This server holds the connection of each open page, and passes the frames on: those of the page to
the connector, and those of the connector to the page. The page decides what to send, as a device would.
"""

import asyncio
import json
import time
from contextlib import suppress
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from playground.platforms.http import wire
from playground.stack import Stack

APP = "demo"
_PAGE = Path(__file__).with_name("static") / "tcp.html"
_TOKEN_SECONDS = 3600
_LENGTH = 4
"""Bytes with the length of a frame, which precede it."""


def routes(stack: Stack) -> list[BaseRoute]:
    """The page, and the socket between it and this server."""

    async def page(_request: Request) -> Response:
        return FileResponse(_PAGE, headers={"Cache-Control": "no-cache"})

    async def frames(socket: WebSocket) -> None:
        await socket.accept()
        with suppress(WebSocketDisconnect, RuntimeError):  # the page was closed
            await _serve(socket, stack)
            await socket.close()

    return [Route("/tcp", page), WebSocketRoute("/tcp/frames", frames)]


async def _serve(socket: WebSocket, stack: Stack) -> None:
    """Connect, say who it is, and pass frames on until one side ends the connection."""
    facts = await run_in_threadpool(stack.describe)
    try:
        place, issuer = facts["tcp"], facts["apps"]["http"][APP]["issuers"][0]
        reader, writer = await asyncio.open_connection(place["host"], place["port"])
    except (OSError, KeyError):
        await socket.send_json({"type": "no connector"})
        return
    person = socket.query_params.get("device", "") or "device"
    claims = {"iss": issuer["issuer"], "aud": issuer["audience"], "sub": person, "name": person}
    bearer = wire.token(issuer["secrets"][0], claims, time.time(), seconds=_TOKEN_SECONDS)
    hello = {"type": "hello", "version": 1, "app": APP}
    writer.write(_framed(json.dumps({**hello, "token": bearer})))
    await socket.send_json({**hello, "token": "..."})
    passing = [asyncio.create_task(_to_page(reader, socket)), asyncio.create_task(_to_connector(socket, writer))]
    try:
        await asyncio.wait(passing, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in passing:
            task.cancel()
        await asyncio.gather(*passing, return_exceptions=True)
        writer.close()


async def _to_page(reader: asyncio.StreamReader, socket: WebSocket) -> None:
    with suppress(OSError, EOFError):
        while True:
            length = int.from_bytes(await reader.readexactly(_LENGTH))
            await socket.send_text((await reader.readexactly(length)).decode())


async def _to_connector(socket: WebSocket, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        async for frame in socket.iter_text():
            writer.write(_framed(frame))
            await writer.drain()


def _framed(frame: str) -> bytes:
    data = frame.encode()
    return len(data).to_bytes(_LENGTH) + data
