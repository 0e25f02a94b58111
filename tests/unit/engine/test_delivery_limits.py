"""The deliverer waits for the rate limits of the call that it makes, in each attempt."""

import pytest
from msgspec.structs import replace

from parley.adapter import App, Bucket, Call
from parley.errors import RetryAfter
from parley.model import Card, Outgoing, Reply
from tests.unit.conftest import Clock
from tests.unit.engine.test_delivery import World

pytestmark = pytest.mark.usefixtures("aws")


@pytest.fixture
def world(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(clock, monkeypatch)

    def limits(call: Call, out: Outgoing, app: App) -> tuple[Bucket, ...]:
        return (Bucket(f"{out.form} {call.json['text']}", 1, 60),)

    monkeypatch.setattr(world.platform, "limits", limits)
    return world


def test_a_later_call_waits_for_its_own_limit_in_the_next_attempt(world: World) -> None:
    record = world.decided(world.out("one", "two"))
    world.deliverer.rate_limiter.wait([Bucket("rich two", 1, 60)])
    with pytest.raises(RetryAfter, match="rate limit"):
        world.deliverer(record)
    assert len(world.requests) == 1
    world.clock.now += 64  # the limit of the first call is free again
    world.deliverer.rate_limiter.pause(Bucket("rich two", 1, 60), world.clock.now + 30)
    with pytest.raises(RetryAfter, match="rate limit"):
        world.deliverer(record)
    assert len(world.requests) == 1
    world.run(record)
    assert len(world.requests) == 2


def test_another_form_waits_for_its_own_limit(world: World) -> None:
    out = replace(world.out(), reply=Reply(segments=(Card(title="Title"),)))
    record = world.decided(out)
    world.statuses = [422]
    with pytest.raises(RetryAfter, match="another form"):
        world.deliverer(record)
    world.clock.now += 64  # the limit of the refused form is free again
    world.deliverer.rate_limiter.pause(Bucket("plain Title", 1, 60), world.clock.now + 30)
    with pytest.raises(RetryAfter, match="rate limit"):
        world.deliverer(record)
    assert len(world.requests) == 1
    world.run(record)
    assert (world.row(out).state, len(world.requests)) == ("SENT", 2)
