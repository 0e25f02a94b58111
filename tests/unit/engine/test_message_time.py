"""The time of a message: from the arrival of its callback until the platform has taken the reply, without the bot."""

from collections.abc import Callable
from random import Random
from typing import Any

import boto3
import pytest

from parley.engine import queues, telemetry
from parley.engine.outgoing import outgoing_of, with_lag
from parley.model import Message, Reply
from playground.platforms.base import NewMessage
from tools.faults.aws import isolated
from tools.faults.bot import make_bot
from tools.faults.policies import FaultPlan
from tools.faults.simulation import Simulation
from tools.faults.targets import APP, TARGETS

FEISHU = next(target for target in TARGETS if target.name == "feishu")


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(("arrived", "attribute"), [(1_800_000_000.25, "1800000000.250"), (None, None)])
def test_a_record_says_when_its_callback_arrived(
    message: Callable[..., Message], arrived: float | None, attribute: str | None
) -> None:
    queues.send_messages([message()], arrived=arrived)
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName="inbound.fifo")["QueueUrl"]
    (found,) = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"]).get("Messages", [])
    noted: Any = found.get("MessageAttributes", {})
    assert noted.get("arrived", {}).get("StringValue") == attribute


@pytest.mark.parametrize(
    ("record", "arrived"),
    [
        ({"messageAttributes": {"arrived": {"stringValue": "12.5"}}, "attributes": {"SentTimestamp": "14000"}}, 12.5),
        ({"messageAttributes": {}, "attributes": {"SentTimestamp": "14000"}}, 14),
        ({"attributes": {"SentTimestamp": "14000"}}, 14),
        ({"messageAttributes": {"arrived": {"stringValue": "soon"}}, "attributes": {}}, None),
        ({"messageAttributes": {"arrived": {}}, "attributes": {}}, None),
        ({"attributes": {}}, None),
    ],
)
def test_a_message_arrives_with_its_callback_or_else_when_it_is_sent(
    record: dict[str, Any], arrived: float | None
) -> None:
    assert queues.arrival(record) == arrived


def test_only_the_first_reply_has_the_lag_and_the_time_of_the_bot_is_not_in_it(message: Callable[..., Message]) -> None:
    rows = outgoing_of(message(), [Reply.of("one"), Reply.of("two")], (), 110.0)
    first, second = with_lag(rows, 100.0, 8.5)
    assert first.lag == 1.5
    assert second == rows[1]
    assert with_lag(rows, 109.0, 8.5)[0].lag == 0  # clocks that disagree
    assert with_lag(rows, None, 8.5) == rows
    assert with_lag([], 100.0, 8.5) == []


@pytest.mark.parametrize("at_once", [True, False])
def test_the_time_of_a_message_is_measured_once_whoever_delivers_its_reply(
    monkeypatch: pytest.MonkeyPatch, at_once: bool
) -> None:
    measured: list[tuple[float, str]] = []
    monkeypatch.setattr(telemetry, "message_time", lambda seconds, platform: measured.append((seconds, platform)))
    with isolated():
        sim = Simulation((FEISHU,), FaultPlan(), make_bot(), Random(1), at_once=float(at_once))
        sim.platforms["feishu"].send_message(APP, FEISHU.room, "lin", NewMessage(text="/count first"))
        sim.settle()
    ((seconds, platform),) = measured
    assert platform == "feishu"
    assert 0 <= seconds < 60
