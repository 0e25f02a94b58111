"""What every imitated platform has: persons, rooms, messages, calls it received, events it wants delivered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Part = dict[str, Any]
"""A piece of a message as the page shows it, the same on every platform: `{"kind": "text" | "markdown" | "image" |
"file" | "card" | "note" | ...}`; `playground/static/js/parts.js` draws them."""


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

    def shown(self) -> dict[str, Any]:
        """As the control API shows it."""
        return {
            "label": dict(self.label),
            "color": self.color,
            "bubble": list(self.bubble),
            "bubble_radius": self.bubble_radius,
            "layout": self.layout,
        }


@dataclass(slots=True)
class Person:
    """Somebody who writes. `id` is the playground's own; what the platform calls them is the platform's affair."""

    id: str
    name: str
    name_zh: str = ""

    def shown(self) -> dict[str, Any]:
        """As the control API shows it."""
        return {"id": self.id, "name": self.name, "name_zh": self.name_zh or self.name}


@dataclass(slots=True)
class Room:
    """A group, or the direct chat of one person with one app's bot."""

    id: str
    name: str
    kind: Literal["group", "private"]
    members: list[str] = field(default_factory=list[str])
    bots: set[str] = field(default_factory=set[str])
    """Names of the apps whose bots are in it."""
    slug: str = ""
    name_zh: str = ""

    def shown(self) -> dict[str, Any]:
        """As the control API shows it."""
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
    """A message as the platform keeps it. `type` and `content` are the platform's own."""

    id: str
    room: str
    sender: str
    """A person's id, or the name of an app for its bot."""
    sender_kind: Literal["user", "bot", "webhook"]
    type: str
    content: Any
    at: float
    app: str = ""
    """The app that sent it, or that it was meant for."""
    edited: float | None = None
    edits: int = 0
    recalled: bool = False
    reply_to: str = ""
    root: str = ""
    thread: str = ""
    mentions: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    reactions: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    note: bool = False
    """A line of the page's own (somebody pressed a button), unknown to the platform."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """What a person writes."""

    text: str = ""
    mention: bool | None = None
    """Whether the bot is mentioned; None: in groups, yes."""
    reply_to: str = ""
    thread: str | bool = ""
    """The id of a thread, or True to open one."""
    image: bytes = b""
    file: tuple[str, bytes] | None = None
    """Name and content."""
    native: tuple[str, Any] | None = None
    """A message in the platform's own form: its type and its content."""
    deliver: bool = True
    """False: the platform never tells the bot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """What a person does to a card."""

    button: str
    """The id that `Platform.parts` gave the button, or its label, or the name or a value it carries."""
    form: Mapping[str, Any] = field(default_factory=dict[str, Any])
    options: tuple[str, ...] = ()


@dataclass(slots=True)
class Call:
    """One API call as it was received, secrets masked. `status` 0: no answer was given."""

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
    """The message it made, or was about."""
    key: str = ""
    """The idempotency key it carried."""

    def shown(self) -> dict[str, Any]:
        """As the control API shows it."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Wire:
    """A callback as it goes over the wire."""

    method: str = "POST"
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to deliver. `status` 0: no answer in time, `error` says why."""

    at: float
    ms: float
    status: int
    error: str = ""
    body: str = ""
    forged: str = ""
    """How the callback was forged, if it was."""

    def shown(self) -> dict[str, Any]:
        """As the control API shows it."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True)
class Delivery:
    """An event that the platform wants delivered to an app's callback URL."""

    id: str
    platform: str
    app: str
    kind: Literal["message", "action", "event", "challenge"]
    wire: Wire
    plain: bytes
    """What was encrypted; the same as the body where nothing is encrypted."""
    at: float
    journal_id: str
    """What the receiver should take for the id of the message or event: the same in each delivery of it."""
    about: str = ""
    """The platform's id of the message concerned."""
    room: str = ""
    deadline: float = 3
    """Seconds for an answer."""
    ladder: tuple[float, ...] = ()
    """Seconds from each failure to the next attempt."""
    state: Literal["waiting", "delivered", "retrying", "failed"] = "waiting"
    attempts: list[Attempt] = field(default_factory=list[Attempt])
    repeats: list[Attempt] = field(default_factory=list[Attempt])
    """Deliveries beyond the platform's own: somebody asked for them, genuine or forged."""
    result: dict[str, Any] = field(default_factory=dict[str, Any])
    """What the platform made of the answer: `{"toast": ...}`."""

    def shown(self) -> dict[str, Any]:
        """As the control API shows it, without the bytes."""
        return {
            "id": self.id,
            "kind": self.kind,
            "app": self.app,
            "about": self.about,
            "room": self.room,
            "at": self.at,
            "state": self.state,
            "attempts": [attempt.shown() for attempt in self.attempts],
            "repeats": [attempt.shown() for attempt in self.repeats],
            "result": self.result,
        }
