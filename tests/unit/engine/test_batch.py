"""One record per invocation, and its visibility timeout after a failure or a wait."""

from collections.abc import Callable
from typing import Any

import pytest

from parley.engine import batch
from parley.errors import RetryAfter
from parley.model.codec import decode_message

Make = Callable[..., dict[str, Any]]


class Sqs:
    """Stores the visibility timeout of each record."""

    def __init__(self) -> None:
        self.hidden: dict[str, int] = {}

    def change_message_visibility(self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> None:  # noqa: N803
        assert QueueUrl == "url"
        self.hidden[ReceiptHandle] = VisibilityTimeout


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Sqs:
    queue = Sqs()
    monkeypatch.setattr(batch, "sqs", lambda: queue)
    return queue


def failures(answer: dict[str, Any]) -> list[str]:
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_a_handled_record_is_not_reported_as_a_failure(queue: Sqs, record: Make) -> None:
    handled: list[str] = []
    answer = batch.run({"Records": [record("", id="a1")]}, "url", lambda one: handled.append(one["messageId"]))
    assert (failures(answer), handled, queue.hidden) == ([], ["a1"], {})


def test_a_batch_of_several_records_is_refused_before_any_record_is_handled(queue: Sqs, record: Make) -> None:
    """The event source mappings have a batch size of 1. In a larger one, later records would overtake a failed one."""
    handled: list[str] = []
    with pytest.raises(ValueError, match="too many values"):
        batch.run(
            {"Records": [record("", id="a1"), record("", id="a2")]}, "url", lambda one: handled.append(one["messageId"])
        )
    assert handled == []


def test_an_event_without_a_record_does_nothing(queue: Sqs) -> None:
    """`make up` sends such an event to each function, to check that its code loads."""
    handled: list[str] = []
    assert failures(batch.run({"Records": []}, "url", lambda one: handled.append(one["messageId"]))) == []
    assert (handled, queue.hidden) == ([], {})


@pytest.mark.parametrize(("receives", "seconds"), [(1, 1), (2, 3), (3, 7), (9, 60), (900, 60)])
def test_each_failure_increases_the_visibility_timeout(queue: Sqs, record: Make, receives: int, seconds: int) -> None:
    def handle(_: Any) -> None:
        raise ValueError

    batch.run({"Records": [record("", receives=receives)]}, "url", handle)
    assert queue.hidden == {"handle-r1": seconds}


def test_a_record_of_a_newer_version_is_retried_for_five_minutes(queue: Sqs, record: Make) -> None:
    def read(record: Any) -> None:
        decode_message(record["body"])

    waited = 0
    for receives in range(1, 5):  # the fifth failure moves it to the dead-letter queue
        batch.run({"Records": [record('{"id": 1}', receives=receives)]}, "url", read)
        waited += queue.hidden["handle-r1"]
    assert waited > 5 * 60


def test_retry_after_hides_the_record_for_at_least_its_seconds(queue: Sqs, record: Make) -> None:
    def handle(_: Any) -> None:
        raise RetryAfter(2.1, "limited")

    batch.run({"Records": [record("")]}, "url", handle)
    assert queue.hidden["handle-r1"] >= 2.1


def test_a_wait_is_limited_to_the_longest_visibility_timeout(queue: Sqs, record: Make) -> None:
    def handle(_: Any) -> None:
        raise RetryAfter(10**9, "limited")

    batch.run({"Records": [record("")]}, "url", handle)
    assert queue.hidden["handle-r1"] == 42_300


def test_the_log_of_a_failure_has_the_source_line_without_the_message(
    queue: Sqs, record: Make, logged: Callable[[], str]
) -> None:
    def handle(_: Any) -> None:
        raise ValueError("what the person wrote")

    batch.run({"Records": [record("")]}, "url", handle)
    assert "ValueError at test_batch.py:" in logged()
    assert "what the person wrote" not in logged()


def test_a_record_is_a_failure_even_if_its_visibility_cannot_be_changed(
    monkeypatch: pytest.MonkeyPatch, record: Make
) -> None:
    from botocore.exceptions import ConnectTimeoutError

    class Broken:
        def change_message_visibility(self, **_: Any) -> None:
            raise ConnectTimeoutError(endpoint_url="here")

    def handle(_: Any) -> None:
        raise ValueError

    monkeypatch.setattr(batch, "sqs", Broken)
    assert failures(batch.run({"Records": [record("")]}, "url", handle)) == ["r1"]
