"""1,000 messages a second through the real engine: docs/scale.md says what comes of them."""

from random import SystemRandom

import pytest

from tools.scale import trials
from tools.scale.__main__ import FILE
from tools.scale.arrivals import Arrivals, outcome
from tools.scale.document import tried_rows


@pytest.mark.parametrize("arrivals", trials.TRIALS, ids=["many apps", "queue", "one app"])
def test_a_run_with_any_seed_is_as_the_model_says(arrivals: Arrivals) -> None:
    seed = SystemRandom().randrange(10**6)
    assert trials.contradictions(outcome(arrivals, seed)) == [], seed


def test_the_rows_of_the_document_are_those_of_its_seed() -> None:
    assert tried_rows(trials.run()) in FILE.read_text()


def test_a_lost_message_and_a_hot_row_contradict_the_model() -> None:
    found = outcome(Arrivals(rate=50, seconds=1, people=10, apps=10), 1)
    assert trials.contradictions(found) == []
    assert trials.contradictions(found._replace(lost=1)) == ["each message gets its reply once and in order"]
    assert trials.contradictions(found._replace(hottest={"limit": 900})) == [
        "no row comes near the writes that DynamoDB takes"
    ]
