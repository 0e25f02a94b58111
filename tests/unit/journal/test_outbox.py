"""The deliverer's side: one worker at a time, and none that was overtaken can record anything."""

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
    """A reply that is decided and waits."""
    waiting = reply()
    Inbox(dynamodb(), "parley", 86_400).add(waiting, NOW)
    return waiting


def taken(outbox: Outbox, out: Outgoing, owner: str = "me", now: float = NOW) -> Row:
    row = outbox.take(out.id, owner, now)
    assert isinstance(row, Row)
    return row


def test_a_reply_is_taken_by_one_and_then_busy(outbox: Outbox, out: Outgoing) -> None:
    assert taken(outbox, out).out == out
    assert outbox.take(out.id, "you", NOW + 5) == RetryAfter(LEASE - 5)


def test_a_first_take_leaves_no_doubt_and_a_takeover_says_since_when_there_is_some(
    outbox: Outbox, out: Outgoing
) -> None:
    assert taken(outbox, out).unknown_since is None
    again = taken(outbox, out, "you", NOW + LEASE)
    assert (again.unknown_since, again.attempts) == (NOW, 1)
    third = taken(outbox, out, "third", NOW + 2 * LEASE)
    assert (third.unknown_since, third.attempts) == (NOW, 2)


def test_a_reply_that_nobody_knows_was_handled_long_ago(outbox: Outbox) -> None:
    assert outbox.take("f" * 32, "me", NOW) == Finished(ReplyState.SENT)


@pytest.mark.parametrize("state", [ReplyState.SENT, ReplyState.FAILED, ReplyState.UNKNOWN])
def test_what_is_finished_stays_finished(outbox: Outbox, out: Outgoing, state: ReplyState) -> None:
    taken(outbox, out)
    outbox.finish(out, "me", state, (Sent("id"),), "why", NOW)
    assert outbox.take(out.id, "you", NOW + 10**6) == Finished(state)
    assert list(outbox.due(NOW + 10**6)) == []


def test_a_worker_that_was_overtaken_records_nothing(outbox: Outbox, out: Outgoing) -> None:
    taken(outbox, out, "slow")
    taken(outbox, out, "quick", NOW + LEASE)
    with pytest.raises(LeaseLostError):
        outbox.progress(out, "slow", (Sent("mine"),), NOW + LEASE)
    with pytest.raises(LeaseLostError):
        outbox.release(out, "slow", (), NOW + LEASE, wait=1, reason="", unknown_since=None)
    with pytest.raises(LeaseLostError):
        outbox.finish(out, "slow", ReplyState.SENT, (Sent("mine"),), "", NOW + LEASE)
    outbox.finish(out, "quick", ReplyState.SENT, (Sent("theirs"),), "", NOW + LEASE)


def test_an_overtaken_worker_learns_so_even_after_the_other_has_finished(outbox: Outbox, out: Outgoing) -> None:
    taken(outbox, out, "slow")
    taken(outbox, out, "quick", NOW + LEASE)
    outbox.finish(out, "quick", ReplyState.SENT, (Sent("theirs"),), "", NOW + LEASE)
    with pytest.raises(LeaseLostError):
        outbox.finish(out, "slow", ReplyState.FAILED, (), "mine", NOW + LEASE)


def test_progress_keeps_the_lease_and_the_receipts(outbox: Outbox, out: Outgoing) -> None:
    taken(outbox, out)
    outbox.progress(out, "me", (Sent("one", {"key": "k"}),), NOW + 10)
    assert isinstance(outbox.take(out.id, "you", NOW + LEASE + 5), RetryAfter)
    row = taken(outbox, out, "you", NOW + 10 + LEASE)
    assert (row.receipts, row.unknown_since) == ((Sent("one", {"key": "k"}),), NOW + 10)


