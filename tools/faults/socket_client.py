"""A client of the HTTP channel that is connected by WebSocket. It follows the rules of `clients/web/parley.js`."""

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from parley.journal.table import seen_pk
from parley.model import Conversation, person_key
from playground.platforms.http import Http, wire
from playground.platforms.http.routes import show_read
from playground.platforms.model import Attempt, Delivery
from tests.socket_client import Watched
from tools.faults.aws import Aws
from tools.faults.gateway import Gateway
from tools.faults.scheduler import Clock

_ANSWER = 15.0
"""Seconds after which a client gives up a connection on which it has no answer."""
_CHECK = 60.0
"""Seconds after which a client asks again for replies that the answer to `open` has announced and that did not come."""
_FIRST_PAUSE, _LAST_PAUSE = 1.0, 60.0
_TOKEN_SECONDS = 2 * 7200
_FORGETS = 0.3
"""The share of connections that a client begins without its memory, if its person has acknowledged a reply."""
_TEMPORARY = (401, 408, 425, 429, 500, 502, 503, 504)


class World(Protocol):
    """What a client needs: its platform, which shows what it gets, and AWS."""

    platform: Http
    gateway: Gateway
    aws: Aws
    clock: Clock

    def invoke(self, event: Mapping[str, Any]) -> int:
        """Call the function of sockets."""
        ...

    def request(self, event: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Make a request to the REST API."""
        ...


@dataclass(slots=True, eq=False)
class Client:
    """One person in one place of an app. `shows`: whether it opens the conversation and shows the replies."""

    all: World
    app: str
    room: str
    person: str
    shows: bool
    is_used: bool
    """Whether the person writes to this app."""
    watched: Watched = field(init=False)
    unsent: deque[Delivery] = field(default_factory=deque[Delivery])
    connection: "_Connection | None" = None
    attempts: int = 0
    is_waiting: bool = False
    """Whether it waits before it connects again."""
    last: int = 0
    """The number of the last reply that it has got."""
    _coming: deque[tuple[int, dict[str, Any] | None, bool]] = field(
        default_factory=deque[tuple[int, dict[str, Any] | None, bool]]
    )
    """Replies that it has not shown yet, with their numbers, and whether they are read by HTTP."""
    _is_reading: bool = False

    def __post_init__(self) -> None:
        self.watched = Watched(self.room)

    # --- what the person does -----------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Connect, unless it is connected."""
        if self.connection is None and not self.is_waiting:
            self.is_waiting = True
            self.at(0, self._connect)

    def send(self, delivery: Delivery) -> None:
        """Send a message once the earlier ones are stored. A copy is sent at once, in any order."""
        if delivery.state == "waiting" and delivery not in self.unsent:
            self.unsent.append(delivery)
            self.send_next()
        elif self.connection is not None and self.connection.is_ready and self._is_open:
            self.connection.push(_frame(delivery))

    def check(self) -> None:
        """Ask for the replies that are missing, which also shows whether the connection is alive."""
        if self.connection is None or not self.connection.is_ready:
            self.begin()
        else:
            self.ask()

    def at(self, seconds: float, act: Callable[[], None]) -> None:
        """Call `act` after so many seconds."""
        self.all.gateway.scheduler.at(self.all.clock() + seconds, act)

    # --- the connection -----------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        self.is_waiting = False
        event = {
            "httpMethod": "POST",
            "resource": "tickets",
            "pathParameters": {"app": self.app},
            "headers": self._headers(),
        }
        status, document = self.all.request(event)
        if status != 201:
            self.retry()
            return
        query = {"app": self.app, "ticket": document["ticket"]}
        connection = _Connection(self)
        self.connection = connection
        connection.id = self.all.gateway.connect(
            connection, {"headers": {}, "queryStringParameters": query}, self.all.invoke
        )
        if not connection.id:
            connection.end()
            return
        connection.push({"type": "hello", "version": 1})
        connection.expect("ready")

    def _headers(self) -> dict[str, str]:
        """Those of a request of the person."""
        http = self.all.platform
        account = http.account(self.app)
        claims = {
            "iss": account.issuer,
            "aud": account.audience,
            "sub": self.person,
            "rooms": [self.room] if self.room else [],
        }
        bearer = wire.token(account.secret, claims, self.all.clock(), seconds=_TOKEN_SECONDS)
        return {wire.AUTHORIZATION: f"Bearer {bearer}"}

    def retry(self) -> None:
        """Connect again after a pause."""
        self.connection, self.is_waiting = None, True
        pause = min(_LAST_PAUSE, _FIRST_PAUSE * 2 ** min(self.attempts, 6))
        self.attempts += 1
        self.at(pause, self._connect)

    def ready(self) -> None:
        """The connection works: open the conversation, and send what is unsent."""
        self.attempts = 0
        if self.shows:
            self._forget()
            self.ask()
        self.send_next()

    def _forget(self) -> None:
        """Begin like a new page, which knows nothing: the server knows what the person has acknowledged."""
        user = "" if self.room else self.person
        room = f"#{self.room}" if self.room else ""
        conversation = Conversation(platform="http", app=self.app, room_id=room, user_id=user).key
        seen = seen_pk(conversation, person_key("http", self.app, self.person))
        if seen in self.all.aws.dynamodb.items and self.all.gateway.random.random() < _FORGETS:
            self.watched = Watched(self.room)

    # --- frames -------------------------------------------------------------------------------------------------------

    def ask(self) -> None:
        """Open the conversation. A client of an app to which nobody writes here wants all replies."""
        if self.connection is None or not self.shows:
            return
        frame = json.loads(self.watched.open())
        if self.watched.have is None and not self.is_used:
            frame["after"] = "0"
        self.connection.push(frame)
        self.connection.expect("opened")

    def send_next(self) -> None:
        """Send the first unsent message, unless one waits for its answer, or the conversation is not open yet."""
        connection = self.connection
        if connection is None or not connection.is_ready or connection.in_flight or not self.unsent:
            return
        if not self._is_open:
            return
        connection.in_flight = self.unsent[0]
        connection.push(_frame(self.unsent[0]))
        connection.expect("accepted")

    @property
    def _is_open(self) -> bool:
        """Whether it gets the replies to what is sent now: the first `open` has its answer."""
        return not self.shows or self.watched.have is not None

    def take(self, frame: dict[str, Any]) -> None:
        """Handle one frame of the server."""
        match frame.get("type"):
            case "opened" | "reply":
                self._replies(frame)
            case "accepted":
                self._settle(frame, 202)
            case "error":
                self._failed(frame)
            case _:
                pass

    def _replies(self, frame: dict[str, Any]) -> None:
        before = len(self.watched.shown)
        again = self.watched.take(frame)
        for number, reply in self.watched.shown[before:]:
            if number > self.last:
                self.last = number
                self._coming.append((number, reply, bool(frame.get("large"))))
        self._show()
        if again is not None:
            self.ask()
        if frame["type"] == "opened":
            self.at(_CHECK, self._ask_again)
            self.send_next()

    def _ask_again(self) -> None:
        connection, have = self.connection, self.watched.have
        if connection is not None and connection.is_ready and have is not None and have < self.watched.last:
            self.ask()

    def _show(self) -> None:
        """Show and acknowledge what has come, up to a reply that is too large for a frame: it is read by HTTP."""
        while self._coming and not self._is_reading:
            number, reply, is_large = self._coming[0]
            if is_large:
                self._is_reading = True
                self.at(0, self._read)
                return
            self._pass(number, reply)

    def _read(self) -> None:
        number = self._coming[0][0]
        event = {
            "httpMethod": "GET",
            "pathParameters": {"app": self.app, "room": self.room or "me"},
            "queryStringParameters": {"after": str(number - 1)},
            "headers": self._headers(),
        }
        status, page = self.all.request(event)
        if status == 200:
            self._is_reading = False
            self._pass(number, page["replies"][0])
            self._show()
        else:
            self.at(_FIRST_PAUSE, self._read)

    def _pass(self, number: int, reply: dict[str, Any] | None) -> None:
        self._coming.popleft()
        if reply is not None:
            show_read(self.all.platform, self.app, reply)
        if self.connection is not None:
            self.connection.push({"type": "ack", "room": self.room, "cursor": str(number)})

    def _settle(self, frame: dict[str, Any], status: int) -> None:
        connection = self.connection
        delivery = connection.in_flight if connection is not None else None
        if connection is None or delivery is None or frame.get("key") != _key(delivery):
            return
        connection.in_flight = None
        connection.pending.pop("accepted", None)
        self.unsent.popleft()
        body = json.dumps({"id": frame.get("id")}).encode()
        self.all.platform.record_attempt(delivery, Attempt(self.all.clock(), 0, status), {}, body)
        self.send_next()

    def _failed(self, frame: dict[str, Any]) -> None:
        connection, seconds = self.connection, float(frame.get("retry_after") or 1)
        if connection is None:
            return
        if frame["status"] not in _TEMPORARY:
            self._settle(frame, frame["status"])
        elif frame.get("key"):
            connection.pending.pop("accepted", None)
            self.at(seconds, connection.send_again)
        elif frame.get("room") is not None:
            connection.pending.pop("opened", None)
            self.at(seconds, self.check)


@dataclass(slots=True, eq=False)
class _Connection:
    """One connection of a client. What comes from it after its end has no effect."""

    client: Client
    id: str = ""
    is_ready: bool = False
    in_flight: Delivery | None = None
    pending: dict[str, object] = field(default_factory=dict[str, object])
    """The answers that it waits for, each with an object that stands for this wait."""

    @property
    def is_current(self) -> bool:
        """Whether it is the connection of its client."""
        return self.client.connection is self

    def push(self, frame: Mapping[str, Any]) -> None:
        """Send a frame."""
        self.client.all.gateway.send(self.id, json.dumps(frame))

    def receive(self, data: bytes) -> None:
        """A frame has come."""
        if not self.is_current:
            return
        frame = json.loads(data)
        self.pending.pop(str(frame.get("type")), None)
        if frame.get("type") == "ready":
            self.is_ready = True
            self.client.ready()
        else:
            self.client.take(frame)

    def closed(self) -> None:
        """The connection is lost."""
        if self.is_current:
            self.end()

    def end(self) -> None:
        """Give the connection up, and connect again."""
        self.client.all.gateway.lose(self.id, noticed=False)
        self.client.retry()

    def send_again(self) -> None:
        """Send the message that could not be stored."""
        if self.is_current:
            self.in_flight = None
            self.client.send_next()

    def expect(self, answer: str) -> None:
        """Give the connection up if this answer does not come in time."""
        mark = self.pending.setdefault(answer, object())
        self.client.at(_ANSWER, lambda: self._check(answer, mark))

    def _check(self, answer: str, mark: object) -> None:
        if self.is_current and self.pending.get(answer) is mark:
            self.end()


def _key(delivery: Delivery) -> str:
    return delivery.wire.headers["Idempotency-Key"]


def _frame(delivery: Delivery) -> dict[str, Any]:
    """The message of a delivery as a frame."""
    return {"type": "message", "key": _key(delivery), **json.loads(delivery.wire.body)}
