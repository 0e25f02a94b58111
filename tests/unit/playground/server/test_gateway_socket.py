"""The socket of a simulated gateway is for this machine only."""

import asyncio
import json
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.typing import Origin

from playground.server import Connections
from tests.unit.connectors.serving import Served, serving_discord


def address(served: Served) -> str:
    host = served.config["host"].removesuffix("/api/v10")
    return f"{host.replace('http', 'ws', 1)}/gateway/?v=10&encoding=json"


def test_a_client_gets_the_first_frame_and_the_codes_of_the_platform(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        async with connect(address(served), proxy=None) as socket:
            assert json.loads(await socket.recv())["op"] == 10
            await socket.send('{"op": 99}')
            with pytest.raises(ConnectionClosedError):
                await socket.recv()
            assert socket.close_code == 4001
        for _ in range(200):
            if not Connections.open:
                return
            await asyncio.sleep(0.02)
        raise AssertionError("the connection is still recorded")

    with serving_discord(tmp_path) as served:
        asyncio.run(test(served))


def test_the_page_of_another_site_cannot_connect(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        with pytest.raises(InvalidStatus) as refused:
            async with connect(address(served), proxy=None, origin=Origin("https://evil.example")):
                pass
        assert refused.value.response.status_code == 403

    with serving_discord(tmp_path) as served:
        asyncio.run(test(served))
