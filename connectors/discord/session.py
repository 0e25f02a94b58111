"""A session with the Gateway as a state machine: events go in, actions come out.

It has no clock, no socket and no random numbers of its own. Times are seconds of any clock that only goes forward.
Discord docs: Gateway › Connection Lifecycle.

The shell (`connectors.discord.socket`) calls a method for each thing that happens and carries out the actions that it
returns. At `wake_at` it calls `tick`.
"""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import msgspec

from connectors.discord import frames
from connectors.discord.closing import FATAL, FRESH, LOST, RESUMABLE, TOO_FAST
from connectors.discord.frames import Frame, Identity
from parley.untrusted import decode_json, integer, mapping, text

HELLO_WITHIN, READY_WITHIN, CLOSED_WITHIN = 30.0, 60.0, 15.0
"""Seconds for the first frame, for the start of the session, and until the shell has closed the socket."""
PERMITTED_WITHIN = 120.0
"""Seconds for the answer to `Permit`."""
_LASTING = 60.0
"""Seconds after which a connection counts as a success."""
_MOST_WAIT, _MOST_IDENTIFY_WAIT = 60.0, 300.0
"""Seconds between two tries at most. An identify is one of a thousand in a day."""
_RESUMES, _KEPT = 6, 300.0
"""Failures in a row, and seconds since it was last live, after which a session is given up. Discord keeps one for some
minutes, and a new one misses what people write meanwhile."""
_MOST_FRAMES, _FRAMES_WITHIN = 110, 60.0
"""Frames that are sent within these seconds. Discord closes the connection after 120."""
_SHORTEST_BEAT, _USUAL_BEAT = 0.05, 41.25


