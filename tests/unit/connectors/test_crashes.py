"""The Discord connector is killed before and after each of its calls: no event is lost, and none counts twice.

The promise begins with the row that says where another instance continues. Discord keeps the events of a session; what
people write before there is a session, it gives to nobody.
"""

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest

from connectors.discord.shard import Shard
from tests.conformance.adapters.discord import THREAD
from tests.unit.connectors.crashing import ROLE, Processes, VirtualTime, World, install, message, start

TEXTS = ["one", "in a thread", "by role", "/stop", "two", "three"]
EVENTS: list[dict[str, Any]] = [
    message(1, "one"),
    message(2, "in a thread", THREAD),
    message(3, f"<@&{ROLE}> by role", mention_roles=[ROLE]),
    message(4, "/stop"),
    message(5, "two"),
    message(6, "three"),
]

Scenario = Callable[..., World]


async def _live(world: World, *, stopping: bool) -> None:
    """Two instances, and another one for each that has died. People write once a session is saved."""
    shards = {"a": start(world, "a")}
    await asyncio.sleep(0.02)
    shards["b"] = start(world, "b")
    restarting = asyncio.create_task(_restart(world, shards))
    async with asyncio.timeout(300):
        await world.saved.wait()
    for number, data in enumerate(EVENTS):
        world.publish("MESSAGE_CREATE", data)
        await asyncio.sleep(0.01 if number % 2 else 2)
    if stopping:
        shards["a"].stopping.set()
    await asyncio.sleep(60)
    restarting.cancel()
    for shard in shards.values():
        shard.stopping.set()
    _, left = await asyncio.wait(world.processes.tasks.values(), timeout=60)
    assert not left
    for owner in world.processes.tasks.keys() - world.processes.dead:
        world.processes.tasks[owner].result()


async def _restart(world: World, shards: dict[str, Shard]) -> None:
    """As ECS does."""
    while True:
        await asyncio.sleep(1)
        for owner in [owner for owner in world.processes.dead if f"{owner}2" not in shards]:
            shards[f"{owner}2"] = start(world, f"{owner}2")


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> Scenario:
    """Run the scenario: `kills` has the number of the call at which an instance dies."""
    monkeypatch.setenv("PARLEY_INBOUND_URL", "queue")

    def run(kills: dict[str, int] | None = None, *, stopping: bool = False, slow: bool = False) -> World:
        loop = VirtualTime()
        loop.set_exception_handler(lambda *_: None)  # the death of a task of a dead instance
        world = World(loop, Processes(kills or {}))
        # Slow: the lease is renewed, with the number of the last stored event, while the next one is being stored.
        world.seconds_to_send = 3.5 if slow else 0.005
        with monkeypatch.context() as patched:
            install(patched, world)
            try:
                loop.run_until_complete(_live(world, stopping=stopping))
            finally:
                for task in asyncio.all_tasks(loop):
                    task.cancel()
                loop.run_until_complete(asyncio.sleep(0))
                loop.close()
        return world

    return run


def check(world: World, kills: dict[str, int]) -> None:
    died = {owner: world.processes.names[owner][-1] for owner in world.processes.dead}
    assert world.deduplicated() == TEXTS, (kills, died)


def test_without_a_crash_each_event_is_stored_once_and_one_session_serves_both_instances(live: Scenario) -> None:
    world = live()
    check(world, {})
    assert len(world.queue) == len(TEXTS)
    assert world.identifies == 1
    # Without these calls, the test below would prove little.
    assert {"take, done", "renew, done", "gateway", "sent 2", "receive READY", "parent", "role", "request_stop"} <= set(
        world.processes.names["a"]
    )


@pytest.mark.parametrize("slow", [False, True], ids=["quick queue", "slow queue"])
@pytest.mark.parametrize("stopping", [False, True], ids=["running", "handing over"])
def test_a_crash_at_any_call_loses_nothing_and_repeats_nothing(live: Scenario, stopping: bool, slow: bool) -> None:
    calls = live(stopping=stopping, slow=slow).processes.calls
    for owner in ("a", "b"):
        for number in range(1, calls[owner] + 1):
            world = live({owner: number}, stopping=stopping, slow=slow)
            check(world, {owner: number})
            assert world.processes.dead == {owner}


def test_a_crash_of_the_one_that_takes_over_loses_nothing_either(live: Scenario) -> None:
    calls = live().processes.calls
    draw = random.Random(15)
    for _ in range(150):
        first = draw.randint(1, calls["a"])
        kills = {"a": first, "b": draw.randint(1, 2 * calls["a"]), "a2": draw.randint(1, 2 * calls["a"])}
        check(live(kills), kills)


def test_a_saved_session_is_continued_and_no_new_one_begins(live: Scenario) -> None:
    """Discord gives a thousand sessions a day, and what happens between two of them to nobody."""
    names = live().processes.names["a"]
    stored = names.index("send, done")
    for number in range(stored, len(names), 5):
        assert live({"a": number}).identifies == 1


def test_a_session_is_saved_as_soon_as_it_has_begun(live: Scenario) -> None:
    """Until then a crash ends it, and with it what people write before the next one."""
    world = live()
    assert world.saved_at - world.ready_at < 0.1
