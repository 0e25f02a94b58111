"""Measures when people see the first text of an answer that a language model streams: `make bench-text`.

    python -m tools.bench.growing             prints the table
    python -m tools.bench.growing --write     writes it into docs/benchmarks.md

It starts a stack of its own with the example assistant. A server in this process is the model and streams with pauses.
It knows the time of the first token; the live updates of the page give the time of the first text.

The model thinks before it writes, a different part of a second for each answer: a smart bot of WeCom is polled once a
second, and the first token can come at any time between two polls. DynamoDB and SQS answer as late as in the ledger.
"""

import argparse
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, SimpleQueue
from typing import Any, cast

import httpx

from playground.model_server import PATH, completion
from tools import bot
from tools.bench import report
from tools.bench.report import Table
from tools.bench.updates import updates
from tools.cost.figures import ASSUMPTIONS
from tools.local import Options, down, up
from tools.local.aws import Aws
from tools.local.deploy import STAGE

COMMAND = "make bench-text ARGS=--write"
BOT = "examples/assistant"
PLATFORMS = ("feishu", "discord", "wecom_bot")
"""Those that show a text while it grows. A smart bot of WeCom is polled for it."""
TARGET = 1.0
"""Seconds from the model's first token to the first text on the screen."""
PAUSE = 0.04
"""Seconds between two pieces of an answer."""
Seconds = dict[str, list[float]]
"""By platform."""
_QUESTION = "/ask " + "word " * 120
"""The answer repeats it, so it takes more than two seconds."""
BEGINNING = "I am a"
"""How each answer of the model begins."""
_WARM_UP = 2
"""Answers of a platform before those that count: the functions start with them."""
_TIMEOUT = 60.0


class Server(ThreadingHTTPServer):
    """A model that streams with pauses. `thinks`: seconds before its first piece. `began`: the time of
    `time.monotonic` of the first piece of its last answer. `ended` is set after the last one.
    """

    daemon_threads = True
    began = thinks = 0.0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.ended = threading.Event()

    @property
    def base_url(self) -> str:
        """The `base_url` of `OpenAICompatible` for this model."""
        return f"http://127.0.0.1:{self.server_port}{PATH.removesuffix('/chat/completions')}"


class _Handler(BaseHTTPRequestHandler):
    """Streams one answer, and closes the connection."""

    def do_POST(self) -> None:
        """Answer one request."""
        found = completion(self.rfile.read(int(self.headers["Content-Length"])))
        server = cast("Server", self.server)
        self.send_response(found.status)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        time.sleep(server.thinks)
        server.began = time.monotonic()
        for piece in found.pieces:
            self.wfile.write(piece)
            self.wfile.flush()
            time.sleep(PAUSE)
        server.ended.set()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing."""


@contextmanager
def serving() -> Generator[Server]:
    """A running model."""
    server = Server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class Screen:
    """The page of the playground: when a text of the bot appears on it."""

    def __init__(self, playground: str) -> None:
        self._seen = SimpleQueue[tuple[float, str, str]]()
        self._subscribed = threading.Event()
        threading.Thread(target=self._look, args=(playground,), daemon=True).start()
        self._subscribed.wait(_TIMEOUT)

    def clear(self) -> None:
        """Forget what was shown."""
        while not self._seen.empty():
            self._seen.get()

    def first(self, platform: str, text: str) -> float:
        """The time of `time.monotonic` at which `platform` shows `text`. Raises SystemExit."""
        deadline = time.monotonic() + _TIMEOUT
        while True:
            try:
                at, where, shown = self._seen.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                raise SystemExit(f"bench: {platform} shows no answer") from None
            if where == platform and text in shown:
                return at

    def _look(self, playground: str) -> None:
        for kind, update in updates(playground, _TIMEOUT):
            self._subscribed.set()
            if kind == "message" and update["message"]["sender"]["kind"] == "bot":
                self._seen.put((time.monotonic(), update["platform"], json.dumps(update["message"])))


def measure(playground: str, server: Server, runs: int) -> Seconds:
    """Seconds from the first piece of an answer to the first text, by platform, one for each of `runs` answers."""
    screen = Screen(playground)
    with httpx.Client(base_url=playground, timeout=_TIMEOUT, trust_env=False) as http:
        found: Seconds = {}
        for platform in PLATFORMS:
            thoughts = [*[0.0] * _WARM_UP, *(number / runs for number in range(runs))]
            each = [_first_text(platform, http, screen, server, seconds) for seconds in thoughts]
            found[platform] = each[_WARM_UP:]
    return found


def _first_text(platform: str, http: httpx.Client, screen: Screen, server: Server, thinks: float) -> float:
    server.thinks = thinks
    server.ended.clear()
    screen.clear()
    body = {"platform": platform, "app": "demo", "room": "private", "sender": "ann", "text": _QUESTION}
    http.post("/api/messages", json=body).raise_for_status()
    seconds = screen.first(platform, BEGINNING) - server.began
    if not server.ended.wait(_TIMEOUT):
        raise SystemExit("bench: the model does not end")
    time.sleep(1)  # the whole answer is there before the next message: the conversation is handled in order
    return seconds


def table(found: Seconds, settings: str) -> Table:
    """The table of `found`."""
    columns = ("", "ms: median", "longest", f"aim: at most {1000 * TARGET:,.0f}")
    return Table("first text", COMMAND, "first token of a model to the first text", columns, _rows(found), settings)


def _rows(found: Seconds) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (
            platform,
            *(f"{1000 * x:.0f}" for x in (statistics.median(seconds), max(seconds))),
            _met(seconds),
        )
        for platform, seconds in found.items()
    )


def _met(seconds: Iterable[float]) -> str:
    every = list(seconds)
    within = sum(each <= TARGET for each in every)
    return "met" if within == len(every) else f"NOT met: {within} of {len(every)}"


def main() -> None:
    """Measure, and print or write the table."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.growing", description=__doc__)
    parser.add_argument("--runs", type=int, default=20, help="answers on each platform (default 20)")
    parser.add_argument("--write", action="store_true", help="write the table into docs/benchmarks.md")
    options = parser.parse_args()
    shown = table(_on_a_stack(options.runs), f"{options.runs} answers each, the local stack")
    print(f"\n{shown.text()}")
    if options.write:
        report.write([shown])


def _on_a_stack(runs: int) -> Seconds:
    bot.use(BOT)
    with tempfile.TemporaryDirectory() as directory, serving() as server:
        try:
            facts = up(Options(directory=directory, aws_seconds=ASSUMPTIONS["aws_milliseconds"] / 1000))
            settings = json.dumps({"base_url": server.base_url})
            Aws(facts["aws_endpoint"]).client("ssm").put_parameter(
                Name=f"/parley/{STAGE}/bot", Type="SecureString", Value=settings, Overwrite=True
            )
            return measure(facts["playground"], server, runs)
        finally:
            down(directory)


if __name__ == "__main__":
    main()
