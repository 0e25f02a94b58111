"""Checks of the vectors of the HTTP channel's sockets: frames in and out, on WebSocket and on TCP.

A vector of kind `frames` is one client whose token is good. Each step is what it sends, and what follows. The engine
around the deployed code takes every message, and finds the replies that the vector names.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from connectors.tcp.framing import HEADER, framed
from connectors.tcp.limits import Limits
from connectors.tcp.session import Action, Check, Close, Send, Session
from parley.adapter import (
    Acknowledge,
    App,
    Client,
    Headers,
    Position,
    Rejected,
    Request,
    Store,
    Tell,
    Watch,
)
from parley.model import Destination, Image, Message, Outgoing, Reply, Source, Text
from parley.platforms.http import frames, outbound, sockets
from parley.platforms.http.config import Config
from parley.platforms.http.inbound import receive
from tests.conformance.kit import Vector, expect, expect_accepted, expect_equal, expect_rejected
from tests.tokens import issuer, token

NOW = 1_800_000_000
LASTS = 3600
LIN = Client(platform="http", app="demo", person="lin", name="Lin", rooms=frozenset({"team"}), until=NOW + LASTS)
APP = App("http", "demo", Config(issuers=(issuer(),), sockets=True, origins=("https://www.example.com",)))


class Engine:
    """What answers the actions of a client: a mailbox for each room, with the numbers of its replies."""

    def __init__(self, vector: Vector) -> None:
        inputs = vector.inputs
        self.mailboxes: Mapping[str, Any] = inputs.get("mailboxes", {})
        self.unavailable = inputs.get("unavailable", False)
        self.client = replace(LIN, until=NOW + inputs.get("lasts", LASTS))
        config: Config = APP.config
        self.app = replace(APP, config=replace(config, sockets=inputs.get("sockets", True)))
        self.stored: list[dict[str, Any]] = []
        self.acknowledged: list[list[str]] = []

    def action(self, data: str | bytes, now: float) -> Any:
        """What the deployed code makes of a frame."""
        return sockets.action(data, self.client, self.app, now)

    def position(self, watch: Watch) -> Position:
        """The replies of a room that the client lacks."""
        box = self.mailboxes.get(watch.room, {"last": 0})
        after = box.get("acknowledged", box["last"]) if watch.after is None else watch.after
        return Position(min(after, box["last"]), box["last"])

    def replies(self, watch: Watch, position: Position) -> Iterator[tuple[int, Outgoing]]:
        """Those replies, which say their number."""
        for number in range(position.cursor + 1, position.last + 1):
            yield number, outgoing({"text": str(number), "room": watch.room})

    def refusal(self, action: Store | Watch | Acknowledge) -> Rejected | None:
        """Why an action is not carried out. None: it is done."""
        if self.unavailable:
            return Rejected(503, "unavailable", "AWS does not answer")
        match action:
            case Store(accepted=accepted):
                self.stored += [_shown(message) for message in accepted.messages]
            case Acknowledge(room=room, cursor=cursor):
                if cursor > self.mailboxes.get(room, {"last": 0})["last"]:
                    return Rejected(400, "malformed", "the cursor is not that of a reply")
                self.acknowledged.append([room, str(cursor)])
            case Watch():
                pass
        return None


class WebSocket:
    """A client of the WebSocket API. A frame is a text message."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.closed = engine, False

    def begin(self) -> None:
        """The handshake has checked the token."""

    def send(self, data: bytes, now: float) -> list[bytes]:
        """The frames that answer one frame."""
        action = self.engine.action(data.decode("utf-8", "surrogateescape"), now)
        if isinstance(action, Tell):
            return self._tell(action)
        refused = self.engine.refusal(action)
        if refused is not None:
            return self._tell(sockets.refused(refused, action))
        match action:
            case Store(done=done):
                return [done]
            case Watch():
                position = self.engine.position(action)
                replies = self.engine.replies(action, position)
                shown = [sockets.reply(action.room, number, out, self.engine.client) for number, out in replies]
                return [sockets.opened(action, position), *shown]
            case _:
                return []

    def _tell(self, tell: Tell) -> list[bytes]:
        self.closed = tell.closes
        return [tell.data]


