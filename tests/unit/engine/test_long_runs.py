"""Runs of minutes: the record stays hidden while the worker lives, a dead worker is noticed within a minute, and a run
that is out of time goes on in the next one.
"""

import threading
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import pytest
from botocore.exceptions import ClientError

from parley.bot import Bot, Turn
from parley.engine.aws import dynamodb
from parley.engine.deadline import DeadlineExceededError
from parley.engine.heartbeat import HIDDEN, INTERVAL, Heartbeat
from parley.engine.processor import Processor
from parley.engine.repeating import Repeating
from parley.errors import RetryAfter
from parley.journal.inbox import Inbox
from parley.journal.view import journal_of
from parley.model import Message
from parley.model.codec import encode
from tests.unit.conftest import Clock
from tools.faults.sqs import NotInFlightError, Queue

pytestmark = pytest.mark.usefixtures("aws")
MakeMessage = Callable[..., Message]
MakeRecord = Callable[..., dict[str, Any]]
FAILED = ClientError({"Error": {"Code": "InternalError"}}, "ChangeMessageVisibility")
FIVE_MINUTES = 315.0
"""The visibility timeout of the queue with `BotSeconds` 300."""


class KilledError(BaseException):
    """The process dies here."""


class Beats:
    """Records the seconds of each beat. `first` is set after the first one."""

    def __init__(self) -> None:
        self.seconds: list[int] = []
        self.first = threading.Event()

    def __call__(self, _record: Mapping[str, Any], seconds: int) -> None:
        self.seconds.append(seconds)
        self.first.set()


def processor(bot: Bot, clock: Clock, hide: Callable[[Mapping[str, Any], int], None], left: float = 310) -> Processor:
    made = Processor(bot, Inbox(dynamodb(), "parley", 30 * 86_400), max_attempts=2, clock=clock, hide=hide)
    made.ends_in(left)
    return made


def journal() -> dict[str, Any]:
    return journal_of(dynamodb(), "parley", platform="feishu", app="demo", tenant="", message_id="m1")


def answering(handler: Callable[..., str]) -> Bot:
    bot = Bot(apology="sorry")
    bot.fallback(handler)
    return bot


# --- the heartbeat


def queue_with_a_message(clock: Clock) -> tuple[Queue, Callable[[int], None]]:
    """A queue whose message is received, and what hides it with the receipt of that time."""
    queue = Queue("inbound.fifo", clock, FIVE_MINUTES)
    queue.send("body", "group", "m1")
    received = queue.receive(Random(1))
    assert received is not None
    receipt = received.receipt

    def hide(seconds: int) -> None:
        try:
            queue.change_visibility(receipt, seconds)
        except NotInFlightError:
            raise FAILED from None

    return queue, hide


def test_a_record_stays_hidden_while_its_worker_lives(clock: Clock) -> None:
    queue, hide = queue_with_a_message(clock)
    heartbeat = Heartbeat(hide, clock)
    for _ in range(100):
        clock.now += heartbeat.beat()
        assert queue.receive(Random(1)) is None
    assert not heartbeat.is_late


@pytest.mark.parametrize("beats", [1, 2, 20])
def test_a_dead_worker_is_noticed_within_a_minute(beats: int, clock: Clock) -> None:
    queue, hide = queue_with_a_message(clock)
    heartbeat = Heartbeat(hide, clock)
    for _ in range(beats):
        clock.now += heartbeat.beat()
    died = clock.now - INTERVAL  # as soon as it has sent its last beat
    again = queue.next_change()
    assert again is not None
    assert again - died <= 60
    clock.now = again
    assert queue.receive(Random(1)) is not None


def test_two_failed_beats_do_not_show_the_record(clock: Clock) -> None:
    queue, hide = queue_with_a_message(clock)
    outcomes = iter([True, False, False, True])

    def unsteady(seconds: int) -> None:
        if not next(outcomes):
            raise FAILED
        hide(seconds)

    heartbeat = Heartbeat(unsteady, clock)
    for _ in range(4):
        clock.now += heartbeat.beat()
        assert queue.receive(Random(1)) is None
    assert not heartbeat.is_late


def test_a_first_beat_whose_answer_is_lost_counts_as_done(clock: Clock) -> None:
    def lost(_seconds: int) -> None:
        raise FAILED

    heartbeat = Heartbeat(lost, clock)
    heartbeat.beat()
    clock.now += HIDDEN
    assert heartbeat.is_late


def test_a_process_that_stood_still_leaves_the_record_to_the_next_worker(clock: Clock) -> None:
    beats: list[int] = []
    heartbeat = Heartbeat(beats.append, clock)
    heartbeat.beat()
    clock.now += 200
    heartbeat.beat()
    assert heartbeat.is_late
    assert beats == [HIDDEN]


def test_steps_are_repeated_until_the_end_of_the_block() -> None:
    often, first = list[int](), threading.Event()
    third = threading.Event()

    def at_once() -> float:
        first.set()
        return 3600

    def again() -> float:
        often.append(1)
        if len(often) == 3:
            third.set()
        return 0

    with Repeating((0, at_once), (0.001, again)):
        assert first.wait(60)
        assert third.wait(60)
    done = len(often)
    assert "repeating" not in {thread.name for thread in threading.enumerate()}
    assert len(often) == done


def test_a_step_whose_time_has_not_come_is_not_done() -> None:
    steps: list[str] = []

    def step() -> float:
        steps.append("too early")
        return 0

    with Repeating((3600, step)):
        pass
    assert steps == []


