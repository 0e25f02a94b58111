"""A playground on a free port, and a callback URL with scripted responses."""

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

from playground.platforms.feishu import wire
from playground.server import WEBSOCKET, Connections, make_app
from playground.stack import Stack
from playground.world import World

APP = {
    "app_id": "cli_a1b2c3d4e5f60708",
    "app_secret": "the-app-secret",
    "encrypt_key": "Wk4qZr8vT1mXy6bN",
    "verification_token": "vtk_7c19b2e0f4",
}


class Receiver:
    """A callback URL. It responds with `statuses` one by one, then with 200; `make_body` makes the response body."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.make_body: Callable[[bytes], bytes] = lambda _body: b"{}"
        self.bodies: list[bytes] = []
        self.received = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                with receiver.received:
                    status = receiver.statuses.pop(0) if receiver.statuses else 200
                    receiver.bodies.append(body)
                    receiver.received.notify_all()
                response = receiver.make_body(body)
                with suppress(ConnectionError):  # the client may have disconnected
                    self.send_response(status)
                    self.send_header("content-length", str(len(response)))
                    self.end_headers()
                    self.wfile.write(response)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def wait(self, count: int, seconds: float = 10) -> list[bytes]:
        """The received bodies, once there are `count`."""
        with self.received:
            assert self.received.wait_for(lambda: len(self.bodies) >= count, seconds), (
                f"{len(self.bodies)} of {count} received"
            )
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
    """A playground whose callbacks go to `receiver`. Its stack has no AWS."""
    file = directory / "stack.json"
    callbacks = {"feishu": {"demo": f"{receiver.url}/callback/feishu/demo"}}
    file.write_text(json.dumps({"ready": True, "callbacks": callbacks, "apps": {"feishu": {"demo": APP}}}))
    world = World(Stack(file), **options)
    for platform in world.platforms.values():
        platform.listeners.append(_patient)
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    config = uvicorn.Config(
        make_app(world, hold=0.3), http=Connections, ws=WEBSOCKET, log_level="warning", timeout_graceful_shutdown=2
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


def _patient(kind: str, value: Any) -> None:
    """Give callbacks ten times the platform's seconds: the machine of the tests may be busy."""
    if kind == "delivery":
        value.deadline = max(value.deadline, 10.0)


def wait_until(condition: Callable[[], Any], seconds: float = 10) -> Any:
    """The first true value of `condition`."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.02)):
        if found := condition():
            return found
        pause.wait(0.02)
    raise AssertionError(f"not within {seconds} s")


def send_message(http, text="hi", room="private", **more):
    """Send a message of Lin with the control API."""
    body = {"platform": "feishu", "app": "demo", "room": room, "sender": "lin", "text": text, **more}
    return http.post("/api/messages", json=body)


def login(http):
    """The headers with a tenant token of the app."""
    body = {"app_id": APP["app_id"], "app_secret": APP["app_secret"]}
    token = http.post("/feishu/open-apis/auth/v3/tenant_access_token/internal", json=body).json()
    return {"Authorization": f"Bearer {token['tenant_access_token']}"}


def send(http, headers, room, text="hi", **more):
    """Send a message of the app with Feishu's API."""
    body = {"receive_id": room, "msg_type": "text", "content": json.dumps({"text": text}), **more}
    path = "/feishu/open-apis/im/v1/messages"
    return http.post(path, params={"receive_id_type": "chat_id"}, headers=headers, json=body)


def text_of(body):
    """The text of the message in a callback."""
    plain = json.loads(wire.decrypt(APP["encrypt_key"], json.loads(body)["encrypt"]))
    return json.loads(plain["event"]["message"]["content"])["text"]
