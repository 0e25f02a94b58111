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
from connectors.tcp.limits import Limits
from parley import adapter
from parley.adapter import Acknowledge, Client, Rejected, Store, Tell, Watch
from parley.engine.floods import Rate
from parley.platforms.http import frames, sockets
from parley.platforms.http.frames import MAX_FRAME, VERSION, FrameError, Hello


class Check(msgspec.Struct, frozen=True):
    """Check the token of a client. The answer is `checked` or `rejected`."""

    hello: Hello


class Send(msgspec.Struct, frozen=True):
    """Send a frame."""

    frame: bytes


class Close(msgspec.Struct, frozen=True):
    """Close the connection once what was sent has left. `reason` is for the log."""

    reason: str


Job = Check | Store | Watch | Acknowledge
"""An action that needs an answer: `watching` for a conversation that is watched, else `answered`. Those of one
connection are carried out one by one, in order."""
Action = Job | Send | Close
Interpret = Callable[[bytes], adapter.Action]
"""What a frame of a client asks for."""


class Phase(Enum):
    """What the session waits for."""

    HELLO = "the first frame"
    CHECKING = "the check of the token"
    LIVE = "frames"
    DRAINING = "what is in flight"
    CLOSED = "nothing"


@dataclass(slots=True)
class Session:
    """The session of one connection."""

    limits: Limits
    started: float
    phase: Phase = Phase.HELLO
    client: Client | None = None
    sent: dict[str, int] = field(default_factory=dict[str, int])
    """The last reply that was sent of each conversation that is open, by its key."""
    _waiting: list[int] = field(default_factory=list[int])
    """The sizes of the frames whose actions have no answer yet. They are answered in order."""
    _framer: Framer = field(default_factory=Framer)
    _interpret: Interpret | None = None
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
        """Bytes that have arrived and are not handled yet."""
        return self._framer.held + sum(self._waiting)

    @property
    def in_flight(self) -> int:
        """Actions without an answer yet."""
        return len(self._waiting)

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

    def checked(self, client: Client, interpret: Interpret, ends_in: float, now: float) -> list[Action]:
        """The token is that of `client`, for `ends_in` seconds."""
        if self.phase is not Phase.CHECKING:
            return []
        self.client, self.phase, self._interpret, self._until = client, Phase.LIVE, interpret, now + ends_in
        self._framer.limit, self._heard_at = MAX_FRAME, now
        self._frames = Rate(self.limits.frames, self.limits.frames_burst, now)
        return [_send(frames.Ready(person=client.person, until=client.until)), *self._read(now)]

    def rejected(self, rejected: Rejected) -> list[Action]:
        """The client is refused."""
        return self.refuse(frames.error_frame(rejected)) if self.phase is Phase.CHECKING else []

    def watching(self, watch: Watch, cursor: int, opened: bytes, now: float) -> list[Action]:
        """A conversation is watched. The replies after the number `cursor` are for `reply`."""
        if self.phase is Phase.CLOSED:
            return []
        self.sent[watch.conversation] = cursor
        return self._go_on([Send(opened)], now)

    def answered(self, tell: Tell | None, now: float) -> list[Action]:
        """The answer to any other action, if the client is to get one."""
        if self.phase is Phase.CLOSED:
            return []
        return self._go_on(self._tell(tell) if tell else [], now)

    def failed(self, job: Job, rejected: Rejected, now: float) -> list[Action]:
        """`job` could not be carried out."""
        return self.rejected(rejected) if isinstance(job, Check) else self.answered(sockets.refused(rejected, job), now)

    def reply(self, conversation: str, number: int, frame: bytes) -> list[Action]:
        """The reply with that number is there. A number that was sent is left out."""
        if self.phase is not Phase.LIVE or number <= self.sent.get(conversation, math.inf):
            return []
        self.sent[conversation] = number
        return [Send(frame)]

    def typing(self, frame: bytes) -> list[Action]:
        """The bot works on a message of a conversation that is open."""
        return [Send(frame)] if self.phase is Phase.LIVE and not self.is_blocked else []

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
        self.phase, self._interpret = Phase.CLOSED, None
        self._framer, self._waiting = Framer(), []

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
            actions += self._frame(frame)
        if not self.is_reading or not self._framer.held:
            self._half_since = math.inf
        return actions

    def _frame(self, data: bytes) -> list[Action]:
        if self._interpret is None:
            return self._hello(data)
        match self._interpret(data):
            case Tell() as tell:
                return self._tell(tell)
            case Watch() as watch if watch.conversation not in self.sent and len(self.sent) >= self.limits.rooms:
                error = _error(429, "too_many", "This connection has too many open conversations.")
                return [_send(msgspec.structs.replace(error, room=watch.room))]
            case job:
                self._waiting.append(len(data))
                return [job]

    def _hello(self, data: bytes) -> list[Action]:
        try:
            frame = frames.decode(data)
        except FrameError as error:
            return self.refuse(frames.error_frame(error.rejected))
        if not isinstance(frame, Hello):
            return self.refuse(_error(400, "malformed", "The first frame is `hello`."))
        if frame.version != VERSION:
            return self.refuse(_error(400, "malformed", f"The server speaks version {VERSION}."))
        self.phase = Phase.CHECKING
        return [Check(frame)]

    def _tell(self, tell: Tell) -> list[Action]:
        return [Send(tell.data), *(self._close("a frame was refused") if tell.closes else [])]

    def _go_on(self, actions: list[Action], now: float) -> list[Action]:
        """Do `actions`, which answer what was in flight, and what has waited for that."""
        self._waiting.pop(0)
        match self.phase:
            case Phase.LIVE:
                return actions + self._read(now)
            case Phase.DRAINING:
                return actions if self.in_flight else actions + self._leave()
            case _:
                return actions

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


def _send(frame: frames.ServerFrame) -> Send:
    return Send(frames.encode(frame))


def _error(status: int, error: str, detail: str, retry_after: int | None = None) -> frames.Error:
    return frames.Error(status=status, error=error, detail=detail, retry_after=retry_after)
