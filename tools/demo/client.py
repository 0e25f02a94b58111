"""The two clients of a case: the playground, where people write, and the callback URL, where attackers send."""

import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from parley.platforms import callback_path

T = TypeVar("T")
TIMEOUT = 30.0
"""Seconds to wait for something that usually takes a fraction of a second."""


class NoReplyError(Exception):
    """Something did not happen in time. The text says what was there instead."""


@dataclass(frozen=True)
class SentMessage:
    """A message that a person has sent: the platform's ids, and the time."""

    id: str
    room: str
    at: float
    thread: str = ""
    sender: str = ""


@dataclass(frozen=True)
class CallbackResponse:
    """The HTTP response to a callback."""

    status: int
    body: bytes
    seconds: float

    @property
    def text(self) -> str:
        """The status and the error code, if there is one: `401 forged`, `200`."""
        try:
            error = json.loads(self.body).get("error", "")
        except (ValueError, AttributeError):
            error = ""
        return f"{self.status} {error}".rstrip()


@dataclass(frozen=True)
class PlatformClient:
    """One platform of a running stack. `stack` is the content of stack.json."""

    stack: Mapping[str, Any]
    platform: str
    app: str = "demo"
    http: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False, timeout=TIMEOUT))

    @property
    def config(self) -> dict[str, Any]:
        """The credentials of the app, as the platform's console shows them."""
        return self.stack["apps"][self.platform][self.app]

    def post(self, path: str, /, **body: Any) -> dict[str, Any]:
        """POST to the playground's control API. Raises NoReplyError."""
        response = self.http.post(self.stack["playground"] + path, json={"platform": self.platform} | body)
        if response.status_code != 200:
            raise NoReplyError(f"the playground answers {response.status_code} {response.text[:200]}")
        return response.json()

    def get(self, path: str, **query: str) -> Any:
        """GET from the playground's control API."""
        return self.http.get(self.stack["playground"] + path, params=query).raise_for_status().json()

    def delete(self, path: str) -> None:
        """DELETE in the playground's control API."""
        self.http.delete(self.stack["playground"] + path, params={"platform": self.platform}).raise_for_status()

    def messages(self, room: str) -> list[dict[str, Any]]:
        """All messages in `room`, in order."""
        return self.get("/api/messages", platform=self.platform, room=room)["messages"]

    def calls(self) -> list[dict[str, Any]]:
        """Every API call that the simulated platform has received, in order."""
        return self.get("/api/calls", platform=self.platform)

    def delivery(self, message_id: str) -> dict[str, Any]:
        """How the platform delivers a message to the callback."""
        return self.get(f"/api/trace/{message_id}")["delivery"]

    def delivered(self, message_id: str) -> dict[str, Any]:
        """The same, once the message is delivered. Raises NoReplyError."""
        return self.wait(
            lambda: self.delivery(message_id),
            lambda found: found["state"] == "delivered",
            lambda found: found["state"],
        )

    def journal(self, message_id: str) -> dict[str, Any]:
        """The journal's entry of a message, once the bot has decided. Raises NoReplyError."""
        return self.wait(
            lambda: self.get(f"/api/journal/{message_id}"),
            lambda found: found["decided"] is not None,
            lambda _: "no decision",
        )

    def group(self) -> str:
        """The name of a new group."""
        return f"demo-{uuid.uuid4().hex[:8]}"

    def send(self, room: str, text: str = "", sender: str = "lin", **more: Any) -> SentMessage:
        """Have a person write in `room`; `private` is the direct chat with the bot."""
        sent = self.post("/api/messages", app=self.app, room=room, sender=sender, text=text, **more)
        message = next(m for m in self.messages(sent["room"]) if m["id"] == sent["message_id"])
        return SentMessage(message["id"], message["room"], message["at"], message["thread"], sender)

    def send_next(self, previous: SentMessage, text: str) -> SentMessage:
        """Have the same person write in the same place."""
        return self.send(previous.room, text, previous.sender)

    def replies(self, room: str, count: int = 1, since: float = 0) -> list[dict[str, Any]]:
        """The bot's messages in `room` since then, once there are `count`. Raises NoReplyError."""
        return self.wait(
            lambda: [m for m in self.messages(room) if m["sender"]["kind"] == "bot" and m["at"] >= since],
            lambda found: len(found) >= count,
            lambda found: f"{len(found)} replies, not {count}",
        )

    def call_back(
        self, headers: Mapping[str, str], body: bytes, app: str = "", query: Mapping[str, str] | None = None
    ) -> CallbackResponse:
        """Send a request to the callback URL, as anybody on the internet can."""
        url: str = self.stack["callbacks"][self.platform][self.app]
        url = url.removesuffix(callback_path(self.platform, self.app)) + callback_path(self.platform, app or self.app)
        started = time.perf_counter()
        response = self.http.post(url, headers=dict(headers), content=body, params=dict(query or {}))
        return CallbackResponse(response.status_code, response.content, time.perf_counter() - started)

    def wait(self, look: Callable[[], T], enough: Callable[[T], bool], describe: Callable[[T], str]) -> T:
        """The first result of `look` that is enough. Raises NoReplyError, which describes the last result."""
        deadline = time.monotonic() + TIMEOUT
        while not enough(found := look()):
            if time.monotonic() > deadline:
                raise NoReplyError(f"{describe(found)} after {TIMEOUT:g} s")
            time.sleep(0.02)  # between two looks
        return found
