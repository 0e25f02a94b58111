"""Simulated Gateway of Discord: sessions, their events, and the rules that a client has to keep.

It shares no code with Parley's connector, and has no socket: `playground.gateway_socket` has it.
Facts: Discord docs, Gateway; Gateway Events; Opcodes and Status Codes.
"""

import json
import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from playground.platforms.discord.accounts import Account
from playground.platforms.limits import RateLimit, SlidingWindows

OPCODE, DECODE, NOT_AUTHENTICATED, TOKEN, ALREADY = 4001, 4002, 4003, 4004, 4005
SEQUENCE, TOO_FAST, TIMED_OUT, SHARD, VERSION, INTENTS, DISALLOWED = 4007, 4008, 4009, 4010, 4012, 4013, 4014
REPLACED = 4000
ABORT = -1
"""In place of a close code: the connection breaks without one."""
KEPT_SECONDS = 90.0
"""Seconds for which a session can be resumed after its connection has ended."""
IDENTIFIES, DAY = 1000, 86_400.0
IDENTIFY_EVERY = 5.0
FRAMES, FRAMES_SECONDS = 120, 60.0
MOST_BYTES = 4096
KNOWN_BITS = sum(1 << bit for bit in (*range(17), 20, 21, 24, 25))
MEMBERS, PRESENCES, MESSAGES, REACTIONS = 1 << 1, 1 << 8, 1 << 9, 1 << 10
DIRECT_MESSAGES, DIRECT_REACTIONS, CONTENT = 1 << 12, 1 << 13, 1 << 15
_DIRECT = {MESSAGES: DIRECT_MESSAGES, REACTIONS: DIRECT_REACTIONS}
_HIDDEN = {"content": "", "embeds": [], "attachments": [], "components": []}
"""The fields that are empty without the intent for content."""

Out = dict[str, Any] | int
"""A frame to send, or a code to close the connection with."""


@dataclass(slots=True)
class Session:
    """One session of a client."""

    id: str
    app: str
    intents: int
    shard: tuple[int, int]
    bot_id: str
    seq: int = 0
    events: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """All frames with a number, from the first on."""
    connection: "Connection | None" = None
    lost_at: float = math.inf

    def add(self, name: str, data: Mapping[str, Any]) -> None:
        """A further event, which the connection sends."""
        self.seq += 1
        self.events.append({"op": 0, "t": name, "s": self.seq, "d": data})
        if self.connection is not None:
            self.connection.wake()


class Gateway:
    """The Gateway of one simulated Discord. The lock of the platform guards it."""

    def __init__(self, clock: Callable[[], float], new_id: Callable[[], str]) -> None:
        self.clock, self.new_id = clock, new_id
        self.interval = 41.25
        """Seconds between two heartbeats."""
        self.patience = 2.0
        """Intervals without a heartbeat after which a connection ends."""
        self.privileged = MEMBERS | PRESENCES | CONTENT
        """The privileged intents that are switched on in the portal."""
        self.answers_heartbeats = True
        self.identify_every = IDENTIFY_EVERY
        self.sessions: dict[str, Session] = {}
        self.identified: deque[float] = deque()
        self.windows = SlidingWindows()
        self.faults: deque[tuple[str, str | int]] = deque()
        """What happens at the next steps of connections: `("hello", 4000)`. The steps are `open`, `hello`, `identify`,
        `ready`, `resume`, `resumed` and `event`; what happens is a close code, ABORT, `reconnect`, `invalid` or
        `resumable`."""

    def is_watched(self, app: str) -> bool:
        """Whether a session of the app gets what people write, now or after a resume."""
        return any(session.app == app for session in self._living())

    def publish(self, app: str, guild: str, name: str, data: Mapping[str, Any], intent: int) -> None:
        """Send an event to the sessions of the app that want it. `guild` is empty for a direct chat."""
        wanted = intent if guild else _DIRECT.get(intent, intent)
        for session in self._living():
            number, many = session.shard
            if session.app == app and session.intents & wanted and (int(guild or 0) >> 22) % many == number:
                session.add(name, _visible(session, guild, name, data))

    def start_limit(self) -> dict[str, Any]:
        """The `session_start_limit`."""
        now = self.clock()
        while self.identified and self.identified[0] <= now - DAY:
            self.identified.popleft()
        reset = int((self.identified[0] + DAY - now) * 1000) if self.identified else 0
        left = max(0, IDENTIFIES - len(self.identified))
        return {"total": IDENTIFIES, "remaining": left, "reset_after": reset, "max_concurrency": 1}

    def fault(self, step: str) -> str | int | None:
        """What happens at this step instead of the right thing; None if nothing does."""
        if self.faults and self.faults[0][0] == step:
            return self.faults.popleft()[1]
        return None

    def find(self, id_: str) -> Session | None:
        """The session with that id, if it still lives."""
        return next((session for session in self._living() if session.id == id_), None)

    def _living(self) -> list[Session]:
        now = self.clock()
        dead = [s.id for s in self.sessions.values() if s.connection is None and s.lost_at + KEPT_SECONDS < now]
        for id_ in dead:
            del self.sessions[id_]
        return list(self.sessions.values())


