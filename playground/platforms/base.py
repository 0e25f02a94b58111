"""The imitation of one platform's server, as far as all platforms are alike.

No web framework, no socket, no thread: requests and answers are values, the clock and the dice are passed in. So the
same imitation stands behind the chat page and, in-process, under a test that enumerates crashes. A lock makes every
call atomic.
"""

import hashlib
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random, SystemRandom
from threading import RLock
from typing import Any, ClassVar, Generic, Literal, TypeVar

from playground.platforms.faults import Faults
from playground.platforms.http import Dropped, Held, Request, Response
from playground.platforms.masking import masked, request_shown, response_shown
from playground.platforms.model import (
    Appearance,
    Attempt,
    Call,
    Delivery,
    Message,
    NewMessage,
    Part,
    Person,
    Press,
    Room,
    Wire,
)

PERSONS = (Person("lin", "Lin Mei", "林梅"), Person("sam", "Sam Okafor", "山姆"), Person("ana", "Ana Ruiz", "安娜"))
GROUPS = (("team", "Team", "项目组"), ("lab", "Lab", "实验室"))
PRIVATE = "private"
"""The room reference that means: the direct chat of the sender with the app's bot."""


class Unknown(Exception):
    """There is no such app, room, message or button. The text names it."""


Listener = Callable[[str, Any], None]
"""Is told `("message", Message)`, `("call", Call)`, `("delivery", Delivery)`, `("toast", {...})`."""


A = TypeVar("A")
"""An app as its platform's console knows it."""


