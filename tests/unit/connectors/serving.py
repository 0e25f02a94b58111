"""A simulated Discord on a free port, whose Gateway the connector connects to."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from parley.adapter import App
from parley.platforms.discord.config import Config
from playground.platforms.discord import Discord
from playground.platforms.model import Message, NewMessage
from playground.server import WEBSOCKET, Connections, make_app
from playground.stack import Stack
from playground.world import World
from tests.unit.playground.discord import APP
from tests.unit.playground.serving import wait_until

INTENTS = ("GUILDS", "GUILD_MEMBERS", "GUILD_MESSAGES", "GUILD_MESSAGE_REACTIONS", "DIRECT_MESSAGES", "MESSAGE_CONTENT")


@dataclass
class Served:
    """The simulation, and the configuration of its app."""

    discord: Discord
    config: dict[str, Any]

    @property
    def app(self) -> App:
        return App("discord", "demo", Config(**self.config))

    def say(self, text: str, room: str = "team", **more: Any) -> Message:
        """Lin writes an ordinary message."""
        return self.discord.send_message("demo", room, "lin", NewMessage(text=text, **more))


@contextmanager
def serving_discord(directory: Path, **more: Any) -> Iterator[Served]:
    listening = socket.create_server(("127.0.0.1", 0))
    host = f"http://127.0.0.1:{listening.getsockname()[1]}/discord/api/v10"
    config = {**APP, "host": host}
    file = directory / "stack.json"
    file.write_text(json.dumps({"ready": True, "callbacks": {}, "apps": {"discord": {"demo": config}}}))
    world = World(Stack(file), {"discord": Discord})
    discord = world.platforms["discord"]
    assert isinstance(discord, Discord)
    discord.gateway.identify_every = 0.0
    server = uvicorn.Server(
        uvicorn.Config(
            make_app(world), http=Connections, ws=WEBSOCKET, log_level="warning", timeout_graceful_shutdown=2
        )
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        wait_until(lambda: server.started and discord.app_names())
        settings = {name: value for name, value in config.items() if name != "signing_key"}
        yield Served(discord, {**settings, "gateway_intents": INTENTS, **more})
    finally:
        world.hub.close()
        server.should_exit = True
        thread.join(15)
        listening.close()
        assert not thread.is_alive(), "the playground did not stop"