def _visible(session: Session, guild: str, name: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """`data` as the session gets it: without content if it has no right to it."""
    if not name.startswith("MESSAGE_") or "content" not in data or session.intents & CONTENT or not guild:
        return data
    own = data["author"]["id"] == session.bot_id
    mentioned = any(user["id"] == session.bot_id for user in data.get("mentions", ()))
    return data if own or mentioned else {**data, **_HIDDEN}


class Connection:
    """One connection. Every method returns what is sent. `wake` is called when there is something to send."""

    def __init__(self, gateway: Gateway, accounts: Mapping[str, Account], wake: Callable[[], None]) -> None:
        self.gateway, self.accounts, self.wake = gateway, accounts, wake
        self.session: Session | None = None
        self.position = 0
        """The events of the session that are sent."""
        self.replaced = False
        self._beat_by = math.inf

    def opened(self, query: Mapping[str, str]) -> list[Out]:
        """The first frame."""
        if query.get("v") != "10" or query.get("encoding") != "json":
            return [VERSION]
        self._beat_by = self.gateway.clock() + self.gateway.interval * self.gateway.patience
        hello: list[Out] = [{"op": 10, "d": {"heartbeat_interval": int(self.gateway.interval * 1000)}, "s": None}]
        return self._or_fault("open", []) or self._or_fault("hello", hello, after=True)

    def received(self, raw: str | bytes) -> list[Out]:
        """The answer to a frame."""
        now = self.gateway.clock()
        if self.gateway.windows.acquire([RateLimit(str(id(self)), FRAMES, FRAMES_SECONDS)], now):
            return [TOO_FAST]
        if len(raw) > MOST_BYTES:
            return [DECODE]
        try:
            frame = json.loads(raw)
            op, data = frame["op"], frame.get("d")
        except (ValueError, TypeError, KeyError, AttributeError):
            return [DECODE]
        if op == 1:
            return self._heartbeat(data, now)
        if op == 2:
            return self._identify(data, now) if self.session is None else [ALREADY]
        if op == 6:
            return self._resume(data) if self.session is None else [ALREADY]
        if op in (3, 4, 8, 31, 43):
            return [] if self.session is not None else [NOT_AUTHENTICATED]
        return [OPCODE]

    def due(self) -> list[Out]:
        """What is to be sent now: events, or the end."""
        if self.replaced:
            return [REPLACED]
        if self.gateway.clock() >= self._beat_by:
            return [TIMED_OUT]
        if self.session is None:
            return []
        out: list[Out] = []
        while self.position < len(self.session.events):
            event = self.session.events[self.position]
            self.position += 1
            step = {"READY": "ready", "RESUMED": "resumed"}.get(event["t"], "event")
            out += self._or_fault(step, [event])
        return out

    @property
    def wake_at(self) -> float:
        """When `due` has something to do, at the latest."""
        return self._beat_by

    def lost(self, code: int | None) -> None:
        """The connection has ended. `code`: the one that the client gave. 1000 and 1001 end the session."""
        session = self.session
        if session is None or session.connection is not self:
            return
        session.connection, session.lost_at = None, self.gateway.clock()
        if code in (1000, 1001):
            self.gateway.sessions.pop(session.id, None)

    def _heartbeat(self, data: Any, now: float) -> list[Out]:
        if data is not None and not isinstance(data, int):
            return [DECODE]
        self._beat_by = now + self.gateway.interval * self.gateway.patience
        return [{"op": 11, "d": None, "s": None, "t": None}] if self.gateway.answers_heartbeats else []

    def _identify(self, data: Any, now: float) -> list[Out]:
        gateway = self.gateway
        account = self._account(data)
        if account is None:
            return [TOKEN]
        intents, shard = data.get("intents"), tuple(data.get("shard") or (0, 1))
        if not isinstance(intents, int) or intents & ~KNOWN_BITS:
            return [INTENTS]
        if intents & (MEMBERS | PRESENCES | CONTENT) & ~gateway.privileged:
            return [DISALLOWED]
        if len(shard) != 2 or not 0 <= shard[0] < shard[1]:
            return [SHARD]
        if gateway.identified and gateway.identified[-1] > now - gateway.identify_every:
            return [{"op": 9, "d": False, "s": None, "t": None}]
        gateway.identified.append(now)
        session = Session(gateway.new_id(), account.name, intents, shard, account.application_id, connection=self)
        gateway.sessions[session.id] = session
        self.session = session
        ready = {
            "v": 10,
            "session_id": session.id,
            "resume_gateway_url": f"{gateway_url(account)}/resume",
            "user": account.user(),
            "guilds": [],
            "application": {"id": account.application_id, "flags": 0},
            "shard": list(shard),
        }
        session.add("READY", ready)
        return self._or_fault("identify", [])

    def _resume(self, data: Any) -> list[Out]:
        account = self._account(data)
        if account is None:
            return [TOKEN]
        session, seq = self.gateway.find(str(data.get("session_id"))), data.get("seq")
        if session is None or session.app != account.name:
            return [{"op": 9, "d": False, "s": None, "t": None}]
        if not isinstance(seq, int) or seq > session.seq:
            return [SEQUENCE]
        if session.connection is not None:
            session.connection.replaced = True
            session.connection.wake()
        if fault := self._or_fault("resume", []):
            return fault
        self.session, session.connection, self.position = session, self, seq
        session.add("RESUMED", {})
        return []

    def _account(self, data: Any) -> Account | None:
        token = data.get("token") if isinstance(data, dict) else None
        return next((account for account in self.accounts.values() if account.bot_token == token), None)

    def _or_fault(self, step: str, right: list[Out], *, after: bool = False) -> list[Out]:
        """`right`, unless something else happens at this step; with `after`, it happens after the right thing."""
        match self.gateway.fault(step):
            case None:
                return right
            case "reconnect":
                found: list[Out] = [{"op": 7, "d": None, "s": None, "t": None}]
            case "invalid":
                found = [{"op": 9, "d": False, "s": None, "t": None}]
                if self.session is not None:
                    self.gateway.sessions.pop(self.session.id, None)
            case "resumable":
                found = [{"op": 9, "d": True, "s": None, "t": None}]
            case code:
                found = [int(code)]
        return [*right, *found] if after else found


def gateway_url(account: Account) -> str:
    """The address of the Gateway for this account."""
    host = account.host.removesuffix("/api/v10")
    return f"{host.replace('http', 'ws', 1)}/gateway"
