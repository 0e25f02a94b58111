"""The simulation has the settings of the deployment, and its queues behave as SQS FIFO queues."""

from random import Random

import pytest

from playground.platforms.base import NewMessage
from tests import template
from tools.faults import simulation
from tools.faults.bot import make_bot
from tools.faults.injector import TIMEOUTS
from tools.faults.oracle import check
from tools.faults.policies import FaultPlan
from tools.faults.processes import LEASE
from tools.faults.renderings import renderings_of
from tools.faults.scheduler import Clock
from tools.faults.simulation import Simulation
from tools.faults.sqs import DEDUPLICATION, NotInFlightError, Queue
from tools.faults.targets import APP, titled
from tools.faults.transcript import split

FEISHU = titled("feishu")


def test_its_settings_are_those_of_the_template() -> None:
    inbound, outbound = (
        template.of_type("AWS::SQS::Queue")[f"{name}Queue"]["Properties"] for name in ("Inbound", "Outbound")
    )
    functions = template.functions()
    timeouts = {name: function["Timeout"] for name, function in functions.items()}
    lease = functions["DelivererFunction"]["Environment"]["Variables"]["PARLEY_LEASE_SECONDS"]

    assert template.seconds(inbound["VisibilityTimeout"]) == simulation.BOT_SECONDS + simulation.TO_RETURN
    for seconds in template.template()["Parameters"]["BotSeconds"]["AllowedValues"]:
        processor = timeouts["ProcessorFunction"]
        assert template.seconds(processor, seconds) == float(seconds) + simulation.TO_RECORD
        assert template.seconds(inbound["VisibilityTimeout"], seconds) == float(seconds) + simulation.TO_RETURN
    assert template.seconds(outbound["VisibilityTimeout"]) == simulation.OUTBOUND_VISIBILITY
    assert inbound["RedrivePolicy"]["maxReceiveCount"] == simulation.MAX_RECEIVES
    assert outbound["RedrivePolicy"]["maxReceiveCount"] == simulation.MAX_SENDS
    assert float(lease) == LEASE
    own = ("processor", "deliverer", "sweeper", "incoming", "socket", "oauth")
    stages = {name: name.title() for name in own} | {"callback": "Feishu"}
    assert {stage: template.seconds(timeouts[f"{name}Function"]) for stage, name in stages.items()} == TIMEOUTS


def test_a_simulation_makes_the_same_calls_directly_and_through_botocore() -> None:
    renderings = {"feishu": renderings_of(FEISHU)}
    calls: list[list[str]] = []
    for direct in (True, False):
        plan = FaultPlan(armed=True)
        sim = Simulation((FEISHU,), plan, make_bot(), Random(3), direct=direct)
        for number in range(3):
            sim.platforms["feishu"].send_message(APP, "team", "lin", NewMessage(text=f"/count m{number}"))
        sim.settle()
        assert check(sim, renderings).good
        calls.append(plan.calls)
    assert calls[0] == calls[1]


def test_after_a_deployment_a_stalled_process_goes_on_as_the_old_version_and_others_are_new() -> None:
    processes = Simulation((FEISHU,), FaultPlan(), make_bot(), Random(3)).processes
    stalled = processes.current
    with processes.replaced():
        pass
    assert processes.current is stalled
    with processes.replaced():
        processes.deploy()
        deployed = processes.current
    assert processes.current is deployed


def test_a_text_with_several_replies_is_split_by_reply() -> None:
    replies = [
        "10 «m00864.0»",
        "Go? «m00865.0» ‹ff8df93e›",
        "Rejected\nGo? «m00793.0» ‹e73fe3ad›\n2027-01-15 08:32 UTC",
        "decided «e73fe3ad-approved.1»",
        "one «m00900.0»\nand two «m00900.0»",
    ]
    assert [part["text"] for [part] in split([{"kind": "text", "text": "\n".join(replies)}])] == replies


# --- the queues -------------------------------------------------------------------------------------------------------


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(clock: Clock) -> Queue:
    return Queue("q.fifo", clock, 30, 2, Queue("dead.fifo", clock, 30))


def receive_three(queue: Queue) -> set[str]:
    return {message.body for _ in range(3) if (message := queue.receive(Random(1)))}


def test_a_group_waits_while_one_of_its_messages_is_in_flight(queue: Queue, clock: Clock) -> None:
    queue.send("a1", "a", "1")
    queue.send("a2", "a", "2")
    queue.send("b1", "b", "1")
    assert receive_three(queue) == {"a1", "b1"}
    clock.sleep(30)
    assert receive_three(queue) == {"a1", "b1"}


def test_the_next_message_of_a_group_becomes_visible_after_a_delete(queue: Queue) -> None:
    queue.send("a1", "a", "1")
    queue.send("a2", "a", "2")
    first = queue.receive(Random(1))
    assert first
    queue.delete(first.receipt)
    second = queue.receive(Random(1))
    assert second
    assert second.body == "a2"


def test_a_duplicate_is_dropped_for_five_minutes_within_its_group(queue: Queue, clock: Clock) -> None:
    ids = [queue.send("x", group, "same") for group in ("a", "a", "b")]
    assert ids[0] == ids[1] != ids[2]
    clock.sleep(DEDUPLICATION - 1)
    assert queue.send("x", "a", "same") == ids[0]
    clock.sleep(2)
    assert queue.send("x", "a", "same") != ids[0]


def test_after_the_last_receive_a_message_moves_to_the_dead_letter_queue(queue: Queue, clock: Clock) -> None:
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


def test_a_message_is_hidden_for_its_visibility_timeout(queue: Queue, clock: Clock) -> None:
    queue.send("a", "a", "1")
    first = queue.receive(Random(1))
    assert first
    queue.change_visibility(first.receipt, 5)
    assert queue.next_change() == clock.now + 5
    clock.sleep(4.9)
    assert queue.receive(Random(1)) is None
    clock.sleep(0.2)
    assert queue.receive(Random(1))


def test_an_old_receipt_is_invalid(queue: Queue, clock: Clock) -> None:
    queue.send("a", "a", "1")
    first = queue.receive(Random(1))
    assert first
    receipt = first.receipt
    clock.sleep(31)
    assert queue.receive(Random(1))
    with pytest.raises(NotInFlightError):
        queue.delete(receipt)
    with pytest.raises(NotInFlightError):
        queue.change_visibility(receipt, 3)
