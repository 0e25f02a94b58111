"""Fixtures of the engine's tests: messages, SQS records, and the log."""

from collections.abc import Callable
from typing import Any

import pytest

from parley.model import Message
from tests.factories import make_message


@pytest.fixture
def message() -> Callable[..., Message]:
    """Makes messages: `message("/echo hi", id="m2", room="r")`."""

    def make(text: str = "hi", *, id: str = "m1", room: str = "room", **more: Any) -> Message:  # noqa: A002
        return make_message(id, text, room=room, **more)

    return make


@pytest.fixture
def record() -> Callable[..., dict[str, Any]]:
    """Makes SQS records: `record(body, group="g", receives=2)`."""

    def make(body: bytes | str, *, group: str = "group", receives: int = 1, id: str = "r1") -> dict[str, Any]:  # noqa: A002
        return {
            "messageId": id,
            "receiptHandle": f"handle-{id}",
            "body": body.decode() if isinstance(body, bytes) else body,
            "attributes": {"MessageGroupId": group, "ApproximateReceiveCount": str(receives)},
        }

    return make


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """Returns all log records so far, with all fields."""
    return lambda: " ".join(str(vars(entry)) for entry in caplog.records)
