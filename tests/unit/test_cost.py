"""The cost of a message: the limits of requests, and docs/cost.md."""

import pytest

from parley.platforms import NAMES
from tests.template import of_type
from tools import cost
from tools.cost import LIMITS, STAGES, Usage


@pytest.fixture(scope="module")
def usage() -> Usage:
    """The requests of one message."""
    return cost.measure()


@pytest.mark.parametrize("stage", STAGES)
def test_no_function_makes_more_requests_than_its_limit(usage: Usage, stage: str) -> None:
    assert 0 < usage.count(stage) <= LIMITS[stage]


def test_the_only_request_before_the_acknowledgement_stores_the_message(usage: Usage) -> None:
    assert usage.requests["callback"] == {"SendMessage": 1}


def test_the_document_is_up_to_date(usage: Usage) -> None:
    assert cost.FILE.read_text() == cost.document(usage), "python -m tools.cost --write, and say why in the commit"


def test_one_more_request_changes_the_document(usage: Usage) -> None:
    before = cost.document(usage)
    usage.requests["deliverer"]["UpdateItem"] += 1
    try:
        assert cost.document(usage) != before
    finally:
        usage.requests["deliverer"]["UpdateItem"] -= 1


def test_each_line_is_amount_times_price(usage: Usage) -> None:
    for name, amount, price, dollars in cost.lines(usage):
        assert price == cost.PER_MILLION.get(name, cost.PER_MILLION_GB_SECONDS)
        assert dollars == pytest.approx(amount * price)


def test_a_metric_of_a_function_counts_once_for_its_total_and_once_for_each_combination() -> None:
    deliverer = {entry for entry in cost.metrics(cost.FEISHU) if entry[0] == "deliverer"}

    assert {("deliverer", "RepliesSent"), ("deliverer", "RepliesSent", "feishu")} <= deliverer
    assert cost.custom_metrics() > len(deliverer)


def test_the_metrics_of_a_callback_are_not_billed_twice_for_a_platform_that_their_service_names() -> None:
    callback = {entry[1:] for entry in cost.metrics(cost.FEISHU) if entry[0] == "feishu"}
    assert callback == {("AcknowledgeTime",), ("CallbackTime",)}


def test_an_alarm_on_an_expression_is_billed_for_each_metric() -> None:
    alarms = of_type("AWS::CloudWatch::Alarm")
    expressions = [name for name in alarms if "Metrics" in alarms[name]["Properties"]]

    assert len(expressions) == len(NAMES) + 2  # rejected callbacks, and the backlog of two queues
    assert cost.alarm_metrics() == len(alarms) + len(expressions)


def test_the_document_says_what_metrics_and_alarms_cost(usage: Usage) -> None:
    total = cost.custom_metrics() * 0.3 + cost.alarm_metrics() * 0.1
    assert f"| **total** | | | **{total:.2f}** |" in cost.document(usage).partition("## Metrics and alarms")[2]
