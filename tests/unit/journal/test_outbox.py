"""The outbox: one worker at a time holds the lease of a reply. Only that worker can record an outcome."""

import json
from typing import Any

import msgspec
import pytest

from parley.adapter import App, Sent
from parley.engine.aws import dynamodb
from parley.errors import RetryAfter
from parley.journal.credentials import load_credentials, store_credentials
from parley.journal.inbox import Inbox
from parley.journal.outbox import LeaseLostError, Outbox
from parley.journal.rows import PICKUP_AFTER, rewritten
from parley.journal.states import Finished, ReplyState, Row
from parley.journal.table import get_text, reply_pk
from parley.model import Outgoing, Reply, Text
from parley.model.codec import decode_outgoing, encode
from tests.unit.journal.conftest import MakeReply

pytestmark = pytest.mark.usefixtures("aws")
NOW = 1_800_000_000.0
LEASE = 20.0


@pytest.fixture
def outbox() -> Outbox:
    return Outbox(dynamodb(), "parley", LEASE)


@pytest.fixture
def out(reply: MakeReply) -> Outgoing:
    """A decided reply that waits for its delivery."""
    waiting = reply()
    Inbox(dynamodb(), "parley", 86_400).add(waiting, NOW)
    return waiting


def taken(outbox: Outbox, out: Outgoing, owner: str = "me", now: float = NOW) -> Row:
    row = outbox.take(out.id, owner, now)
    assert isinstance(row, Row)
    return row


def test_a_reply_has_one_owner_during_its_lease(outbox: Outbox, out: Outgoing) -> None:
    assert taken(outbox, out).out == out
    assert outbox.take(out.id, "you", NOW + 5) == RetryAfter(LEASE - 5)


def test_a_takeover_returns_the_time_since_which_the_outcome_is_unknown(outbox: Outbox, out: Outgoing) -> None:
    assert taken(outbox, out).unknown_since is None
    again = taken(outbox, out, "you", NOW + LEASE)
    assert (again.unknown_since, again.attempts) == (NOW, 1)
    third = taken(outbox, out, "third", NOW + 2 * LEASE)
    assert (third.unknown_since, third.attempts) == (NOW, 2)


def test_a_reply_without_a_row_counts_as_sent(outbox: Outbox) -> None:
    assert outbox.take("f" * 32, "me", NOW) == Finished(ReplyState.SENT)


@pytest.mark.parametrize("state", [ReplyState.SENT, ReplyState.FAILED, ReplyState.UNKNOWN])
def test_a_final_reply_stays_final(outbox: Outbox, out: Outgoing, state: ReplyState) -> None:
    taken(outbox, out)
    outbox.finish(out, "me", state, (Sent("id"),), "why", NOW)
    assert outbox.take(out.id, "you", NOW + 10**6) == Finished(state)
    assert list(outbox.due(NOW + 10**6)) == []


def test_a_worker_that_lost_its_lease_records_nothing(outbox: Outbox, out: Outgoing) -> None:
    taken(outbox, out, "slow")
    taken(outbox, out, "quick", NOW + LEASE)
    with pytest.raises(LeaseLostError):
        outbox.progress(out, "slow", (Sent("mine"),), NOW + LEASE)
    with pytest.raises(LeaseLostError):
        outbox.release(out, "slow", (), NOW + LEASE, wait=1, reason="", unknown_since=None)
    with pytest.raises(LeaseLostError):
        outbox.finish(out, "slow", ReplyState.SENT, (Sent("mine"),), "", NOW + LEASE)
    outbox.finish(out, "quick", ReplyState.SENT, (Sent("theirs"),), "", NOW + LEASE)


def test_a_worker_that_lost_its_lease_gets_an_error_after_the_reply_is_final(outbox: Outbox, out: Outgoing) -> None:
    taken(outbox, out, "slow")
    taken(outbox, out, "quick", NOW + LEASE)
    outbox.finish(out, "quick", ReplyState.SENT, (Sent("theirs"),), "", NOW + LEASE)
    with pytest.raises(LeaseLostError):
        outbox.finish(out, "slow", ReplyState.FAILED, (), "mine", NOW + LEASE)


def test_progress_renews_the_lease_and_stores_the_receipts(outbox: Outbox, out: Outgoing) -> None:
    taken(outbox, out)
    outbox.progress(out, "me", (Sent("one", {"key": "k"}),), NOW + 10)
    assert isinstance(outbox.take(out.id, "you", NOW + LEASE + 5), RetryAfter)
    row = taken(outbox, out, "you", NOW + 10 + LEASE)
    assert (row.receipts, row.unknown_since) == ((Sent("one", {"key": "k"}),), NOW + 10)