class Platform(ABC, Generic[A]):
    """One imitated platform: its persons, rooms, messages and apps, and the API that bots call."""

    name: ClassVar[str]
    """The name of its folder: the first part of its addresses."""
    appearance: ClassVar[Appearance]
    features: ClassVar[tuple[str, ...]] = ()
    """Controls that the page offers: `groups`, `mention`, `reply`, `thread`, `image`, `recall`, `react`, `commands`."""
    secrets: ClassVar[frozenset[str]] = frozenset()
    """Names of JSON fields and query parameters that the record of calls masks."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        random: Random | None = None,
        keep_calls: int | None = None,
        token_seconds: float = 7200,
    ) -> None:
        self.clock = clock
        self.token_seconds = token_seconds
        self.random = random or SystemRandom()
        self.lock = RLock()
        self.faults = Faults()
        self.calls: deque[Call] = deque(maxlen=keep_calls)
        self.persons = {person.id: replace(person) for person in PERSONS}
        self.accounts: dict[str, A] = {}
        """The apps that are registered, by name."""
        self.rooms: dict[str, Room] = {}
        self.messages: dict[str, Message] = {}
        self.deliveries: dict[str, Delivery] = {}
        self.delivery_ids: dict[str, str] = {}
        """Ids of the deliveries by what the receiver takes for the id of the message or event."""
        self.outbox: deque[Delivery] = deque()
        self.listeners: list[Listener] = []
        self.discover: Callable[[str], Mapping[str, Mapping[str, Any]]] = _nothing
        """Asked for the configurations of the apps of this platform, by name, when somebody names an unknown one."""
        self._call = Call(0, "", "", {}, None)
        if "groups" in self.features:
            for slug, name, name_zh in GROUPS:
                self.make_room(slug, name, name_zh, members=list(self.persons))

    # --- what each platform does its own way --------------------------------------------------------------------------

    @abstractmethod
    def add_app(self, name: str, config: Mapping[str, Any]) -> None:
        """Register, or register anew, the app `name` with the configuration that Parley has of it."""

    @abstractmethod
    def handle(self, request: Request) -> Response:
        """Carry out one API call, without faults."""

    @abstractmethod
    def bears_token(self, request: Request) -> bool:
        """Whether the call carries a token that is valid now."""

    @abstractmethod
    def expire_token(self, request: Request) -> None:
        """Forget the token that the call carries."""

    @abstractmethod
    def limited(self, request: Request) -> Response:
        """The answer to a call that comes too often."""

    @abstractmethod
    def send_message(self, app: str, room: str, sender: str, said: NewMessage) -> Message:
        """A person writes; the event for the app is put into the outbox. Raises Unknown."""

    @abstractmethod
    def press(self, app: str, message_id: str, sender: str, pressed: Press) -> Delivery:
        """A person presses a button. Raises Unknown."""

    @abstractmethod
    def parts(self, message: Message) -> list[Part]:
        """`message` as the page shows it."""

    @abstractmethod
    def tenant(self, app: str) -> str:
        """The organisation's id as the platform tells it to `app`."""

    def tenant_of(self, app: str, room: str) -> str:
        """The same for what happens in `room`, where that makes a difference."""
        del room
        return self.tenant(app)

    @abstractmethod
    def room_id(self, slug: str, kind: str) -> str:
        """The platform's own id for a room."""

    @abstractmethod
    def accept_response(self, delivery: Delivery, status: int, headers: Mapping[str, str], body: bytes) -> bool:
        """Take the receiver's answer in; whether it counts as delivered."""

    @abstractmethod
    def forge(self, delivery: Delivery, how: str) -> Wire:
        """The callback as an attacker would send it: `how` is `signature`, `stale`, `plain`, `truncated`. Raises
        Unknown for another."""

    def challenge(self, app: str) -> Delivery:
        """The callback by which the platform's console verifies a URL. Raises Unknown."""
        raise Unknown(f"{self.name} verifies no URL of {app}")

    def emit_event(self, app: str, kind: str, details: Mapping[str, Any]) -> Delivery | None:
        """Something other than a message: a recall, a reaction. The event, if the platform tells. Raises Unknown."""
        raise Unknown(f"{self.name} has no {kind!r}: {app} {sorted(details)}")

    def commands(self, app: str) -> list[dict[str, Any]]:
        """The commands of a bot that the platform was told of, in its own form. Raises Unknown."""
        del app
        return []

    def media(self, key: str) -> tuple[str, bytes]:
        """Content type and bytes of a picture or file, for the page. Raises Unknown."""
        raise Unknown(f"no media {key!r}")

    # --- API calls ----------------------------------------------------------------------------------------------------

    def api(self, request: Request) -> Response:
        """Answer one API call, under the faults asked for. Raises Held, Dropped."""
        with self.lock:
            started = self.clock()
            self._call = call = Call(
                at=started,
                method=request.method,
                path=self.path_shown(request),
                query=masked(dict(request.query), self.secrets),
                body=request_shown(request, self.secrets),
            )
            call.fault = self.faults.pick(request, self.bears_token(request))
            response = self._answer(request, call.fault)
            call.ms = round((self.clock() - started) * 1000, 3)
            if response is not None:
                call.response = response_shown(response, self.secrets)
            if call.fault not in ("timeout", "drop_response") and response is not None:
                call.status = response.status
            self.calls.append(call)
        self.notify("call", call)
        if response is None:
            raise Held
        if call.fault == "drop_response":
            raise Dropped
        return response

    def _answer(self, request: Request, fault: str | None) -> Response | None:
        if fault == "timeout":
            return None
        if fault == "http_500":
            return Response(500, b"internal server error", {"content-type": "text/plain"})
        if fault == "limited":
            return self.limited(request)
        if fault == "token_expired":
            self.expire_token(request)
        return self.handle(request)

    def path_shown(self, request: Request) -> str:
        """The path of a call for the record; without what is secret in it, where a platform has that."""
        return request.path

    def note_call(self, **what: str) -> None:
        """Add to the record of the call that is being handled: `app`, `room`, `message_id`, `key`."""
        for name, value in what.items():
            setattr(self._call, name, value)

    # --- persons, rooms, messages -------------------------------------------------------------------------------------

    def person(self, ref: str) -> Person:
        """The person with that id or name; a new one where there is none."""
        with self.lock:
            for person in self.persons.values():
                if ref in (person.id, person.name, person.name_zh):
                    return person
            self.persons[ref] = Person(ref, ref)
            return self.persons[ref]

    def room(self, ref: str, app: str, person: Person) -> Room:
        """The room with that id or short name, made where there is none; `private` is the direct chat."""
        with self.lock:
            if not ref or ref == PRIVATE:
                slug = f"{PRIVATE}-{app}-{person.id}"
                found = self.rooms.get(self.room_id(slug, "private"))
                return found or self.make_room(
                    slug, person.name, person.name_zh, kind="private", members=[person.id], bots={app}
                )
            found = self.rooms.get(ref) or self.rooms.get(self.room_id(ref, "group"))
            room = found or self.make_room(ref, ref, "", members=[person.id])
            if room.kind == "group" and person.id not in room.members:
                room.members.append(person.id)
            return room

    def make_room(
        self,
        slug: str,
        name: str,
        name_zh: str,
        *,
        kind: Literal["group", "private"] = "group",
        members: list[str] | None = None,
        bots: set[str] | None = None,
    ) -> Room:
        """A new room, with the bots of all apps in it unless `bots` names some."""
        room = Room(
            id=self.room_id(slug, kind),
            name=name,
            name_zh=name_zh,
            kind=kind,
            members=members or [],
            bots=set(self.app_names()) if bots is None else bots,
            slug=slug,
        )
        self.rooms[room.id] = room
        return room

    def join(self, app: str) -> None:
        """Put the bot of `app` into every group, and open a direct chat with each of the first persons."""
        for room in self.rooms.values():
            if room.kind == "group":
                room.bots.add(app)
        for person in list(self.persons.values()):
            self.room(PRIVATE, app, person)

    def find_message(self, message_id: str) -> Message:
        """The message with that id. Raises Unknown."""
        message = self.messages.get(message_id)
        if message is None:
            raise Unknown(f"{self.name} has no message {message_id!r}")
        return message

    def put_message(self, message: Message) -> Message:
        """Keep a new or changed message, and tell the listeners."""
        self.messages[message.id] = message
        self.notify("message", message)
        return message

    def app_names(self) -> list[str]:
        """The apps that are registered."""
        return list(self.accounts)

    def account(self, name: str) -> A:
        """The app `name`; new configurations are asked for before it is given up. Raises Unknown."""
        if name not in self.accounts:
            for found, config in self.discover(self.name).items():
                if found not in self.accounts:
                    self.add_app(found, config)
        if name not in self.accounts:
            raise Unknown(f"{self.name} has no app {name!r}; there are: {', '.join(self.accounts) or 'none'}")
        return self.accounts[name]

    def sender_name(self, message: Message) -> str:
        """The name to show beside `message`."""
        person = self.persons.get(message.sender) if message.sender_kind == "user" else None
        return person.name if person else message.sender

    # --- events -------------------------------------------------------------------------------------------------------

    def send_event(self, delivery: Delivery) -> Delivery:
        """Put an event into the outbox."""
        self.deliveries[delivery.id] = delivery
        self.delivery_ids[delivery.journal_id] = delivery.id
        self.outbox.append(delivery)
        self.notify("delivery", delivery)
        return delivery

    def take(self) -> list[Delivery]:
        """The events that wait in the outbox, oldest first; it is then empty."""
        with self.lock:
            taken = list(self.outbox)
            self.outbox.clear()
            return taken

    def record_attempt(
        self, delivery: Delivery, attempt: Attempt, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> float | None:
        """Take one attempt's result in. Seconds until the next attempt; None: there is none."""
        with self.lock:
            delivery.attempts.append(attempt)
            failures = len(delivery.attempts)
            if attempt.status and self.accept_response(delivery, attempt.status, headers or {}, body):
                delivery.state, again = "delivered", None
            elif failures > len(delivery.ladder):
                delivery.state, again = "failed", None
            else:
                delivery.state, again = "retrying", delivery.ladder[failures - 1]
        self.notify("delivery", delivery)
        return again

    def notify(self, kind: str, value: Any) -> None:
        """Tell the listeners."""
        for listener in self.listeners:
            listener(kind, value)

    def hex(self, digits: int = 32) -> str:
        """A fresh id of `digits` hex digits from this imitation's dice."""
        return f"{self.random.getrandbits(digits * 4):0{digits}x}"


def stable_hex(*parts: str, digits: int = 32) -> str:
    """Hex digits that are the same for the same parts, in every run."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:digits]


def _nothing(_platform: str) -> Mapping[str, Mapping[str, Any]]:
    return {}
