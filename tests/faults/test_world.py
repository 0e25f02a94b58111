"""The world of the faults suite is the one that is deployed."""

import re
from pathlib import Path
from random import Random

import pytest

from playground.platforms.base import NewMessage
from tools.faults import world
from tools.faults.bot import make_bot
from tools.faults.forms import forms_of
from tools.faults.oracle import judge
from tools.faults.processes import LEASE
from tools.faults.scheduler import Clock
from tools.faults.sqs import DEDUPLICATION, NotInFlight, Queue
from tools.faults.subjects import APP, SUBJECTS
from tools.faults.trouble import Plan
from tools.faults.world import World

TEMPLATE = Path(__file__).parents[2] / "template.yaml"


def production(resource: str, name: str) -> float:
    """A number of `resource` in the template: what production has."""
    text = re.search(rf"^  {resource}:\n(.*?)(?=^  \w)", TEMPLATE.read_text(), re.MULTILINE | re.DOTALL)
    assert text
    found = re.search(rf"{name}: (?:!If \[IsLocal, '?\d+'?, )?'?(\d+)", text[1])
    assert found
    return float(found[1])


def test_its_times_and_counts_are_those_of_the_template() -> None:
    assert production("InboundQueue", "VisibilityTimeout") == world.INBOUND_VISIBILITY
    assert production("OutboundQueue", "VisibilityTimeout") == world.OUTBOUND_VISIBILITY
    assert production("InboundQueue", "maxReceiveCount") == world.MAX_RECEIVES
    assert production("OutboundQueue", "maxReceiveCount") == world.MAX_SENDS
    assert production("DelivererFunction", "PARLEY_LEASE_SECONDS") == LEASE


def test_one_world_through_botocore_is_as_the_same_world_without() -> None:
    forms = {"feishu": forms_of(SUBJECTS[0])}
    calls: list[list[str]] = []
    for direct in (True, False):
        plan = Plan(armed=True)
        here = World(SUBJECTS[:1], plan, make_bot(), Random(3), direct=direct)
        for number in range(3):
            here.platforms["feishu"].send_message(APP, "team", "lin", NewMessage(text=f"/count m{number}"))
        here.settle()
        assert judge(here, forms).good
        calls.append(plan.calls)
    assert calls[0] == calls[1]


# --- the queues -------------------------------------------------------------------------------------------------------


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(clock: Clock) -> Queue:
    return Queue("q.fifo", clock, 30, 2, Queue("dead.fifo", clock, 30))


def received(queue: Queue) -> set[str]:
    return {message.body for _ in range(3) if (message := queue.receive(Random(1)))}


def test_a_group_waits_while_one_of_its_messages_is_in_flight(queue: Queue, clock: Clock) -> None:
    queue.send("a1", "a", "1")
    queue.send("a2", "a", "2")
    queue.send("b1", "b", "1")
    assert received(queue) == {"a1", "b1"}
    clock.sleep(30)
    assert received(queue) == {"a1", "b1"}


def test_a_message_that_is_deleted_makes_way_for_the_next(queue: Queue) -> None:
    queue.send("a1", "a", "1")
    queue.send("a2", "a", "2")
    first = queue.receive(Random(1))
    assert first
    queue.delete(first.receipt)
    second = queue.receive(Random(1))
    assert second
    assert second.body == "a2"


def test_a_repetition_is_dropped_for_five_minutes_and_per_group(queue: Queue, clock: Clock) -> None:
    ids = [queue.send("x", group, "same") for group in ("a", "a", "b")]
    assert ids[0] == ids[1] != ids[2]
    clock.sleep(DEDUPLICATION - 1)
    assert queue.send("x", "a", "same") == ids[0]
    clock.sleep(2)
    assert queue.send("x", "a", "same") != ids[0]


def test_a_message_that_comes_too_often_is_parked_and_the_next_one_comes(queue: Queue, clock: Clock) -> None:
    queue.send("poison", "a", "1")
    queue.send("next", "a", "2")
    for _ in range(2):
        assert queue.receive(Random(1))
        clock.sleep(31)
    message = queue.receive(Random(1))
    assert message
    assert message.body == "next"
    assert queue.dead
    assert [dead.body for dead in queue.dead.accepted] == ["poison"]


def test_hidden_means_hidden_for_so_long_and_no_longer(queue: Queue, clock: Clock) -> None:
    queue.send("a", "a", "1")
    first = queue.receive(Random(1))
    assert first
    queue.change_visibility(first.receipt, 5)
    assert queue.next_change() == clock.now + 5
    clock.sleep(4.9)
    assert queue.receive(Random(1)) is None
    clock.sleep(0.2)
    assert queue.receive(Random(1))


def test_an_old_receipt_is_worth_nothing(queue: Queue, clock: Clock) -> None:
    queue.send("a", "a", "1")
    first = queue.receive(Random(1))
    assert first
    receipt = first.receipt
    clock.sleep(31)
    assert queue.receive(Random(1))
    with pytest.raises(NotInFlight):
        queue.delete(receipt)
    with pytest.raises(NotInFlight):
        queue.change_visibility(receipt, 3)
