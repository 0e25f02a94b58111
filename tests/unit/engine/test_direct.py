"""The processor delivers replies at once; what has to wait goes through the outbound queue, in order."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from parley.adapter import Answer, Bucket, Call
from parley.bot import Bot, Turn
from parley.engine import direct as direct_module
from parley.engine import processor as processor_module
from parley.engine import queues
from parley.engine.apps import AppsUnavailableError, UnknownAppError
from parley.engine.aws import dynamodb
from parley.engine.calls import Calls
from parley.engine.delivery import Deliverer
from parley.engine.direct import Direct
from parley.engine.http import Http
from parley.engine.processor import Processor, processor_handler
from parley.engine.rate_limiter import RateLimiter
from parley.errors import RetryAfter
from parley.journal.inbox import Inbox
from parley.journal.outbox import Outbox
from parley.journal.passive import rules
from parley.journal.states import ReplyState, Row
from parley.model import Context, Destination, Message, Outgoing, Reply, Text, message_key, reply_id
from parley.model.codec import encode
from tests.unit.conftest import Clock
from tests.unit.engine.test_delivery import PassiveReplies, World
from tests.unit.engine.test_processor import queued, texts

pytestmark = pytest.mark.usefixtures("aws")
MakeMessage = Callable[..., Message]
MakeRecord = Callable[..., dict[str, Any]]
ELSEWHERE = Destination(platform="feishu", app="demo", room_id="elsewhere")


def make_bot() -> Bot:
    """Repeats the words of a message: each line is a reply, and a line of several words is a reply of several calls."""
    bot = Bot(apology="sorry")

    @bot.fallback
    def repeat(turn: Turn) -> list[Reply]:
        if turn.text == "fail":
            raise ZeroDivisionError
        return [_reply(line) for line in turn.text.splitlines()]

    return bot


def _reply(line: str) -> Reply:
    segments = tuple(Text(text=word) for word in line.lstrip(">").split())
    return Reply(segments=segments, to=ELSEWHERE if line.startswith(">") else None)


class Process(World):
    """A processor that delivers at once, beside the deliverer of `World`."""

    def __init__(self, clock: Clock, monkeypatch: pytest.MonkeyPatch, record: MakeRecord, message: MakeMessage) -> None:
        super().__init__(clock, monkeypatch)
        monkeypatch.setattr(direct_module, "outbound", lambda _: self.platform)
        self.record, self.message = record, message
        self.direct = Direct(self.deliverer, clock)
        self.processor = Processor(make_bot(), Inbox(dynamodb(), "parley", 86_400), direct=self.direct, clock=clock)
        self.seconds = 40.0

    def says(self, text: str, id_: str = "m1", *, receives: int = 1, **more: Any) -> None:
        """Handle a message of the conversation, a moment after the last one."""
        self.clock.now += 0.01
        self.direct.ends = self.clock.now + self.seconds
        message = self.message(id=id_, text=text, **more)
        self.processor(self.record(encode(message), receives=receives))

    def state(self, id_: str = "m1", ordinal: int = 0) -> Row:
        """The row of a reply."""
        return self.row_of(reply_id(message_key(self.message(id=id_)), ordinal))

    def row_of(self, id_: str) -> Row:
        return self.row(Outgoing(id=id_, message_key="", ordinal=0, to=ELSEWHERE, reply=Reply.of("x"), created=0))

    def delivers(self, replies: list[Outgoing]) -> None:
        """Deliver replies of the outbound queue, and wait as it does."""
        for out in replies:
            self.run({"body": encode(out).decode(), "messageId": "r", "attributes": {}})


@pytest.fixture
def process(clock: Clock, monkeypatch: pytest.MonkeyPatch, record: MakeRecord, message: MakeMessage) -> Process:
    return Process(clock, monkeypatch, record, message)


def sent(process: Process) -> list[str]:
    """The texts that the platform has received."""
    return [request.split('"')[3] for request in process.requests]


def test_a_reply_is_delivered_without_the_queue(process: Process) -> None:
    process.says("hi")
    assert (sent(process), queued()) == (["hi"], [])
    row = process.state()
    assert (row.state, row.receipts[0].id, row.attempts) == (ReplyState.SENT, "id-1", 1)
    assert list(process.outbox.due(process.clock.now + 10**6)) == []


def test_several_replies_are_delivered_in_order(process: Process) -> None:
    process.says("one\ntwo\nthree")
    assert (sent(process), queued()) == (["one", "two", "three"], [])
    assert [process.state(ordinal=ordinal).state for ordinal in range(3)] == [ReplyState.SENT] * 3


def test_a_decision_that_is_void_leaves_nothing_to_release(process: Process, caplog: pytest.LogCaptureFixture) -> None:
    """Another conversation changes the state of the app meanwhile. The second run delivers at once as well."""
    others, bot = iter(["m2"]), Bot()
    process.processor.bot = bot

    @bot.fallback
    def count(turn: Turn) -> str:
        turn.shared["n"] = turn.shared.get("n", 0) + 1
        for other in others:
            process.says("hi", other, room="elsewhere")
        return str(turn.shared["n"])

    process.says("hi")
    assert (sent(process), queued()) == (["1", "2"], [])
    assert "lease lost" not in caplog.text


def test_a_redelivered_message_sends_nothing_again(process: Process) -> None:
    process.says("hi")
    process.says("hi", receives=2)
    assert (sent(process), queued()) == (["hi"], [])


@pytest.mark.parametrize("text", ["two calls", ">there"])
def test_a_reply_of_several_calls_or_to_another_place_goes_through_the_queue(process: Process, text: str) -> None:
    process.says(text)
    assert (sent(process), len(queued()), process.state().state) == ([], 1, ReplyState.PENDING)


def test_a_reply_to_another_place_does_not_hold_up_those_to_the_conversation(process: Process) -> None:
    process.says(">there\nhere\nagain")
    assert (sent(process), texts(queued())) == (["here", "again"], ["there"])


def test_a_reply_waits_for_an_earlier_one_that_is_in_the_queue(process: Process) -> None:
    process.says("two calls")
    waiting = queued()
    process.says("next", "m2")
    assert (sent(process), texts(waiting + queued())) == ([], ["two", "calls", "next"])
    process.delivers([*waiting, process.state("m2").out])
    assert sent(process) == ["two", "calls", "next"]
    process.says("later", "m3")
    assert (sent(process)[-1], queued()) == ("later", [])


def test_a_message_that_comes_again_does_not_hide_a_later_reply_in_the_queue(process: Process) -> None:
    process.says("two calls")
    process.clock.now += 1
    process.says("and more", "m2")
    process.clock.now += 400
    process.says("two calls")
    queued()
    process.delivers([process.state().out])
    process.says("next", "m3")
    assert (sent(process), texts(queued())) == (["two", "calls"], ["next"])


def test_a_second_apology_does_not_hide_a_later_reply_in_the_queue(process: Process) -> None:
    process.processor.max_attempts = 1
    process.says("fail")
    process.delivers(queued())
    process.clock.now += 1
    process.says("two calls", "m2")
    waiting = queued()
    process.clock.now += 400
    process.says("fail")  # an operator has sent it back
    process.says("next", "m3")
    assert (sent(process), texts(waiting + queued())) == (["sorry"], ["two", "calls", "next"])


def test_a_reply_waits_for_one_that_another_conversation_has_put_into_the_queue(
    process: Process, message: MakeMessage
) -> None:
    process.says(">there")
    process.says("mine", "m2", context=Context(room_id="elsewhere"))
    assert (sent(process), texts(queued())) == ([], ["there", "mine"])


def test_a_reached_rate_limit_leaves_the_reply_to_the_queue(process: Process) -> None:
    process.deliverer.calls.rate_limiter.pause(process.platform.limits(None, None, None)[0], process.clock.now + 30)  # type: ignore[arg-type]
    process.says("hi")
    assert (sent(process), len(queued()), process.state().state) == ([], 1, ReplyState.PENDING)
    assert process.state().unknown_since is None


def test_a_failed_call_is_repeated_by_the_deliverer_after_its_wait(process: Process) -> None:
    process.statuses = [429]
    process.says("one\ntwo")
    left = queued()
    assert (sent(process), texts(left)) == (["one"], ["one", "two"])
    for ordinal in range(2):
        refused = process.outbox.take(process.state(ordinal=ordinal).out.id, "x", process.clock.now + 6.9)
        assert isinstance(refused, RetryAfter)
    started = process.clock.now
    process.delivers(left)
    assert process.clock.now - started >= 7
    assert sent(process) == ["one", "one", "two"]


@pytest.mark.parametrize(("status", "state"), [(404, ReplyState.FAILED), (504, ReplyState.UNKNOWN)])
def test_a_final_result_is_recorded(process: Process, status: int, state: ReplyState) -> None:
    process.platform.idempotent_for = 0
    process.statuses = [status]
    process.says("one\ntwo")
    assert (process.state().state, process.state(ordinal=1).state) == (state, ReplyState.SENT)
    assert queued() == []


def test_too_little_time_leaves_the_reply_to_the_queue(process: Process) -> None:
    process.seconds = 14
    process.says("hi")
    assert (sent(process), len(queued())) == ([], 1)


def test_a_callback_that_waits_for_a_passive_reply_may_take_it(process: Process, message: MakeMessage) -> None:
    process.says("hi", context=Context(room_id="room", awaits_reply=True))
    assert (sent(process), len(queued()), process.state().state) == ([], 1, ReplyState.PENDING)


def test_an_app_that_replies_passively_uses_the_queue(process: Process) -> None:
    process.config = PassiveReplies()
    process.says("hi")
    assert (sent(process), len(queued())) == ([], 1)


@pytest.mark.parametrize("error", [UnknownAppError("demo"), AppsUnavailableError("SSM")])
def test_a_missing_configuration_leaves_the_reply_to_the_queue(process: Process, error: Exception) -> None:
    process.app_error = error
    process.says("hi")
    assert (sent(process), len(queued())) == ([], 1)


def test_a_failure_of_aws_before_the_decision_leaves_the_reply_to_the_queue(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A throttled row of a rate limit must not keep the decision from being stored."""

    def throttled(*_: Any) -> None:
        raise ClientError({"Error": {"Code": "ThrottlingException"}}, "UpdateItem")

    monkeypatch.setattr(RateLimiter, "wait", throttled)
    process.says("hi")
    assert (sent(process), len(queued()), process.state().state) == ([], 1, ReplyState.PENDING)


