"""The program of the Discord connector: the shards of its apps, while their number changes."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from connectors.discord import __main__ as program
from connectors.discord.lease import Timing
from connectors.discord.shard import Shard
from parley.adapter import App
from parley.engine.apps import AppsUnavailableError
from tests.conformance.adapters.discord import APP


def app(shards: int) -> App:
    return msgspec.structs.replace(APP, config=msgspec.structs.replace(APP.config, gateway_shards=shards))


@dataclass
class Configured:
    """In place of `Apps`: the configuration that an operator changes."""

    now: App
    away: bool = False

    def get(self, _platform: str, _name: str) -> App:
        return self.now

    def reread(self, before: App) -> App | None:
        if self.away:
            raise AppsUnavailableError("SSM: ThrottlingException")
        return self.now if self.now != before else None


@dataclass
class World:
    running: set[str] = field(default_factory=set[str])
    seen: list[set[str]] = field(default_factory=list[set[str]])

    def note(self) -> None:
        self.seen.append(set(self.running))


def test_another_number_of_shards_is_run_without_a_restart_and_without_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    world, apps, stopping = World(), Configured(app(1)), asyncio.Event()

    async def run(shard: Shard) -> None:
        world.running.add(shard._name)
        world.note()
        await shard.stopping.wait()
        world.running.discard(shard._name)
        world.note()

    monkeypatch.setattr(Shard, "run", run)
    monkeypatch.setattr(program, "_LOOK", 0.01)
    monkeypatch.setattr(program, "_OVERLAP", 0.05)

    async def until(shards: set[str]) -> None:
        async with asyncio.timeout(10):
            while world.running != shards:  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    async def test() -> None:
        arguments: tuple[Any, ...] = (apps, "demo", "a", None, Timing(), stopping)
        task = asyncio.create_task(program._app(*arguments))
        await until({"shard0"})
        apps.away = True
        await asyncio.sleep(0.05)
        apps.away = False
        for shards, expected in ((3, {"shard0of3", "shard1of3", "shard2of3"}), (1, {"shard0"})):
            apps.now = app(shards)
            await until(expected)
        stopping.set()
        await asyncio.wait_for(task, 10)
        assert world.running == set()

    asyncio.run(test())
    beginning, end = world.seen.index({"shard0"}), len(world.seen) - 1
    assert set() not in world.seen[beginning:end]
    assert {"shard0", "shard0of3", "shard1of3", "shard2of3"} in world.seen
