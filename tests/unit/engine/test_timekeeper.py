"""The timekeeper: the message of each timer goes into the inbound queue at its time, in order, under one id."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from parley.engine.aws import dynamodb, sqs
from parley.engine.timekeeper import Timekeeper
from parley.journal import timers
from parley.journal.table import get, timer_pk
from parley.journal.timers import Timers
from parley.model import Message, digest
from parley.model.agenda import Reminder, Timer, timer_of
from parley.model.codec import decode_message
from tests.factories import make_message
from tests.unit.conftest import Clock
from tools.faults.aws import Aws, isolated
from tools.faults.dynamodb import DynamoDB
from tools.faults.sqs import Queue

pytestmark = pytest.mark.usefixtures("aws")


def planned(text: str, at: float, *, room: str = "room", **more: Any) -> Timer:
    """Store a timer."""
    timer = timer_of(Reminder(id=digest(text)[:32], at=at, text=text, **more), make_message(room=room))
    dynamodb().transact_write_items(TransactItems=[timers.new("parley", timer)])
    return timer


def run(clock: Clock, seconds: float = 0) -> int:
    def sleep(seconds: float) -> None:
        clock.now += seconds

    return Timekeeper(Timers(dynamodb(), "parley"), clock, sleep)(clock.now + seconds)


def queued() -> list[Message]:
    client = boto3.client("sqs")
    url = client.get_queue_url(QueueName="inbound.fifo")["QueueUrl"]
    found: list[Message] = []
    while messages := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            found.append(decode_message(message.get("Body", "")))
            client.delete_message(QueueUrl=url, ReceiptHandle=message.get("ReceiptHandle", ""))
    return found


def texts() -> list[str]:
    return [message.content.text for message in queued()]


def left(timer: Timer) -> bool:
    return bool(get(dynamodb(), "parley", timer_pk(timer.message.id)))


def test_messages_are_sent_in_the_order_of_their_times_and_their_timers_deleted(clock: Clock) -> None:
    made = [planned(str(number), clock.now - 20 + number) for number in (3, 1, 2)]
    assert run(clock) == 3
    assert texts() == ["1", "2", "3"]
    assert not any(map(left, made))


def test_it_waits_for_the_timers_of_its_minute_and_no_longer(clock: Clock) -> None:
    started = clock.now
    planned("soon", started + 20)
    planned("sooner", started + 10)
    later = planned("later", started + 61)
    assert (run(clock, 60), clock.now) == (2, started + 20)
    assert (texts(), left(later)) == (["sooner", "soon"], True)


def test_a_timer_whose_sender_died_is_sent_again_under_the_same_id(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned("tea", clock.now)

    def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Timers, "sent", dies)
        with pytest.raises(KeyboardInterrupt):
            run(clock)
    first = queued()
    clock.now += 400  # SQS has forgotten the deduplication id
    assert run(clock) == 1
    assert [message.id for message in queued()] in ([first[0].id], [])  # moto remembers deduplication ids by real time


def test_a_refused_message_stays_and_no_later_one_of_its_conversation_overtakes_it(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = planned("first", clock.now - 2), planned("second", clock.now - 1)
    planned("other", clock.now, room="b")
    send = sqs().send_message_batch

    def refuse(**request: Any) -> Any:
        entries = [each for each in request["Entries"] if '"first"' not in each["MessageBody"]]
        failed = [{"Id": each["Id"], "Code": "Throttled"} for each in request["Entries"] if each not in entries]
        sent = send(QueueUrl=request["QueueUrl"], Entries=entries)["Successful"] if entries else []
        return {"Failed": failed, "Successful": sent}

    with monkeypatch.context() as patch:
        patch.setattr(sqs(), "send_message_batch", refuse)
        assert run(clock) == 1
    assert (texts(), left(first), left(second)) == (["other"], True, True)
    assert run(clock) == 2
    assert texts() == ["first", "second"]


def test_an_outage_of_the_queue_loses_nothing(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    timer = planned("tea", clock.now)

    def fails(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": "ServiceUnavailable"}}, "SendMessageBatch")

    with monkeypatch.context() as patch:
        patch.setattr(sqs(), "send_message_batch", fails)
        with pytest.raises(ClientError):
            run(clock)
    assert left(timer)
    assert run(clock) == 1


def test_a_repeated_timer_has_its_next_time_and_leaves_out_those_that_have_passed(clock: Clock) -> None:
    """The sweeper did not run for a day: the message of a day ago is sent, and then that of the next full hour."""
    clock.now = 1_800_000_000  # 08:00:00 UTC
    planned("hourly", clock.now - 86_400, cron="0 * * * *", zone="UTC")
    assert run(clock) == 1
    clock.now += 3_599
    assert run(clock) == 0
    clock.now += 1
    assert run(clock) == 1
    first, second = queued()
    assert (first.id, second.id) == (f"{digest('hourly')[:32]}@1799913600.0", f"{digest('hourly')[:32]}@1800003600.0")


def test_a_timer_that_is_set_anew_while_its_message_is_sent_keeps_its_new_time(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = planned("tea", clock.now)
    other = planned("coffee", clock.now, room="b")
    sent = Timers.sent

    def change_then_record(self: Timers, pairs: Any) -> None:
        planned("tea", clock.now + 600)
        sent(self, pairs)

    with monkeypatch.context() as patch:
        patch.setattr(Timers, "sent", change_then_record)
        assert run(clock) == 2
    assert (left(old), left(other)) == (True, False)
    queued()
    clock.now += 601
    assert (run(clock), texts()) == (1, ["tea"])


def with_stale_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the index show, again and again, what it has shown first: DynamoDB updates it a while after the table."""
    pages: list[Any] = []
    query = dynamodb().query

    def stale(**request: Any) -> Any:
        pages.append(query(**request))
        return pages[0]

    monkeypatch.setattr(dynamodb(), "query", stale)