class Saved(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What another process needs to continue. `seq` counts the events that are in the queue."""

    session_id: str = ""
    resume_url: str = ""
    seq: int | None = None
    user_id: str = ""
    """The id of the bot as a user."""
    failures: int = 0
    """Connections in a row that did not last."""


class Permit(msgspec.Struct, frozen=True):
    """Ask whether the session may identify now. The answer is `permitted`, `refused` or `forbidden`."""


class Connect(msgspec.Struct, frozen=True):
    """Open a WebSocket to `url`. The answer is `opened`, or `closed` if it fails."""

    url: str


class Send(msgspec.Struct, frozen=True):
    """Send a frame."""

    frame: Frame


class Close(msgspec.Struct, frozen=True):
    """Close the socket with this code. `closed` follows."""

    code: int
    reason: str


class Dispatch(msgspec.Struct, frozen=True):
    """An event for the queue. When it is there, or is not needed, call `stored`. Events are stored in order."""

    session_id: str
    seq: int
    name: str
    data: dict[str, Any]


class Stopped(msgspec.Struct, frozen=True):
    """The session has ended for good. `code` is one of `closing.FATAL`, or 0 if `stop` was called."""

    code: int
    reason: str


Action = Permit | Connect | Send | Close | Dispatch | Stopped


class Phase(Enum):
    """What the session waits for."""

    WAITING = "the time of the next try"
    PERMISSION = "the permission to identify"
    CONNECTING = "the socket"
    HELLO = "the first frame"
    STARTING = "READY or RESUMED"
    LIVE = "events"
    CLOSING = "the end of the socket"
    STOPPED = "nothing"


@dataclass(slots=True)
class Session:
    """One session and the connections that it has. `draw` returns a number from 0 to 1 by chance."""

    who: Identity
    saved: Saved
    draw: Callable[[], float]
    phase: Phase = Phase.WAITING
    seq: int | None = None
    """The number of the last event that was received."""
    acked_at: float = -math.inf
    """When Discord last answered a heartbeat, or sent its first frame."""
    base: str = ""
    """The address of the Gateway, from the API. A session's own address has to be as safe."""
    _deadline: float = 0
    _beat_at: float = math.inf
    _interval: float = _USUAL_BEAT
    _acked: bool = True
    _live_at: float = -math.inf
    """When the session was last live, as far as this process knows."""
    _opened_at: float = math.inf
    _resumed: bool = False
    _wait: tuple[float, float] = (0, 0)
    """The least and the most seconds before the next try."""
    _sent: deque[float] = field(default_factory=deque[float])

    @property
    def wake_at(self) -> float:
        """The time at which `tick` has something to do."""
        return min(self._deadline, self._beat_at)

    # --- what happens -------------------------------------------------------------------------------------------------

    def start(self, now: float) -> list[Action]:
        """Begin. A saved session is continued. Its failures count, so that a program that is started again and again
        does not use up the identifies of the day."""
        self._live_at = now
        self._wait_for_try(now)
        return self.tick(now)

    def permitted(self, url: str, now: float) -> list[Action]:
        """The session may identify at the Gateway `url`."""
        self.base = url
        return self._connect(url, now) if self.phase is Phase.PERMISSION else []

    def refused(self, seconds: float, now: float) -> list[Action]:
        """The session may not identify yet: ask again in `seconds`."""
        if self.phase is Phase.PERMISSION:
            self._enter(Phase.WAITING, now + max(1.0, seconds))
        return []

    def forbidden(self, code: int) -> list[Action]:
        """The API has refused what a person must change. `code`: the code of `closing.FATAL` that says the same."""
        return self._end(code, FATAL[code])

    def opened(self, now: float) -> list[Action]:
        """The socket is open."""
        if self.phase is not Phase.CONNECTING:
            return []
        self._enter(Phase.HELLO, now + HELLO_WITHIN)
        self._opened_at, self._resumed, self._acked = now, False, True
        self._sent.clear()
        return []

    def closed(self, code: int | None, now: float) -> list[Action]:
        """The socket is closed, or could not be opened. `code`: the one that Discord gave, if it gave one."""
        code = code or LOST
        if self.phase in (Phase.STOPPED, Phase.WAITING, Phase.PERMISSION):
            return []
        if code in FATAL:
            return self._end(code, FATAL[code])
        if code in FRESH and self.phase is not Phase.CLOSING:
            self._forget()
        self._count_failure(code, now)
        self._beat_at = math.inf
        self._wait_for_try(now)
        return self.tick(now)

    def received(self, raw: str | bytes, now: float) -> list[Action]:
        """A frame has arrived."""
        if self.phase not in (Phase.HELLO, Phase.STARTING, Phase.LIVE):
            return []
        try:
            frame = mapping(decode_json(raw.encode() if isinstance(raw, str) else raw))
        except ValueError:
            return self._close("a frame that is no JSON", now)
        match integer(frame.get("op")):
            case frames.DISPATCH:
                return self._event(frame, now)
            case frames.HELLO:
                return self._hello(mapping(frame.get("d")), now)
            case frames.ACK:
                self._acked, self.acked_at = True, now
            case frames.HEARTBEAT:
                return self._beat(now)
            case frames.RECONNECT:
                return self._close("Discord asks for a new connection", now)
            case frames.INVALID:
                return self._invalid(resumable=frame.get("d") is True, now=now)
            case _:
                pass
        return []

    def tick(self, now: float) -> list[Action]:
        """A moment has come that the session waits for."""
        if self._beat_at <= now and self.phase in (Phase.STARTING, Phase.LIVE):
            if not self._acked:
                return self._close("no answer to the last heartbeat", now)
            self._beat_at, self._acked = now + self._interval, False
            return self._beat(now)
        if now < self._deadline:
            return []
        match self.phase:
            case Phase.WAITING:
                return self._try(now)
            case Phase.PERMISSION:
                self._enter(Phase.WAITING, now + 1)
            case Phase.CONNECTING | Phase.HELLO | Phase.STARTING:
                return self._close(f"no {self.phase.value} in time", now)
            case Phase.CLOSING:
                return self.closed(LOST, now)
            case _:
                pass
        return []

    def stored(self, event: Dispatch) -> None:
        """`event` is in the queue, or is not needed. An event of an earlier session does not count for this one."""
        if event.session_id == self.saved.session_id and event.seq > (self.saved.seq or 0):
            self.saved = msgspec.structs.replace(self.saved, seq=event.seq)

    def overflow(self, now: float) -> list[Action]:
        """The events cannot be stored as fast as they come. They come again after the next connection."""
        return self._close("too many events wait", now) if self.phase in (Phase.STARTING, Phase.LIVE) else []

    def stop(self, now: float) -> list[Action]:
        """End, so that another process can continue the session."""
        is_open = self.phase in (Phase.CONNECTING, Phase.HELLO, Phase.STARTING, Phase.LIVE)
        closing: list[Action] = [*self._close("the program ends", now)] if is_open else []
        return closing + (self._end(0, "the program ends") if self.phase is not Phase.STOPPED else [])

    # --- the connection -----------------------------------------------------------------------------------------------

    def _try(self, now: float) -> list[Action]:
        if self.saved.session_id:
            self.seq = self.saved.seq
            return self._connect(self.saved.resume_url, now)
        self._enter(Phase.PERMISSION, now + PERMITTED_WITHIN)
        return [Permit()]

    def _connect(self, url: str, now: float) -> list[Action]:
        self._enter(Phase.CONNECTING, now + HELLO_WITHIN)
        return [Connect(frames.address(url))]

    def _hello(self, data: dict[str, Any], now: float) -> list[Action]:
        if self.phase is not Phase.HELLO:
            return []
        interval = integer(data.get("heartbeat_interval")) or 0
        self._interval = max(_SHORTEST_BEAT, interval / 1000) if interval > 0 else _USUAL_BEAT
        self._beat_at, self.acked_at = now + self._interval * self.draw(), now
        self._enter(Phase.STARTING, now + READY_WITHIN)
        if self.saved.session_id:
            return self._send(frames.resume(self.who, self.saved.session_id, self.saved.seq), now)
        return self._send(frames.identify(self.who), now)

    def _event(self, frame: Frame, now: float) -> list[Action]:
        name, seq, data = text(frame.get("t")), integer(frame.get("s")), mapping(frame.get("d"))
        if self.phase is Phase.HELLO or seq is None:
            return []
        if name == "READY" and not self._ready(data, seq):
            return self._close("READY lacks the session or its address", now)
        if name in ("READY", "RESUMED"):
            self._resumed = name == "RESUMED"
            self._enter(Phase.LIVE, math.inf)
        self.seq = max(seq, self.seq or 0)
        return [Dispatch(self.saved.session_id, seq, name, data)] if self.saved.session_id else []

    def _ready(self, data: dict[str, Any], seq: int) -> bool:
        session_id, url = text(data.get("session_id")), text(data.get("resume_gateway_url"))
        safe = ("wss://",) if self.base.startswith("wss://") else ("wss://", "ws://")
        if not session_id or not url.startswith(safe):
            return False
        user, failures = text(mapping(data.get("user")).get("id")), self.saved.failures
        self.saved = Saved(session_id=session_id, resume_url=url, seq=seq, user_id=user, failures=failures)
        self.seq = seq
        return True

    def _beat(self, now: float) -> list[Action]:
        return self._send(frames.heartbeat(self.seq), now)

    def _invalid(self, *, resumable: bool, now: float) -> list[Action]:
        """Discord docs: wait for one to five seconds. A session that is gone is also forgotten."""
        if not resumable:
            self._forget()
        closing = self._close("the session is not valid", now)
        self._wait = (1, 5)
        return closing

    def _send(self, frame: Frame, now: float) -> list[Action]:
        while self._sent and self._sent[0] <= now - _FRAMES_WITHIN:
            self._sent.popleft()
        if len(self._sent) >= _MOST_FRAMES:
            return []
        self._sent.append(now)
        return [Send(frame)]

    def _close(self, reason: str, now: float) -> list[Action]:
        self._beat_at = math.inf
        self._enter(Phase.CLOSING, now + CLOSED_WITHIN)
        return [Close(RESUMABLE, reason)]

    # --- between two connections --------------------------------------------------------------------------------------

    def _count_failure(self, code: int, now: float) -> None:
        """Only a connection that lasted, or a resume, clears the count. A resume costs nothing, but it may not become a
        loop without a pause."""
        lasted = self.phase in (Phase.LIVE, Phase.CLOSING) and now - self._opened_at >= _LASTING
        failures = 0 if lasted else 1 if self._resumed else self.saved.failures + 1
        if code == TOO_FAST:
            failures = max(failures, 4)
        self._opened_at, self._resumed = math.inf, False
        if self.phase is Phase.LIVE:
            self._live_at = now
        if failures >= _RESUMES and now - self._live_at >= _KEPT:
            self._forget()
        self.saved = msgspec.structs.replace(self.saved, failures=failures)

    def _wait_for_try(self, now: float) -> None:
        most = _MOST_WAIT if self.saved.session_id else _MOST_IDENTIFY_WAIT
        base = min(most, 2.0 ** min(self.saved.failures, 20) - 1)
        least = 0.0 if self.saved.session_id else base / 2
        shortest, longest = self._wait
        self._wait = (0, 0)
        seconds = max(least + self.draw() * (base - least), shortest + self.draw() * (longest - shortest))
        self._enter(Phase.WAITING, now + seconds)

    def _forget(self) -> None:
        self.saved = Saved(failures=self.saved.failures)
        self.seq = None

    def _enter(self, phase: Phase, deadline: float) -> None:
        self.phase, self._deadline = phase, deadline

    def _end(self, code: int, reason: str) -> list[Action]:
        self._enter(Phase.STOPPED, math.inf)
        self._beat_at = math.inf
        return [Stopped(code, reason)]
