"""The deliverer waits for the rate limits of the call that it makes, in each attempt."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from botocore.exceptions import EndpointConnectionError
from msgspec.structs import replace

from parley.adapter import App, Bucket, Call
from parley.engine.http import Http
from parley.engine.rate_limiter import RateLimiter
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
    world.deliverer.calls.rate_limiter.wait([Bucket("rich two", 1, 60)])
    with pytest.raises(RetryAfter, match="rate limit"):
        world.deliverer(record)
    assert len(world.requests) == 1
    world.clock.now += 64  # the limit of the first call is free again
    world.deliverer.calls.rate_limiter.pause(Bucket("rich two", 1, 60), world.clock.now + 30)
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
    world.deliverer.calls.rate_limiter.pause(Bucket("plain Title", 1, 60), world.clock.now + 30)
    with pytest.raises(RetryAfter, match="rate limit"):
        world.deliverer(record)
    assert len(world.requests) == 1
    world.run(record)
    assert (world.row(out).state, len(world.requests)) == ("SENT", 2)


def _token_expires(world: World) -> None:
    world.statuses = [401]


def _bytes_are_loaded(world: World) -> None:
    fill = world.deliverer.attempts.fill

    def slowly(call: Call) -> Any:
        world.clock.now += SLOW
        world.deliverer.attempts.fill = fill
        return fill(call)

    world.deliverer.attempts.fill = slowly


SLOW = 0.6


@pytest.mark.parametrize("delay", [_token_expires, _bytes_are_loaded])
def test_a_call_that_leaves_later_than_it_was_reserved_is_reserved_again(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, delay: Callable[[World], None]
) -> None:
    """Five calls a second. The first one waits for a new token, or for the bytes that it uploads."""
    world = World(clock, monkeypatch)
    monkeypatch.setattr(world.platform, "limits", lambda *_: (Bucket("room", 5, 1),))
    times: list[float] = []

    def serve(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/token":
            clock.now += SLOW
        answer = world.serve(request)
        if request.url.path != "/token" and answer.status_code == 200:
            times.append(clock.now)
        return answer

    world.deliverer.calls.http = Http(httpx.Client(transport=httpx.MockTransport(serve)))
    delay(world)
    for number in range(12):
        world.run(world.decided(world.out("hi", ordinal=number)))
    assert len(times) == 12
    assert max(sum(start <= time < start + 1 for time in times) for start in times) <= 5


def test_a_rate_limit_that_cannot_be_read_leaves_no_unknown_outcome(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second call of a reply has to reserve while the first one is there already."""
    world = World(clock, monkeypatch)
    wait, calls = RateLimiter.wait, 0

    def unreachable(limiter: RateLimiter, buckets: tuple[Bucket, ...]) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise EndpointConnectionError(endpoint_url="https://dynamodb")
        return wait(limiter, buckets)

    monkeypatch.setattr(RateLimiter, "wait", unreachable)
    out = world.out("one", "two")
    world.run(world.decided(out))
    row = world.row(out)
    assert (row.state, len(world.requests), row.unknown_since) == ("SENT", 2, None)
