"""Two hundred answers in twenty rooms: how long the limits of each platform make them wait."""

from collections.abc import Callable
from random import Random

import msgspec
import pytest
from msgspec.structs import replace

from parley.adapter import App, Limit
from parley.engine.rate_limiter import RateLimiter
from parley.errors import RetryAfter
from parley.model import Destination, Outgoing, Reply
from parley.platforms import config_type, outbound
from tests.unit.engine.simulation import Simulation
from tests.unit.engine.test_rate_limiter import Table, most_in_a_window
from tools.faults.targets import TARGETS

ROOMS, ANSWERS = 20, 10
"""Rooms, and answers in each room, one after the other as the queue hands them out."""
PUBLISHED: dict[str, tuple[tuple[Limit, ...], tuple[Limit, ...]]] = {
    "discord": ((Limit(50, 1),), (Limit(5, 5),)),
    "feishu": ((Limit(50, 1), Limit(1000, 60)), (Limit(5, 1),)),
    "wechat": ((Limit(2000, 60),), ()),
    "wecom": ((Limit(10_000, 60), Limit(150_000, 3600)), (Limit(200, 60), Limit(10_000, 86_400))),
}
"""The limits of the app and of a room, as the platform documents them."""
SECONDS = {"discord": 10.2, "feishu": 4.5, "wechat": 0.5, "wecom": 0.5}
"""The most for all answers. Feishu's limits allow 200 answers in 4 seconds, and those of WeCom and WeChat at once.
Discord's channels take 5 answers in 5 seconds until the headers of an answer say more. Single calls leave the shares of
portions free, which takes 0.2 seconds."""


def app_of(platform: str) -> App:
    target = next(target for target in TARGETS if target.name == platform)
    return App(platform, "demo", msgspec.convert(next(iter(target.apps.values())), type=config_type(platform)))


def answer(app: App, room: int) -> Outgoing:
    place = {"user_id": f"person-{room}"} if app.platform == "wechat" else {"room_id": str(1_000_000 + room)}
    to = replace(Destination(platform=app.platform, app=app.name), **place)
    return Outgoing(id="0" * 32, message_key="m", ordinal=0, to=to, reply=Reply.of("hi"), created=0)


@pytest.mark.parametrize("platform", PUBLISHED)
def test_answers_in_many_rooms_wait_for_no_more_than_the_published_limits(platform: str) -> None:
    app, module = app_of(platform), outbound(platform)
    simulation, table = Simulation(120), Table()
    calls: dict[int, list[float]] = {room: [] for room in range(ROOMS)}

    def worker(room: int) -> Callable[[], None]:
        random, out = Random(room), answer(app, room)
        limiter = RateLimiter(table, "parley", simulation.clock, simulation.sleep, random.random)  # pyright: ignore[reportArgumentType]
        call = next(module.deliver(out, app, simulation.now))

        def work() -> None:
            while len(calls[room]) < ANSWERS:
                try:
                    limiter.wait(module.limits(call, out, app))
                    calls[room].append(simulation.now)
                    simulation.sleep(random.uniform(0.01, 0.03))
                except RetryAfter as retry:
                    simulation.sleep(retry.seconds * random.uniform(1.0, 1.5))

        return work

    simulation.run([worker(room) for room in range(ROOMS)])
    everywhere = sorted(at for room in calls.values() for at in room)
    assert len(everywhere) == ROOMS * ANSWERS
    assert everywhere[-1] - everywhere[0] <= SECONDS[platform]
    of_app, of_room = PUBLISHED[platform]
    assert all(most_in_a_window(everywhere, limit.period) <= limit.calls for limit in of_app)
    assert all(most_in_a_window(room, limit.period) <= limit.calls for room in calls.values() for limit in of_room)