class Tcp:
    """A client of the TCP connector: the bytes of its frames go through the session of one connection."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.closed = engine, False
        self.session = Session(Limits(), NOW)

    def begin(self) -> None:
        """`hello` with a token that is good."""
        self.send(b'{"type": "hello", "token": "t", "app": "demo"}', NOW)

    def send(self, data: bytes, now: float) -> list[bytes]:
        """The frames that answer one frame."""
        return self.feed(framed(data), now)

    def feed(self, data: bytes, now: float) -> list[bytes]:
        """The frames that answer these bytes."""
        return list(self._carry_out(self.session.received(data, now), now))

    def _carry_out(self, actions: list[Action], now: float) -> Iterator[bytes]:
        session, engine = self.session, self.engine
        for action in actions:
            match action:
                case Send(frame=frame):
                    yield frame
                case Close():
                    self.closed = True
                case Check():
                    client = engine.client

                    def interpret(data: bytes) -> Any:
                        return engine.action(data, now)

                    yield from self._carry_out(session.checked(client, interpret, client.until - now, now), now)
                case _:
                    yield from self._carry_out(self._answer(action, now), now)

    def _answer(self, action: Store | Watch | Acknowledge, now: float) -> list[Action]:
        session, engine = self.session, self.engine
        refused = engine.refusal(action)
        if refused is not None:
            return session.failed(action, refused, now)
        if not isinstance(action, Watch):
            return session.answered(Tell(action.done) if isinstance(action, Store) else None, now)
        position = engine.position(action)
        actions = session.watching(action, position.cursor, sockets.opened(action, position), now)
        for number, out in engine.replies(action, position):
            frame = frames.reply_frame(action.room, number, out, engine.client.person, frames.MAX_FRAME)
            actions += session.reply(action.conversation, number, frame)
        return actions


TRANSPORTS: dict[str, Callable[[Engine], WebSocket | Tcp]] = {"websocket": WebSocket, "tcp": Tcp}


def outgoing(said: Mapping[str, Any]) -> Outgoing:
    """A reply in the room of `said`, to Lin unless it names somebody else."""
    room = said.get("room", "")
    to = Destination(platform="http", app="demo", room_id=f"#{room}" if room else "", user_id=said.get("to", "lin"))
    segments: list[Any] = [Text(text=said["text"] * said.get("times", 1))]
    if "media" in said:
        source = Source(platform="http", app="demo", message_id="m", key=said["media"])
        segments.append(Image(name="a.png", source=source, key=said["media"]))
    reply = Reply(segments=tuple(segments), private=said.get("private", False))
    return Outgoing(id="r1", message_key="m1", ordinal=0, to=to, reply=reply, created=NOW)


def _shown(message: Message) -> dict[str, Any]:
    room = message.context.room_id.removeprefix("#")
    return {"id": message.id, "person": message.sender.id, "room": room, "text": message.content.text}


def _frames(vector: Vector) -> None:
    for name in vector.inputs.get("on", TRANSPORTS):
        engine = Engine(vector)
        transport = TRANSPORTS[name](engine)
        transport.begin()
        for number, (step, expected) in enumerate(zip(vector.inputs["steps"], vector.expected["steps"], strict=True)):
            now = NOW + step.get("after", 0)
            found = [json.loads(frame) for frame in transport.send(_sent(step), now)]
            _compare(found, expected["frames"], f"{name}: step {number}")
            expect_equal(transport.closed, expected.get("closed", False), f"{name}: step {number}: closed")
        expect_equal(engine.stored, vector.expected.get("stored", []), f"{name}: stored")
        expect_equal(engine.acknowledged, vector.expected.get("acknowledged", []), f"{name}: acknowledged")


def _sent(step: Mapping[str, Any]) -> bytes:
    """The frame of a step: a value of JSON, or text, or text that is repeated."""
    if "text" in step:
        return str(step["text"]).encode() * step.get("times", 1)
    if "hex" in step:
        return bytes.fromhex(step["hex"])
    return json.dumps(step["frame"]).encode()


def _compare(found: list[Any], wanted: list[Any], what: str) -> None:
    """An error must have a sentence for the author of the client, which the vector does not repeat."""
    for frame in found:
        if frame["type"] == "error":
            expect(frame.pop("detail", ""), f"{what}: an error without `detail`")
        elif "reply" in frame:
            frame["reply"] = {"text": frame["reply"]["text"]}
    expect_equal(found, wanted, what)


def _stream(vector: Vector) -> None:
    """Bytes of a TCP connection, from its first one on, however they are cut."""
    pieces = [bytes.fromhex(each) for each in vector.inputs["bytes"]]
    data = b"".join(pieces)
    for cut in (pieces, [data], [data[at : at + 1] for at in range(len(data))]):
        engine = Engine(vector)
        transport = Tcp(engine)
        answers = [json.loads(frame) for piece in cut for frame in transport.feed(piece, NOW)]
        _compare(answers, vector.expected["frames"], "frames")
        expect_equal(transport.closed, vector.expected.get("closed", False), "closed")
        expect_equal(engine.stored, vector.expected.get("stored", []), "stored")


def _framed(vector: Vector) -> None:
    """What the connector puts before a frame."""
    made = framed(vector.inputs["frame"].encode())
    expect_equal(made[:HEADER].hex(), vector.expected["header"], "header")
    expect_equal(made[HEADER:].decode(), vector.inputs["frame"], "frame")


def _notice(vector: Vector) -> None:
    """The frame that is pushed for a reply, or for work on one."""
    inputs = vector.inputs
    made = json.loads(outbound.notice(outgoing(inputs["reply"]), inputs["number"], visible=inputs.get("visible", True)))
    if isinstance(made.get("reply"), dict):
        made["reply"] = {name: made["reply"][name] for name in ("id", "text")}
    expect_equal(made, vector.expected["frame"], "frame")


def _handshake(vector: Vector) -> None:
    """A WebSocket is opened: with a ticket, which the engine checks, or with a token."""
    inputs, expected = vector.inputs, vector.expected
    bearer = token(NOW, sub="lin", rooms=["team"], exp=NOW + inputs.get("lasts", LASTS))
    headers = {name: value.replace("TOKEN", bearer) for name, value in inputs.get("headers", {}).items()}
    request = Request(method="GET", headers=Headers(headers), query=inputs.get("query", {}))
    ticket, asked = sockets.connecting(request)
    expect_equal(ticket, expected.get("ticket", ""), "ticket")
    found = receive(asked, APP, NOW)
    if "status" in expected:
        expect_equal(expect_rejected(found).status, expected["status"], "status")
        return
    if not ticket:
        client = expect_accepted(found).client
        expect_equal(client and [client.person, sorted(client.rooms)], expected["client"], "client")
    response = sockets.connected(request)
    expect_equal(dict(response.headers), expected.get("headers", {}), "headers of the response")


CHECKS: dict[str, Callable[[Vector], None]] = {
    "frames": _frames,
    "stream": _stream,
    "framed": _framed,
    "notice": _notice,
    "handshake": _handshake,
}
