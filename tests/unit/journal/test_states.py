"""The state machine, without AWS."""

import math
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.adapter import IDEMPOTENT, Call
from parley.errors import RetryAfter
from parley.journal.rows import item_of, row_of
from parley.journal.states import (
    FINAL,
    TRANSITIONS,
    Finished,
    IllegalTransitionError,
    MessageState,
    ReplyState,
    Row,
    check_transition,
    is_safe_to_repeat,
    message_state,
    refusal,
)
from parley.model import Destination, Outgoing, Reply, Text

NOW = 1_800_000_000.0
OUT = Outgoing(
    id="0" * 32,
    message_key="key",
    ordinal=0,
    to=Destination(platform="feishu", app="demo", room_id="room"),
    reply=Reply(segments=(Text(text="hi"),)),
    created=NOW,
)


def call(idempotent_for: float) -> Call:
    return Call(name="send", method="POST", url="http://p", idempotent_for=idempotent_for)


@pytest.mark.parametrize("state", sorted(FINAL))
def test_a_final_reply_cannot_be_taken(state: ReplyState) -> None:
    assert refusal(Row(OUT, state), NOW) == Finished(state)


def test_a_lease_excludes_other_workers_until_it_ends() -> None:
    row = Row(OUT, ReplyState.SENDING, lease_until=NOW + 5)
    assert refusal(row, NOW) == RetryAfter(5)
    assert refusal(row, NOW + 5) is None


def test_a_pending_reply_can_be_taken() -> None:
    assert refusal(Row(OUT), NOW) is None


@pytest.mark.parametrize(
    ("idempotent_for", "unknown_since", "safe"),
    [
        (0, None, True),
        (0, NOW, False),
        (60, NOW - 59, True),
        (60, NOW - 60, False),
        (IDEMPOTENT, NOW - 10**9, True),
    ],
)
def test_a_call_is_safe_to_repeat_only_within_its_idempotency_window(
    idempotent_for: float, unknown_since: float | None, safe: bool
) -> None:
    assert is_safe_to_repeat(call(idempotent_for), unknown_since, NOW) == safe


@given(st.floats(0, 10**6), st.floats(0, 10**6), st.floats(0, 10**6))
def test_an_idempotency_window_ends_permanently(idempotent_for: float, since: float, later: float) -> None:
    if not is_safe_to_repeat(call(idempotent_for), NOW, NOW + since):
        assert not is_safe_to_repeat(call(idempotent_for), NOW, NOW + since + later)


def test_a_message_is_received_then_decided_then_done() -> None:
    assert message_state(decided=False, replies=()) is MessageState.RECEIVED
    assert message_state(decided=True, replies=[ReplyState.SENT, ReplyState.PENDING]) is MessageState.DECIDED
    assert message_state(decided=True, replies=[ReplyState.SENT, ReplyState.FAILED]) is MessageState.DONE
    assert message_state(decided=True, replies=()) is MessageState.DONE


def test_every_state_can_be_reached_and_final_states_have_no_transitions() -> None:
    assert set(TRANSITIONS) == set(ReplyState)
    reached = {ReplyState.PENDING}
    for _ in ReplyState:
        reached |= {after for before in reached for after in TRANSITIONS[before]}
    assert reached == set(ReplyState)
    assert not any(TRANSITIONS[state] for state in FINAL)


@pytest.mark.parametrize(("state", "unknown_since"), list(product(ReplyState, [None, NOW])))
def test_a_new_row_is_in_the_due_index_if_no_worker_holds_it(state: ReplyState, unknown_since: float | None) -> None:
    row = Row(OUT, state, attempts=2, receipts=(), updated=NOW, unknown_since=unknown_since)
    item = item_of(row, ttl=99)
    assert ("due_at" in item) == ("due_shard" in item) == (state is ReplyState.PENDING)
    assert row_of(item).unknown_since == unknown_since
    assert item["ttl"] == {"N": "99"}
    assert row_of(item).out == OUT
    assert row_of(item).state is state


@pytest.mark.parametrize("value", [0.1 + 0.2, 1e9 + 1e-6, math.pi * 1e9, 1_800_000_000.123456])
def test_times_are_stored_without_loss_of_precision(value: float) -> None:
    assert row_of(item_of(Row(OUT, updated=value), ttl=1)).updated == value


def test_a_message_whose_reply_is_being_sent_is_not_done() -> None:
    assert message_state(decided=True, replies=[ReplyState.SENT, ReplyState.SENDING]) is MessageState.DECIDED


@pytest.mark.parametrize(("before", "after"), list(product(ReplyState, ReplyState)))
def test_a_transition_outside_the_table_is_refused(before: ReplyState, after: ReplyState) -> None:
    if after in TRANSITIONS[before]:
        check_transition(before, after)
    else:
        with pytest.raises(IllegalTransitionError, match=f"{before} to {after}"):
            check_transition(before, after)