def test_an_apology_waits_for_its_turn(process: Process) -> None:
    process.processor.max_attempts = 1
    process.says("fail")
    apology = queued()
    process.says("next", "m2")
    assert (sent(process), texts(apology + queued())) == ([], ["sorry", "next"])


@pytest.mark.parametrize("way", ["at once", "through the queue"])
def test_a_worker_that_stalls_between_reservation_and_call_waits_for_the_limit_again(
    process: Process, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """Thirty calls a minute: the thirtieth reservation is old when its call begins."""
    process.platform.limits = lambda *_: (Bucket("b", 30, 60),)  # type: ignore[method-assign]
    if way == "through the queue":
        process.processor.direct = None
    stalling = [60]
    for kind, name in ((Inbox, "decide"), (Outbox, "take")):
        monkeypatch.setattr(kind, name, _stalling(getattr(kind, name), process.clock, stalling))
    times: list[float] = []
    perform = Http.perform

    def timed(http: Http, call: Call, token: str = "") -> Answer:
        if call.name != "token":
            times.append(process.clock.now)
        return perform(http, call, token)

    monkeypatch.setattr(Http, "perform", timed)
    for number in range(70):
        process.says("hi", f"m{number}")
        process.delivers(queued())
        process.clock.now += 0.001
    assert len(times) == 70
    assert max(sum(start <= time < start + 60 for time in times) for start in times) <= 30


def _stalling(method: Any, clock: Clock, left: list[int]) -> Any:
    """`method`, which takes nine seconds when `left[0]` of its calls and those of others have been made."""

    def stalling(*arguments: Any, **more: Any) -> Any:
        result = method(*arguments, **more)
        left[0] -= 1
        if left[0] in (0, 30):
            clock.now += 9
        return result

    return stalling


@pytest.mark.parametrize("earlier", ["press", "fail"])
def test_a_passive_reply_waits_for_a_reply_that_no_callback_can_carry(process: Process, earlier: str) -> None:
    """The callback of a pressed button does not wait, and an apology comes later."""
    process.config = PassiveReplies()
    process.processor.max_attempts = 1
    process.says(earlier, "m1")
    process.clock.now += 1
    process.says("hi", "m2", context=Context(room_id="room", awaits_reply=True))
    second = process.message(id="m2", text="hi", context=Context(room_id="room", awaits_reply=True))
    decided = Inbox(dynamodb(), "parley", 86_400).decision(second)
    assert decided is not None
    assert len(rules.waiting_before(process.processor.inbox.rows(decided.before))) == 1


# --- the process dies -------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process is killed."""


def kill(*_: Any, **__: Any) -> Any:
    raise Killed


@pytest.mark.parametrize(("idempotent_for", "expected"), [(600, ["hi"]), (0, [])])
def test_a_worker_that_dies_before_its_call_leaves_it_to_the_deliverer(
    process: Process, monkeypatch: pytest.MonkeyPatch, idempotent_for: float, expected: list[str]
) -> None:
    """Nobody knows whether the call was made."""
    process.platform.idempotent_for = idempotent_for
    with monkeypatch.context() as patch:
        patch.setattr(Calls, "make", kill)
        with pytest.raises(Killed):
            process.says("hi\nnext")
    held = process.state()
    assert (held.state, held.lease_until, held.unknown_since) == (
        ReplyState.SENDING,
        process.clock.now + 41,
        process.clock.now,
    )
    process.clock.now += 45
    process.says("hi\nnext", receives=2)
    left = queued()
    assert texts(left) == ["hi", "next"]
    process.delivers(left)
    assert sent(process) == [*expected, "next"]
    assert process.state().state is (ReplyState.SENT if expected else ReplyState.UNKNOWN)


def test_a_worker_that_dies_before_it_enqueues_leaves_that_to_the_next_delivery(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    process.statuses = [500]
    with monkeypatch.context() as patch:
        patch.setattr(queues, "send_replies", kill)
        with pytest.raises(Killed):
            process.says("one\ntwo")
    process.clock.now += 45
    process.says("one\ntwo", receives=2)
    process.delivers(queued())
    assert sent(process) == ["one", "one", "two"]


def test_replies_that_a_dead_worker_did_not_enqueue_are_the_last_ones_in_the_queue(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    process.says("two calls")
    process.clock.now += 1
    with monkeypatch.context() as dying:
        dying.setattr(Inbox, "queued", kill)
        with pytest.raises(Killed):
            process.says("and more", "m2")
    process.clock.now += 45
    process.says("and more", "m2", receives=2)
    process.delivers([process.state().out])
    queued()
    process.says("next", "m3")
    assert (sent(process), texts(queued())) == (["two", "calls"], ["next"])


def test_a_final_reply_of_another_conversation_does_not_hide_one_that_waits(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = Context(room_id="elsewhere")
    with monkeypatch.context() as dying:
        dying.setattr(Inbox, "queued", kill)
        with pytest.raises(Killed):
            process.says("two calls", "m1", context=there)
    process.clock.now += 10
    process.says(">there", "m2")
    process.delivers(queued())
    process.clock.now += 35
    process.says("two calls", "m1", receives=2, context=there)
    waiting = queued()
    process.says("next", "m3", context=there)
    process.delivers(waiting + queued())
    assert sent(process) == ["there", "two", "calls", "next"]


def test_a_worker_that_outlives_its_message_does_not_hide_a_later_reply_in_the_queue(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it stalls, others handle its message again, and the next one."""
    record = Inbox.queued

    def late(*arguments: Any) -> None:
        with monkeypatch.context() as others:
            others.setattr(Inbox, "queued", record)
            ends = process.direct.ends
            process.clock.now += 45
            process.says("one\ntwo", receives=2)
            process.clock.now += 1
            process.says("two calls", "m2")
            process.direct.ends = ends
        record(*arguments)

    process.statuses = [429]
    with monkeypatch.context() as patch:
        patch.setattr(Inbox, "queued", late)
        process.says("one\ntwo")
    left = queued()
    process.delivers(left[:2])
    process.says("next", "m3")
    process.delivers(left[2:] + queued())
    assert sent(process) == ["one", "one", "two", "two", "calls", "next"]


def test_a_defect_after_the_decision_is_not_the_bots_failure(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    process.processor.max_attempts = 1
    with monkeypatch.context() as patch:
        patch.setattr(Deliverer, "deliver_prepared", divided_by_zero)
        with pytest.raises(ZeroDivisionError):
            process.says("one\ntwo")
    process.clock.now += 45
    process.says("one\ntwo", receives=2)
    process.delivers(queued())
    assert sent(process) == ["one", "two"]


def divided_by_zero(*_: Any) -> None:
    raise ZeroDivisionError


def test_the_replies_are_released_if_it_is_unknown_whether_the_decision_is_stored(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No call was made, and the worker knows it: the outcome is not unknown."""
    process.platform.idempotent_for = 0
    real = dynamodb().transact_write_items

    def lost(**request: Any) -> Any:
        real(**request)
        raise ClientError({"Error": {"Code": "InternalServerError"}}, "TransactWriteItems")

    with monkeypatch.context() as patch:
        patch.setattr(dynamodb(), "transact_write_items", lost)
        with pytest.raises(ClientError):
            process.says("one\ntwo")
    process.says("one\ntwo", receives=2)
    process.delivers(queued())
    assert sent(process) == ["one", "two"]
    assert process.state().state is ReplyState.SENT


def test_a_worker_that_has_lost_its_lease_sends_nothing_more(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stalled after the first reply, and the deliverer has taken the second one."""
    deliver = Deliverer.deliver_prepared

    def stalled(*arguments: Any) -> None:
        deliver(*arguments)
        process.clock.now += 42
        assert isinstance(process.outbox.take(process.state(ordinal=1).out.id, "other", process.clock.now), Row)
        process.direct.ends = process.clock.now + 40

    monkeypatch.setattr(Deliverer, "deliver_prepared", stalled)
    process.says("one\ntwo")
    assert (sent(process), texts(queued())) == (["one"], ["two"])


# --- the setting ------------------------------------------------------------------------------------------------------


def test_it_can_be_switched_off(process: Process) -> None:
    process.processor.direct = None
    process.says("hi")
    assert (sent(process), len(queued())) == ([], 1)
    process.processor.direct = process.direct
    process.says("next", "m2")
    assert (sent(process), len(queued())) == ([], 1)


@pytest.mark.parametrize(("setting", "is_direct"), [("true", True), ("false", False)])
def test_the_setting_decides(
    monkeypatch: pytest.MonkeyPatch, record: MakeRecord, setting: str, *, is_direct: bool
) -> None:
    made: list[Processor] = []

    def making(**fields: Any) -> Processor:
        made.append(Processor(**fields))
        return made[0]

    class LambdaContext:
        def get_remaining_time_in_millis(self) -> int:
            return 40_000

    monkeypatch.setattr(processor_module, "Processor", making)
    monkeypatch.setenv("PARLEY_DELIVER_AT_ONCE", setting)
    processor_handler(make_bot())({"Records": []}, LambdaContext())
    assert (made[0].direct is not None) is is_direct
