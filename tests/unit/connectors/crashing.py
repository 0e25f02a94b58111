"""Instances of the Discord connector that die at a chosen call, with a Discord, a table and a queue that survive.

Everything runs in one thread and in virtual time: a test of minutes takes milliseconds, and the same calls come in the
same order in each run. What is real: shard, lease, session, the loop that drives it, and the intake.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from functools import partial
from types import SimpleNamespace
from typing import Any, Self, cast

import pytest
from botocore.exceptions import ClientError

from connectors.discord import intake as intakes
from connectors.discord import shard as shards
from connectors.discord import socket as sockets
from connectors.discord.api import Gateway, Limit
from connectors.discord.lease import Lease
from connectors.discord.shard import Shard
from connectors.discord.socket import Driver
from parley.engine import queues, stops
from parley.journal.table import gateway_pk
from parley.model import Message, message_key
from tests.conformance.adapters.discord import APP, CHANNEL, GUILD, MEI, THREAD
from tools.faults.dynamodb import DynamoDB, ServiceError

ROLE, BOT = "1100000000000000070", "1100000000000000001"
ROW = gateway_pk("discord", APP.name, "shard0")
_owner: ContextVar[str] = ContextVar("owner")
"""The instance whose code runs."""


class Died(BaseException):
    """The process of an instance has been killed."""


class VirtualTime(asyncio.SelectorEventLoop):
    """A loop whose time jumps to the next moment that something waits for."""

    now = 1000.0

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        loop = cast("Any", self)  # asyncio's own attributes
        if not loop._ready:
            waiting = [handle.when() for handle in loop._scheduled if not handle.cancelled()]
            if not waiting:
                raise RuntimeError("nothing happens any more")
            self.now = max(self.now, min(waiting))
        cast("Any", super())._run_once()


class Processes:
    """Counts the calls of each instance, and kills one before or after its call of that number."""

    def __init__(self, kills: dict[str, int]) -> None:
        self.kills = kills
        self.calls: dict[str, int] = {}
        self.names: dict[str, list[str]] = {}
        self.dead: set[str] = set()
        self.tasks: dict[str, asyncio.Task[None]] = {}

    def point(self, name: str) -> None:
        """A moment at which the instance may die. A dead one does nothing more."""
        owner = _owner.get()
        if owner in self.dead:
            raise Died
        self.calls[owner] = number = self.calls.get(owner, 0) + 1
        self.names.setdefault(owner, []).append(name)
        if self.kills.get(owner) == number:
            self.dead.add(owner)
            self.tasks[owner].cancel()
            raise Died


class World:
    """What survives: Discord with its sessions, the table, the queue."""

    def __init__(self, loop: VirtualTime, processes: Processes) -> None:
        self.loop, self.processes = loop, processes
        self.table = DynamoDB()
        self.queue: list[Message] = []
        self.stopped: list[str] = []
        self.sessions: dict[str, list[dict[str, Any]]] = {}
        self.sockets: dict[str, Socket] = {}
        """The connection of each session that has one."""
        self.identifies = 0
        self.seconds_to_send = 0.005
        self.saved = asyncio.Event()
        self.ready_at = self.saved_at = 0.0
        """When the first session began, and when its row was written."""

    # --- Discord

    @property
    def is_saved(self) -> bool:
        """Whether the row says where another instance continues."""
        return bool(json.loads(self.table.items.get(ROW, {}).get("value", {}).get("S") or "{}").get("session_id"))

    def publish(self, name: str, data: dict[str, Any]) -> None:
        """An event for every session."""
        for session in self.sessions:
            self.add(session, name, data)

    def add(self, session: str, name: str, data: dict[str, Any]) -> None:
        events = self.sessions[session]
        frame = {"op": 0, "s": len(events) + 1, "t": name, "d": data}
        events.append(frame)
        if session in self.sockets:
            self.sockets[session].put(frame)

    def identified(self, socket: "Socket") -> None:
        self.identifies += 1
        session = f"session{self.identifies}"
        self.sessions[session], self.sockets[session] = [], socket
        ready = {"session_id": session, "resume_gateway_url": "wss://resume", "user": {"id": BOT}}
        self.add(session, "READY", ready)
        self.ready_at = self.ready_at or self.loop.time()

    def resumed(self, socket: "Socket", data: dict[str, Any]) -> None:
        session = data["session_id"]
        if session not in self.sessions:
            socket.put({"op": 9, "d": False})
            return
        self.sockets[session] = socket
        for frame in self.sessions[session][data["seq"] :]:
            socket.put(frame)
        socket.put({"op": 0, "s": len(self.sessions[session]), "t": "RESUMED", "d": {}})

    # --- AWS

    def update_item(self, **request: Any) -> dict[str, Any]:
        try:
            found = self.table.call("UpdateItem", request)
        except ServiceError as error:
            raise ClientError({"Error": {"Code": error.code}}, "UpdateItem") from error
        if self.is_saved and not self.saved.is_set():
            self.saved_at = self.loop.time()
            self.saved.set()
        return found

    def get_item(self, **request: Any) -> dict[str, Any]:
        return self.table.call("GetItem", request)

    def send(self, messages: list[Message], _url: str = "") -> None:
        self.queue.extend(messages)

    def deduplicated(self) -> list[str]:
        """The texts of the messages as the queue and the journal leave them: each id once, at its first place."""
        return list({message_key(message): message.content.text for message in self.queue}.values())


class Socket:
    """A connection. Each frame that arrives or is sent is a call at which the instance may die."""

    def __init__(self, world: World) -> None:
        self.world, self.close_code, self.is_open = world, None, True
        self.transport = SimpleNamespace(abort=lambda: self.put(None))
        self.arrived: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        self.world.processes.point("connect")
        self.put({"op": 10, "d": {"heartbeat_interval": 41250}})
        return self

    async def __aexit__(self, *_: object) -> None:
        self.leave()

    async def __aiter__(self) -> AsyncIterator[str]:
        while (frame := await self.arrived.get()) is not None:
            self.world.processes.point(f"receive {frame.get('t') or frame['op']}")
            yield json.dumps(frame)

    def put(self, frame: dict[str, Any] | None) -> None:
        self.arrived.put_nowait(frame)

    def leave(self) -> None:
        self.world.sockets = {session: one for session, one in self.world.sockets.items() if one is not self}

    async def send(self, raw: str) -> None:
        frame = json.loads(raw)
        self.world.processes.point(f"send {frame['op']}")
        match frame["op"]:
            case 1:
                self.put({"op": 11})
            case 2:
                self.world.identified(self)
            case 6:
                self.world.resumed(self, frame["d"])
            case _:
                raise AssertionError(frame)
        self.world.processes.point(f"sent {frame['op']}")

    async def close(self, code: int) -> None:
        self.world.processes.point("close")
        self.leave()
        self.put(None)


class Api:
    """Discord's API."""

    def __init__(self, processes: Processes) -> None:
        self.processes = processes

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def _answer(self, name: str, answer: Any) -> Any:
        self.processes.point(name)
        await asyncio.sleep(0.05)
        self.processes.point(f"{name}, answered")
        return answer

    async def gateway(self) -> Gateway:
        return await self._answer(
            "gateway", Gateway("wss://gateway", Limit(wait=0, is_low=False, remaining=900, at_once=1))
        )

    async def parent(self, channel: str) -> str:
        return await self._answer("parent", CHANNEL if channel == THREAD else "")

    async def role(self, _server: str, _bot_id: str) -> str:
        return await self._answer("role", ROLE)


