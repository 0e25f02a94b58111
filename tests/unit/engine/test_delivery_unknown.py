"""What is known about a reply is never lost on the way to its row, and nothing is doubtful that is not."""

from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from parley.adapter import Bucket, Call, Config, Pause, Sent, Steps
from parley.engine.http import Http
from parley.engine.rate_limiter import RateLimiter
from parley.engine.tokens import Tokens
from parley.errors import RetryAfter
from parley.journal.states import ReplyState
from parley.model import Card, Outgoing, Reply, Text
from tests.unit.conftest import Clock
from tests.unit.engine.test_delivery import PassiveReplies, Platform, World

pytestmark = pytest.mark.usefixtures("aws")


@pytest.fixture
def world(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(clock, monkeypatch)


def throttled(*_: Any, **__: Any) -> Any:
    raise ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "UpdateItem")


def test_a_token_row_that_cannot_be_read_leaves_no_doubt(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call has not left: even where no key covers it, it is simply made later."""
    world.platform.idempotent_for = 0
    out = world.out("hi")
    record = world.decided(out)
    with monkeypatch.context() as patch:
        patch.setattr(Tokens, "_read", throttled)
        with pytest.raises(RetryAfter):
            world.deliverer(record)
    row = world.row(out)
    assert (row.state, row.unknown_since) == (ReplyState.PENDING, None)
    assert "ThrottlingException" in row.reason
    world.run(record)
    assert (world.row(out).state, len(world.seen)) == (ReplyState.SENT, 1)


def test_a_rejected_token_that_cannot_be_dropped_hides_no_outcome(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.platform.idempotent_for = 0
    out = world.out("hi")
    record = world.decided(out)
    world.statuses = [401, 401]
    with monkeypatch.context() as patch:
        patch.setattr(Tokens, "reject", throttled)
        with pytest.raises(RetryAfter):
            world.deliverer(record)
    assert (world.row(out).state, world.row(out).unknown_since) == (ReplyState.PENDING, None)


def test_limits_that_cannot_be_learned_hide_no_outcome(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.platform.idempotent_for = 0
    world.platform.news = (Pause(Bucket("b", 100, 1), 30),)
    out = world.out("hi")
    record = world.decided(out)
    monkeypatch.setattr(RateLimiter, "apply", throttled)
    world.run(record)
    assert (world.row(out).state, len(world.seen)) == (ReplyState.SENT, 1)


def test_waiting_for_a_token_happens_before_the_reply_is_taken(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: Any) -> Any:
        raise RetryAfter(1, "waiting for another worker's token")

    out = world.out("hi")
    record = world.decided(out)
    monkeypatch.setattr(Tokens, "get", busy)
    with pytest.raises(RetryAfter):
        world.deliverer(record)
    assert (world.row(out).state, world.row(out).attempts) == (ReplyState.PENDING, 0)


@pytest.mark.parametrize(("idempotent_for", "state"), [(100.0, ReplyState.FAILED), (0.0, ReplyState.UNKNOWN)])
def test_a_refusal_after_a_lost_answer_settles_it_only_where_a_key_covers_both(
    world: World, idempotent_for: float, state: ReplyState
) -> None:
    world.platform.idempotent_for = idempotent_for
    world.config = Config(on_unknown="resend")
    out = world.out("hi")
    record = world.decided(out)
    world.statuses = [httpx.ReadTimeout("x"), 404]
    world.run(record)
    assert (world.row(out).state, len(world.seen)) == (state, 2)


def test_a_rate_limit_after_a_lost_answer_settles_nothing(world: World) -> None:
    world.platform.idempotent_for = 10
    out = world.out("hi")
    record = world.decided(out)
    world.statuses = [httpx.ReadTimeout("x"), 429, 429]
    world.run(record)
    assert world.row(out).state is ReplyState.UNKNOWN


def rich(world: World, *first: Text) -> Outgoing:
    plain = world.out("unused")
    segments = (*first, Card(title="a card"))
    return Outgoing(
        id=plain.id,
        message_key="key",
        ordinal=0,
        to=plain.to,
        reply=Reply(segments=segments),
        created=plain.created,
    )


def test_a_form_refused_after_an_upload_becomes_text_and_the_upload_is_forgotten(world: World) -> None:
    out = rich(world, Text(text="harmless"))
    record = world.decided(out)
    world.statuses = [200, 422]
    world.run(record)
    row = world.row(out)
    assert (row.state, row.out.form) == (ReplyState.SENT, "plain")
    assert [receipt.id for receipt in row.receipts] == ["id-3"]
    assert "a card" in world.seen[2]


def test_a_form_refused_after_a_part_was_said_is_not_said_from_the_start_again(world: World) -> None:
    out = rich(world, Text(text="said"))
    record = world.decided(out)
    world.statuses = [200, 422]
    world.run(record)
    assert (world.row(out).state, len(world.seen)) == (ReplyState.FAILED, 2)


def test_what_was_said_is_remembered_although_the_next_call_cannot_be_made(world: World) -> None:
    """Nothing covers a repetition: only the receipt keeps it from being said twice."""

    class Broken(Platform):
        broken = True

        def deliver(self, out: Outgoing, app: Any, now: float) -> Steps:
            yield Call(name="send", method="POST", url="http://p/send", json={"text": "one"}, idempotent_for=0)
            if self.broken:
                raise ZeroDivisionError
            yield Call(name="send", method="POST", url="http://p/send", json={"text": "two"}, idempotent_for=0)

    world.platform = platform = Broken()
    out = world.out("hi")
    record = world.decided(out)
    with pytest.raises(RetryAfter):
        world.deliverer(record)
    assert world.row(out).receipts == (Sent("id-1"),)
    platform.broken = False
    world.run(record)
    assert (world.row(out).state, len(world.seen)) == (ReplyState.SENT, 2)


def test_time_spent_waiting_for_a_turn_is_no_time_spent_trying(world: World) -> None:
    """A limit delays and never drops: the deadline for retries begins with the first attempt."""
    out = world.out("hi")
    record = world.decided(out)
    world.clock.now += 10 * world.platform.PROFILE.retry_for
    world.statuses = [500]
    world.run(record)
    assert world.row(out).state is ReplyState.SENT


def test_an_answer_that_nobody_can_read_is_unclear_and_not_an_error(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = world.out("hi")
    record = world.decided(out)
    with monkeypatch.context() as patch:
        patch.setattr(Platform, "outcome", lambda *_: 1 / 0)
        with pytest.raises(RetryAfter):
            world.deliverer(record)
    assert world.row(out).unknown_since is not None
    world.run(record)
    assert world.row(out).state is ReplyState.SENT


@pytest.mark.parametrize("step", ["take", "record"])
def test_a_write_whose_answer_got_lost_is_known_as_ones_own(world: World, step: str) -> None:
    """The AWS client writes again and is refused by the first write, which was its own."""
    client = world.outbox.client
    update = client.update_item
    out = world.out("hi")
    record = world.decided(out)

    def twice(**request: Any) -> Any:
        mine = request["Key"]["pk"]["S"].startswith("out#")
        if mine and ("lease_until <= :now" in request["ConditionExpression"]) == (step == "take"):
            update(**request)
        return update(**request)

    twofold: Any = type("Client", (), {"update_item": staticmethod(twice), "exceptions": client.exceptions})()
    world.outbox.client = twofold
    assert world.run(record) == 1
    assert (world.row(out).state, world.row(out).attempts, len(world.seen)) == (ReplyState.SENT, 1, 1)


def test_only_the_platform_half_decides_where_calls_go(world: World) -> None:
    """A server that is not there is no doubt: nothing was ever connected."""
    world.platform.idempotent_for = 0
    out = world.out("hi")
    record = world.decided(out)
    serve = world.serve

    def gone(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/send":
            raise httpx.ConnectTimeout("x")
        return serve(request)

    world.deliverer.calls.http = Http(httpx.Client(transport=httpx.MockTransport(gone)))
    with pytest.raises(RetryAfter):
        world.deliverer(record)
    assert (world.row(out).state, world.row(out).unknown_since) == (ReplyState.PENDING, None)


@pytest.mark.parametrize(("age", "state", "calls"), [(79.0, ReplyState.SENT, 2), (81.0, ReplyState.UNKNOWN, 1)])
def test_a_call_is_repeated_only_if_it_must_arrive_while_the_platform_knows_its_key(
    world: World, age: float, state: ReplyState, calls: int
) -> None:
    """The key is valid for 100 s and the lease lasts 20 s: a worker that stalls may call until its lease ends."""
    world.platform.idempotent_for = 100
    out = world.out("hi")
    record = world.decided(out)
    started = world.clock.now
    world.statuses = [httpx.ReadTimeout("x")]
    with pytest.raises(RetryAfter):
        world.deliverer(record)
    world.clock.now = started + age
    world.run(record)
    assert (world.row(out).state, len(world.seen)) == (state, calls)


def test_slow_server_errors_are_not_repeated_beyond_the_window(world: World) -> None:
    """Each answer takes 8 s. The last call that may be made ends inside the window, however long it stalls."""
    world.platform.idempotent_for = 180
    out = world.out("hi")
    record = world.decided(out)
    began: list[float] = []
    serve = world.serve

    def slow(request: httpx.Request) -> httpx.Response:
        if request.url.path != "/token":
            began.append(world.clock.now)
            world.clock.now += 8
        return serve(request)

    world.deliverer.calls.http = Http(httpx.Client(transport=httpx.MockTransport(slow)))
    world.statuses = [504] * 50
    world.run(record)
    assert world.row(out).state is ReplyState.UNKNOWN
    assert began[-1] + world.outbox.lease < began[0] + 180


@pytest.mark.parametrize(("status", "passive"), [(500, False), (500, True), (401, False)])
def test_a_token_that_is_refused_ends_the_reply_at_the_deadline_with_few_calls(
    world: World, status: int, passive: bool
) -> None:
    """Such as WeChat 50004, a code that is not listed. A platform bans clients that keep asking."""
    world.config = PassiveReplies() if passive else Config()
    world.token_status = status
    out = world.out("hi")
    record = world.decided(out)
    attempts = world.run(record)
    row = world.row(out)
    assert (row.state, world.seen) == (ReplyState.FAILED, [])
    assert "app_secret is refused" in row.reason
    assert len(world.tokens) <= attempts <= 15


def test_an_account_that_may_not_call_at_all_defers_its_replies(world: World) -> None:
    """Its token is refused for good: the passive reply to the person's next message is the only way left."""
    world.config = PassiveReplies()
    world.token_status = 401
    out = world.out("hi")
    assert world.run(world.decided(out)) == 1
    assert [row.out.id for row in world.deliverer.deferred.of(out.to.key)] == [out.id]
    assert world.row(out).unknown_since is None
