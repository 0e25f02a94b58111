"""What a message by WebSocket costs, and a connection that stays open."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

import msgspec

from parley.adapter import Client
from parley.engine.apps import Apps
from parley.engine.aws import dynamodb
from parley.engine.callback import Callback
from parley.engine.connections import Connections, _resuming
from parley.engine.floods import Floods
from parley.engine.notices import Pushes
from parley.journal.watchers import Watchers
from parley.platforms import inbound
from parley.platforms.http import sockets
from tools.cost import bill
from tools.cost.bill import Line
from tools.cost.figures import ASSUMPTIONS, PER_MILLION
from tools.cost.metering import MeteredSimulation, Usage, mean
from tools.faults.aws import isolated
from tools.faults.gateway import Gateway
from tools.faults.injector import Execution
from tools.faults.processes import KEEP_FOR, TABLE
from tools.faults.targets import APP, titled

FRAME = "API Gateway WebSocket message"
MINUTE = "API Gateway connection minute"
OPEN_EVERY = 300
"""Seconds after which a client sends `open` again (docs/connect-http.md)."""
_SERIES, _WARM_UP = 60, 30
_BETWEEN = 10.0
"""Seconds between two messages: one person does not write every second."""
_CONNECTION = "c1"


class Message(NamedTuple):
    """A message by WebSocket. `usage`: the average. `frames`: in both directions."""

    usage: Usage
    frames: float

    def lines(self, *, at_once: bool) -> list[Line]:
        """The billed items of one message: those of a message by HTTP, with frames in place of the request."""
        first, *others = bill.lines(self.usage, at_once=at_once)
        assert first.name == "API Gateway REST request"  # noqa: S101
        return [Line(FRAME, self.frames, PER_MILLION[FRAME]), *others]

    def dollars(self, *, at_once: bool) -> float:
        """Dollars per million messages."""
        return sum(line.dollars for line in self.lines(at_once=at_once))


class _Gateway(Gateway):
    """API Gateway with one open connection. It counts the frames."""

    def __init__(self, sim: MeteredSimulation) -> None:
        super().__init__(sim.injector, sim.scheduler, sim.random)
        self._sim = sim
        self.frames: list[bytes] = []

    def post_to_connection(self, ConnectionId: str, Data: bytes) -> None:  # noqa: ARG002, N803
        self._sim.injector.before("PostToConnection")
        self.frames.append(Data)


class _Person:
    """A client that watches its direct chat, and acknowledges what it gets."""

    def __init__(self, sim: MeteredSimulation, gateway: _Gateway) -> None:
        self._sim, self._gateway = sim, gateway
        self._frames_in = 0
        watchers = Watchers(dynamodb(), TABLE, KEEP_FOR)
        client = Client(platform="http", app=APP, person="lin", name="Lin", rooms=frozenset(), until=int(2e9))
        watchers.connect(_CONNECTION, client, sim.clock())
        self._function = Connections(
            "http",
            sockets,
            Callback("http", inbound("http"), Apps(sim.clock), sim.clock),
            watchers,
            lambda: Pushes(gateway, sim.clock),
            _resuming,
            "https://localhost",
            Floods(sockets),
            sim.clock,
        )

    @property
    def frames(self) -> int:
        """All frames so far, in both directions."""
        return self._frames_in + len(self._gateway.frames)

    def send(self, **frame: Any) -> None:
        """Send one frame."""
        self._frames_in += 1
        self._sim.usage.invocations["callback"] += 1
        context = {"eventType": "MESSAGE", "connectionId": _CONNECTION}
        body = msgspec.json.encode(frame).decode()
        with self._sim.injector.executing(Execution("callback")):
            self._function({"body": body, "requestContext": context}, None)

    def acknowledge(self) -> None:
        """Acknowledge the last reply that has come."""
        found = [msgspec.json.decode(each) for each in self._gateway.frames]
        cursor = next(each["cursor"] for each in reversed(found) if each["type"] == "reply")
        self.send(type="ack", cursor=cursor)


@cache
def message(*, at_once: bool) -> Message:
    """The first case of docs/cost.md, by WebSocket: a message, `accepted`, the reply, and `ack`."""
    with _connected(at_once=at_once) as (sim, person):
        each: list[Usage] = []
        before = 0
        for number in range(_WARM_UP + _SERIES):
            following, before = sim.clock() + _BETWEEN, person.frames
            with sim.metering() as usage:
                person.send(type="message", key=f"m{number}", text=titled("http").text("count", f"m{number:05}"))
                sim.settle(until=following - 1)
                person.acknowledge()
            sim.clock.now = following
            each.append(usage)
        return Message(mean(each[_WARM_UP:]), person.frames - before)


@cache
def open_again() -> tuple[Line, ...]:
    """The billed items of an `open` of a conversation without anything new."""
    with _connected(at_once=True) as (sim, person), sim.metering() as usage:
        person.send(type="open", after=str(int(sim.clock() * 1000)))
        return tuple(Message(usage, 2).lines(at_once=True))


def month(connections: int) -> Mapping[str, float]:
    """Dollars for so many connections that are open for a month, with one conversation each: for the minutes, and for
    the `open` frames.
    """
    seconds = ASSUMPTIONS["hours_per_month"] * 3600 * connections
    opens = seconds / OPEN_EVERY / 1e6
    return {
        "minutes": seconds / 60 / 1e6 * PER_MILLION[MINUTE],
        "opens": opens * sum(line.dollars for line in open_again()),
    }


@contextmanager
def _connected(*, at_once: bool) -> Iterator[tuple[MeteredSimulation, _Person]]:
    """A client that watches its direct chat, in which the bot has answered."""
    plain = titled("http polling")
    apps = {name: {**config, "sockets": True} for name, config in plain.apps.items()}
    with isolated():
        sim = MeteredSimulation(replace(plain, imitation=titled("http").imitation, apps=apps), at_once=at_once)
        sim.processes.gateway = gateway = _Gateway(sim)
        person = _Person(sim, gateway)
        person.send(type="open")
        yield sim, person
