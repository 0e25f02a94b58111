"""The fake SQS refuses what SQS refuses."""

from random import Random

import pytest

from parley.engine.batch import _MAX_VISIBILITY
from tools.faults.scheduler import Clock
from tools.faults.simulation import BOT_SECONDS, TO_RETURN
from tools.faults.sqs import LONGEST_VISIBILITY, Queue, VisibilityTooLongError


def received(clock: Clock) -> tuple[Queue, str]:
    queue = Queue("inbound.fifo", clock, BOT_SECONDS + TO_RETURN)
    queue.send("body", "group", "dedup")
    message = queue.receive(Random(1))
    assert message is not None
    return queue, message.receipt


def test_a_message_cannot_be_hidden_for_more_than_twelve_hours_from_its_receive() -> None:
    clock = Clock()
    queue, receipt = received(clock)
    queue.change_visibility(receipt, LONGEST_VISIBILITY)
    clock.sleep(20)
    with pytest.raises(VisibilityTooLongError):
        queue.change_visibility(receipt, LONGEST_VISIBILITY)


def test_messages_are_counted_by_whether_they_are_hidden() -> None:
    clock = Clock()
    queue, _ = received(clock)
    queue.send("body", "group", "second")
    queue.send("body", "other", "third")

    def counts() -> list[str]:
        return list(queue.counts().values())

    assert counts() == ["2", "1", "0"]
    clock.sleep(BOT_SECONDS + TO_RETURN)
    assert counts() == ["3", "0", "0"]
    message = queue.receive(Random(1))
    assert message is not None
    queue.delete(message.receipt)
    assert counts() == ["2", "0", "0"]


def test_the_longest_wait_that_a_worker_asks_for_is_allowed_until_its_record_is_visible_again() -> None:
    clock = Clock()
    queue, receipt = received(clock)
    clock.sleep(BOT_SECONDS + TO_RETURN - 1)
    queue.change_visibility(receipt, _MAX_VISIBILITY)
