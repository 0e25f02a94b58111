"""The inbox: a decision is one transaction, is stored once, and requires the current version of the state."""

from typing import Any

import boto3
import msgspec
import pytest
from msgspec.structs import replace

from parley.engine.aws import dynamodb
from parley.errors import RetryAfter
from parley.journal import inbox as inbox_module
from parley.journal.inbox import AlreadyDecidedError, Decision, DecisionTooLargeError, Inbox, VersionConflictError
from parley.journal.memory import Change
from parley.journal.outbox import MAX_REPLY, Outbox
from parley.journal.states import Lease, ReplyState, Row
from parley.journal.table import conversation_pk, get, get_number, get_text, message_pk
from parley.journal.view import journal_of
from parley.model import Conversation, Outgoing, message_key
from parley.model.agenda import Agenda, Reminder
from tests.factories import decide
from tests.unit.journal.conftest import MakeMessage, MakeReply

pytestmark = pytest.mark.usefixtures("aws")
NOW = 1_800_000_000.0
DAY = 86_400


@pytest.fixture
def inbox() -> Inbox:
    return Inbox(dynamodb(), "parley", 30 * DAY)


def everything() -> dict[str, Any]:
    items: list[dict[str, Any]] = [*boto3.client("dynamodb").scan(TableName="parley")["Items"]]
    return {item["pk"]["S"]: item for item in items}


def test_the_snapshot_of_a_new_message_is_empty(inbox: Inbox, message: MakeMessage) -> None:
    snapshot = inbox.open(message())
    assert (snapshot.memory.state, snapshot.memory.version, snapshot.decided) == ({}, 0, None)


def test_a_decision_stores_claim_state_and_replies(inbox: Inbox, message: MakeMessage, reply: MakeReply) -> None:
    decide(inbox, message(), inbox.open(message()), {"n": 1}, [reply(), reply(ordinal=1)], NOW)
    snapshot = inbox.open(message())
    assert (snapshot.memory.state, snapshot.memory.version, snapshot.decided) == ({"n": 1}, 1, 2)
    assert [row.out.ordinal for row in inbox.replies(message(), 2)] == [0, 1]
    assert sorted(pk[:3] for pk in everything()) == ["con", "in#", "out", "out"]


def test_a_message_is_decided_once(inbox: Inbox, message: MakeMessage, reply: MakeReply) -> None:
    snapshot = inbox.open(message())
    decide(inbox, message(), snapshot, {"n": 1}, [reply("first")], NOW)
    before = everything()
    with pytest.raises(AlreadyDecidedError):
        decide(inbox, message(), snapshot, {"n": 1}, [reply("second")], NOW)
    assert everything() == before


def test_a_decision_on_an_old_version_of_the_state_stores_nothing(
    inbox: Inbox, message: MakeMessage, reply: MakeReply
) -> None:
    slow = inbox.open(message("m2"))
    decide(inbox, message("m1"), inbox.open(message("m1")), {"n": 1}, [], NOW)
    before = everything()
    with pytest.raises(VersionConflictError):
        decide(inbox, message("m2"), slow, {"n": 100}, [reply(to="m2")], NOW)
    assert everything() == before


def test_a_stalled_worker_cannot_decide_from_an_old_state_even_if_it_leaves_the_state_unchanged(
    inbox: Inbox, message: MakeMessage, reply: MakeReply
) -> None:
    """Its reply may depend on the old state, such as "your order is open" after the order was closed.

    The queue hands out `m3` only after `m2` is decided. So before the state can change again, `m2` has its decision,
    and that of the stalled worker is refused.
    """
    decide(inbox, message("m1"), inbox.open(message("m1")), {"n": 1}, [], NOW)
    stalled = inbox.open(message("m2"))
    decide(inbox, message("m2"), inbox.open(message("m2")), {"n": 1}, [reply(to="m2")], NOW)
    decide(inbox, message("m3"), inbox.open(message("m3")), {"n": 2}, [], NOW)
    with pytest.raises(AlreadyDecidedError):
        decide(inbox, message("m2"), stalled, {"n": 1}, [reply(to="m2")], NOW)


def test_a_decision_that_leaves_the_state_unchanged_does_not_write_the_conversation(
    inbox: Inbox, message: MakeMessage, reply: MakeReply
) -> None:
    decide(inbox, message("m1"), inbox.open(message("m1")), {"n": 1}, [], NOW)
    decide(inbox, message("m2"), inbox.open(message("m2")), {"n": 1}, [reply(to="m2")], NOW + 9)
    row = get(dynamodb(), "parley", conversation_pk(Conversation.of(message("m2")).key))
    assert (get_text(row, "memory"), get_number(row, "updated")) == ('{"n":1}', NOW)