@pytest.mark.parametrize("unclear", [None, NOW - 5])
def test_a_released_reply_can_be_taken_at_once_and_knows_what_is_in_doubt(
    outbox: Outbox, out: Outgoing, unclear: float | None
) -> None:
    taken(outbox, out)
    outbox.release(out, "me", (Sent("one"),), NOW + 1, wait=100, reason="limited", unknown_since=unclear)
    row = taken(outbox, out, "you", NOW + 2)
    assert (row.unknown_since, row.reason, row.receipts) == (unclear, "limited", (Sent("one"),))
    assert row.attempted_since == NOW


def newer(out: Outgoing) -> dict[str, Any]:
    """The body of `out` as a newer version wrote it, now in the journal, with fields of its own at each place."""
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
    return json.loads(get_text(item, "body")), get_text(item, "colour")


def test_what_a_newer_version_wrote_survives_a_try_and_the_end(outbox: Outbox, out: Outgoing) -> None:
    body = newer(out)
    outbox.release(taken(outbox, out).out, "me", (), NOW, wait=1, reason="", unknown_since=None)
    assert stored(out) == (body, "red")
    outbox.finish(taken(outbox, out).out, "me", ReplyState.SENT, (), "", NOW)
    assert stored(out) == (body, "red")


def test_of_what_a_newer_version_wrote_only_what_is_said_otherwise_changes(outbox: Outbox, out: Outgoing) -> None:
    body = newer(out)
    row = taken(outbox, out)
    plain = msgspec.structs.replace(row.out, reply=Reply.of("plainly"), form="plain")
    outbox.release(plain, "me", (), NOW, wait=0, reason="", unknown_since=None, body=rewritten(row.stored, plain))
    found, _ = stored(out)
    assert (found["priority"], found["to"], found["reply"]["silent"]) == (7, body["to"], True)
    assert taken(outbox, out).out == plain


def test_a_body_that_loses_what_it_had_is_read_without_it(reply: MakeReply) -> None:
    rich = msgspec.structs.replace(
        reply(), form="rich", reply=Reply(segments=(Text(text="a"), Text(text="b")), target="x")
    )
    bare = msgspec.structs.replace(rich, form="plain", reply=Reply.of("a"))
    assert decode_outgoing(rewritten(encode(rich).decode(), bare)) == bare
    assert decode_outgoing(rewritten(encode(bare).decode(), rich)) == rich


def test_a_released_reply_is_due_a_minute_after_its_time(outbox: Outbox, out: Outgoing) -> None:
    taken(outbox, out)
    outbox.release(out, "me", (), NOW, wait=100, reason="", unknown_since=None)
    assert list(outbox.due(NOW + 100 + PICKUP_AFTER - 1)) == []
    assert len(list(outbox.due(NOW + 100 + PICKUP_AFTER))) == 1


def test_what_was_postponed_is_due_later_unless_something_happened_to_it(outbox: Outbox, out: Outgoing) -> None:
    [row] = outbox.due(NOW + PICKUP_AFTER)
    assert isinstance(row, Row)
    assert outbox.postpone(row, NOW + PICKUP_AFTER, NOW + 600)
    assert list(outbox.due(NOW + 599)) == []
    assert not outbox.postpone(row, NOW + PICKUP_AFTER, NOW + 700)
    taken(outbox, out)
    assert not outbox.postpone(row, NOW + 10**6, NOW + 10**7)


def test_a_lease_that_is_over_is_due(outbox: Outbox, out: Outgoing) -> None:
    taken(outbox, out)
    assert list(outbox.due(NOW + LEASE - 1)) == []
    assert len(list(outbox.due(NOW + LEASE))) == 1


def test_a_later_credential_is_never_replaced_by_an_earlier_one() -> None:
    app = App("feishu", "demo", None)
    for value, at in (("first", 10.0), ("third", 30.0), ("second, delivered again", 20.0)):
        store_credentials(dynamodb(), "parley", app, {"ticket": value}, at)
    assert load_credentials(dynamodb(), "parley", app, ("ticket", "other")) == {"ticket": "third"}
