"""Clients of the HTTP channel that watch conversations get each reply once and in order, also if something fails."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from parley.engine import aws, notices
from parley.engine.resuming import Resuming
from parley.journal.mailbox import Mailbox
from parley.journal.rows import row_of
from parley.journal.table import reply_pk
from parley.journal.watchers import Watcher, Watchers
from parley.platforms.http import sockets as channel
from tests.socket_client import Watched
from tools.faults import random_runs
from tools.faults.aws import Aws, _Process, isolated
from tools.faults.policies import Fault
from tools.faults.processes import TABLE
from tools.faults.random_runs import Run
from tools.faults.renderings import renderings_of
from tools.faults.simulation import Simulation
from tools.faults.targets import titled

CLIENT = channel.Client(platform="http", app="demo", person="", name="", rooms=frozenset(), until=0)


class Gone(ClientError):
    def __init__(self) -> None:
        super().__init__({"Error": {"Code": "GoneException"}}, "PostToConnection")


class Gateway:
    """API Gateway with one connection for each conversation, whose client follows the rules. A tenth of all frames is
    lost, and a tenth finds that the connection has ended: its client connects again and reads on.
    """

    class exceptions:  # noqa: N801
        GoneException = Gone

    def __init__(self) -> None:
        self.clients: dict[str, Watched] = {}
        self.random = Random(5)
        self.counts: Counter[str] = Counter()

    def post_to_connection(self, ConnectionId: str, Data: bytes) -> None:  # noqa: N803
        service = current()
        fault = service.before("PostToConnection") or self.crash()
        self.counts[fault.name if fault else "sent"] += 1
        if fault is Fault.ERROR:
            raise ClientError({"Error": {"Code": "LimitExceededException"}}, "PostToConnection")
        if self.random.random() < 0.1:
            self.counts["gone"] += 1
            self.opened(ConnectionId)
            raise Gone
        if self.random.random() < 0.1:
            self.counts["lost"] += 1  # the client notices the gap, or opens the conversation again in time
        else:
            self.give(ConnectionId, json.loads(Data))
        if fault is not None:
            service.after(fault)
        if fault is Fault.RESPONSE_LOST:
            raise ConnectionClosedError(endpoint_url="https://aws.local")

    def crash(self) -> Fault | None:
        """A fifth of all frames is the last call of its process, half of them before they are sent."""
        drawn = self.random.random()
        if drawn < 0.1:
            self.counts["CRASH_BEFORE"] += 1
            current().after(Fault.CRASH_AFTER)
        return Fault.CRASH_AFTER if drawn < 0.2 else None

    def delete_connection(self, ConnectionId: str) -> None:  # noqa: N803
        self.counts["ended"] += 1
        self.opened(ConnectionId)

    def give(self, conversation: str, frame: dict[str, Any]) -> None:
        """The client gets one frame. Rooms are not told apart: each connection watches one conversation."""
        client = self.clients.setdefault(conversation, Watched())
        client.have = client.have or 0
        if client.take({**frame, "room": ""}) is not None:
            self.opened(conversation)

    def opened(self, conversation: str) -> None:
        """The client connects and opens its conversation. Nothing fails meanwhile."""
        service, client = current(), self.clients.setdefault(conversation, Watched())
        before, service.before = service.before, lambda _operation: None
        try:
            asked = json.loads(client.open())
            resuming = Resuming(Watchers(aws.dynamodb(), TABLE, 86_400), Mailbox(aws.dynamodb(), TABLE, 86_400))
            watch = channel.Watch(conversation, "", int(asked.get("after", 0)))
            position = resuming.position(conversation, "", watch.after, 1.0)
            again = client.take(json.loads(channel.opened(watch, position)))
            for number, out in resuming.replies(conversation, position):
                again = client.take(json.loads(channel.reply("", number, out, CLIENT)) | {"room": ""}) or again
        finally:
            service.before = before
        if again is not None:
            self.opened(conversation)


def current() -> Aws:
    assert _Process.current is not None
    return _Process.current


@pytest.fixture(scope="module")
def run() -> Iterator[tuple[Simulation, Gateway]]:
    """A run in which any call can fail, and any process can die, also before and after each frame."""
    plain, gateway = titled("http"), Gateway()
    target = replace(plain, apps={name: {**config, "sockets": True} for name, config in plain.apps.items()})
    with isolated(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(notices, "pushes", lambda: gateway)
        patch.setattr(notices, "_PAUSE", 0.0)
        patch.setattr(
            Watchers, "watching", lambda _self, conversation, _now: [Watcher(f"ws/{conversation}", 10**12, "")]
        )
        result = random_runs.run(Run(seed=23, messages=150, conversations=12), target, renderings_of(plain))
        for conversation in list(gateway.clients):
            gateway.opened(conversation)
        yield result.sim, gateway


def test_each_reply_comes_once_and_in_the_order_of_the_mailbox(run: tuple[Simulation, Gateway]) -> None:
    sim, gateway = run
    items = sim.aws.dynamodb.items
    rows = [row_of(cast("Any", item)) for pk, item in items.items() if pk.startswith(reply_pk(""))]
    boxed = {(row.out.to.key, row.boxed): row.out.id for row in rows if row.boxed}
    assert gateway.clients.keys() == {conversation for conversation, _number in boxed}
    for conversation, client in gateway.clients.items():
        shown = [number for number, _reply in client.shown]
        assert shown == sorted(number for key, number in boxed if key == conversation)
        for number, reply in client.shown:
            assert reply is None or reply["id"] == boxed[conversation, number]
    assert len(boxed) > 150
    assert len({reply["id"] for client in gateway.clients.values() for _, reply in client.shown if reply}) > 150


def test_calls_failed_and_processes_died_at_frames(run: tuple[Simulation, Gateway]) -> None:
    counts = run[1].counts
    assert (
        min(counts[kind] for kind in ("CRASH_BEFORE", "CRASH_AFTER", "RESPONSE_LOST", "ERROR", "gone", "lost")) > 3
    ), counts
