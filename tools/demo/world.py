"""What a case of the demo works with: the playground, where persons speak, and the callback URL, where attackers do."""

import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

T = TypeVar("T")
PATIENCE = 30.0
"""Seconds for an answer that takes a fraction of one."""


class Unanswered(Exception):
    """What was waited for did not come. The text says what there was instead."""


@dataclass(frozen=True)
class Said:
    """What a person has written: the platform's ids, and when."""

    id: str
    room: str
    at: float
    thread: str = ""
    sender: str = ""


@dataclass(frozen=True)
class Answer:
    """The HTTP answer to a callback."""

    status: int
    body: bytes
    seconds: float

    @property
    def words(self) -> str:
        """`401 forged`, `200`."""
        try:
            error = json.loads(self.body).get("error", "")
        except (ValueError, AttributeError):
            error = ""
        return f"{self.status} {error}".rstrip()


@dataclass(frozen=True)
class World:
    """One platform of a running stack. `stack` is what `stack.json` says."""

    stack: Mapping[str, Any]
    platform: str
    app: str = "demo"
    http: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False, timeout=PATIENCE))

    @property
    def config(self) -> dict[str, Any]:
        """The credentials of the app, as the platform's console shows them."""
        return self.stack["apps"][self.platform][self.app]

    def post(self, path: str, /, **body: Any) -> dict[str, Any]:
        """Ask the playground's control API for something."""
        answer = self.http.post(self.stack["playground"] + path, json={"platform": self.platform} | body)
        if answer.status_code != 200:
            raise Unanswered(f"the playground says {answer.status_code} {answer.text[:200]}")
        return answer.json()

    def messages(self, room: str) -> list[dict[str, Any]]:
        """Everything that was said in `room`, in order."""
        query = {"platform": self.platform, "room": room}
        answer = self.http.get(self.stack["playground"] + "/api/messages", params=query)
        answer.raise_for_status()
        return answer.json()["messages"]

    def calls(self) -> list[dict[str, Any]]:
        """Every API call that the imitated platform has received, in order."""
        answer = self.http.get(self.stack["playground"] + "/api/calls", params={"platform": self.platform})
        answer.raise_for_status()
        return answer.json()

    def delivered(self, message_id: str) -> dict[str, Any]:
        """How a message was delivered to the callback, as soon as it was. Raises Unanswered."""

        def look() -> dict[str, Any]:
            answer = self.http.get(f"{self.stack['playground']}/api/trace/{message_id}")
            answer.raise_for_status()
            return answer.json()["delivery"]

        return self.wait(look, lambda found: found["state"] == "delivered", lambda found: found["state"])

    def journal(self, message_id: str) -> dict[str, Any]:
        """What the journal holds of a message, as soon as the bot has decided. Raises Unanswered."""

        def look() -> dict[str, Any]:
            answer = self.http.get(f"{self.stack['playground']}/api/journal/{message_id}")
            answer.raise_for_status()
            return answer.json()

        return self.wait(look, lambda found: found["decided"] is not None, lambda _: "no decision")

    def group(self) -> str:
        """A group that nobody has spoken in."""
        return f"demo-{uuid.uuid4().hex[:8]}"

    def say(self, room: str, text: str = "", sender: str = "lin", **more: Any) -> Said:
        """A person writes in `room`; `private` is their direct chat with the bot."""
        said = self.post("/api/messages", app=self.app, room=room, sender=sender, text=text, **more)
        message = next(m for m in self.messages(said["room"]) if m["id"] == said["message_id"])
        return Said(message["id"], message["room"], message["at"], message["thread"], sender)

    def again(self, said: Said, text: str) -> Said:
        """The same person writes in the same place."""
        return self.say(said.room, text, said.sender)

    def answers(self, room: str, count: int = 1, since: float = 0) -> list[dict[str, Any]]:
        """What the bot has said in `room` since then, as soon as there are `count`. Raises Unanswered."""

        def look() -> list[dict[str, Any]]:
            return [m for m in self.messages(room) if m["sender"]["kind"] == "bot" and m["at"] >= since]

        return self.wait(look, lambda found: len(found) >= count, lambda found: f"{len(found)} answers, not {count}")

    def call_back(
        self, headers: Mapping[str, str], body: bytes, app: str = "", query: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a callback as somebody on the internet would."""
        url: str = self.stack["callbacks"][self.platform][self.app]
        url = f"{url.rsplit('/', 1)[0]}/{app or self.app}"
        started = time.perf_counter()
        answer = self.http.post(url, headers=dict(headers), content=body, params=dict(query or {}))
        return Answer(answer.status_code, answer.content, time.perf_counter() - started)

    def wait(self, look: Callable[[], T], enough: Callable[[T], bool], told: Callable[[T], str]) -> T:
        """What `look` sees as soon as it is enough. Raises Unanswered with what is told of the last look."""
        deadline = time.monotonic() + PATIENCE
        while not enough(found := look()):
            if time.monotonic() > deadline:
                raise Unanswered(f"{told(found)} after {PATIENCE:g} s")
            time.sleep(0.02)  # between two looks
        return found
