"""A playground on a free port, and a callback URL that answers as it is told."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from playground.server import Connections, make_app
from playground.stack import Stack
from playground.world import World

APP = {
    "app_id": "cli_a1b2c3d4e5f60708",
    "app_secret": "the-app-secret",
    "encrypt_key": "Wk4qZr8vT1mXy6bN",
    "verification_token": "vtk_7c19b2e0f4",
}


class Receiver:
    """A callback URL. `statuses` are used up one by one, then it is 200; `answer` makes the body."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.answer: Callable[[bytes], bytes] = lambda _body: b"{}"
        self.bodies: list[bytes] = []
        self.came = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                with receiver.came:
                    status = receiver.statuses.pop(0) if receiver.statuses else 200
                    receiver.bodies.append(body)
                    receiver.came.notify_all()
                answer = receiver.answer(body)
                with suppress(ConnectionError):  # who waits no longer has hung up
                    self.send_response(status)
                    self.send_header("content-length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def wait(self, count: int, seconds: float = 10) -> list[bytes]:
        """What came, once there are `count`."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.bodies) >= count, seconds), f"{len(self.bodies)} of {count} came"
            return list(self.bodies)


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield receiver
    finally:
        receiver.server.shutdown()
        thread.join()
        receiver.server.server_close()


@contextmanager
def serving(directory: Path, receiver: Receiver, **options: Any) -> Iterator[tuple[World, httpx.Client]]:
    """A playground before `receiver`; the stack that it knows has no AWS behind it."""
    file = directory / "stack.json"
    callbacks = {"feishu": {"demo": f"{receiver.url}/callback/feishu/demo"}}
    file.write_text(json.dumps({"ready": True, "callbacks": callbacks, "apps": {"feishu": {"demo": APP}}}))
    world = World(Stack(file), **options)
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    config = uvicorn.Config(
        make_app(world, hold=0.3), http=Connections, ws="none", log_level="warning", timeout_graceful_shutdown=2
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10, trust_env=False) as http:
            wait_until(lambda: server.started and world.platforms["feishu"].app_names())
            yield world, http
    finally:
        world.hub.close()
        server.should_exit = True
        thread.join(15)
        listening.close()
        assert not thread.is_alive(), "the playground did not stop"


def wait_until(what: Callable[[], Any], seconds: float = 10) -> Any:
    """What `what` returns, as soon as that is true."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.02)):
        if found := what():
            return found
        pause.wait(0.02)
    raise AssertionError(f"not within {seconds} s")
