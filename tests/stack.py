"""The local stack for tests: the running one, or a new one that is stopped after them."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import boto3
import httpx

from tools.bot import SAMPLE

ROOT = Path(__file__).parent.parent
T = TypeVar("T")


class Stack:
    """A running stack: its addresses, its playground, its AWS."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.facts: dict[str, Any] = json.loads((directory / "stack.json").read_text())
        self.http = httpx.Client(base_url=self.facts["playground"], timeout=30)

    def client(self, service: str) -> Any:
        """A boto3 client of the emulator, as its root."""
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.facts["aws_endpoint"],
            region_name=self.facts["region"],
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def get(self, path: str, **query: str) -> Any:
        """GET of the control API."""
        return self.http.get(path, params=query).raise_for_status().json()

    def post(self, path: str, /, **body: Any) -> Any:
        """POST to the control API."""
        answer = self.http.post(path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def send(self, text: str, *, room: str, platform: str = "feishu", app: str = "demo", **more: Any) -> str:
        """Have a person write. Returns the id of the message."""
        sent = self.post("/api/messages", **{"sender": "ann", **more}, platform=platform, app=app, room=room, text=text)
        return sent["message_id"]

    def replies(self, room: str, platform: str = "feishu") -> list[dict[str, Any]]:
        """The bots' messages in `room`, in order."""
        messages = self.get("/api/messages", platform=platform, room=room)["messages"]
        return [message for message in messages if message["sender"]["kind"] == "bot"]

    @contextmanager
    def faults(self, platform: str, kind: str, **more: Any) -> Iterator[None]:
        """Let calls to the simulated platform fail inside the context."""
        self.post("/api/faults", platform=platform, kind=kind, **more)
        try:
            yield
        finally:
            self.http.delete("/api/faults", params={"platform": platform}).raise_for_status()

    def logs(self, *functions: str) -> str:
        """The logs of `functions`; of all functions if there are none."""
        pages = self.client("logs").get_paginator("filter_log_events")
        return "\n".join(
            event["message"]
            for group in (self.facts["log_groups"][name] for name in functions or self.facts["log_groups"])
            for page in pages.paginate(logGroupName=group)
            for event in page["events"]
        )

    def wait(self, look: Callable[[], T | None], seconds: float = 60) -> T:
        """The first result of `look` that is true. Raises AssertionError after `seconds`."""
        deadline = time.monotonic() + seconds
        while True:
            found = look()
            if found:
                return found
            if time.monotonic() > deadline:
                raise AssertionError(f"no result within {seconds} s")
            time.sleep(0.1)  # between two looks at a condition

    def wait_for_replies(self, room: str, count: int = 1, seconds: float = 60) -> list[dict[str, Any]]:
        """The bot's messages in `room` once there are `count`."""

        def enough() -> list[dict[str, Any]] | None:
            found = self.replies(room)
            return found if len(found) >= count else None

        return self.wait(enough, seconds)


@contextmanager
def running(directory: Path | None = None, *options: str, bot: str = SAMPLE) -> Iterator[Stack]:
    """A stack with the bot in the folder `bot`, in `directory`. It is started, and stopped afterwards, unless it runs.

    Without `directory` it is the developer's stack if that runs with this bot, and else one beside it.
    """
    developers = ROOT / os.environ.get("PARLEY_LOCAL_DIR", ".local")
    place = directory or (developers if _ready(developers, bot) else developers / "tests")
    environment = {**os.environ, "PARLEY_LOCAL_DIR": str(place), "PARLEY_BOT": bot}
    mine = not _ready(place, bot)
    if mine:
        _tool("up", *options, environment=environment)
    stack = Stack(place)
    try:
        yield stack
    finally:
        stack.http.close()
        if mine:
            _tool("down", environment=environment)


def _ready(directory: Path, bot: str) -> bool:
    try:
        facts = json.loads((directory / "stack.json").read_text())
        return (
            facts["ready"]
            and facts["bot"] == bot
            and httpx.get(f"{facts['playground']}/healthz", timeout=5).status_code == 200
        )
    except (OSError, ValueError, KeyError, httpx.HTTPError):
        return False


def _tool(*arguments: str, environment: Mapping[str, str]) -> None:
    command = [sys.executable, "-m", "tools.local", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
