"""The sweeper: replies without progress are sent to the queue again, in order, and not too often."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from parley.engine import queues
from parley.engine.aws import dynamodb
from parley.engine.sweeper import Sweeper, lambda_handler
from parley.journal.inbox import Inbox
from parley.journal.outbox import Outbox
from parley.journal.states import ReplyState, Row
from parley.model import Destination, Outgoing, Reply, reply_id
from parley.model.codec import decode_outgoing
from tests.unit.conftest import Clock
from tools.faults.aws import Aws, isolated
from tools.faults.dynamodb import DynamoDB
from tools.faults.sqs import Queue

pytestmark = pytest.mark.usefixtures("aws")


def untaken(clock: Clock, ordinal: int, room: str = "room") -> Outgoing:
    """Store a reply that is decided and not taken."""
    out = Outgoing(
        id=reply_id("key", ordinal),
        message_key="key",
        ordinal=ordinal,
        to=Destination(platform="feishu", app="demo", room_id=room),
        reply=Reply.of(str(ordinal)),
        created=clock.now,
    )
    Inbox(dynamodb(), "parley", 86_400).add(out, clock.now)
    return out


def sweep(clock: Clock) -> int:
    return Sweeper(Outbox(dynamodb(), "parley", 20), clock)()


def queued() -> list[int]:
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName="outbound.fifo")["QueueUrl"]
    found: list[int] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            found.append(decode_outgoing(message.get("Body", "")).ordinal)
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message.get("ReceiptHandle", ""))
    return found


def test_replies_not_taken_within_a_minute_are_swept_in_order(clock: Clock) -> None:
    for ordinal in range(12):
        untaken(clock, ordinal)
    clock.now += 59
    assert sweep(clock) == 0
    clock.now += 2
    assert sweep(clock) == 12
    assert queued() == list(range(12))


def waiting(*, hidden: bool = False) -> Any:
    """Put another record into the queue, which waits or is at a worker. Returns a function that removes it."""
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName="outbound.fifo")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="{}", MessageGroupId="g", MessageDeduplicationId="d")
    if hidden:
        sqs.receive_message(QueueUrl=url, VisibilityTimeout=600)
    return lambda: sqs.purge_queue(QueueUrl=url)


@pytest.mark.parametrize("hidden", [False, True])
def test_while_the_queue_holds_records_a_reply_is_swept_after_ten_minutes(clock: Clock, hidden: bool) -> None:
    remove = waiting(hidden=hidden)
    untaken(clock, 0)
    clock.now += 61
    assert sweep(clock) == 0
    clock.now += 538
    assert sweep(clock) == 0
    clock.now += 2
    assert sweep(clock) == 1
    untaken(clock, 1)
    clock.now += 61
    assert sweep(clock) == 0
    remove()
    assert sweep(clock) == 1


def test_a_queue_that_is_not_counted_is_taken_for_one_with_records(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused() -> bool:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "GetQueueAttributes")

    monkeypatch.setattr(queues, "is_outbound_empty", refused)
    untaken(clock, 0)
    clock.now += 61
    assert sweep(clock) == 0
    clock.now += 540
    assert sweep(clock) == 1


def test_a_sweep_makes_one_request_to_count_the_queue(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[bool] = []
    count = queues.is_outbound_empty
    monkeypatch.setattr(queues, "is_outbound_empty", lambda: counted.append(count()) or counted[-1])
    for ordinal in range(3):
        untaken(clock, ordinal)
    clock.now += 61
    assert sweep(clock) == 3
    assert counted == [True]


def test_the_reply_of_a_dead_worker_is_swept_after_its_lease(clock: Clock) -> None:
    outbox, out = Outbox(dynamodb(), "parley", 20), untaken(clock, 0)
    clock.now += 60
    assert isinstance(outbox.take(out.id, "dead", clock.now), Row)
    clock.now += 19
    assert sweep(clock) == 0
    clock.now += 2
    assert sweep(clock) == 1


def test_a_second_sweep_at_once_does_nothing(clock: Clock) -> None:
    untaken(clock, 0)
    clock.now += 61
    assert [sweep(clock), sweep(clock)] == [1, 0]
    assert queued() == [0]
    clock.now += 601
    assert sweep(clock) == 1


def test_a_reply_undelivered_for_days_is_swept_less_and_less_often(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sweep a minute for two days, on the fake AWS. It is a hundred times faster than moto."""
    outbound = Queue("outbound.fifo", clock, 30)
    with isolated():
        Aws(DynamoDB(), {outbound.url: outbound}, lambda _: None, lambda _: None, clock.sleep).install()
        monkeypatch.setenv("PARLEY_OUTBOUND_URL", outbound.url)
        untaken(clock, 0)
        swept: list[int] = []
        for _ in range(2):
            swept.append(0)
            for _ in range(1440):
                clock.now += 60
                swept[-1] += sweep(clock)
    assert 5 <= swept[0] <= 12
    assert swept[1] <= 2


def test_a_final_reply_is_not_swept(clock: Clock) -> None:
    out = untaken(clock, 0)
    outbox = Outbox(dynamodb(), "parley", 20)
    outbox.take(out.id, "me", clock.now)
    outbox.finish(out, "me", ReplyState.SENT, (), "", clock.now)
    clock.now += 10**6
    assert sweep(clock) == 0


def test_an_invalid_row_does_not_block_the_sweep_of_other_rows(clock: Clock) -> None:
    untaken(clock, 0)
    dynamodb().put_item(
        TableName="parley",
        Item={
            "pk": {"S": "out#odd"},
            "state": {"S": "PENDING"},
            "body": {"S": "{}"},
            "due_shard": {"S": "due#0"},
            "due_at": {"N": "1"},
        },
    )
    clock.now += 61
    assert sweep(clock) == 1


def test_a_reply_that_the_queue_refuses_delays_only_its_own_conversation(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms = ["poison", "poison", "other", "third"]
    for ordinal, room in enumerate(rooms):
        untaken(clock, ordinal, room)
    send = queues.send_swept

    def refusing(row: Outgoing, updated: float) -> None:
        if row.ordinal == 0:
            raise ClientError({"Error": {"Code": "InvalidMessageContents", "Message": ""}}, "SendMessage")
        send(row, updated)

    monkeypatch.setattr(queues, "send_swept", refusing)
    clock.now += 61
    with pytest.raises(ClientError, match="InvalidMessageContents"):
        sweep(clock)
    assert sorted(queued()) == [2, 3]


def test_the_handler_returns_the_number_of_swept_replies(clock: Clock) -> None:
    clock.now = 1_000_000
    untaken(clock, 0)
    assert lambda_handler({}, None) == {"swept": 1, "sent": 0}


def test_a_long_sweep_leaves_the_rest_to_the_next_one(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reminders wait for the end of the sweep, and Lambda ends the function."""
    for ordinal in range(5):
        untaken(clock, ordinal)
    clock.now += 61
    send = queues.send_swept

    def slow(out: Outgoing, updated: float) -> None:
        clock.now += 8
        send(out, updated)

    with monkeypatch.context() as patch:
        patch.setattr(queues, "send_swept", slow)
        assert sweep(clock) == 3
    assert sorted(queued()) == [0, 1, 2]
    assert sweep(clock) == 2
    assert sorted(queued()) == [3, 4]
