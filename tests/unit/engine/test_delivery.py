"""The deliverer: every outcome in every state, and each reply is sent once."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import httpx
import msgspec
import pytest
from botocore.exceptions import ClientError

from parley.adapter import (
    IDEMPOTENT,
    Answer,
    App,
    Auth,
    Bucket,
    Call,
    Config,
    Outcome,
    Pause,
    Permanent,
    Profile,
    Sent,
    Steps,
    Token,
    TokenRejected,
    TokenSteps,
    TokenUnavailableError,
    Transient,
    UndeliverableError,
    Unknown,
)
from parley.engine import delivery
from parley.engine.apps import AppsUnavailableError, UnknownAppError
from parley.engine.aws import dynamodb
from parley.engine.calls import Calls
from parley.engine.delivery import Deliverer
from parley.engine.http import Http
from parley.engine.rate_limiter import RateLimiter, Reserved
from parley.engine.tokens import Tokens
from parley.errors import RetryAfter
from parley.journal.inbox import Inbox
from parley.journal.outbox import Outbox
from parley.journal.passive import DeferredReplies, TooManyDeferredError
from parley.journal.rows import row_of
from parley.journal.states import ReplyState, Row
from parley.journal.table import reply_pk
from parley.model import AnyMedia, Card, Conversation, Destination, Message, Outgoing, Reply, Text, plain_text, reply_id
from parley.model.codec import encode
from tests.unit.conftest import Clock

pytestmark = pytest.mark.usefixtures("aws")
OUTCOMES: dict[int, Callable[[str], Outcome]] = {
    200: Sent,
    401: TokenRejected,
    403: lambda reason: Permanent(reason, window_closed=True),
    404: Permanent,
    410: lambda reason: Permanent(reason, reply_token=True),
    422: lambda reason: Permanent(reason, part="form"),
    429: lambda reason: RetryAfter(7, reason),
    500: Transient,
    504: Unknown,
}


class Platform:
    """Sends each segment of a reply in a separate call. The HTTP status of the answer determines the outcome."""

    PROFILE = Profile(retry_for=600, pushed_credentials=("ticket",))

    def __init__(self) -> None:
        self.idempotent_for: float = 100
        self.passive_reply_within: float = 0
        self.pauses: tuple[Pause, ...] = ()
        self.pushed: Mapping[str, str] = {}

    def deliver(self, out: Outgoing, app: App, now: float) -> Steps:
        if now < out.created + self.passive_reply_within:
            raise RetryAfter(out.created + self.passive_reply_within - now, "the callback may still reply")
        for number, segment in enumerate(out.reply.segments):
            text = plain_text((segment,))
            if text == "undeliverable":
                raise UndeliverableError("there is no way to send that")
            if text == "broken":
                raise ZeroDivisionError
            body = {"text": text, "form": out.form, "reply_token_expires": out.to.reply_token_expires}
            auth = Auth("header", "Authorization")
            idempotent_for = IDEMPOTENT if text == "idempotent" else self.idempotent_for
            yield Call(
                name="send", method="POST", url="http://p/send", auth=auth, json=body, idempotent_for=idempotent_for
            )
            del number

    def outcome(self, call: Call, answer: Answer) -> Outcome:
        return OUTCOMES[answer.status](answer.body.decode())

    def token_key(self, out: Outgoing, app: App) -> str:
        return "t"

    def token(self, out: Outgoing, app: App, pushed: Mapping[str, str], now: float) -> TokenSteps:
        self.pushed = pushed
        answer = yield Call(name="token", method="POST", url="http://p/token")
        if answer.status != 200:
            raise TokenUnavailableError("app_secret is refused", None if answer.status == 401 else 5)
        return Token(answer.body.decode(), now + 1000)

    def limits(self, call: Call, out: Outgoing, app: App) -> tuple[Bucket, ...]:
        return (Bucket("b", 100, 1),)

    def download(self, media: AnyMedia, message_id: str, app: App) -> Call:
        raise AssertionError("nothing is downloaded here")

    def limit_feedback(self, call: Call, answer: Answer, out: Outgoing, app: App) -> tuple[Pause, ...]:
        return self.pauses


class PassiveReplies(Config, frozen=True, kw_only=True):
    """The configuration of an app that sends passive replies."""

    @property
    def replies_passively(self) -> bool:
        return True


class World:
    """A deliverer, and a platform's server that answers with `statuses` in turn."""

    def __init__(self, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = clock
        self.platform = Platform()
        self.statuses: list[int | Exception] = []
        self.requests: list[str] = []
        self.tokens: list[int] = []
        self.token_status = 200
        self.config = Config()
        self.app_error: Exception | None = None
        self.outbox = Outbox(dynamodb(), "parley", 20)
        limiter = RateLimiter(dynamodb(), "parley", clock, clock.sleep)
        tokens = Tokens(dynamodb(), "parley", clock, clock.sleep, lambda: 0.5)
        http = Http(httpx.Client(transport=httpx.MockTransport(self.serve)))
        calls = Calls(http, tokens, limiter, dynamodb(), "parley", clock)
        deferred = DeferredReplies(dynamodb(), "parley", 0)
        self.deliverer = Deliverer(self.outbox, deferred, calls, self, clock)  # type: ignore[arg-type]
        monkeypatch.setattr(delivery, "outbound", lambda _: self.platform)

    def get(self, platform: str, name: str) -> App:
        """The app, as `Apps` returns it."""
        if self.app_error:
            raise self.app_error
        return App(platform, name, self.config)

    def serve(self, request: httpx.Request) -> httpx.Response:
        """The platform's server."""
        if request.url.path == "/token":
            self.tokens.append(len(self.tokens))
            return httpx.Response(self.token_status, text=f"token-{len(self.tokens)}")
        self.requests.append(request.read().decode())
        status = self.statuses.pop(0) if self.statuses else 200
        if isinstance(status, Exception):
            raise status
        return httpx.Response(status, text=f"id-{len(self.requests)}")

    def out(self, *texts: str, ordinal: int = 0) -> Outgoing:
        return Outgoing(
            id=reply_id("key", ordinal),
            message_key="key",
            ordinal=ordinal,
            to=Destination(platform="feishu", app="demo", room_id="room", reply_token="g", reply_token_expires=99),
            reply=Reply(segments=tuple(Text(text=text) for text in texts)),
            created=self.clock.now,
        )

    def decided(self, out: Outgoing) -> dict[str, Any]:
        """Store a decided reply in the journal. Returns its SQS record."""
        Inbox(dynamodb(), "parley", 86_400).add(out, self.clock.now)
        return {"body": encode(out).decode(), "messageId": "r", "attributes": {"ApproximateReceiveCount": "1"}}

    def row(self, out: Outgoing) -> Row:
        key = {"pk": {"S": reply_pk(out.id)}}
        return row_of(dynamodb().get_item(TableName="parley", Key=key, ConsistentRead=True).get("Item", {}))

    def run(self, record: Mapping[str, Any], most: int = 50) -> int:
        """Deliver as the queue does, and wait as `RetryAfter` requests. Returns the number of attempts."""
        for attempt in range(1, most + 1):
            try:
                self.deliverer(record)
            except RetryAfter as retry:
                self.clock.now += retry.seconds
            else:
                return attempt
        raise AssertionError(f"not done after {most} attempts")


@pytest.fixture
def world(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(clock, monkeypatch)


def test_the_receipt_of_a_sent_reply_is_stored(world: World) -> None:
    out = world.out("hi")
    assert world.run(world.decided(out)) == 1
    row = world.row(out)
    assert (row.state, row.receipts, row.unknown_since) == (ReplyState.SENT, (Sent("id-1"),), None)


def test_a_record_delivered_twice_is_sent_once(world: World) -> None:
    record = world.decided(world.out("hi"))
    world.run(record)
    world.run(record)
    assert len(world.requests) == 1


def test_a_swept_record_of_a_sent_reply_does_not_use_the_rate_limiter(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = world.decided(world.out("hi"))
    swept = record | {"attributes": {"MessageDeduplicationId": "0-swept-1"}}
    waits: list[object] = []
    wait = RateLimiter.wait

    def counting(limiter: RateLimiter, buckets: tuple[Bucket, ...]) -> Reserved:
        waits.append(buckets)
        return wait(limiter, buckets)

    monkeypatch.setattr(RateLimiter, "wait", counting)
    world.run(swept)
    world.run(swept)
    assert (len(world.requests), len(waits)) == (1, 1)


@pytest.mark.parametrize(
    ("statuses", "attempts", "state", "calls"),
    [
        ([500, 500], 3, "SENT", 3),
        ([429], 2, "SENT", 2),
        ([401], 1, "SENT", 2),
        ([401, 401], 2, "SENT", 3),
        ([504], 2, "SENT", 2),
        ([404], 1, "FAILED", 1),
        ([httpx.ConnectError("x")], 2, "SENT", 2),
        ([httpx.ReadTimeout("x")], 2, "SENT", 2),
    ],
)
def test_each_outcome_determines_the_attempts_and_the_state(
    world: World, statuses: list[int | Exception], attempts: int, state: str, calls: int
) -> None:
    out = world.out("hi")
    record = world.decided(out)
    world.statuses = list(statuses)
    assert world.run(record) == attempts
    assert (world.row(out).state, len(world.requests)) == (state, calls)


def test_a_rate_limit_error_waits_for_the_seconds_of_the_platform(world: World) -> None:
    record = world.decided(world.out("hi"))
    world.statuses = [429]
    with pytest.raises(RetryAfter) as retry:
        world.deliverer(record)
    assert retry.value.seconds == 7


def test_retries_back_off_and_stop_at_the_deadline_of_the_platform(world: World) -> None:
    out = world.out("hi")
    record = world.decided(out)
    world.statuses = [500] * 100
    world.run(record)
    assert world.row(out).state == "FAILED"
    assert "gave up after" in world.row(out).reason
    assert 6 <= len(world.requests) <= 20


@pytest.mark.parametrize(("on_unknown", "state", "calls"), [("report", "UNKNOWN", 1), ("resend", "SENT", 2)])
def test_on_unknown_decides_whether_a_call_without_a_key_is_repeated(
    world: World, on_unknown: Any, state: str, calls: int
) -> None:
    world.platform.idempotent_for = 0
    world.config = Config(on_unknown=on_unknown)
    out = world.out("hi")
    record = world.decided(out)
    world.statuses = [httpx.ReadTimeout("x")]
    world.run(record)
    assert (world.row(out).state, len(world.requests)) == (state, calls)


def crash_in_the_call(world: World, record: Mapping[str, Any]) -> None:
    """The worker dies after the platform has handled the call and before the outcome is recorded."""
    serve = world.serve

    def dies(request: httpx.Request) -> httpx.Response:
        serve(request)
        if request.url.path == "/send":
            raise KeyboardInterrupt
        return httpx.Response(200, text="token")

    world.deliverer.calls.http = Http(httpx.Client(transport=httpx.MockTransport(dies)))
    with pytest.raises(KeyboardInterrupt):
        world.deliverer(record)
    world.deliverer.calls.http = Http(httpx.Client(transport=httpx.MockTransport(serve)))


def test_the_reply_of_a_dead_worker_is_taken_over_after_its_lease(world: World) -> None:
    out = world.out("hi")
    record = world.decided(out)
    crash_in_the_call(world, record)
    with pytest.raises(RetryAfter) as retry:
        world.deliverer(record)
    assert retry.value.seconds == pytest.approx(20)
    world.run(record)
    assert world.row(out).state == "SENT"
    assert world.requests[0] == world.requests[1]


def test_a_takeover_after_the_idempotency_window_reports_an_unknown_outcome(world: World) -> None:
    out = world.out("hi")
    record = world.decided(out)
    crash_in_the_call(world, record)
    world.clock.now += 101
    world.run(record)
    assert (world.row(out).state, len(world.requests)) == ("UNKNOWN", 1)


def test_a_reply_that_crashes_every_worker_ends_at_the_deadline(world: World) -> None:
    """Otherwise it would block its conversation for 1000 attempts, until it is in the dead-letter queue."""
    world.platform.idempotent_for = IDEMPOTENT
    out = world.out("hi")
    record = world.decided(out)
    for _ in range(600 // 30):
        crash_in_the_call(world, record)
        world.clock.now += 30
    world.run(record)
    assert (world.row(out).state, len(world.requests)) == ("UNKNOWN", 600 // 30)


def test_a_reply_of_several_calls_continues_after_its_last_receipt(world: World) -> None:
    out = world.out("one", "two", "three")
    record = world.decided(out)
    world.statuses = [200, 500, 200, 429]
    world.run(record)
    sent = [body.split('"')[3] for body in world.requests]
    assert sent == ["one", "two", "two", "three", "three"]
    assert [receipt.id for receipt in world.row(out).receipts] == ["id-1", "id-3", "id-5"]


def test_a_refused_form_becomes_plain_text(world: World) -> None:
    card = Card(title="Title", text="body")
    out = Outgoing(
        id=reply_id("key", 0),
        message_key="key",
        ordinal=0,
        to=Destination(platform="feishu", app="demo", room_id="room"),
        reply=Reply(segments=(card,)),
        created=world.clock.now,
    )
    record = world.decided(out)
    world.statuses = [422]
    world.run(record)
    assert world.row(out).state == "SENT"
    assert world.row(out).out.form == "plain"
    assert ['"rich"' in world.requests[0], '"plain"' in world.requests[1]] == [True, True]


def test_refused_plain_text_fails_the_reply(world: World) -> None:
    out = world.out("hi")
    record = world.decided(out)
    world.statuses = [422]
    world.run(record)
    assert (world.row(out).state, len(world.requests)) == ("FAILED", 1)


def test_a_reply_is_sent_without_a_refused_reply_token(world: World) -> None:
    out = world.out("hi")
    record = world.decided(out)
    world.statuses = [410]
    world.run(record)
    assert ['"reply_token_expires":99' in world.requests[0], '"reply_token_expires":0' in world.requests[1]] == [
        True,
        True,
    ]
    assert world.row(out).state == "SENT"


@pytest.mark.parametrize(("policy", "state", "calls"), [("report", "UNKNOWN", 2), ("resend", "SENT", 3)])
def test_a_reply_token_refused_after_a_lost_answer_leaves_the_outcome_unknown(
    world: World, policy: Literal["report", "resend"], state: str, calls: int
) -> None:
    """A repetition without the reply token may be a duplicate."""
    world.config = Config(on_unknown=policy)
    out = world.out("idempotent")
    record = world.decided(out)
    world.statuses = [504, 410]
    world.run(record)
    assert (world.row(out).state, len(world.requests)) == (state, calls)


def test_a_reply_token_that_expires_after_a_lost_answer_leaves_the_outcome_unknown(world: World) -> None:
    out = world.out("idempotent")
    destination = msgspec.structs.replace(out.to, reply_token_expires=int(world.clock.now) + 30)
    out = msgspec.structs.replace(out, to=destination)
    record = world.decided(out)
    world.statuses = [504]
    with pytest.raises(RetryAfter):
        world.deliverer(record)
    world.clock.now += 30
    world.run(record)
    assert (world.row(out).state, len(world.requests)) == ("UNKNOWN", 1)


def test_a_reply_fails_if_too_many_replies_are_deferred(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise TooManyDeferredError("20 replies wait")

    monkeypatch.setattr(DeferredReplies, "defer", full)
    world.config = PassiveReplies()
    out = world.out("hi")
    world.statuses = [403]
    world.run(world.decided(out))
    assert (world.row(out).state, world.row(out).reason) == (ReplyState.FAILED, "id-1; 20 replies wait")


def test_deferred_replies_have_the_retention_of_the_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_RETENTION_DAYS", "29")
    assert delivery.deliverer.__wrapped__().deferred.keep_for == 29 * 86_400


def test_a_reply_is_retried_while_the_reply_window_is_closed(world: World) -> None:
    out = world.out("hi", "there")
    record = world.decided(out)
    world.statuses = [200, 403, 403]
    assert world.run(record) == 3
    assert world.row(out).state == ReplyState.SENT
    assert ["there" in body for body in world.requests] == [False, True, True, True]


def test_a_closed_reply_window_fails_the_reply_at_the_deadline(world: World) -> None:
    out = world.out("hi")
    started = world.clock.now
    world.statuses = [403] * 100
    world.run(world.decided(out))
    assert world.row(out).state == ReplyState.FAILED
    assert world.clock.now - started == pytest.approx(Platform.PROFILE.retry_for, abs=150)


def test_an_app_with_passive_replies_defers_a_reply_if_the_window_is_closed(
    world: World, message: Callable[..., Message]
) -> None:
    world.config = PassiveReplies()
    out = world.out("hi")
    record = world.decided(out)
    world.statuses = [403]
    assert world.run(record) == 1
    assert [row.out.id for row in world.deliverer.deferred.of(Conversation.of(message()).key)] == [out.id]
    assert list(world.outbox.due(world.clock.now + 10**6)) == []


def test_a_deferred_reply_is_sent_before_later_replies(world: World) -> None:
    world.config = PassiveReplies()
    first, second = world.out("first"), world.out("second", ordinal=1)
    world.statuses = [403]
    world.run(world.decided(first))
    world.run(world.decided(second))
    assert ["first" in body for body in world.requests] == [True, True, False]
    assert [world.row(out).state for out in (first, second)] == ["SENT", "SENT"]
    assert world.deliverer.deferred.of(first.to.key) == []


def test_a_deferred_reply_is_not_sent_while_the_next_callback_may_send_it(world: World) -> None:
    world.config = PassiveReplies()
    world.platform.passive_reply_within = 12
    world.statuses = [403]
    world.run(world.decided(world.out("first")))
    record = world.decided(world.out("second", ordinal=1))
    with pytest.raises(RetryAfter) as retry:
        world.deliverer(record)
    assert retry.value.seconds == pytest.approx(12)
    assert ["first" in body for body in world.requests] == [True]
    world.run(record)
    assert ["first" in body for body in world.requests] == [True, True, False]


def test_later_replies_are_deferred_while_an_earlier_reply_is_refused(world: World) -> None:
    """Each attempt makes one call, for the oldest reply, and not one call for each reply."""
    world.config = PassiveReplies()
    outs = [world.out(text, ordinal=number) for number, text in enumerate(("first", "second", "third"))]
    world.statuses = [403] * 3
    for out in outs:
        world.run(world.decided(out))
    assert ["first" in body for body in world.requests] == [True] * 3
    assert [row.out.id for row in world.deliverer.deferred.of(outs[0].to.key)] == [out.id for out in outs]
    assert world.row(outs[2]).reason == "an earlier reply is deferred"


def test_a_redelivered_deferred_reply_does_not_wait_for_later_replies(world: World) -> None:
    world.config = PassiveReplies()
    first, second = world.out("first"), world.out("second", ordinal=1)
    record = world.decided(first)
    world.statuses = [403, 403]
    world.run(record)
    world.run(world.decided(second))
    world.run(record)
    assert (world.row(first).state, world.row(second).state) == ("SENT", "PENDING")


def test_a_partly_sent_reply_is_completed_although_another_reply_is_deferred(world: World) -> None:
    """The first half is delivered already. The second half must not wait for a day."""
    world.config = PassiveReplies()
    first, second = world.out("first"), world.out("half", "rest", ordinal=1)
    record = world.decided(second)
    world.statuses = [200, 429]
    with pytest.raises(RetryAfter) as retry:
        world.deliverer(record)
    world.clock.now += retry.value.seconds
    world.statuses = [403, 403]
    world.run(world.decided(first))
    assert world.run(record) == 1
    assert world.row(second).state == "SENT"


@pytest.mark.parametrize("text", ["undeliverable", "broken"])
def test_an_error_in_the_platform_code_fails_the_reply_with_a_reason(world: World, text: str) -> None:
    out = world.out(text)
    world.run(world.decided(out))
    assert (world.row(out).state, world.requests) == ("FAILED", [])
    assert "text" not in world.row(out).reason or "no way" in world.row(out).reason


def test_an_empty_reply_is_sent_without_a_call(world: World) -> None:
    out = world.out()
    world.run(world.decided(out))
    assert (world.row(out).state, world.requests) == ("SENT", [])


def test_the_deliverer_waits_while_the_callback_may_send_a_passive_reply(world: World) -> None:
    record = world.decided(world.out("hi"))
    world.platform.passive_reply_within = 12
    with pytest.raises(RetryAfter) as retry:
        world.deliverer(record)
    assert retry.value.seconds == pytest.approx(12)
    assert world.requests == []


def test_the_limit_feedback_of_an_answer_applies_to_the_next_call(world: World) -> None:
    world.platform.pauses = (Pause(Bucket("b", 100, 1), 30),)
    world.run(world.decided(world.out("hi")))
    world.platform.pauses = ()
    following = world.out("next", ordinal=1)
    with pytest.raises(RetryAfter) as retry:
        world.deliverer(world.decided(following))
    assert retry.value.seconds > 25


@pytest.mark.parametrize(("error", "least"), [(UnknownAppError("x"), 300), (AppsUnavailableError("x"), 10)])
def test_a_reply_waits_while_the_configuration_of_its_app_is_unavailable(
    world: World, error: Exception, least: float
) -> None:
    record = world.decided(world.out("hi"))
    world.app_error = error
    with pytest.raises(RetryAfter) as retry:
        world.deliverer(record)
    assert retry.value.seconds >= least
    assert world.requests == []


@pytest.mark.parametrize(
    ("attempted", "state"), [(False, ReplyState.FAILED), (True, ReplyState.UNKNOWN)], ids=["not attempted", "attempted"]
)
def test_a_reply_of_a_removed_app_ends_after_a_day(
    world: World, attempted: bool, state: ReplyState, logged: Callable[[], str]
) -> None:
    out = world.out("hi")
    record = world.decided(out)
    if attempted:
        world.outbox.take(out.id, "dead worker", world.clock.now)
    world.app_error = UnknownAppError("x")
    world.clock.now += 86_000
    with pytest.raises(RetryAfter):
        world.deliverer(record)
    world.clock.now += 500
    world.deliverer(record)
    assert (world.row(out).state, world.row(out).reason) == (state, "no app feishu/demo")
    assert "reply finished" in logged()
    world.app_error = None
    world.deliverer(record)
    assert world.requests == []


def test_a_reply_of_a_removed_app_waits_for_the_lease_of_another_worker(world: World) -> None:
    out = world.out("hi")
    record = world.decided(out)
    world.app_error = UnknownAppError("x")
    world.clock.now += 90_000
    world.outbox.take(out.id, "another", world.clock.now)
    with pytest.raises(RetryAfter):
        world.deliverer(record)
    assert world.row(out).state is ReplyState.SENDING


def test_a_reply_is_retried_through_an_ssm_outage_of_three_days(world: World) -> None:
    record = world.decided(world.out("hi"))
    world.app_error = error = AppsUnavailableError("x")
    for receives in range(1, 1000):
        with pytest.raises(RetryAfter) as retry:
            world.deliverer(record | {"attributes": {"ApproximateReceiveCount": str(receives)}})
        error.failing_for += retry.value.seconds
    assert error.failing_for > 3 * 86_400


def test_waits_for_rate_limits_do_not_lengthen_the_first_wait_for_ssm(world: World) -> None:
    record = world.decided(world.out("hi")) | {"attributes": {"ApproximateReceiveCount": "500"}}
    world.app_error = error = AppsUnavailableError("x")
    for failing_for, wait in ((0, 10), (10, 20), (100, 110), (10_000, 300)):
        error.failing_for = failing_for
        with pytest.raises(RetryAfter) as retry:
            world.deliverer(record)
        assert retry.value.seconds == wait


def test_a_worker_that_lost_its_lease_returns_its_record_to_the_queue(world: World) -> None:
    out = world.out("hi")
    record = world.decided(out)
    serve = world.serve

    def taken_over(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/send":
            world.outbox.take(out.id, "another", world.clock.now + 1000)
        return serve(request)

    world.deliverer.calls.http = Http(httpx.Client(transport=httpx.MockTransport(taken_over)))
    with pytest.raises(RetryAfter):
        world.deliverer(record)
    assert world.row(out).owner == "another"


def test_a_failed_write_to_the_table_returns_the_record_to_the_queue(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = world.decided(world.out("hi"))

    def throttled(*_: Any, **__: Any) -> None:
        raise ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "UpdateItem")

    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "finish", throttled)
        with pytest.raises(ClientError):
            world.deliverer(record)
    world.clock.now += 21
    world.run(record)
    assert len(world.requests) == 2


def test_a_refused_app_secret_is_retried_until_it_is_corrected(world: World) -> None:
    out = world.out("hi")
    record = world.decided(out)
    serve = world.serve

    def refusing(request: httpx.Request) -> httpx.Response:
        return httpx.Response(401) if request.url.path == "/token" else serve(request)

    world.deliverer.calls.http = Http(httpx.Client(transport=httpx.MockTransport(refusing)))
    with pytest.raises(RetryAfter):
        world.deliverer(record)
    assert "app_secret is refused" in world.row(out).reason
    world.deliverer.calls.http = Http(httpx.Client(transport=httpx.MockTransport(serve)))
    world.clock.now += 10
    world.run(record)
    assert world.row(out).state == "SENT"
