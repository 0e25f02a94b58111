"""One connection of a client as a state machine: bytes go in, actions come out.

It has no clock, no socket and no AWS of its own. Times are seconds of any clock that only goes forward. The shell
(`connectors.tcp.connection`) calls a method for each thing that happens and carries out the actions that it returns. At
`wake_at` it calls `tick`. While `is_reading` is false, it leaves what the client sends in the socket.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

import msgspec

from connectors.tcp.framing import Framer, TooLongError
from connectors.tcp.limits import Limits, Rate
from parley.adapter import Rejected
from parley.platforms.http import frames
from parley.platforms.http.frames import (
    MAX_FRAME,
    VERSION,
    Ack,
    FrameError,
    Hello,
    Open,
    Ping,
    Post,
    ServerFrame,
)
from parley.platforms.http.persons import Person


class Check(msgspec.Struct, frozen=True):
    """Check the token of a client. The answer is `checked` or `rejected`."""

    hello: Hello


class Store(msgspec.Struct, frozen=True):
    """Put a message into the queue, after those before it. The answer is `stored` or `refused`."""

    post: Post


class Watch(msgspec.Struct, frozen=True):
    """Watch a conversation. The answer is `watching` or `not_watching`."""

    open: Open


class Acknowledge(msgspec.Struct, frozen=True):
    """The person has handled the replies of `room` up to `cursor`. The answer is `acknowledged`."""

    room: str
    cursor: int


class Send(msgspec.Struct, frozen=True):
    """Send a frame."""

    frame: bytes


class Close(msgspec.Struct, frozen=True):
    """Close the connection once what was sent has left. `reason` is for the log."""

    reason: str


Job = Check | Store | Watch | Acknowledge
"""An action that needs an answer. Those of one connection are carried out one by one, in order."""
Action = Job | Send | Close


class Phase(Enum):
    """What the session waits for."""

    HELLO = "the first frame"
    CHECKING = "the check of the token"
    LIVE = "frames"
    DRAINING = "what is in flight"
    CLOSED = "nothing"


@dataclass(slots=True)
class Session:
    """The session of one connection. `may_write` takes a message from the rate of a person: see `Persons.take`."""

    limits: Limits
    may_write: Callable[[str, float], float]
    started: float
    phase: Phase = Phase.HELLO
    person: Person | None = None
    app: str = ""
    """The name of the app, once the client is known."""
    rooms: dict[str, int] = field(default_factory=dict[str, int])
    """The conversations that are open, by the name of their room, and the last reply that was sent of each."""
    in_flight: int = 0
    """Actions without an answer yet."""
    _framer: Framer = field(default_factory=Framer)
    _frames: Rate | None = None
    _until: float = math.inf
    _heard_at: float = 0
    _half_since: float = math.inf
    _free_at: float = 0
    """When the next frame may be read, by the rate."""
    _blocked_since: float = math.inf

    def __post_init__(self) -> None:
        """Begin to wait for the first frame."""
        self._heard_at = self.started

    @property
    def whose(self) -> str:
        """The app and the person, for limits; empty until they are known."""
        return f"{self.app}\0{self.person.id}" if self.person else ""

    @property
    def is_reading(self) -> bool:
        """Whether the shell takes more bytes from the client."""
        is_open = self.phase in (Phase.HELLO, Phase.LIVE)
        return is_open and not self._is_full and not self._free_at and not self.is_blocked

    @property
    def is_blocked(self) -> bool:
        """Whether the client does not read what was sent to it."""
        return self._blocked_since < math.inf

    @property
    def throttled_until(self) -> float:
        """When the client, which sends too fast, is read again; 0 if it is not too fast."""
        return self._free_at if self.phase is Phase.LIVE else 0

    @property
    def held(self) -> int:
        """Bytes that have arrived and are not read as frames."""
        return self._framer.held

    @property
    def wake_at(self) -> float:
        """The time at which `tick` has something to do."""
        match self.phase:
            case Phase.HELLO | Phase.CHECKING:
                return self.started + self.limits.hello_within
            case Phase.LIVE:
                return min(
                    self._until,
                    self._free_at or math.inf,
                    self._silent_at,
                    self._half_since + self.limits.frame_within,
                    self._blocked_since + self.limits.send_within,
                )
            case _:
                return math.inf

    @property
    def _silent_at(self) -> float:
        """A client that is not read cannot show that it is there."""
        return self._heard_at + self.limits.silent_for if self.is_reading else math.inf

    @property
    def _is_full(self) -> bool:
        return self.in_flight >= self.limits.unstored

    # --- what happens -------------------------------------------------------------------------------------------------

    def received(self, data: bytes, now: float) -> list[Action]:
        """Bytes have arrived."""
        if self.phase in (Phase.DRAINING, Phase.CLOSED) or not data:
            return []
        self._heard_at = now
        self._framer.feed(data)
        return self._read(now)

    def checked(self, app: str, person: Person, ends_in: float, until: int, now: float) -> list[Action]:
        """The token is that of `person`. It is valid until the Unix second `until`, for `ends_in` seconds."""
        if self.phase is not Phase.CHECKING:
            return []
        self.app, self.person, self.phase, self._until = app, person, Phase.LIVE, now + ends_in
        self._framer.limit, self._heard_at = MAX_FRAME, now
        self._frames = Rate(self.limits.frames, self.limits.frames_burst, now)
        return [_send(frames.Ready(person=person.id, until=until)), *self._read(now)]

    def rejected(self, rejected: Rejected) -> list[Action]:
        """The client is refused."""
        return self.refuse(frames.error_frame(rejected)) if self.phase is Phase.CHECKING else []

    def stored(self, key: str, id_: str, now: float) -> list[Action]:
        """The message with that key is in the queue."""
        return self._answered([_send(frames.Accepted(key=key, id=id_))], now)

    def refused(self, key: str, rejected: Rejected, now: float) -> list[Action]:
        """The message with that key is not stored."""
        return self._answered([_send(frames.error_frame(rejected, key))], now)

    def watching(self, opened: frames.Opened, now: float) -> list[Action]:
        """A conversation is watched. The replies after its cursor are for `reply`."""
        self.rooms[opened.room] = int(opened.cursor)
        return self._answered([_send(opened)], now)

    def not_watching(self, room: str, rejected: Rejected, now: float) -> list[Action]:
        """A conversation cannot be watched."""
        return self._answered([_send(frames.error_frame(rejected, room=room))], now)

    def acknowledged(self, now: float) -> list[Action]:
        """What the person has handled is stored."""
        return self._answered([], now)

    def failed(self, job: Job, rejected: Rejected, now: float) -> list[Action]:
        """An error that nobody expects, in place of the answer to `job`."""
        match job:
            case Check():
                return self.rejected(rejected)
            case Store(post=post):
                return self.refused(post.key, rejected, now)
            case Watch(open=opened):
                return self.not_watching(opened.room, rejected, now)
            case Acknowledge():
                return self.acknowledged(now)

    def reply(self, room: str, number: int, frame: bytes) -> list[Action]:
        """The reply with that number is there. A number that was sent is left out."""
        if self.phase is not Phase.LIVE or number <= self.rooms.get(room, math.inf):
            return []
        self.rooms[room] = number
        return [Send(frame)]

    def typing(self, room: str) -> list[Action]:
        """The bot works on a message."""
        if self.phase is not Phase.LIVE or room not in self.rooms or self.is_blocked:
            return []
        return [_send(frames.Typing(room=room))]

    def blocked(self, now: float) -> None:
        """The client reads too slowly: what was sent waits in memory."""
        self._blocked_since = now

    def unblocked(self, now: float) -> list[Action]:
        """What was sent has left."""
        self._blocked_since, self._heard_at = math.inf, now
        return self._read(now)

    def overflow(self) -> list[Action]:
        """All connections together hold too many bytes."""
        return self.refuse(_error(503, "unavailable", "The connector is full. Please connect again.", 5))

    def tick(self, now: float) -> list[Action]:
        """A moment has come that the session waits for."""
        if self.wake_at > now:
            return []
        match self.phase:
            case Phase.HELLO | Phase.CHECKING:
                return self.refuse(_error(408, "too_slow", "There was no `hello` in time."))
            case Phase.LIVE if self._until <= now:
                return self.refuse(frames.error_frame(Rejected(401, "stale")))
            case Phase.LIVE if self._blocked_since + self.limits.send_within <= now:
                return self._close("the client does not read")
            case Phase.LIVE if self._half_since + self.limits.frame_within <= now:
                return self.refuse(_error(408, "too_slow", "A frame was not complete in time."))
            case Phase.LIVE if self._silent_at <= now:
                return self.refuse(_error(408, "too_slow", "There was no frame for too long: send `ping`."))
            case _:
                self._free_at = 0
                return self._read(now)

    def drain(self) -> list[Action]:
        """The program ends. What is in flight is answered, and nothing more is read."""
        if self.phase is Phase.CLOSED:
            return []
        known, self.phase = self.phase is Phase.LIVE, Phase.DRAINING
        self._framer = Framer()
        return [] if known and self.in_flight else self._leave()

    def ended(self) -> None:
        """The connection is gone."""
        self.phase = Phase.CLOSED
        self._framer = Framer()

    # --- frames -------------------------------------------------------------------------------------------------------

    def _read(self, now: float) -> list[Action]:
        """Read the frames that are there, until the client has to wait."""
        actions: list[Action] = []
        self._half_since = min(self._half_since, now)
        while self.is_reading:
            if self._frames and (wait := self._frames.wait(now)):
                self._free_at = now + wait
                break
            try:
                frame = self._framer.next()
            except TooLongError:
                detail = f"The frame has more than {self._framer.limit} bytes."
                return actions + self.refuse(_error(413, "too_large", detail))
            if frame is None:
                break
            self._half_since = now
            if self._frames:
                self._frames.take(now)
            actions += self._frame(frame, now)
        if not self.is_reading or not self._framer.held:
            self._half_since = math.inf
        return actions

    def _frame(self, data: bytes, now: float) -> list[Action]:
        try:
            frame = frames.decode(data)
        except FrameError as error:
            if self.phase is Phase.HELLO or error.rejected.status in frames.CLOSING:
                return self.refuse(frames.error_frame(error.rejected))
            return [_send(frames.error_frame(error.rejected))]
        if isinstance(frame, Hello) or self.person is None:
            return self._hello(frame)
        match frame:
            case Ping():
                return [_send(frames.Pong())]
            case Post():
                return self._post(frame, now)
            case Open():
                return self._open(frame)
            case Ack():
                return self._asked([Acknowledge(frame.room, int(frame.cursor))]) if frame.room in self.rooms else []

    def _hello(self, frame: frames.ClientFrame) -> list[Action]:
        if not isinstance(frame, Hello) or self.phase is not Phase.HELLO:
            return self.refuse(_error(400, "malformed", "The first frame is `hello`, and no other one is."))
        if frame.version != VERSION:
            return self.refuse(_error(400, "malformed", f"The version of the protocol is {VERSION}."))
        self.phase = Phase.CHECKING
        return [Check(frame)]

    def _post(self, post: Post, now: float) -> list[Action]:
        wait = self.may_write(self.whose, now)
        if not wait:
            return self._asked([Store(post)])
        error = _error(429, "too_many", "The person sends too many messages.", math.ceil(wait))
        return [_send(msgspec.structs.replace(error, key=post.key))]

    def _open(self, frame: Open) -> list[Action]:
        if frame.room in self.rooms or len(self.rooms) < self.limits.rooms:
            return self._asked([Watch(frame)])
        error = _error(429, "too_many", "This connection has too many open conversations.")
        return [_send(msgspec.structs.replace(error, room=frame.room))]

    def _asked(self, actions: list[Action]) -> list[Action]:
        self.in_flight += 1
        return actions

    def _answered(self, actions: list[Action], now: float) -> list[Action]:
        self.in_flight -= 1
        match self.phase:
            case Phase.LIVE:
                return actions + self._read(now)
            case Phase.DRAINING:
                return actions if self.in_flight else actions + self._leave()
            case _:
                return []

    # --- the end ------------------------------------------------------------------------------------------------------

    def _leave(self) -> list[Action]:
        """The client connects again, and comes to another instance."""
        return self.refuse(_error(503, "restarting", "The connector ends. Please connect again.", 1))

    def refuse(self, error: frames.Error) -> list[Action]:
        """Say why, and close the connection."""
        return [_send(error), *self._close(error.detail or error.error)]

    def _close(self, reason: str) -> list[Action]:
        self.ended()
        return [Close(reason)]


def _send(frame: ServerFrame) -> Send:
    return Send(frames.encode(frame))


def _error(status: int, error: str, detail: str, retry_after: int | None = None) -> frames.Error:
    return frames.Error(status=status, error=error, detail=detail, retry_after=retry_after)
