"""The breaker: what Discord bans an address for ends long before the ban, for all instances, and comes back."""

from collections.abc import Callable
from random import Random
from typing import Any

import httpx
import msgspec
import pytest

from parley.adapter import App
from parley.engine.calls import CallContext, Calls
from parley.engine.http import Http
from parley.engine.rate_limiter import RateLimiter
from parley.engine.tokens import CachedToken
from parley.errors import RetryAfter
from parley.model import Destination, Outgoing, Reply, Text
from parley.platforms import config_type, outbound
from playground.platforms.discord import Discord
from playground.platforms.faults import Fault
from playground.platforms.http import Request, Response
from playground.transport import PlatformTransport
from tests.unit.engine.simulation import Simulation
from tests.unit.engine.test_rate_limiter import Table, most_in_a_window

INSTANCES, CHANNELS = 24, 200
TROUBLE, SILENCE, AFTERWARDS = 660.0, 62.0, 6.0
"""Seconds for which everything is refused, for which nobody may notice its end, and that are watched afterwards."""
BAN, WINDOW = 10_000, 600
APP = {
    "application_id": "1100000000000000001",
    "public_key": "00" * 32,
    "bot_token": "right",
    "host": "http://discord.test/api/v10",
}


class KeptToken:
    """The shared token of the bot, which fetching anew does not change."""

    def __init__(self) -> None:
        self.value = "right"

    def get(self, _name: str, _fetch: Callable[[], Any]) -> CachedToken:
        return CachedToken(self.value, 2e9, 2e9, 1)

    def reject(self, name: str, held: CachedToken) -> None:
        pass


class World:
    """Many deliverers, each with a reply for one channel after another, before one imitated Discord."""

    def __init__(self) -> None:
        self.simulation = Simulation(TROUBLE + SILENCE + AFTERWARDS)
        self.start = self.simulation.now
        self.discord = Discord(clock=self.simulation.clock, random=Random(1))
        self.discord.add_app("demo", APP)
        self.rooms = [self.discord.make_room(f"r{number}", "r", "") for number in range(CHANNELS)]
        self.token, self.table = KeptToken(), Table()
        self.refused: list[float] = []
        self.said: list[float] = []
        transport = PlatformTransport({"http://discord.test": self})
        self.http = Http(httpx.Client(transport=transport))
        self.app = App("discord", "demo", msgspec.convert(APP, type=config_type("discord")))

    def api(self, request: Request) -> Response:
        """Everything goes to Discord, and is counted as it counts."""
        answer = self.discord.api(request)
        (self.refused if answer.status in (401, 403, 429) else self.said).append(self.simulation.now)
        return answer

    def instance(self, number: int) -> Callable[[], None]:
        """A deliverer with nothing in its memory that the others have seen."""
        random, clock = Random(number), self.simulation.clock
        pacing = RateLimiter(self.table, "parley", clock, self.simulation.sleep, random.random)  # type: ignore[arg-type]
        calls = Calls(self.http, self.token, pacing, self.table, "parley", clock)  # type: ignore[arg-type]

        def work() -> None:
            while True:
                try:
                    self.deliver(random.choice(self.rooms).id, pacing, calls)
                    self.simulation.sleep(random.uniform(0.02, 0.1))
                except RetryAfter as later:
                    self.simulation.sleep(later.seconds)

        return work

    def deliver(self, room: str, pacing: RateLimiter, calls: Calls) -> None:
        platform, to = outbound("discord"), Destination(platform="discord", app="demo", room_id=room)
        reply = Reply(segments=(Text(text="hi"),))
        out = Outgoing(id=self.discord.hex(), message_key="m", ordinal=0, to=to, reply=reply, created=0)
        call = next(platform.deliver(out, self.app, self.simulation.now))
        pacing.wait(platform.limits(call, out, self.app))
        calls.make(CallContext(out, self.app, platform), call)


def token_withdrawn(world: World) -> Callable[[], None]:
    world.token.value = "withdrawn"
    return lambda: setattr(world.token, "value", "right")


def thrown_out(world: World) -> Callable[[], None]:
    for room in world.rooms:
        room.bots.discard("demo")

    def back() -> None:
        for room in world.rooms:
            room.bots.add("demo")

    return back


def limited(world: World) -> Callable[[], None]:
    world.discord.faults.add(Fault("limited", rate=1.0, seed=1))
    return world.discord.faults.clear


@pytest.mark.parametrize("trouble", [token_withdrawn, thrown_out, limited])
def test_refusals_never_come_near_the_ban_and_the_breaker_closes_again(
    trouble: Callable[[World], Callable[[], None]], capsys: pytest.CaptureFixture[str]
) -> None:
    world = World()
    cure = trouble(world)

    def cured() -> None:
        world.simulation.sleep(TROUBLE)
        cure()
        while not world.said or world.simulation.now < world.said[0] + AFTERWARDS:
            world.simulation.sleep(0.1)
        world.simulation.end = world.simulation.now

    world.simulation.run([*(world.instance(number) for number in range(INSTANCES)), cured])
    assert "CircuitBreakersOpened" in capsys.readouterr().out
    assert 50 < most_in_a_window(world.refused, WINDOW) < BAN / 5
    # A minute of silence at most, and then as fast as ever: 50 calls a second.
    assert TROUBLE <= world.said[0] - world.start < TROUBLE + SILENCE
    last = [at for at in world.said if at >= world.simulation.end - 4]
    assert len(last) > 4 * 45
