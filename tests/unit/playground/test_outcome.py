"""The reason why a message got no answer."""

from typing import Any

import pytest

from playground.outcome import outcome_of
from playground.platforms.model import Attempt, Delivery, Wire

NOW = 1000.0
UNDECIDED: dict[str, Any] = {"decided": None, "reason": "", "replies": []}


def delivery(state: Any = "delivered", *attempts: Attempt, at: float = NOW) -> Delivery:
    return Delivery(
        id="d",
        platform="feishu",
        app="demo",
        kind="message",
        wire=Wire(),
        plain=b"",
        at=at,
        journal_id="m",
        state=state,
        attempts=list(attempts),
    )


def replied(*replies: dict[str, Any]) -> dict[str, Any]:
    return UNDECIDED | {"decided": NOW, "replies": list(replies)}


def reply(state: str, reason: str = "", *, op: str = "send", created: float = NOW) -> dict[str, Any]:
    return {"state": state, "reason": reason, "created": created, "reply": {"op": op}}


def test_a_message_that_the_platform_does_not_send_to_the_bot() -> None:
    assert outcome_of(None, {}, NOW) == {"kind": "not_notified", "reason": ""}


@pytest.mark.parametrize("state", ["failed", "retrying"])
@pytest.mark.parametrize(
    ("attempt", "reason"),
    [
        (Attempt(NOW, 1, 401, "", '{"error": "forged"}'), '401 {"error": "forged"}'),
        (Attempt(NOW, 1, 0, "no response within 3 s"), "no response within 3 s"),
    ],
)
def test_a_callback_that_does_not_accept_it(state: str, attempt: Attempt, reason: str) -> None:
    for record in ({}, UNDECIDED):
        assert outcome_of(delivery(state, attempt), record, NOW) == {"kind": "refused", "reason": reason}


def test_a_decision_counts_more_than_a_callback_that_is_repeated() -> None:
    late = delivery("retrying", Attempt(NOW, 5000, 0, "no response within 5 s"))
    assert outcome_of(late, replied(reply("SENT")), NOW)["kind"] == "answered"


@pytest.mark.parametrize(
    ("record", "kind", "reason"),
    [
        (UNDECIDED, "running", ""),
        (UNDECIDED | {"reason": "KeyError at bot.py:3"}, "crashed", "KeyError at bot.py:3"),
        (replied(), "silent", ""),
        (replied(reply("SENT", op="recall")), "silent", ""),
        (replied(reply("SENT"), reply("SENT", op="recall")), "answered", ""),
        (replied(reply("SENT"), reply("PENDING")), "running", ""),
        (replied(reply("PENDING", created=NOW - 10)), "waiting", ""),
        (replied(reply("PENDING", "frequency limit")), "waiting", "frequency limit"),
        (replied(reply("SENT"), reply("FAILED", "230002 bot not in chat")), "failed", "230002 bot not in chat"),
        (replied(reply("UNKNOWN", "timeout"), reply("PENDING")), "unknown", "timeout"),
    ],
)
def test_a_message_that_was_received(record: dict[str, Any], kind: str, reason: str) -> None:
    assert outcome_of(delivery(), record, NOW) == {"kind": kind, "reason": reason}


def test_a_bot_that_takes_long() -> None:
    assert outcome_of(delivery("retrying", Attempt(NOW, 4500, 504)), UNDECIDED, NOW)["kind"] == "slow"
    assert outcome_of(delivery("failed", Attempt(NOW, 4500, 504)), UNDECIDED, NOW)["kind"] == "refused"
    assert outcome_of(delivery(at=NOW - 60), UNDECIDED, NOW)["kind"] == "slow"
    assert outcome_of(delivery(at=NOW - 60), {}, NOW)["kind"] == "slow"
