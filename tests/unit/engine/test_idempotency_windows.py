"""The edges of each platform's idempotency window: a repeat that could arrive after it is not made."""

from typing import Any

import pytest

from parley.adapter import Answer, Call, Unknown
from parley.engine import delivery
from parley.engine.http import CallError
from parley.errors import RetryAfter
from parley.journal.states import ReplyState, Row
from parley.model import Card, Destination, Other, Reply, Text
from parley.model.segments import Button
from parley.platforms import outbound
from tests.unit.conftest import Clock
from tests.unit.engine.test_platform_errors import ADAPTERS, Http, World

pytestmark = pytest.mark.usefixtures("aws")
LEASE = 21.0
TEMPLATE = Other(name="template", data={"template_id": "t1", "data.first": "hi"})
KEYED: dict[str, tuple[Reply, dict[str, Any], float]] = {
    "feishu": (Reply(segments=(Text(text="hi"),)), {"room_id": "oc_1"}, 3600),
    "discord": (Reply(segments=(Text(text="hi"),)), {"room_id": "1100000000000000001"}, 120),
    "wecom": (Reply(segments=(Card(title="c", buttons=(Button(id="b", label="B"),)),)), {"user_id": "lin"}, 14_400),
    "wechat": (Reply(segments=(TEMPLATE,)), {"user_id": "o1"}, 600),
}
"""A reply that the platform recognises by a key, its destination, and the seconds for which the key is documented to be
known, or assumed to be (Discord: "past few minutes")."""


TOKEN_REFUSED = {
    "feishu": Answer(400, b'{"code": 99991663, "msg": "invalid token"}'),
    "wecom": Answer(200, b'{"errcode": 42001, "errmsg": "access_token expired"}'),
    "wechat": Answer(200, b'{"errcode": 42001, "errmsg": "access_token expired"}'),
}


class Losing(Http):
    """Loses the answer to the first message, and delivers every later one."""

    def __init__(self, platform: str) -> None:
        super().__init__(ADAPTERS[platform])
        self.messages: list[Call] = []

    def perform(self, call: Call, token: str = "") -> Answer:
        if call.name != "token":
            self.messages.append(call)
            if len(self.messages) == 1:
                raise CallError(Unknown("ReadTimeout"))
        return super().perform(call, token)


def repeated(monkeypatch: pytest.MonkeyPatch, clock: Clock, platform: str, age: float) -> tuple[Row, list[Call]]:
    """The reply, and its calls, if a worker takes it `age` seconds after a call whose answer was lost."""
    reply, to, _ = KEYED[platform]
    monkeypatch.setattr(delivery, "outbound", outbound)
    world = World(platform, None, clock, lease=LEASE)  # type: ignore[arg-type]
    world.http = world.deliverer.calls.http = Losing(platform)  # type: ignore[assignment]
    out = world.outgoing(reply, Destination(platform=platform, app=world.adapter.app.name, **to))
    record = world.decided(out)
    started = clock.now
    with pytest.raises(RetryAfter):
        world.deliverer(record)
    clock.now = started + age
    for _ in range(20):
        try:
            world.deliverer(record)
            break
        except RetryAfter as later:
            clock.now += later.seconds
    return world.row(out), world.http.messages  # type: ignore[attr-defined]


@pytest.mark.parametrize("platform", KEYED)
def test_a_repeat_inside_the_window_is_made_and_is_the_same_call(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, platform: str
) -> None:
    row, calls = repeated(monkeypatch, clock, platform, KEYED[platform][2] - LEASE - 2)
    assert row.state is ReplyState.SENT
    assert len(calls) == 2
    assert calls[0] == calls[1]


@pytest.mark.parametrize("platform", KEYED)
def test_a_repeat_that_could_stall_beyond_the_window_is_not_made(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, platform: str
) -> None:
    row, calls = repeated(monkeypatch, clock, platform, KEYED[platform][2] - LEASE + 2)
    assert (row.state, len(calls)) == (ReplyState.UNKNOWN, 1)


@pytest.mark.parametrize("platform", [name for name in KEYED if name != "discord"])  # its token is fixed
def test_the_second_call_after_a_refused_token_ends_inside_the_window_too(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, platform: str
) -> None:
    """The lease covers both calls: a repeat begins only if even the later one reaches the platform in time."""
    made: list[float] = []
    perform = Losing.perform

    def refusing(http: Losing, call: Call, token: str = "") -> Answer:
        if call.name != "token":
            made.append(clock.now)
            if len(made) == 2:
                clock.now += LEASE - 1  # it stalls, and the token is refused
                http.messages.append(call)
                return TOKEN_REFUSED[platform]
        return perform(http, call, token)

    monkeypatch.setattr(Losing, "perform", refusing)
    window = KEYED[platform][2]
    row, calls = repeated(monkeypatch, clock, platform, window - LEASE - 1)
    assert made[-1] - made[0] < window
    assert row.state is ReplyState.SENT
    assert len(calls) == 3


@pytest.mark.parametrize("platform", KEYED)
def test_every_platform_states_its_window_without_margins_of_its_own(platform: str) -> None:
    """The engine subtracts the lease. A margin in the platform's folder would hide which figure is documented."""
    reply, to, window = KEYED[platform]
    world = World(platform, None, Clock())  # type: ignore[arg-type]
    out = world.outgoing(reply, Destination(platform=platform, app=world.adapter.app.name, **to))
    call = next(outbound(platform).deliver(out, world.adapter.app, world.clock.now))
    assert call.idempotent_for == window
