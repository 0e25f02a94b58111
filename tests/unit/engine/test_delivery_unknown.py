"""Every known outcome of a reply is recorded. An outcome is unknown only if it cannot be determined."""

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


def test_an_unreadable_token_row_leaves_the_reply_pending(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call was not sent. It is made later, even without an idempotency key."""
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
    assert (world.row(out).state, len(world.requests)) == (ReplyState.SENT, 1)


def test_a_failure_to_drop_a_rejected_token_does_not_change_the_outcome(
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


def test_a_failure_to_apply_limit_feedback_does_not_change_the_outcome(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.platform.idempotent_for = 0
    world.platform.pauses = (Pause(Bucket("b", 100, 1), 30),)
    out = world.out("hi")
    record = world.decided(out)
    monkeypatch.setattr(RateLimiter, "apply", throttled)
    world.run(record)
    assert (world.row(out).state, len(world.requests)) == (ReplyState.SENT, 1)


def test_the_deliverer_gets_a_token_before_it_takes_the_reply(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: Any) -> Any:
        raise RetryAfter(1, "waiting for another worker's token")

    out = world.out("hi")
    record = world.decided(out)
    monkeypatch.setattr(Tokens, "get", busy)
    with pytest.raises(RetryAfter):
        world.deliverer(record)
    assert (world.row(out).state, world.row(out).attempts) == (ReplyState.PENDING, 0)


@pytest.mark.parametrize(("idempotent_for", "state"), [(100.0, ReplyState.FAILED), (0.0, ReplyState.UNKNOWN)])
def test_a_refusal_after_a_lost_answer_is_final_only_within_the_idempotency_window(
    world: World, idempotent_for: float, state: ReplyState
) -> None:
    world.platform.idempotent_for = idempotent_for
    world.config = Config(on_unknown="resend")
    out = world.out("hi")
    record = world.decided(out)
    world.statuses = [httpx.ReadTimeout("x"), 404]
    world.run(record)
    assert (world.row(out).state, len(world.requests)) == (state, 2)


def test_a_rate_limit_error_after_a_lost_answer_leaves_the_outcome_unknown(world: World) -> None:
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


def test_a_form_refused_after_an_upload_becomes_text_without_the_upload_receipt(world: World) -> None:
    out = rich(world, Text(text="idempotent"))
    record = world.decided(out)
    world.statuses = [200, 422]
    world.run(record)
    row = world.row(out)
    assert (row.state, row.out.form) == (ReplyState.SENT, "plain")
    assert [receipt.id for receipt in row.receipts] == ["id-3"]
    assert "a card" in world.requests[2]


def test_a_form_refused_after_a_visible_part_fails_the_reply(world: World) -> None:
    out = rich(world, Text(text="visible"))
    record = world.decided(out)
    world.statuses = [200, 422]
    world.run(record)
    assert (world.row(out).state, len(world.requests)) == (ReplyState.FAILED, 2)


def test_the_receipt_of_a_call_is_stored_even_if_the_next_call_cannot_be_made(world: World) -> None:
    """The call has no idempotency key. Only the receipt prevents a duplicate."""

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
    assert (world.row(out).state, len(world.requests)) == (ReplyState.SENT, 2)


def test_time_before_the_first_attempt_does_not_count_towards_the_deadline(world: World) -> None:
    """A rate limit delays a reply and never drops it. The deadline for retries starts with the first attempt."""
    out = world.out("hi")
    record = world.decided(out)
    world.clock.now += 10 * world.platform.PROFILE.retry_for
    world.statuses = [500]
    world.run(record)
    assert world.row(out).state is ReplyState.SENT


def test_an_answer_that_cannot_be_interpreted_is_an_unknown_outcome(
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
def test_a_worker_recognises_its_own_write_after_a_lost_answer(world: World, step: str) -> None:
    """The AWS client repeats the write. Its condition fails, because the first write was stored."""
    client = world.outbox.client
    update = client.update_item
    out = world.out("hi")
    record = world.decided(out)

    def twice(**request: Any) -> Any:
        is_reply = request["Key"]["pk"]["S"].startswith("out#")
        if is_reply and ("lease_until <= :now" in request["ConditionExpression"]) == (step == "take"):
            update(**request)
        return update(**request)

    repeating: Any = type("Client", (), {"update_item": staticmethod(twice), "exceptions": client.exceptions})()
    world.outbox.client = repeating
    assert world.run(record) == 1
    assert (world.row(out).state, world.row(out).attempts, len(world.requests)) == (ReplyState.SENT, 1, 1)


def test_a_failed_connection_leaves_no_unknown_outcome(world: World) -> None:
    """The call was not sent, because no connection was made."""
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
def test_a_call_is_repeated_only_if_its_lease_ends_within_the_idempotency_window(
    world: World, age: float, state: ReplyState, calls: int
) -> None:
    """The key is valid for 100 s and the lease for 20 s. A worker that stalls may call until its lease ends."""
    world.platform.idempotent_for = 100
    out = world.out("hi")
    record = world.decided(out)
    started = world.clock.now
    world.statuses = [httpx.ReadTimeout("x")]
    with pytest.raises(RetryAfter):
        world.deliverer(record)
    world.clock.now = started + age
    world.run(record)
    assert (world.row(out).state, len(world.requests)) == (state, calls)


def test_slow_server_errors_are_not_repeated_beyond_the_idempotency_window(world: World) -> None:
    """Each answer takes 8 s. The lease of the last call ends inside the window."""
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
def test_a_reply_without_a_token_fails_at_the_deadline_after_few_requests(
    world: World, status: int, passive: bool
) -> None:
    """WeChat 50004 is such a refusal, and is not listed. A platform bans clients that repeat such requests."""
    world.config = PassiveReplies() if passive else Config()
    world.token_status = status
    out = world.out("hi")
    record = world.decided(out)
    attempts = world.run(record)
    row = world.row(out)
    assert (row.state, world.requests) == (ReplyState.FAILED, [])
    assert "app_secret is refused" in row.reason
    assert len(world.tokens) <= attempts <= 15


def test_an_account_without_api_access_defers_its_replies(world: World) -> None:
    """Its token is refused permanently. Only a passive reply to the person's next message can carry the reply."""
    world.config = PassiveReplies()
    world.token_status = 401
    out = world.out("hi")
    assert world.run(world.decided(out)) == 1
    assert [row.out.id for row in world.deliverer.deferred.of(out.to.key)] == [out.id]
    assert world.row(out).unknown_since is None