@pytest.mark.parametrize("unknown_since", [None, NOW - 5])
def test_a_released_reply_can_be_taken_after_its_wait_and_keeps_its_unknown_outcome(
    outbox: Outbox, out: Outgoing, unknown_since: float | None
) -> None:
    taken(outbox, out)
    outbox.release(out, "me", (Sent("one"),), NOW + 1, wait=100, reason="limited", unknown_since=unknown_since)
    refused = outbox.take(out.id, "you", NOW + 2)
    assert isinstance(refused, RetryAfter)
    assert refused.seconds == 99
    row = taken(outbox, out, "you", NOW + 101)
    assert (row.unknown_since, row.reason, row.receipts) == (unknown_since, "limited", (Sent("one"),))
    assert row.attempted_since == NOW


def newer(out: Outgoing) -> dict[str, Any]:
    """Store the body of `out` as a newer version writes it, with additional fields at each level. Returns the body."""
    body: dict[str, Any] = json.loads(encode(out))
    body |= {"priority": 7}
    body["to"]["thread_style"] = "x"
    body["reply"]["silent"] = True
    dynamodb().update_item(
        TableName="parley",
        Key={"pk": {"S": reply_pk(out.id)}},
        UpdateExpression="SET body = :body, colour = :red",
        ExpressionAttributeValues={":body": {"S": json.dumps(body)}, ":red": {"S": "red"}},
    )
    return body


def stored(out: Outgoing) -> tuple[dict[str, Any], str]:
    key = {"pk": {"S": reply_pk(out.id)}}
    item = dynamodb().get_item(TableName="parley", Key=key, ConsistentRead=True).get("Item", {})
    return json.loads(get_text(item, "body")), item["colour"].get("S", "")


def test_release_and_finish_keep_the_fields_of_a_newer_version(outbox: Outbox, out: Outgoing) -> None:
    body = newer(out)
    outbox.release(taken(outbox, out).out, "me", (), NOW, wait=1, reason="", unknown_since=None)
    assert stored(out) == (body, "red")
    outbox.finish(taken(outbox, out).out, "me", ReplyState.SENT, (), "", NOW)
    assert stored(out) == (body, "red")


def test_a_rewritten_body_keeps_the_fields_of_a_newer_version(outbox: Outbox, out: Outgoing) -> None:
    body = newer(out)
    row = taken(outbox, out)
    plain = msgspec.structs.replace(row.out, reply=Reply.of("plain"), form="plain")
    outbox.release(plain, "me", (), NOW, wait=0, reason="", unknown_since=None, body=rewritten(row.stored, plain))
    found, _ = stored(out)
    assert (found["priority"], found["to"], found["reply"]["silent"]) == (7, body["to"], True)
    assert taken(outbox, out).out == plain


def test_a_rewritten_body_lacks_the_fields_that_were_removed(reply: MakeReply) -> None:
    rich = msgspec.structs.replace(
        reply(), form="rich", reply=Reply(segments=(Text(text="a"), Text(text="b")), target="x")
    )
    bare = msgspec.structs.replace(rich, form="plain", reply=Reply.of("a"))
    assert decode_outgoing(rewritten(encode(rich).decode(), bare)) == bare
    assert decode_outgoing(rewritten(encode(bare).decode(), rich)) == rich


def test_a_released_reply_is_due_a_minute_after_its_wait(outbox: Outbox, out: Outgoing) -> None:
    taken(outbox, out)
    outbox.release(out, "me", (), NOW, wait=100, reason="", unknown_since=None)
    assert list(outbox.due(NOW + 100 + PICKUP_AFTER - 1)) == []
    assert len(list(outbox.due(NOW + 100 + PICKUP_AFTER))) == 1


def test_a_reply_is_postponed_only_if_its_row_is_unchanged(outbox: Outbox, out: Outgoing) -> None:
    [row] = outbox.due(NOW + PICKUP_AFTER)
    assert isinstance(row, Row)
    assert outbox.postpone(row, NOW + PICKUP_AFTER, NOW + 600)
    assert list(outbox.due(NOW + 599)) == []
    assert not outbox.postpone(row, NOW + PICKUP_AFTER, NOW + 700)
    taken(outbox, out)
    assert not outbox.postpone(row, NOW + 10**6, NOW + 10**7)


def test_a_held_reply_is_not_due_before_its_lease_ends(outbox: Outbox, out: Outgoing) -> None:
    at = NOW + PICKUP_AFTER
    taken(outbox, out, now=at)
    assert list(outbox.due(at + LEASE - 1)) == []
    assert len(list(outbox.due(at + LEASE))) == 1


def test_an_older_credential_does_not_replace_a_newer_one() -> None:
    app = App("feishu", "demo", None)
    for value, at in (("first", 10.0), ("third", 30.0), ("second, delivered again", 20.0)):
        store_credentials(dynamodb(), "parley", app, {"ticket": value}, at)
    assert load_credentials(dynamodb(), "parley", app, ("ticket", "other")) == {"ticket": "third"}
