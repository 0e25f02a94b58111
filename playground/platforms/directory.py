"""The data of a simulated platform: apps, persons, rooms, messages, events to deliver. The same on every platform."""

import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random, SystemRandom
from threading import RLock
from typing import Any, ClassVar, Generic, Literal, TypeVar

from playground.platforms.errors import NotFoundError
from playground.platforms.media import Blob
from playground.platforms.model import Delivery, Message, Person, Room

PERSONS = (Person("lin", "Lin Mei", "林梅"), Person("sam", "Sam Okafor", "山姆"), Person("ana", "Ana Ruiz", "安娜"))
GROUPS = (("team", "Team", "项目组"), ("lab", "Lab", "实验室"))
PRIVATE = "private"
"""The room reference that means the direct chat of the sender with the bot of the app."""

Listener = Callable[[str, Any], None]
"""Called with the kind of the change and its value: `message` with a Message, `call` with a Call, `delivery` with a
Delivery, `toast` and `modal` with JSON."""

A = TypeVar("A")
"""An app as the console of its platform knows it."""


class Directory(ABC, Generic[A]):
    """The data of one simulated platform. `lock` guards all of it.

    `clock` returns seconds since the epoch; `random` makes ids, so that a seed fixes them.
    """

    name: ClassVar[str]
    """The name of its folder: the first part of its addresses."""
    features: ClassVar[tuple[str, ...]] = ()
    """Controls that the page offers: `groups`, `mention`, `reply`, `thread`, `image`, `recall`, `react`, `commands`."""

    def __init__(self, clock: Callable[[], float] = time.time, random: Random | None = None) -> None:
        self.clock = clock
        self.random = random or SystemRandom()
        self.lock = RLock()
        self.persons = {person.id: replace(person) for person in PERSONS}
        self.accounts: dict[str, A] = {}
        """The registered apps, by name."""
        self.rooms: dict[str, Room] = {}
        self.messages: dict[str, Message] = {}
        self.blobs: dict[str, Blob] = {}
        """Images and files, by key."""
        self.deliveries: dict[str, Delivery] = {}
        self.delivery_ids: dict[str, str] = {}
        """Ids of the deliveries, by `Delivery.journal_id`."""
        self.outbox: deque[Delivery] = deque()
        self.listeners: list[Listener] = []
        self.discover: Callable[[str], Mapping[str, Mapping[str, Any]]] = lambda _platform: {}
        """Returns the configurations of the platform's apps, by name. Called when an app is not registered."""
        if "groups" in self.features:
            for slug, name, name_zh in GROUPS:
                self.make_room(slug, name, name_zh, members=list(self.persons))

    @abstractmethod
    def add_app(self, name: str, config: Mapping[str, Any]) -> None:
        """Register the app `name` with its Parley configuration, or replace it. Calls `join`."""

    def room_id(self, slug: str, kind: str) -> str:
        """The platform's own id for a room."""
        return slug if kind == PRIVATE else f"{kind}-{slug}"

    # --- apps ---------------------------------------------------------------------------------------------------------

    def app_names(self) -> list[str]:
        """The registered apps."""
        return list(self.accounts)

    def account(self, name: str) -> A:
        """The app `name`, discovered if it is not registered. Raises NotFoundError."""
        if name not in self.accounts:
            self.discover_apps()
        if name not in self.accounts:
            raise NotFoundError(f"{self.name} has no app {name!r}; there are: {', '.join(self.accounts) or 'none'}")
        return self.accounts[name]

    def discover_apps(self) -> None:
        """Register the apps that are configured and not registered yet."""
        for name, config in self.discover(self.name).items():
            if name not in self.accounts:
                self.add_app(name, config)

    def join(self, app: str) -> None:
        """Add the bot of `app` to every group, and open its direct chat with each person."""
        for room in self.rooms.values():
            if room.kind == "group":
                room.bots.add(app)
        for person in list(self.persons.values()):
            self.room(PRIVATE, app, person)

    # --- persons and rooms --------------------------------------------------------------------------------------------

    def person(self, ref: str) -> Person:
        """The person with that id or name, created if there is none."""
        with self.lock:
            for person in self.persons.values():
                if ref in (person.id, person.name, person.name_zh):
                    return person
            self.persons[ref] = Person(ref, ref)
            return self.persons[ref]

    def person_in(self, details: Mapping[str, Any]) -> Person:
        """The person that the field `sender` of `details` names; the first person if it is missing."""
        return self.person(str(details.get("sender") or next(iter(self.persons))))

    def room(self, ref: str, app: str, person: Person) -> Room:
        """The room with that id or short name, created if there is none; `private` or empty is the direct chat."""
        with self.lock:
            if not ref or ref == PRIVATE:
                slug = f"{PRIVATE}-{app}-{person.id}"
                found = self.rooms.get(self.room_id(slug, PRIVATE))
                return found or self.make_room(
                    slug, person.name, person.name_zh, kind=PRIVATE, members=[person.id], bots={app}
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
        """A new room. `bots` None: the bots of all apps are members."""
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

    # --- messages and media -------------------------------------------------------------------------------------------

    def find_message(self, message_id: str) -> Message:
        """The message with that id. Raises NotFoundError."""
        message = self.messages.get(message_id)
        if message is None:
            raise NotFoundError(f"{self.name} has no message {message_id!r}")
        return message

    def put_message(self, message: Message) -> Message:
        """Store a new or changed message, and notify the listeners."""
        self.messages[message.id] = message
        self.notify("message", message)
        return message

    def put_note(
        self, id_: str, delivery: Delivery, person: str, text: str, *, kind: str = "press", reply_to: str = ""
    ) -> Message:
        """Add a line of the page's own to the room of `delivery`: `person` pressed the button `text`, or with the kind
        `notice` the platform's client shows `text`."""
        note = Message(
            id=id_,
            room=delivery.room,
            sender=person,
            sender_kind="user",
            type=kind,
            content={"text": text},
            at=self.clock(),
            app=delivery.app,
            reply_to=reply_to,
            note=True,
        )
        return self.put_message(note)

    def sender_name(self, message: Message) -> str:
        """The name to show beside `message`."""
        person = self.persons.get(message.sender) if message.sender_kind == "user" else None
        return person.name if person else message.sender

    def put_blob(self, blob: Blob) -> Blob:
        """Store an image or a file."""
        self.blobs[blob.key] = blob
        return blob

    def media(self, key: str) -> tuple[str, bytes]:
        """Content type and bytes of an image or a file, for the page. Raises NotFoundError."""
        blob = self.blobs.get(key)
        if blob is None:
            raise NotFoundError(f"{self.name} has no media {key!r}")
        return blob.mime, blob.data

    # --- events -------------------------------------------------------------------------------------------------------

    def enqueue(self, delivery: Delivery) -> Delivery:
        """Put an event into the outbox."""
        self.deliveries[delivery.id] = delivery
        self.delivery_ids[delivery.journal_id] = delivery.id
        self.outbox.append(delivery)
        self.notify("delivery", delivery)
        return delivery

    def drain_outbox(self) -> list[Delivery]:
        """Remove all events from the outbox and return them, oldest first."""
        with self.lock:
            drained = list(self.outbox)
            self.outbox.clear()
            return drained

    def notify(self, kind: str, value: Any) -> None:
        """Call the listeners."""
        for listener in self.listeners:
            listener(kind, value)

    def hex(self, digits: int = 32) -> str:
        """A new id of `digits` hex digits."""
        return f"{self.random.getrandbits(digits * 4):0{digits}x}"
