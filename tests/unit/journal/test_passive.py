"""Deferred replies: stored as long as the replies themselves, in order, and not more than one response can carry."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from parley.engine.aws import dynamodb
from parley.journal.inbox import Inbox
from parley.journal.outbox import Outbox
from parley.journal.passive import MAX_DEFERRED, DeferredReplies, TooManyDeferredError
from parley.journal.states import Decided, ReplyState, Row
from parley.model import Conversation, Message, Outgoing, message_key
from tests.factories import decide

pytestmark = pytest.mark.usefixtures("aws")
NOW = 1_800_000_000.0
RETENTION = 86_400.0


@pytest.fixture
def deferred() -> DeferredReplies:
    return DeferredReplies(dynamodb(), "parley", RETENTION)


@pytest.fixture
def outbox() -> Outbox:
    return Outbox(dynamodb(), "parley", 20)


def defer(deferred: DeferredReplies, out: Outgoing, now: float = NOW) -> None:
    """Defer `out` as the deliverer does if the platform allows no message to the person."""
    Inbox(dynamodb(), "parley", RETENTION).add(out, now)
    Outbox(dynamodb(), "parley", 20).take(out.id, "me", now)
    deferred.defer(out, "me", "45015", now)


def deferred_row(out: Outgoing) -> dict[str, Any]:
    key = {"pk": {"S": f"deferred#{out.to.key}"}}
    return dict(dynamodb().get_item(TableName="parley", Key=key, ConsistentRead=True).get("Item", {}))


def test_the_row_of_deferred_replies_expires_with_the_newest_of_them(
    deferred: DeferredReplies, reply: Callable[..., Outgoing]
) -> None:
    defer(deferred, reply(ordinal=0))
    defer(deferred, reply(ordinal=1), NOW + 100)
    assert deferred_row(reply())["ttl"] == {"N": str(int(NOW + 100 + RETENTION))}


def test_the_number_of_deferred_replies_is_bounded(
    deferred: DeferredReplies, reply: Callable[..., Outgoing], message: Callable[..., Message]
) -> None:
    for ordinal in range(MAX_DEFERRED):
        defer(deferred, reply(ordinal=ordinal))
    with pytest.raises(TooManyDeferredError, match="20 replies are deferred"):
        defer(deferred, reply(ordinal=MAX_DEFERRED))
    assert len(deferred.of(Conversation.of(message()).key)) == MAX_DEFERRED
    defer(deferred, reply(ordinal=0, to="m1"))  # a reply that is already deferred may be deferred again


def test_final_replies_make_room_for_new_ones(
    deferred: DeferredReplies, outbox: Outbox, reply: Callable[..., Outgoing], message: Callable[..., Message]
) -> None:
    for ordinal in range(MAX_DEFERRED):
        defer(deferred, reply(ordinal=ordinal))
    sent = reply(ordinal=3)
    outbox.take(sent.id, "other", NOW)
    outbox.finish(sent, "other", ReplyState.SENT, (), "", NOW)
    defer(deferred, reply(ordinal=MAX_DEFERRED))
    assert sent.id not in deferred_row(sent)["ids"]["SS"]
    assert len(deferred.of(Conversation.of(message()).key)) == MAX_DEFERRED


def test_deferred_replies_are_in_the_order_of_their_decisions(
    deferred: DeferredReplies, reply: Callable[..., Outgoing], message: Callable[..., Message]
) -> None:
    inbox, outbox = Inbox(dynamodb(), "parley", RETENTION), Outbox(dynamodb(), "parley", 20)
    outs: list[Outgoing] = []
    for number in range(12):
        received = message(f"m{number}")
        received = replace(received, context=replace(received.context, awaits_reply=True))
        out = reply(to=received.id, created=NOW + number)
        decide(inbox, received, inbox.open(received), {}, [out], NOW)
        outs.append(out)
    for out in reversed(outs):
        outbox.take(out.id, "me", NOW)
        deferred.defer(out, "me", "45015", NOW)
    ids = [out.id for out in outs]
    assert [row.out.id for row in deferred.of(outs[0].to.key)] == ids
    assert [row.out.id for row in deferred.before(outs[5])] == ids[:5]


def test_a_decision_names_the_replies_that_precede_it(
    deferred: DeferredReplies, reply: Callable[..., Outgoing], message: Callable[..., Message]
) -> None:
    """They are recorded only for a message whose callback waits: nobody else reads them."""
    inbox = Inbox(dynamodb(), "parley", RETENTION)
    decisions: list[Decided | None] = []
    for id_, awaits_reply, replies in (("a", True, 2), ("b", True, 0), ("c", False, 1), ("d", True, 1)):
        received = message(id_)
        received = replace(received, context=replace(received.context, awaits_reply=awaits_reply))
        outs = [reply(to=id_, ordinal=ordinal) for ordinal in range(replies)]
        decide(inbox, received, inbox.open(received), {"n": 1}, outs, NOW)
        inbox.queued(received, outs, NOW)
        decisions.append(Inbox(dynamodb(), "parley", RETENTION).decision(received))
    a, c = (frozenset({reply(to=id_, ordinal=last).id}) for id_, last in (("a", 1), ("c", 0)))
    key = {id_: message_key(message(id_)) for id_ in "abcd"}
    assert decisions == [Decided(key["a"], 2), Decided(key["b"], 0, a), Decided(key["c"], 1), Decided(key["d"], 1, c)]


def test_a_deferred_reply_of_another_conversation_has_its_place_by_time(
    deferred: DeferredReplies, reply: Callable[..., Outgoing]
) -> None:
    foreign, own = reply(to="z", created=NOW), reply(to="a", created=NOW + 1)
    defer(deferred, foreign)
    Inbox(dynamodb(), "parley", RETENTION).add(own, NOW + 1)
    assert [row.out.id for row in deferred.before(own)] == [foreign.id]
    assert deferred.before(foreign) == []


def test_the_deadline_of_a_deferred_reply_starts_with_its_next_attempt(
    deferred: DeferredReplies, outbox: Outbox, reply: Callable[..., Outgoing]
) -> None:
    out = reply()
    defer(deferred, out)
    taken = outbox.take(out.id, "deliverer", NOW + 86_000)
    assert isinstance(taken, Row)
    assert taken.attempted_since == 0


def test_a_row_created_by_forgetting_an_unknown_reply_expires(
    deferred: DeferredReplies, reply: Callable[..., Outgoing]
) -> None:
    deferred.forget(reply(), NOW)
    assert deferred_row(reply()).get("ttl") == {"N": str(int(NOW + RETENTION))}


@pytest.mark.parametrize(("state", "permanent"), [({}, False), ({"n": 2}, True)])
def test_the_row_of_a_conversation_without_state_expires(
    message: Callable[..., Message], state: dict[str, int], *, permanent: bool
) -> None:
    inbox = Inbox(dynamodb(), "parley", RETENTION)
    for received, new in ((message("m1"), {"n": 1}), (message("m2"), state)):
        decide(inbox, received, inbox.open(received), new, [], NOW)
    key = {"pk": {"S": f"conv#{Conversation.of(message()).key}"}}
    assert ("ttl" not in dynamodb().get_item(TableName="parley", Key=key).get("Item", {})) == permanent