def test_a_reply_under_a_lease_is_held_from_the_beginning_and_is_in_no_index(
    inbox: Inbox, message: MakeMessage, reply: MakeReply
) -> None:
    out, other = reply(to="m1"), reply(to="m1", ordinal=1)
    leases = {out.id: Lease("me", NOW + 60, begins=True), other.id: Lease("me", NOW + 60, begins=False)}
    decide(inbox, message("m1"), inbox.open(message("m1")), {}, [out, other], NOW, leases)
    outbox = Outbox(dynamodb(), "parley", 20)
    refused = outbox.take(out.id, "you", NOW + 59)
    assert isinstance(refused, RetryAfter)
    assert refused.seconds == 1
    assert list(outbox.due(NOW + 10**6)) == []
    row = outbox.take(out.id, "you", NOW + 60)
    assert isinstance(row, Row)
    assert (row.state, row.owner, row.attempts, row.unknown_since) == (ReplyState.SENDING, "me", 1, NOW)
    row = outbox.take(other.id, "you", NOW + 60)
    assert isinstance(row, Row)
    assert row.unknown_since is None


def test_the_last_reply_in_the_queue_is_known_when_the_next_message_is_opened(
    inbox: Inbox, message: MakeMessage, reply: MakeReply
) -> None:
    assert inbox.open(message("m1")).queued == set()
    inbox.queued(message("m1"), [reply(to="m1"), reply(to="m1", ordinal=1)], NOW)
    assert inbox.open(message("m2")).queued == {reply(to="m1", ordinal=1).id}


def test_a_reply_that_is_enqueued_again_is_the_last_one_only_if_none_was_decided_later(
    inbox: Inbox, message: MakeMessage, reply: MakeReply
) -> None:
    def last(out: Outgoing) -> frozenset[str]:
        inbox.queued(message("m1"), [out], NOW)
        return inbox.open(message("m9")).queued

    first = reply(to="m1")
    second, third = (replace(reply(to=f"m{n}"), created=first.created + n) for n in (2, 3))
    assert [last(out) for out in (first, second, third, first)] == [{first.id}, {second.id}, {third.id}, {third.id}]


def test_a_reply_of_another_conversation_in_the_queue_is_known_beside_the_own_one(
    inbox: Inbox, message: MakeMessage, reply: MakeReply
) -> None:
    own, foreign = reply(to="m1"), reply(to="m2", created=NOW + 10)
    inbox.queued(message("m2", room="elsewhere"), [foreign], NOW)
    inbox.queued(message("m1"), [own], NOW)
    assert inbox.open(message("m3")).queued == {own.id, foreign.id}


def test_plans_that_do_not_fit_beside_the_state_are_refused(inbox: Inbox, message: MakeMessage) -> None:
    snapshot = inbox.open(message())
    agenda = Agenda(reminders={str(n): Reminder(id=str(n), at=NOW, text="x" * 40_000) for n in range(9)})
    decision = Decision(states=[Change(snapshot.memory, {}, agenda)])
    with pytest.raises(DecisionTooLargeError, match="state with its reminders and dialogues is 36"):
        inbox.decide(message(), snapshot, decision, NOW)


def test_decisions_of_different_conversations_do_not_conflict(inbox: Inbox, message: MakeMessage) -> None:
    here, there = message("m1", room="here"), message("m2", room="there")
    snapshot = inbox.open(here)
    decide(inbox, there, inbox.open(there), {"n": 1}, [], NOW)
    decide(inbox, here, snapshot, {"n": 1}, [], NOW)
    assert inbox.open(here).memory.state == inbox.open(there).memory.state == {"n": 1}


def test_a_claim_is_kept_longer_than_messages_in_queues(inbox: Inbox, message: MakeMessage, reply: MakeReply) -> None:
    decide(inbox, message(), inbox.open(message()), {"n": 1}, [reply()], NOW)
    items = everything()
    claims = [item for pk, item in items.items() if not pk.startswith("conv#")]
    assert all(int(item["ttl"]["N"]) >= NOW + 28 * DAY for item in claims)
    assert all("ttl" not in item for pk, item in items.items() if pk.startswith("conv#"))