def install(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """Put `world` in place of what the connector calls."""
    processes, now = world.processes, world.loop.time

    async def to_thread(function: Callable[..., Any], *arguments: Any) -> Any:
        name = getattr(function, "__name__", "")
        processes.point(name)
        await asyncio.sleep(world.seconds_to_send if name == "send" else 0.005)
        if _owner.get() in processes.dead:
            raise Died
        found = function(*arguments)
        processes.point(f"{name}, done")
        return found

    monkeypatch.setattr(asyncio, "to_thread", to_thread)
    for module in (shards, intakes):
        monkeypatch.setattr(module, "time", SimpleNamespace(time=now, monotonic=now))
    monkeypatch.setattr(shards, "Lease", partial(Lease, clock=now, monotonic=now))
    monkeypatch.setattr(shards, "Driver", partial(Driver, clock=now))
    monkeypatch.setattr(shards, "Api", lambda _config: Api(processes))
    monkeypatch.setattr(shards, "dynamodb", lambda: world)
    monkeypatch.setattr(stops, "dynamodb", lambda: world)
    monkeypatch.setattr(sockets, "_open", lambda _url: Socket(world))
    monkeypatch.setattr(queues, "send_messages", world.send)


def start(world: World, owner: str) -> Shard:
    """Start an instance. Its tasks carry its name."""
    shard = Shard(APP, 0, owner, lambda _: None, draw=lambda: 0.5)
    _owner.set(owner)
    world.processes.tasks[owner] = asyncio.create_task(shard.run())
    return shard


def message(number: int, text: str, channel: str = CHANNEL, **more: Any) -> dict[str, Any]:
    """A message of a person."""
    id_ = str(1442001234567890000 + number)
    return {
        "id": id_,
        "channel_id": channel,
        "guild_id": GUILD,
        "author": MEI,
        "content": text,
        "type": 0,
        "channel_type": 11 if channel == THREAD else 0,
        **cast("dict[str, Any]", more),
    }
