"""What a message costs: more requests than the document says must not go unnoticed."""

import pytest

from tools import cost
from tools.cost import AIMS, STAGES, Ledger


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    """The requests of one message, counted."""
    return cost.measure()


@pytest.mark.parametrize("stage", STAGES)
def test_no_stage_makes_more_requests_than_is_aimed_for(ledger: Ledger, stage: str) -> None:
    assert 0 < ledger.count(stage) <= AIMS[stage]


def test_the_one_request_before_the_acknowledgement_stores_the_message(ledger: Ledger) -> None:
    assert ledger.requests["callback"] == {"SendMessage": 1}


def test_the_document_says_what_the_code_does(ledger: Ledger) -> None:
    assert cost.FILE.read_text() == cost.document(ledger), "python -m tools.cost --write, and say why in the commit"


def test_one_request_more_changes_the_document(ledger: Ledger) -> None:
    before = cost.document(ledger)
    ledger.requests["deliverer"]["UpdateItem"] += 1
    try:
        assert cost.document(ledger) != before
    finally:
        ledger.requests["deliverer"]["UpdateItem"] -= 1


def test_each_line_is_amount_times_price(ledger: Ledger) -> None:
    for name, amount, dollars in cost.lines(ledger):
        price = cost.PER_MILLION.get(name, cost.GB_SECOND * 1_000_000)
        assert dollars == pytest.approx(amount * price)