def test_a_repeated_timer_whose_old_time_is_still_in_the_index_is_not_sent_early(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.now = 1_800_000_000  # 08:00:00 UTC
    planned("hourly", clock.now, cron="0 * * * *", zone="UTC")
    with_stale_index(monkeypatch)
    assert run(clock, 3) == 1
    assert [message.timestamp for message in queued()] == [1_800_000_000]


def test_a_timer_that_was_moved_is_not_sent_early(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    planned("tea", clock.now)
    with monkeypatch.context() as patch:
        with_stale_index(patch)
        assert Timers(dynamodb(), "parley").next(clock.now) == clock.now
        moved = planned("tea", clock.now + 600)
        assert (run(clock, 3), texts(), left(moved)) == (0, [], True)
    clock.now += 600
    assert (run(clock), texts()) == (1, ["tea"])


def test_a_row_that_this_version_cannot_read_is_reported_and_keeps_no_other_waiting(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    timer = planned("broken", clock.now)
    key = {"pk": {"S": timer_pk(timer.message.id)}}
    dynamodb().update_item(
        TableName="parley", Key=key, UpdateExpression="SET body = :no", ExpressionAttributeValues={":no": {"S": "{}"}}
    )
    planned("tea", clock.now)
    assert run(clock, 10) == 1
    assert caplog.text.count("a timer's row is not readable") == 1


# --- many timers ------------------------------------------------------------------------------------------------------


@pytest.fixture
def calls() -> list[str]:
    """The calls to the fake AWS."""
    return []


@pytest.fixture
def inbound(clock: Clock, calls: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Queue]:
    """The inbound queue of a fake AWS, which counts and is faster than moto."""
    queue = Queue("inbound.fifo", clock, 45)
    monkeypatch.setenv("PARLEY_INBOUND_URL", queue.url)
    with isolated():
        Aws(DynamoDB(), {queue.url: queue}, calls.append, lambda _: None, lambda _: None).install()
        yield queue


def test_a_run_that_is_killed_keeps_what_it_has_recorded(
    inbound: Queue, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backlog that takes longer than the function's timeout becomes smaller with each run."""
    for number in range(250):
        planned(str(number), clock.now, room=f"room {number}")
    send, requests = sqs().send_message_batch, list[int]()

    def dies(**request: Any) -> Any:
        requests.append(len(request["Entries"]))
        if len(requests) > 15:
            raise KeyboardInterrupt
        return send(**request)

    with monkeypatch.context() as patch:
        patch.setattr(sqs(), "send_message_batch", dies)
        with pytest.raises(KeyboardInterrupt):
            run(clock)
    assert len(list(Timers(dynamodb(), "parley").due(clock.now))) <= 150
    assert len(inbound) == 150


def test_ten_thousand_timers_of_one_minute_take_one_run(inbound: Queue, calls: list[str], clock: Clock) -> None:
    """Ten messages a request, a hundred rows a transaction."""
    for number in range(10_000):
        planned(str(number), clock.now, room=f"room {number}")
    calls.clear()
    assert run(clock) == 10_000
    assert len(inbound) == 10_000
    assert (calls.count("SendMessageBatch"), calls.count("TransactWriteItems")) == (1_000, 100)
