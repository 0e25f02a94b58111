"""Measures when people see the first text of an answer that a language model streams.

A server on this machine streams the answer with pauses. The engine runs in memory, with platforms that answer at once.
Its virtual clock follows the real one, so that all pauses of the engine count.
"""

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from parley.bot import Bot, Turn
from parley.models import Answer, Model, OpenAICompatible, Partial, Prompt
from parley.testing import Chat
from playground.model_server import PATH, completion

PLATFORMS = ("feishu", "discord", "wecom_bot")
"""Those that show a text while it grows. A smart bot of WeCom is polled for it."""
TARGET = 1.0
"""Seconds from the model's first token to the first text on the screen."""
_PAUSE = 0.04
"""Seconds between two pieces of an answer."""
Seconds = dict[str, list[float]]
"""By platform."""
_QUESTION = "/ask " + "word " * 60
"""The answer repeats it, so it takes more than a second."""


class Server(ThreadingHTTPServer):
    """A model that streams with pauses. `began`: the time of `time.monotonic` of the first piece of its last answer."""

    daemon_threads = True
    began = 0.0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    """Streams one answer, and closes the connection."""

    def do_POST(self) -> None:
        """Answer one request."""
        found = completion(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(found.status)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        cast("Server", self.server).began = time.monotonic()
        for piece in found.pieces:
            self.wfile.write(piece)
            self.wfile.flush()
            time.sleep(_PAUSE)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing."""


class Followed:
    """`model`. `follow` is called before each text of it, and `seen` after it."""

    price, pictures = (0.0, 0.0), False

    def __init__(self, model: Model, follow: Callable[[], None], seen: Callable[[], None]) -> None:
        self.name, self._model, self._follow, self._seen = model.name, model, follow, seen

    def answer(self, prompt: Prompt, partial: Partial) -> Answer:
        """The answer of the model."""

        def written(text: str) -> None:
            self._follow()
            partial(text)
            self._seen()

        return self._model.answer(prompt, written)


def measure(runs: int) -> Seconds:
    """Seconds from the first piece of an answer to the first text, by platform, one for each of `runs` answers."""
    with _running() as server:
        model = OpenAICompatible(base_url=_base(server), model="local")
        return {platform: [_first_text(platform, model, server) for _ in range(runs)] for platform in PLATFORMS}


def _first_text(platform: str, model: Model, server: Server) -> float:
    bot, shown, last = Bot(), list[float](), [time.monotonic()]

    def follow() -> None:
        now = time.monotonic()
        chat.meanwhile(seconds=now - last[0])
        last[0] = now
        seen()

    def seen() -> None:
        if chat.replies and not shown:
            shown.append(time.monotonic())

    @bot.converse(model=Followed(model, follow, seen), command="ask")
    def nothing_more(_turn: Turn) -> str:
        return ""

    chat = Chat(bot, platform)
    chat.say(_QUESTION)
    return shown[0] - server.began


def _base(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_port}{PATH.removesuffix('/chat/completions')}"


@contextmanager
def _running() -> Generator[Server]:
    server = Server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
