"""The cost of a message: the limits of requests, and docs/cost.md."""

import pytest

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
