"""A simulated Discord with a fixed clock, and an application that calls its API in the same process."""

import json
from dataclasses import dataclass
from random import Random
from typing import Any

import httpx
from nacl.signing import SigningKey

from playground.platforms.discord import Discord
from playground.platforms.discord.accounts import Interaction
from playground.platforms.model import Attempt, Delivery, NewMessage
from playground.transport import PlatformTransport
from tests.unit.playground.clock import Clock

KEY = SigningKey(bytes(range(32)))
HOST = "http://discord.test/api/v10"
TOKEN, APPLICATION = "the-bot-token", "1100000000000000001"
APP = {
    "application_id": APPLICATION,
    "public_key": KEY.verify_key.encode().hex(),
    "bot_token": TOKEN,
    "host": HOST,
    "signing_key": bytes(KEY).hex(),
}
AGENT = {"User-Agent": "DiscordBot (https://example.com/test, 1.0)"}
ECHO = {
    "name": "echo",
    "type": 1,
    "description": "Say it back",
    "options": [
        {"type": 3, "name": "text", "description": "what", "required": True, "max_length": 100},
        {"type": 4, "name": "times", "description": "how often", "min_value": 1},
    ],
}
COUNT = {"name": "count", "type": 1, "description": "A number"}


@dataclass
class Caller:
    """Calls the API as an application."""

    discord: Discord
    clock: Clock
    http: httpx.Client

    def bot(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self.http.request(method, path, headers={**AGENT, "Authorization": f"Bot {TOKEN}"}, **more)

    def by_token(self, method: str, made: Interaction, path: str = "", **more: Any) -> httpx.Response:
        return self.http.request(method, f"/webhooks/{APPLICATION}/{made.token}{path}", headers=AGENT, **more)

    def invoke(self, text: str = "/count", room: str = "team", **more: Any) -> Interaction:
        message = self.discord.send_message("demo", room, "lin", NewMessage(text=text, **more))
        return self.discord.by_delivery[message.id]

    def respond(self, delivery: Delivery, value: Any, status: int = 200) -> str:
        """Respond to `delivery`. Returns its state."""
        self.discord.record_attempt(delivery, Attempt(self.clock.now, 5, status), {}, json.dumps(value).encode())
        return delivery.state

    def deferred(self, text: str = "/count", flags: int = 0, **more: Any) -> Interaction:
        made = self.invoke(text, **more)
        assert self.respond(made.delivery, {"type": 5, "data": {"flags": flags}}) == "delivered"
        return made

    def bot_messages(self, room: str = "team") -> list[dict[str, Any]]:
        """The contents of the application's messages in a group, without deleted ones."""
        id_ = self.discord.room_id(room, "group")
        found = [m for m in self.discord.messages.values() if m.room == id_ and m.sender_kind == "bot"]
        return [m.content for m in found if not m.recalled]


def caller() -> Caller:
    """A new Discord with the commands `/echo` and `/count`."""
    clock = Clock()
    discord = Discord(clock=clock, random=Random(7))
    discord.add_app("demo", APP)
    made = Caller(
        discord, clock, httpx.Client(transport=PlatformTransport({"http://discord.test": discord}), base_url=HOST)
    )
    for command in (ECHO, COUNT):
        assert made.bot("POST", f"/applications/{APPLICATION}/commands", json=command).status_code == 201
    return made


def code(response: httpx.Response) -> tuple[int, int | None]:
    """Status and Discord's code."""
    return response.status_code, response.json().get("code")
