"""The data of every simulated platform: persons, rooms, messages, API calls received, events to deliver."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Part = dict[str, Any]
"""A piece of a message as the page shows it, the same on every platform: `{"kind": "text" | "markdown" | "image" |
"file" | "card" | "note" | ...}`. `playground/static/js/parts.js` draws them."""


NamedButton = str | int
"""A button of a message: the id that the bot gave it, its label, or its number, counted from 0. An int is a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """How the page shows a platform. The server gives it to the page: the page names no platform itself."""

    label: Mapping[str, str]
    """The name that people know, by language: `{"en": ..., "zh": ...}`."""
    color: str = "#6b7a99"
    """CSS color of the mark beside the name."""
    bubble: tuple[str, str] = ("#dce8ff", "#26406f")
    """CSS colors of a person's own messages: light theme, dark theme."""
    bubble_radius: str = ""
    """CSS radius of a message's corners; empty for the page's own."""
    layout: Literal["bubbles", "flat"] = "bubbles"
    """`flat`: all messages on the left, without bubbles."""
    tab: int = 100
    """Place among the tabs of the page; equal numbers are ordered by name."""

    def to_json(self) -> dict[str, Any]:
        """The appearance in the control API."""
        return {
            "label": dict(self.label),
            "color": self.color,
            "bubble": list(self.bubble),
            "bubble_radius": self.bubble_radius,
            "layout": self.layout,
        }


@dataclass(slots=True)
class Person:
    """A person who writes. `id` is the playground's own; each platform derives its own ids from it."""

    id: str
    name: str
    name_zh: str = ""

    def to_json(self) -> dict[str, Any]:
        """The person in the control API."""
        return {"id": self.id, "name": self.name, "name_zh": self.name_zh or self.name}


@dataclass(slots=True)
class Room:
    """A group, or the direct chat of one person with the bot of one app."""

    id: str
    name: str
    kind: Literal["group", "private"]
    members: list[str] = field(default_factory=list[str])
    bots: set[str] = field(default_factory=set[str])
    """Names of the apps whose bots are members."""
    slug: str = ""
    name_zh: str = ""

    def to_json(self) -> dict[str, Any]:
        """The room in the control API."""
        return {
            "id": self.id,
            "slug": self.slug,
            "name": self.name,
            "name_zh": self.name_zh or self.name,
            "kind": self.kind,
            "members": list(self.members),
            "bots": sorted(self.bots),
        }


@dataclass(slots=True)
class Message:
    """A message as the platform stores it. `type` and `content` are the platform's own."""

    id: str
    room: str
    sender: str
    """A person's id, or the name of an app for its bot."""
    sender_kind: Literal["user", "bot", "webhook"]
    type: str
    content: Any
    at: float
    app: str = ""
    """The app that sent it, or that receives it."""
    edited: float | None = None
    edits: int = 0
    recalled: bool = False
    reply_to: str = ""
    forwards: tuple[str, ...] = ()
    """The ids of the messages that it forwards."""
    root: str = ""
    thread: str = ""
    mentions: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    reactions: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    note: bool = False
    """A line of the page's own, for example that a person pressed a button. The platform has no such message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """A message that a person sends."""

    text: str = ""
    mention: bool | None = None
    """Whether the bot is mentioned; None: in groups, yes."""
    reply_to: str = ""
    forwards: tuple[str, ...] = ()
    """The ids of the messages that it forwards together, instead of a content of its own."""
    thread: str | bool = ""
    """The id of a thread, or True to open one."""
    image: bytes = b""
    file: tuple[str, bytes] | None = None
    """Name and content."""
    native: tuple[str, Any] | None = None
    """A message in the platform's own form: its type and its content."""
    deliver: bool = True
    """False: the platform does not deliver it to the bot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A person's press of a button, or choice from a select, of a message."""

    button: NamedButton
    form: Mapping[str, Any] = field(default_factory=dict[str, Any])
    options: tuple[str, ...] = ()


@dataclass(slots=True)
class Call:
    """One API call as it was received, secrets masked. `status` 0: no response was given."""

    at: float
    method: str
    path: str
    query: dict[str, str]
    body: Any
    app: str = ""
    status: int = 0
    response: Any = None
    ms: float = 0
    fault: str | None = None
    room: str = ""
    message_id: str = ""
    """The message that it created or concerned."""
    key: str = ""
    """The idempotency key of the request."""

    def to_json(self) -> dict[str, Any]:
        """The call in the control API."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Wire:
    """A callback request as it is sent."""

    method: str = "POST"
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to deliver. `status` 0: no response in time, `error` says why."""

    at: float
    ms: float
    status: int
    error: str = ""
    body: str = ""
    forged: str = ""
    """How the callback was forged; empty for a genuine one."""

    def to_json(self) -> dict[str, Any]:
        """The attempt in the control API."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True)
class Delivery:
    """An event that the platform delivers to an app's callback URL."""

    id: str
    platform: str
    app: str
    kind: Literal["message", "action", "event", "challenge"]
    wire: Wire
    plain: bytes
    """The content before encryption; equal to the body if nothing is encrypted."""
    at: float
    journal_id: str
    """The id by which the receiver has to recognise the message or event: the same in each delivery of it."""
    subject: str = ""
    """The platform's id of the message that the event concerns."""
    room: str = ""
    deadline: float = 3
    """Seconds for a response."""
    retry_delays: tuple[float, ...] = ()
    """Seconds from each failure to the next attempt."""
    state: Literal["waiting", "delivered", "retrying", "failed"] = "waiting"
    attempts: list[Attempt] = field(default_factory=list[Attempt])
    redeliveries: list[Attempt] = field(default_factory=list[Attempt])
    """Deliveries that the user of the playground requested, genuine or forged."""
    parameters: dict[str, str] = field(default_factory=dict[str, str])
    """The parts of the path beside the app: `{"room": "team"}`."""
    result: dict[str, Any] = field(default_factory=dict[str, Any])
    """The effect of the response on the platform: `{"toast": ...}`."""

    @property
    def endpoint(self) -> str:
        """The app whose callback URL gets it. All companies that have installed an app share one."""
        return self.app.partition("@")[0]

    def to_json(self) -> dict[str, Any]:
        """The delivery in the control API, without the bytes."""
        return {
            "id": self.id,
            "kind": self.kind,
            "app": self.app,
            "subject": self.subject,
            "room": self.room,
            "at": self.at,
            "state": self.state,
            "attempts": [attempt.to_json() for attempt in self.attempts],
            "redeliveries": [attempt.to_json() for attempt in self.redeliveries],
            "result": self.result,
        }
