"""What a person is owed: kept for as long as the replies, and no more than can be told at once."""

from collections.abc import Callable
from typing import Any

import pytest

from parley.engine.aws import dynamodb
from parley.journal.inbox import Inbox
from parley.journal.outbox import Outbox
from parley.journal.passive import MOST_OWED, Passive, TooMuchOwed
from parley.journal.states import ReplyState
from parley.model import Message, Outgoing

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
    key = {"pk": {"S": f"owed#{out.to.key}"}}
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
    with pytest.raises(TooMuchOwed, match="20 replies wait"):
        owe(passive, reply(ordinal=MOST_OWED))
    assert len(passive.owed(message())) == MOST_OWED
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
    assert len(passive.owed(message())) == MOST_OWED
