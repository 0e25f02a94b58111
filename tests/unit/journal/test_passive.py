"""What a person is owed: kept for as long as the replies, and no more than can be told at once."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from parley.engine.aws import dynamodb
from parley.journal.inbox import Inbox
from parley.journal.outbox import Outbox
from parley.journal.passive import MOST_OWED, Passive, TooManyDeferredError
from parley.journal.states import Decided, Replies, ReplyState, Row
from parley.model import Conversation, Message, Outgoing, message_key

pytestmark = pytest.mark.usefixtures("aws")
NOW = 1_800_000_000.0
KEPT = 86_400.0


@pytest.fixture
def passive() -> Passive:
    return Passive(dynamodb(), "parley", KEPT)


@pytest.fixture
def outbox() -> Outbox:
    return Outbox(dynamodb(), "parley", 20)


def owe(passive: Passive, out: Outgoing, now: float = NOW) -> None:
    """As the deliverer does where the platform says that the person cannot be written to."""
    Inbox(dynamodb(), "parley", KEPT).add(out, now)
    Outbox(dynamodb(), "parley", 20).take(out.id, "me", now)
    passive.owe(out, "me", "45015", now)


def owed_row(out: Outgoing) -> dict[str, Any]:
    key = {"pk": {"S": f"deferred#{out.to.key}"}}
    return dict(dynamodb().get_item(TableName="parley", Key=key, ConsistentRead=True).get("Item", {}))


def test_what_is_owed_is_forgotten_when_its_replies_are(passive: Passive, reply: Callable[..., Outgoing]) -> None:
    owe(passive, reply(ordinal=0))
    owe(passive, reply(ordinal=1), NOW + 100)
    assert owed_row(reply())["ttl"] == {"N": str(int(NOW + 100 + KEPT))}


def test_nobody_is_owed_more_than_can_be_told(
    passive: Passive, reply: Callable[..., Outgoing], message: Callable[..., Message]
) -> None:
    for ordinal in range(MOST_OWED):
        owe(passive, reply(ordinal=ordinal))
    with pytest.raises(TooManyDeferredError, match="20 replies wait"):
        owe(passive, reply(ordinal=MOST_OWED))
    assert len(passive.owed(Conversation.of(message()).key)) == MOST_OWED
    owe(passive, reply(ordinal=0, to="m1"))  # one that is among them may be noted once more


def test_what_was_said_another_way_makes_room(
    passive: Passive, outbox: Outbox, reply: Callable[..., Outgoing], message: Callable[..., Message]
) -> None:
    for ordinal in range(MOST_OWED):
        owe(passive, reply(ordinal=ordinal))
    said = reply(ordinal=3)
    outbox.take(said.id, "other", NOW)
    outbox.finish(said, "other", ReplyState.SENT, (), "", NOW)
    owe(passive, reply(ordinal=MOST_OWED))
    assert said.id not in owed_row(said)["ids"]["SS"]
    assert len(passive.owed(Conversation.of(message()).key)) == MOST_OWED


def test_what_is_owed_is_told_in_the_order_in_which_it_was_decided_whatever_the_clocks_say(
    passive: Passive, reply: Callable[..., Outgoing], message: Callable[..., Message]
) -> None:
    inbox, outbox = Inbox(dynamodb(), "parley", KEPT), Outbox(dynamodb(), "parley", 20)
    outs: list[Outgoing] = []
    for number in range(12):
        heard = message(f"m{number}")
        heard = replace(heard, context=replace(heard.context, waits=True))
        out = reply(to=heard.id, created=NOW - number)
        inbox.decide(heard, inbox.open(heard), {}, [out], NOW)
        outs.append(out)
    for out in reversed(outs):
        outbox.take(out.id, "me", NOW)
        passive.owe(out, "me", "45015", NOW)
    ids = [out.id for out in outs]
    assert [row.out.id for row in passive.owed(outs[0].to.key)] == ids
    assert [row.out.id for row in passive.owed_before(outs[5])] == ids[:5]


def test_a_decision_tells_what_its_conversation_was_told_before(
    passive: Passive, reply: Callable[..., Outgoing], message: Callable[..., Message]
) -> None:
    """A message that was answered with nothing is no link in that chain, and one whose callback waits for nothing
    neither adds to it nor breaks it.
    """
    inbox = Inbox(dynamodb(), "parley", KEPT)
    told: list[Decided | None] = []
    for id_, waits, replies in (("a", True, 2), ("b", True, 0), ("c", False, 1), ("d", True, 1), ("e", True, 1)):
        heard = message(id_)
        heard = replace(heard, context=replace(heard.context, waits=waits))
        outs = [reply(to=id_, ordinal=ordinal) for ordinal in range(replies)]
        inbox.decide(heard, inbox.open(heard), {"n": 1}, outs, NOW)
        told.append(passive.decided(heard))
    a, d = (message_key(message(id_)) for id_ in "ad")
    assert told == [
        Decided(2),
        Decided(0, Replies(a, 2)),
        Decided(1, Replies(a, 2)),
        Decided(1, Replies(a, 2)),
        Decided(1, Replies(d, 1)),
    ]


def test_what_was_owed_for_a_day_has_all_its_attempts_left(
    passive: Passive, outbox: Outbox, reply: Callable[..., Outgoing]
) -> None:
    out = reply()
    owe(passive, out)
    taken = outbox.take(out.id, "deliverer", NOW + 86_000)
    assert isinstance(taken, Row)
    assert taken.attempted_since == 0


def test_forgetting_what_is_not_there_leaves_nothing_for_good(passive: Passive, reply: Callable[..., Outgoing]) -> None:
    passive.forget(reply(), NOW)
    assert owed_row(reply()).get("ttl") == {"N": str(int(NOW + KEPT))}


@pytest.mark.parametrize(("memory", "for_good"), [({}, False), ({"n": 1}, True)])
def test_the_row_of_a_conversation_without_memory_ends_with_its_replies(
    reply: Callable[..., Outgoing], message: Callable[..., Message], memory: dict[str, int], *, for_good: bool
) -> None:
    inbox = Inbox(dynamodb(), "parley", KEPT)
    heard = replace(message("m1"), context=replace(message("m1").context, waits=True))
    inbox.decide(heard, inbox.open(heard), memory, [reply()], NOW)
    key = {"pk": {"S": f"conv#{Conversation.of(heard).key}"}}
    assert ("ttl" not in dynamodb().get_item(TableName="parley", Key=key).get("Item", {})) == for_good
