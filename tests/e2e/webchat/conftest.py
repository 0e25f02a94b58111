"""The web chat and its client, in headless Chromium, with a server that breaks where a test says. No stack runs."""

import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.support.ui import WebDriverWait

from tests.e2e.webchat.scripted import Scripted, running

T = TypeVar("T")
TIMES = {"answer": 700, "retry": 40, "retryMax": 200, "stable": 300, "gap": 60, "check": 60_000}
"""Milliseconds."""
CLIENT = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Test</title>
<link rel="icon" href="data:,">
<script type="module">
import { Parley, answer } from "/chat/parley.js";
const post = async (path) => answer(await fetch(path, { method: "POST" }));
window.begin = (options = {}) => {
  window.events = [];
  const given = { ...options, storage: window[options.storage] };
  const ways = {
    ticket: () => post("/chat/ticket"),
    replies: async (room, after) => answer(await fetch(`/chat/replies?room=${room || "me"}&after=${after}`)),
  };
  if (options.api) delete ways.ticket;
  if (options.api) given.token = async () => (await post("/chat/token")).token;
  if (options.api || options.blind) delete ways.replies;
  window.client = new Parley({ app: "web", ...ways, ...given });
  for (const type of ["state", "reply", "accepted", "refused", "typing", "lost", "person", "error"])
    window.client.addEventListener(type, ({ detail }) => window.events.push({ type, ...detail }));
  client.open();
  client.start();
};
window.loaded = true;
</script></head><body></body></html>"""


class Tab:
    """A page with a client, or with the chat."""

    def __init__(self, browser: Chrome, server: Scripted) -> None:
        self.browser = browser
        self.server = server

    def load(self, page: str = CLIENT, query: str = "") -> None:
        """Load a page."""
        self.server.page = page
        self.browser.get(f"{self.server.url}/{query}")
        if page == CLIENT:
            self.wait(lambda: self.script("return window.loaded"))

    def begin(self, times: dict[str, int] | None = None, **options: Any) -> None:
        """Make a client, and start it."""
        self.script("begin(arguments[0])", {"times": {**TIMES, **(times or {})}, **options})

    def script(self, code: str, *arguments: Any) -> Any:
        """Run JavaScript."""
        return self.browser.execute_script(code, *arguments)

    def wait(self, condition: Callable[[], T], seconds: float = 15) -> T:
        """The first true value of `condition`."""
        return WebDriverWait(self.browser, seconds, 0.02).until(lambda _: condition())

    def send(self, *texts: str, room: str = "") -> list[str]:
        """Send texts. Returns their keys."""
        more = {"room": room} if room else {}
        return [self.script("return client.send(arguments[0])", {"text": text, **more}) for text in texts]

    def events(self, kind: str) -> list[dict[str, Any]]:
        """The events of a kind so far."""
        return [event for event in json.loads(self.script("return JSON.stringify(events)")) if event["type"] == kind]

    def replies(self, room: str = "") -> list[str]:
        """The texts of the replies so far."""
        return [event["reply"].get("text", "") for event in self.events("reply") if event["room"] == room]

    def ready(self) -> None:
        """Wait until the client is connected."""
        self.wait(lambda: self.script("return client.state") == "ready")


@pytest.fixture
def server() -> Iterator[Scripted]:
    """The server. The test fails if a client did what it may not."""
    with running() as scripted:
        yield scripted
        assert scripted.violations == []


@pytest.fixture
def tab(browser: Chrome, server: Scripted) -> Iterator[Tab]:
    """A tab with a client that is not started, and with empty storages."""
    made = Tab(browser, server)
    made.load()
    made.script("sessionStorage.clear(); localStorage.clear()")
    yield made
    browser.get("about:blank")