# --- in the processor


@pytest.mark.parametrize(("left", "expected"), [(40, []), (70, [HIDDEN]), (310, [HIDDEN])])
def test_a_bot_with_half_a_minute_pays_for_no_heartbeat(
    left: float, expected: list[int], message: MakeMessage, record: MakeRecord, clock: Clock
) -> None:
    beats = Beats()
    processor(answering(lambda: "ok"), clock, beats, left)(record(encode(message())))
    assert beats.seconds == expected


def test_a_worker_that_is_late_makes_no_further_call_and_counts_no_attempt(
    message: MakeMessage, record: MakeRecord, clock: Clock
) -> None:
    beats, calls = Beats(), list[str]()

    def slow(turn: Turn) -> str:
        assert beats.first.wait(60)
        turn.once("first", calls.append)
        clock.now += HIDDEN
        turn.once("second", calls.append)
        return "ok"

    with pytest.raises(RetryAfter):
        processor(answering(slow), clock, beats)(record(encode(message()), receives=2))
    assert len(calls) == 1
    assert journal()["state"] == "RECEIVED"


def test_a_failure_of_a_worker_that_is_late_apologises_to_nobody(
    message: MakeMessage, record: MakeRecord, clock: Clock
) -> None:
    beats = Beats()

    def fails(_turn: Turn) -> str:
        assert beats.first.wait(60)
        clock.now += HIDDEN
        raise ValueError

    handle = processor(answering(fails), clock, beats)
    for receives in (1, 2, 3):
        with pytest.raises(RetryAfter):
            handle(record(encode(message()), receives=receives))
        handle.inbox.attempted(message(), 0, clock())
    assert journal().get("replies", []) == []


@pytest.mark.parametrize("dies_at", range(4))
def test_a_worker_that_dies_in_a_long_run_repeats_no_recorded_call(
    dies_at: int, message: MakeMessage, record: MakeRecord, clock: Clock
) -> None:
    done, deaths = list[int](), iter([True])

    def works(turn: Turn) -> str:
        for step in range(3):
            if step == dies_at and next(deaths, False):
                raise KilledError
            turn.once(f"step {step}", lambda _key, step=step: done.append(step))
        if dies_at == 3 and next(deaths, False):
            raise KilledError
        return "done"

    handle = processor(answering(works), clock, Beats())
    with pytest.raises(KilledError):
        handle(record(encode(message())))
    handle(record(encode(message()), receives=2))
    assert done == [0, 1, 2]
    assert [reply["state"] for reply in journal()["replies"]] == ["PENDING"]


# --- out of time


def test_a_run_that_is_out_of_time_goes_on_in_the_next_one(
    message: MakeMessage, record: MakeRecord, clock: Clock
) -> None:
    """Six runs, with two attempts allowed: a run that records a result is no failure."""
    done, ran = list[int](), list[float]()

    def works(turn: Turn) -> str:
        ran.append(turn.remaining)
        for step in range(6):
            turn.once(f"step {step}", lambda _key, step=step: done.append(step))
            if len(done) == step + 1 < 6 and len(ran) == step + 1:
                turn.once("long", lambda _key: None, needs=400)
        return "done"

    handle = processor(answering(works), clock, Beats())
    for receives in range(1, 6):
        with pytest.raises(RetryAfter) as later:
            handle(record(encode(message()), receives=receives))
        assert later.value.seconds == 0
    handle(record(encode(message()), receives=6))
    assert done == [0, 1, 2, 3, 4, 5]
    assert all(0 < seconds <= 300 for seconds in ran)
    assert journal()["state"] == "DECIDED"


def test_the_deadline_after_a_recorded_result_is_no_failure(
    message: MakeMessage, record: MakeRecord, clock: Clock
) -> None:
    def hangs(turn: Turn) -> str:
        turn.once("first", lambda _key: None)
        raise DeadlineExceededError  # as the signal does

    handle = processor(answering(hangs), clock, Beats())
    with pytest.raises(RetryAfter):
        handle(record(encode(message())))
    with pytest.raises(Exception, match="not done after 0 s"):
        handle(record(encode(message())))


def test_a_call_that_needs_more_than_a_whole_run_is_a_failure(
    message: MakeMessage, record: MakeRecord, clock: Clock
) -> None:
    def works(turn: Turn) -> str:
        return turn.once("too long", lambda _key: "never", needs=400)

    with pytest.raises(Exception, match="BotSeconds"):
        processor(answering(works), clock, Beats())(record(encode(message())))


def test_a_test_of_a_bot_has_all_the_time(message: MakeMessage) -> None:
    assert Turn(message()).once("key", lambda _key: 1, needs=1e9) == 1


# --- delivery after a long run


class Deliveries:
    """Stands for the direct delivery: records the seconds that it is given."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def ends_in(self, seconds: float) -> None:
        self.seconds.append(seconds)

    def draft(self, *_: Any) -> None:
        """No answer grows."""

    def prepare(self, *_: Any) -> None:
        """Nothing can be delivered at once."""


@pytest.mark.parametrize(("left", "expected"), [(40, [40]), (310, [310, 30])])
def test_the_leases_of_a_dead_worker_end_soon_after_a_long_run(
    left: float, expected: list[float], message: MakeMessage, record: MakeRecord, clock: Clock
) -> None:
    handle = processor(answering(lambda: "ok"), clock, Beats())
    deliveries: Any = Deliveries()
    handle.direct = deliveries
    handle.ends_in(left)
    handle(record(encode(message())))
    assert deliveries.seconds == expected