def test_waiting_returns_only_replies_that_are_not_final(inbox: Inbox, message: MakeMessage, reply: MakeReply) -> None:
    decide(inbox, message(), inbox.open(message()), {}, [reply(), reply(ordinal=1)], NOW)
    first = inbox.replies(message(), 2)[0]
    dynamodb().update_item(
        TableName="parley",
        Key={"pk": {"S": f"out#{first.out.id}"}},
        UpdateExpression="SET #state = :sent",
        ExpressionAttributeNames={"#state": "state"},
        ExpressionAttributeValues={":sent": {"S": ReplyState.SENT}},
    )
    assert [out.ordinal for out in inbox.waiting(message(), 2)] == [1]


def test_a_failure_stores_its_reason_without_a_decision(inbox: Inbox, message: MakeMessage) -> None:
    inbox.failed(message(), "ValueError at bot.py:7", 2, NOW)
    assert inbox.open(message()).decided is None
    decide(inbox, message(), inbox.open(message()), {}, [], NOW)
    inbox.failed(message(), "too late", 3, NOW)
    assert inbox.open(message()).decided == 0
    assert "reason" not in everything()[message_pk(message_key(message()))]


def test_an_apology_is_stored_once(inbox: Inbox, reply: MakeReply) -> None:
    assert inbox.add(reply("sorry"), NOW) == [reply("sorry")]
    assert inbox.add(reply("sorry again"), NOW) == [reply("sorry")]
    [item] = everything().values()
    assert "sorry again" not in item["body"]["S"]


@pytest.mark.parametrize("size", [MAX_REPLY - 1000, MAX_REPLY + 1])
def test_a_decision_with_a_reply_beyond_the_size_of_a_row_stores_nothing(
    inbox: Inbox, message: MakeMessage, reply: MakeReply, size: int
) -> None:
    snapshot = inbox.open(message())
    if size > MAX_REPLY:
        with pytest.raises(DecisionTooLargeError, match="a reply is"):
            decide(inbox, message(), snapshot, {"n": 1}, [reply("x" * size)], NOW)
        assert everything() == {}
    else:
        decide(inbox, message(), snapshot, {"n": 1}, [reply("x" * size)], NOW)
        assert len(everything()) == 3


def test_a_decision_beyond_the_size_of_a_transaction_stores_nothing(
    inbox: Inbox, message: MakeMessage, reply: MakeReply
) -> None:
    replies = [reply("x" * 300_000, ordinal=number) for number in range(14)]
    with pytest.raises(DecisionTooLargeError, match="at once"):
        decide(inbox, message(), inbox.open(message()), {}, replies, NOW)
    assert everything() == {}


def test_unprocessed_keys_are_requested_again(message: MakeMessage, monkeypatch: pytest.MonkeyPatch) -> None:
    real = dynamodb()
    requested: list[int] = []

    class OneKeyPerRequest:
        """Answers one key at a time."""

        def batch_get_item(self, **request: Any) -> Any:
            keys = request["RequestItems"]["parley"]["Keys"]
            requested.append(len(keys))
            request["RequestItems"]["parley"]["Keys"] = keys[:1]
            answer: Any = real.batch_get_item(**request)
            rest = {"parley": {"Keys": keys[1:], "ConsistentRead": True}} if keys[1:] else {}
            return answer | {"UnprocessedKeys": rest}

    decide(Inbox(real, "parley", DAY), message(), Inbox(real, "parley", DAY).open(message()), {"n": 5}, [], NOW)
    client: Any = OneKeyPerRequest()
    snapshot = Inbox(client, "parley", DAY).open(message())
    assert (snapshot.memory.state, snapshot.decided, requested) == ({"n": 5}, 0, [3, 2, 1])


def test_the_journal_shows_the_state_of_a_message(inbox: Inbox, message: MakeMessage, reply: MakeReply) -> None:
    def shown() -> dict[str, Any]:
        return journal_of(dynamodb(), "parley", platform="feishu", app="demo", tenant="", message_id="m1")

    assert shown()["state"] == "RECEIVED"
    inbox.failed(message(), "ValueError at bot.py:7", 1, NOW)
    assert (shown()["state"], shown()["reason"], shown()["attempts"]) == ("RECEIVED", "ValueError at bot.py:7", 1)
    decide(inbox, message(), inbox.open(message()), {"n": 1}, [reply()], NOW)
    assert (shown()["state"], [each["state"] for each in shown()["replies"]]) == ("DECIDED", ["PENDING"])
    assert shown()["message"]["id"] == "m1"
    assert msgspec.json.encode(shown())


def test_a_large_message_is_decided_and_not_stored(inbox: Inbox, message: MakeMessage) -> None:
    large = message(reply_to="x" * (inbox_module.MAX_STORED_MESSAGE + 1))
    decide(inbox, large, inbox.open(large), {}, [], NOW)
    [item] = everything().values()
    assert "message" not in item
