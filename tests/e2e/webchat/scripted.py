"""A small server of the HTTP channel, which breaks where a test says, and refuses what the real one refuses.

It reads frames with Parley's own decoder. Each message gets one reply, which repeats its text or shows the press.
"""

import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from parley.platforms.http.bodies import media_in, posted_in
from parley.platforms.http.frames import Ack, FrameError, Hello, Open, Ping, Post, decode, error_frame

ROOT = Path(__file__).parents[3]
FOLDERS = (ROOT / "examples" / "webchat" / "static", ROOT / "clients" / "web")
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
APP, JWT = "web", "a.jwt.of-the-page"
FRAME = 32 * 1024
"""Bytes of a frame that API Gateway takes."""
PAGE = 3
"""Replies that follow an `open`. The real server sends more at once."""
Reply = dict[str, Any]


class Mailbox:
    """The replies of a conversation. None: not for this person."""

    def __init__(self) -> None:
        self.first = 1000
        self.replies: list[Reply | None] = []
        self.large: set[int] = set()
        self.acknowledged: int | None = None

    @property
    def last(self) -> int:
        """The number of the last reply."""
        return self.first + len(self.replies) - 1

    def id_of(self, place: int) -> str:
        """The id of the reply at that place."""
        reply = self.replies[place]
        assert reply is not None
        return reply["id"]

    def frame(self, room: str, number: int) -> dict[str, Any]:
        """The frame of a reply."""
        frame: dict[str, Any] = {"type": "reply", "room": room, "cursor": str(number)}
        if number in self.large:
            return {**frame, "large": True}
        reply = self.replies[number - self.first]
        return frame if reply is None else {**frame, "reply": reply}


