"""The circuit breaker stops the refused calls of all instances long before Discord bans their address."""

from collections.abc import Callable
from random import Random

import httpx
import msgspec
import pytest

from parley.adapter import App
from parley.engine.calls import CallContext, Calls
from parley.engine.http import Http
from parley.engine.rate_limiter import RateLimiter, Reserved
from parley.engine.tokens import Tokens
from parley.errors import RetryAfter
from parley.model import Destination, Outgoing, Reply, Text
from parley.platforms import config_type, outbound
from playground.platforms.discord import Discord
from playground.platforms.exchange import Request, Response
from playground.platforms.faults import Fault
from playground.transport import PlatformTransport
from tests.unit.engine.simulation import Simulation
from tests.unit.engine.test_rate_limiter import Table, most_in_a_window

INSTANCES, CHANNELS = 24, 200
OUTAGE, RECOVERY, OBSERVED = 660.0, 62.0, 6.0
"""Seconds: the time in which all calls are refused, the longest recovery, and the time observed after that."""
BAN, WINDOW = 10_000, 600
APP = {
    "application_id": "1100000000000000001",
    "public_key": "00" * 32,
    "bot_token": "valid",
    "host": "http://discord.test/api/v10",
}


class World:
    """Many deliverers and one simulated Discord. Each deliverer sends a reply to one channel after another."""

    def __init__(self) -> None:
        self.simulation = Simulation(OUTAGE + RECOVERY + OBSERVED)
        self.start = self.simulation.now
        self.discord = Discord(clock=self.simulation.clock, random=Random(1))
        self.discord.add_app("demo", APP)
        self.rooms = [self.discord.make_room(f"r{number}", "r", "") for number in range(CHANNELS)]
        self.table = Table()
        self.refused: list[float] = []
        self.delivered: list[float] = []
        transport = PlatformTransport({"http://discord.test": self})
        self.http = Http(httpx.Client(transport=transport))
        self.app = App("discord", "demo", msgspec.convert(APP, type=config_type("discord")))

    def api(self, request: Request) -> Response:
        """Pass the request to Discord, and count the answer by Discord's rules."""
        answer = self.discord.api(request)
        (self.refused if answer.status in (401, 403, 429) else self.delivered).append(self.simulation.now)
        return answer

    def instance(self, number: int) -> Callable[[], None]:
        """A deliverer that shares no memory with the others."""
        random, clock = Random(number), self.simulation.clock
        limiter = RateLimiter(self.table, "parley", clock, self.simulation.sleep, random.random)  # type: ignore[arg-type]
        tokens = Tokens(self.table, "parley", clock)  # type: ignore[arg-type]  # not used: the token is fixed
        calls = Calls(self.http, tokens, limiter, self.table, "parley", clock)  # type: ignore[arg-type]

        def work() -> None:
            while True:
                try:
                    self.deliver(random.choice(self.rooms).id, calls)
                    self.simulation.sleep(random.uniform(0.02, 0.1))
                except RetryAfter as retry:
                    self.simulation.sleep(retry.seconds)

        return work

    def deliver(self, room: str, calls: Calls) -> None:
        platform, to = outbound("discord"), Destination(platform="discord", app="demo", room_id=room)
        reply = Reply(segments=(Text(text="hi"),))
        out = Outgoing(id=self.discord.hex(), message_key="m", ordinal=0, to=to, reply=reply, created=0)
        call = next(platform.deliver(out, self.app, self.simulation.now))
        context = CallContext(out, self.app, platform)
        reserved = calls.reserve(context, call)
        assert isinstance(reserved, Reserved)
        calls.make(context, call, reserved)


def token_revoked(world: World) -> Callable[[], None]:
    """The token of the configuration is refused, until the configuration holds another one."""
    valid = world.app
    world.app = App("discord", "demo", msgspec.structs.replace(valid.config, bot_token="revoked"))
    return lambda: setattr(world, "app", valid)


def removed_from_rooms(world: World) -> Callable[[], None]:
    for room in world.rooms:
        room.bots.discard("demo")

    def add_again() -> None:
        for room in world.rooms:
            room.bots.add("demo")

    return add_again


def rate_limited(world: World) -> Callable[[], None]:
    world.discord.faults.add(Fault("limited", rate=1.0, seed=1))
    return world.discord.faults.clear


@pytest.mark.parametrize("outage", [token_revoked, removed_from_rooms, rate_limited])
def test_refused_calls_stay_far_below_the_ban_and_the_breaker_closes_again(
    outage: Callable[[World], Callable[[], None]], capsys: pytest.CaptureFixture[str]
) -> None:
    world = World()
    end_outage = outage(world)

    def end_after_recovery() -> None:
        world.simulation.sleep(OUTAGE)
        end_outage()
        while not world.delivered or world.simulation.now < world.delivered[0] + OBSERVED:
            world.simulation.sleep(0.1)
        world.simulation.end = world.simulation.now

    world.simulation.run([*(world.instance(number) for number in range(INSTANCES)), end_after_recovery])
    assert "CircuitBreakersOpened" in capsys.readouterr().out
    assert 50 < most_in_a_window(world.refused, WINDOW) < BAN / 5
    # The recovery takes a minute at most. Then the rate is 50 calls a second, as before.
    assert OUTAGE <= world.delivered[0] - world.start < OUTAGE + RECOVERY
    last = [at for at in world.delivered if at >= world.simulation.end - 4]
    assert len(last) > 4 * 45