class Client:
    """A connection: the rooms that it watches, and the message that it waits for."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket
        self.rooms: set[str] = set()
        self.is_known = False
        self.late: dict[str, Any] | None = None

    def send(self, frame: dict[str, Any]) -> None:
        """Send a frame. One that has been held back goes out after it."""
        with suppress(ConnectionClosed):
            self.socket.send(json.dumps(frame, ensure_ascii=False))
            if self.late is not None and frame["type"] == "reply":
                late, self.late = self.late, None
                self.socket.send(json.dumps(late, ensure_ascii=False))


class Scripted:
    """The server. A fault is `what step`, such as `cut open`, and happens once: `cut` ends the connection, `hang`
    gives no answer, and `twice`, `drop` and `swap` are of replies.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.person = "lin"
        self.takes_media = True
        self.uploads: dict[str, tuple[str, bytes]] = {}
        self.life = 7200.0
        self.boxes: dict[str, Mailbox] = {}
        self.stored: list[tuple[str, dict[str, Any]]] = []
        self.clients: list[Client] = []
        self.connected = 0
        self.frames: list[dict[str, Any]] = []
        self.faults: list[str] = []
        self.errors: list[dict[str, Any]] = []
        """Answers to the next messages, instead of `accepted`."""
        self.refused: set[str] = set()
        """Rooms that the person may not use."""
        self.violations: list[str] = []
        self.tickets: dict[str, float] = {}
        self.ticket_seconds = 60.0
        self.ticket_status = 201
        self.answer: Callable[[dict[str, Any]], list[Reply]] = echo
        self.page = ""
        self.url = self.socket_url = ""
        self._ids = 0

    def fault(self, name: str) -> bool:
        """Whether that fault happens now."""
        with self.lock:
            if name not in self.faults:
                return False
            self.faults.remove(name)
            return True

    def box(self, room: str = "") -> Mailbox:
        """The mailbox of a room."""
        return self.boxes.setdefault(room, Mailbox())

    def put(self, reply: Reply | None, room: str = "", *, large: bool = False) -> None:
        """The bot sends a reply."""
        with self.lock:
            box = self.box(room)
            if reply is not None:
                self._ids += 1
                reply = {"id": f"{self._ids:032x}", "op": "send", **reply}
            box.replies.append(reply)
            if large:
                box.large.add(box.last)
            for client in [each for each in self.clients if room in each.rooms]:
                self._push(client, box.frame(room, box.last))

    def _push(self, client: Client, frame: dict[str, Any]) -> None:
        if self.fault("cut reply"):
            client.socket.close(1011)
        elif self.fault("swap reply"):
            client.late = frame
        elif not self.fault("drop reply"):
            client.send(frame)
            if self.fault("twice reply"):
                client.send(frame)

    def cut(self) -> None:
        """End all connections."""
        for client in list(self.clients):
            client.socket.close(1011)

    # --- the WebSocket ------------------------------------------------------------------------------------------------

    def handshake(self, connection: ServerConnection, request: Request) -> Response | None:
        """Check the ticket."""
        query = {name: values[-1] for name, values in parse_qs(urlsplit(request.path).query).items()}
        if self.fault("hang connect"):
            time.sleep(3)
        if self.fault("cut connect"):
            return connection.respond(503, "")
        with self.lock:
            expires = self.tickets.pop(query.get("ticket", ""), 0.0)
        if query.get("app") != APP or time.time() >= expires:
            return connection.respond(401, "")
        return None

    def serve(self, socket: ServerConnection) -> None:
        """One connection."""
        client = Client(socket)
        with self.lock:
            self.clients.append(client)
            self.connected += 1
        try:
            for data in socket:
                self._frame(client, data)
        except ConnectionClosed:
            pass
        finally:
            with self.lock:
                self.clients.remove(client)

    def _frame(self, client: Client, data: str | bytes) -> None:
        if len(data.encode() if isinstance(data, str) else data) > FRAME:
            return client.socket.close(1009)
        with self.lock:
            self.frames.append(json.loads(data))
            try:
                frame = decode(data)
            except FrameError as error:
                self.violations.append(str(error))
                refused = error_frame(error.rejected)
                return client.send({"type": "error", "status": refused.status, "error": refused.error})
            step = {Hello: "hello", Open: "open", Post: "message", Ack: "ack", Ping: "ping"}[type(frame)]
            if self.fault(f"hang {step}"):
                return None
            if self.fault(f"cut {step}"):
                return client.socket.close(1011)
            if not client.is_known and not isinstance(frame, Hello):
                self.violations.append(f"{step} before hello")
                return client.socket.close(1008)
            return self._answer(client, frame)

    def _answer(self, client: Client, frame: Hello | Open | Ack | Ping | Post) -> None:
        match frame:
            case Hello():
                if (frame.version, frame.token, frame.app) != (1, "", ""):
                    self.violations.append("a wrong hello")
                client.is_known = True
                client.send(
                    {"type": "ready", "version": 1, "person": self.person, "until": int(time.time() + self.life)}
                )
            case Open():
                self._open(client, frame)
            case Ack():
                box = self.box(frame.room)
                if int(frame.cursor) > box.last:
                    self.violations.append("an acknowledgement of what was not sent")
                box.acknowledged = max(box.acknowledged or 0, int(frame.cursor))
            case Ping():
                client.send({"type": "pong"})
            case Post():
                self._message(client, frame)

    def _open(self, client: Client, frame: Open) -> None:
        if frame.room in self.refused:
            client.send({"type": "error", "status": 403, "error": "not_allowed", "room": frame.room})
            return
        box = self.box(frame.room)
        after = frame.after if frame.after is not None else box.acknowledged
        start = box.last if after is None else max(min(int(after), box.last), box.first - 1)
        end = min(box.last, start + PAGE)
        client.rooms.add(frame.room)
        opened = {"type": "opened", "room": frame.room, "cursor": str(start), "last": str(end)}
        client.send(opened | ({"more": True} if end < box.last else {}))
        for number in range(start + 1, end + 1):
            self._push(client, box.frame(frame.room, number))

    def _message(self, client: Client, frame: Post) -> None:
        refused = self._refused(frame)
        if refused is not None:
            client.send({"type": "error", "key": frame.key, **refused})
            return
        message, is_new = json.loads(frame.body), frame.key not in dict(self.stored)
        if is_new:
            self.stored.append((frame.key, message))
        if self.fault("cut stored"):
            client.socket.close(1011)
        elif not self.fault("hang stored"):
            client.send({"type": "accepted", "key": frame.key, "id": f"id-of-{frame.key}"})
        if is_new:
            for reply in self.answer(message):
                self.put(reply, message.get("room", ""))

    def _refused(self, frame: Post) -> dict[str, Any] | None:
        """The error that answers a message. None: it is taken."""
        if self.errors:
            return self.errors.pop(0)
        try:
            posted_in(frame.body)
        except ValueError as error:
            return {"status": 400, "error": "malformed", "detail": str(error)}
        return None

    # --- HTTP ---------------------------------------------------------------------------------------------------------

    def ticket(self) -> tuple[int, dict[str, Any]]:
        """`POST` of a ticket."""
        if self.ticket_status != 201:
            return self.ticket_status, {"status": self.ticket_status, "error": "stale", "detail": "It has expired."}
        made = secrets.token_urlsafe(12)
        with self.lock:
            self.tickets[made] = time.time() + self.ticket_seconds
        return 201, {"ticket": made, "expires_in": 60, "url": self.socket_url}

    def announce(self, key: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """`POST` of media: where they are uploaded."""
        if not self.takes_media:
            return 404, {"status": 404, "error": "not_found"}
        wanted, id_ = media_in(body), hashlib.sha256(key.encode()).hexdigest()[:48]
        headers = {"Content-Type": wanted.type, "Content-Length": str(wanted.size), "If-None-Match": "*"}
        return 201, {"id": id_, "url": f"{self.url}/bucket/{id_}", "headers": headers}

    def read(self, room: str, after: int) -> tuple[int, dict[str, Any]]:
        """`GET` of replies."""
        with self.lock:
            box = self.box("" if room == "me" else room)
            found = [reply for reply in box.replies[max(0, after + 1 - box.first) :] if reply is not None]
            return 200, {"replies": found, "cursor": str(box.last)}


def echo(message: dict[str, Any]) -> list[Reply]:
    """The reply that repeats a message."""
    shown = message.get("text") or json.dumps(message.get("action") or message["media"], sort_keys=True)
    return [{"text": shown, "segments": [{"type": "text", "text": f"echo {shown}"}]}]


class Web(BaseHTTPRequestHandler):
    """The files of the chat, the page of the test, and the REST API."""

    scripted: Scripted

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        if url.path == "/":
            return self._send(200, self.scripted.page.encode(), "text/html")
        if url.path == "/chat/replies":
            return self._json(*self.scripted.read(query["room"], int(query["after"])))
        parts = url.path.split("/")
        if parts[1:4] == ["v1", APP, "conversations"]:
            found = self.scripted.read(unquote(parts[4]), int(query["after"]))
            return self._json(*found) if self._is_allowed() else self._json(401, {})
        for path in (folder / parts[-1] for folder in FOLDERS):
            if path.is_file():
                return self._send(200, path.read_bytes(), TYPES[path.suffix])
        return self.send_error(404)

    def do_POST(self) -> None:
        if self.scripted.fault("hang ticket"):
            time.sleep(3)
        if self.scripted.fault("cut ticket"):
            return self.connection.close()
        if self.path == f"/v1/{APP}/tickets" and not self._is_allowed():
            return self._json(401, {"status": 401, "error": "forged"})
        if self.path in ("/chat/ticket", f"/v1/{APP}/tickets"):
            return self._json(*self.scripted.ticket())
        if self.path == "/chat/media":
            return self._json(*self.scripted.announce(self.headers["Idempotency-Key"], self._body()))
        if self.path == "/chat/token":
            return self._json(200, {"token": JWT})
        return self.send_error(404)

    def do_PUT(self) -> None:
        body = self._body()
        if self.scripted.fault("cut upload"):
            return self.connection.close()
        self.scripted.uploads[self.path.removeprefix("/bucket/")] = (self.headers["Content-Type"], body)
        return self._send(200, b"", "text/plain")

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def _is_allowed(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {JWT}"

    def _json(self, status: int, body: dict[str, Any]) -> None:
        self._send(status, json.dumps(body).encode(), "application/json")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name that http.server wants
        pass


@contextmanager
def running() -> Iterator[Scripted]:
    """The server, on free ports of this machine."""
    scripted = Scripted()
    handler = type("ScriptedWeb", (Web,), {"scripted": scripted})
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), handler) as web,
        serve(scripted.serve, "127.0.0.1", 0, process_request=scripted.handshake, max_size=None) as sockets,
    ):
        scripted.url = f"http://127.0.0.1:{web.server_port}"
        scripted.socket_url = f"ws://127.0.0.1:{sockets.socket.getsockname()[1]}/prod"
        for server in (web, sockets):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield scripted
        finally:
            scripted.cut()
            web.shutdown()
            sockets.shutdown()
