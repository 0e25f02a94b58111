"""Passive replies: the bot runs once and each reply is sent once, also if the platform delivers a message again."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from msgspec.structs import replace

from parley.adapter import Accepted, App, Config, PassiveReply, Request, Response
from parley.engine.aws import dynamodb
from parley.engine.passive_replies import PassiveReplies
from parley.journal.inbox import MAX_REPLIES, Decision, Inbox
from parley.journal.outbox import PASSIVE_RECEIPTS, Outbox
from parley.journal.passive import MAX_CARRIED, MAX_DEFERRED, Callbacks, DeferredReplies, NotCommittedError, Part, rules
from parley.journal.states import Finished, ReplyState, Row
from parley.journal.view import journal_of
from parley.model import Conversation, Destination, Message, Outgoing, Reply, Text, message_key, plain_text, reply_id
from tests.factories import decide
from tests.unit.conftest import Clock
from tests.unit.test_roles import PASSIVE_ROWS

pytestmark = pytest.mark.usefixtures("aws")
APP = App("feishu", "demo", Config())
NOTHING = Response(200, b"success", "text/plain")


class Inbound:
    """Renders the texts of replies, each followed by `|`, up to `room` characters."""

    def __init__(self, room: int = 100) -> None:
        self.room = room

    def passive_reply(
        self, request: Request, app: App, message: Message, replies: tuple[Outgoing, ...], now: float
    ) -> PassiveReply:
        words, sent = "", 0
        for out in replies:
            text = plain_text(out.reply.segments)
            if len(words) + len(text) > self.room:
                cut = self.room - len(words)
                rest = Reply(segments=(Text(text=text[cut:]),)) if cut else None
                return PassiveReply(Response(200, (words + text[:cut]).encode()), sent, rest)
            words, sent = words + text + "|", sent + 1
        return PassiveReply(Response(200, words.encode()), sent)


class World:
    """One message, the scheduled decisions of the bot, and the callbacks that wait for them."""

    def __init__(self, message: Message, clock: Clock, room: int = 100) -> None:
        self.message = message
        self.clock = clock
        self.inbox = Inbox(dynamodb(), "parley", 86_400)
        self.outbox = Outbox(dynamodb(), "parley", rules.LEASE)
        self.callbacks = Callbacks(dynamodb(), "parley", 86_400)
        self.deferred = DeferredReplies(dynamodb(), "parley", 86_400)
        self.due: list[tuple[float, Callable[[], Any]]] = []
        self.passive_replies = PassiveReplies(
            Inbound(room), self.inbox, self.outbox, self.callbacks, self.deferred, clock, self.sleep
        )

    def sleep(self, seconds: float) -> None:
        """Advance the clock, and run the actions that are due."""
        self.clock.now += seconds
        while self.due and self.due[0][0] <= self.clock.now:
            self.due.pop(0)[1]()

    def decides(
        self, *texts: str, after: float = 0, message: Message | None = None, to: Destination | None = None
    ) -> None:
        """The processor commits these replies after `after` seconds."""
        target = message or self.message
        target = replace(target, context=replace(target.context, awaits_reply=True))

        def commit() -> None:
            rows = [self.outgoing(target, ordinal, text) for ordinal, text in enumerate(texts)]
            rows = [replace(row, to=to, reply=replace(row.reply, to=to)) for row in rows] if to else rows
            decide(self.inbox, target, self.inbox.open(target), {}, rows, self.clock.now)
            self.inbox.queued(target, rows, self.clock.now)

        if after:
            self.due.append((self.clock.now + after, commit))
        else:
            commit()

    def outgoing(self, message: Message, ordinal: int, text: str) -> Outgoing:
        key = message_key(message)
        return Outgoing(
            id=reply_id(key, ordinal),
            message_key=key,
            ordinal=ordinal,
            to=Destination.answering(message),
            reply=Reply.of(text),
            created=self.clock.now,
        )

    def callback(self, message: Message | None = None, *, once: bool = False) -> tuple[int, str]:
        """One delivery of the message by the platform. `once`: it never delivers it again."""
        accepted = Accepted(NOTHING, (message or self.message,), passive_reply_within=4.5, comes_once=once)
        response = self.passive_replies.respond(Request(), APP, accepted, self.clock.now)
        return response.status, response.body.decode()

    def states(self, message: Message | None = None) -> list[tuple[str, list[str]]]:
        id_ = (message or self.message).id
        view = journal_of(dynamodb(), "parley", platform="feishu", app="demo", tenant="", message_id=id_)
        return [(reply["state"], reply["receipts"]) for reply in view["replies"]]


@pytest.fixture
def world(message: Callable[..., Message], clock: Clock) -> World:
    return World(message(), clock)


def test_a_reply_decided_in_time_is_sent_in_the_first_response(world: World) -> None:
    world.decides("one", "two", after=1)
    assert world.callback() == (200, "one|two|")
    assert world.states() == [("SENT", ["passive"])] * 2


@pytest.mark.parametrize(("after", "deliveries"), [(1, 1), (6, 2), (11, 3)])
def test_redeliveries_continue_to_wait_for_the_reply(world: World, after: float, deliveries: int) -> None:
    world.decides("late", after=after)
    responses = [world.callback() for _ in range(deliveries)]
    assert responses == [(504, "")] * (deliveries - 1) + [(200, "late|")]


def test_a_reply_after_the_last_delivery_is_left_to_the_deliverer(world: World) -> None:
    world.decides("too late", after=20)
    assert [world.callback() for _ in range(3)] == [(504, ""), (504, ""), (200, "success")]
    world.sleep(20)
    row = world.outbox.take(reply_id(message_key(world.message), 0), "deliverer", world.clock.now)
    assert isinstance(row, Row)


def test_a_callback_that_comes_once_gets_no_error_and_leaves_a_late_reply_to_the_deliverer(world: World) -> None:
    world.decides("late", after=6)
    assert world.callback(once=True) == (200, "success")
    world.sleep(6)
    assert isinstance(world.outbox.take(reply_id(message_key(world.message), 0), "deliverer", world.clock.now), Row)


def test_a_callback_that_comes_once_gets_no_error_during_an_outage(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def timed_out(*_: Any) -> None:
        raise ReadTimeoutError(endpoint_url="http://dynamodb")

    monkeypatch.setattr(Callbacks, "delivered", timed_out)
    assert (world.callback(once=True), world.callback()) == ((200, "success"), (504, ""))


def test_a_fourth_delivery_gets_the_response_of_the_third(world: World) -> None:
    """The third response leaves the reply to the deliverer. A later delivery does not change that."""
    world.decides("late", after=16)
    assert [world.callback() for _ in range(4)] == [(504, ""), (504, ""), (200, "success"), (200, "success")]
    world.sleep(3)
    assert world.states() == [("PENDING", [])]


def test_every_redelivery_gets_the_same_bytes(world: World) -> None:
    world.decides("once")
    assert world.callback() == world.callback() == world.callback() == (200, "once|")
    assert world.states() == [("SENT", ["passive"])]


def test_the_deliverer_does_not_send_a_passive_reply_again(world: World) -> None:
    world.decides("once")
    world.callback()
    taken = world.outbox.take(reply_id(message_key(world.message), 0), "deliverer", world.clock.now + 100)
    assert taken == Finished(ReplyState.SENT)


def test_the_callback_leaves_out_a_reply_that_the_deliverer_has_taken(world: World) -> None:
    world.decides("one", "two")
    taken = world.outbox.take(reply_id(message_key(world.message), 0), "deliverer", world.clock.now)
    assert isinstance(taken, Row)
    finish = partial(world.outbox.finish, taken.out, "deliverer", ReplyState.SENT, (), "")
    world.due.append((world.clock.now + 1, lambda: finish(world.clock.now)))
    assert world.callback() == (200, "two|")


def test_a_waiting_callback_sends_a_reply_that_the_deliverer_has_deferred(world: World) -> None:
    world.decides("one", "two")
    taken = world.outbox.take(reply_id(message_key(world.message), 0), "deliverer", world.clock.now)
    assert isinstance(taken, Row)
    defer = partial(world.deferred.defer, taken.out, "deliverer", "48001")
    world.due.append((world.clock.now + 1, lambda: defer(world.clock.now)))
    assert world.callback() == (200, "one|two|")
    assert world.deferred.of(taken.out.to.key) == []


def test_a_deferred_reply_with_its_own_destination_is_sent_as_a_passive_reply(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A push that the platform refused is such a reply."""
    world.decides("one", to=Destination.answering(world.message))
    rendered: list[Outgoing] = []
    passive_reply = world.passive_replies.inbound.passive_reply

    def recording(request: Any, app: Any, message: Any, replies: tuple[Outgoing, ...], now: float) -> PassiveReply:
        rendered.extend(replies)
        return passive_reply(request, app, message, replies, now)

    monkeypatch.setattr(world.passive_replies.inbound, "passive_reply", recording)
    assert world.callback() == (200, "one|")
    assert rendered
    assert all(out.reply.to is None for out in rendered)


def test_replies_that_the_response_cannot_carry_are_left_to_the_deliverer_at_once(
    message: Callable[..., Message], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(message(), clock, room=0)
    world.decides("one")
    taken = list[str]()
    monkeypatch.setattr(Outbox, "take", lambda _self, id_, *_, **__: taken.append(id_))
    assert world.callback() == (200, "success")
    assert taken == []
    assert world.states() == [("PENDING", [])]


def test_the_rest_of_a_reply_that_does_not_fit_stays_pending(message: Callable[..., Message], clock: Clock) -> None:
    world = World(message(), clock, room=6)
    world.decides("one", "twothree", "four")
    assert world.callback() == (200, "one|tw")
    assert [state for state, _ in world.states()] == ["SENT", "PENDING", "PENDING"]
    rest = world.inbox.replies(world.message, 3)[1].out.reply
    assert plain_text(rest.segments) == "othree"


def test_a_deferred_reply_is_first_in_the_next_passive_reply(world: World, message: Callable[..., Message]) -> None:
    world.decides("late")
    id_ = reply_id(message_key(world.message), 0)
    row = world.outbox.take(id_, "deliverer", world.clock.now)
    assert isinstance(row, Row)
    world.deferred.defer(row.out, "deliverer", "45015", world.clock.now)
    assert world.states() == [("PENDING", [])]
    following = message(id="m2")
    world.decides("new", message=following)
    assert world.callback(following) == (200, "late|new|")
    assert world.states() == [("SENT", ["passive"])]
    assert world.deferred.of(Conversation.of(following).key) == []
    assert world.inbox.replies(world.message, 1)[0].receipts == PASSIVE_RECEIPTS


def test_a_passive_reply_carries_at_most_the_replies_of_one_transaction(
    world: World, message: Callable[..., Message]
) -> None:
    world.decides(*(f"late {number}" for number in range(MAX_DEFERRED)))
    for row in world.inbox.replies(world.message, MAX_DEFERRED):
        world.outbox.take(row.out.id, "deliverer", world.clock.now)
        world.deferred.defer(row.out, "deliverer", "45015", world.clock.now)
    following = message(id="m2")
    world.decides(*("x" for _ in range(MAX_REPLIES)), message=following)
    world.passive_replies.inbound = Inbound(room=10_000)
    status, body = world.callback(following)
    assert (status, body.count("|")) == (200, MAX_CARRIED)
    assert [state for state, _ in world.states(following)].count("PENDING") == MAX_DEFERRED + MAX_REPLIES - MAX_CARRIED


def test_a_decision_without_replies_is_acknowledged_at_once(world: World) -> None:
    world.decides()
    before = world.clock.now
    assert world.callback() == (200, "success")
    assert world.clock.now == before


def refusing(*_: Any, **__: Any) -> None:
    raise dynamodb().exceptions.TransactionCanceledException(
        {"Error": {"Code": "TransactionCanceledException", "Message": ""}, "CancellationReasons": []},
        "TransactWriteItems",
    )


def failing(*_: Any, **__: Any) -> None:
    raise ReadTimeoutError(endpoint_url="here")


def test_a_response_that_dynamodb_refuses_is_not_sent_and_the_next_delivery_retries(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.decides("one", "two")
    with monkeypatch.context() as patch:
        patch.setattr(dynamodb(), "transact_write_items", refusing)
        assert world.callback() == (504, "")
    assert world.states() == [("PENDING", [])] * 2
    assert world.callback() == (200, "one|two|")


def test_a_released_reply_has_no_unknown_outcome(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.decides("one", "two")
    monkeypatch.setattr(dynamodb(), "transact_write_items", refusing)
    world.callback()
    for row in world.inbox.replies(world.message, 2):
        taken = world.outbox.take(row.out.id, "deliverer", world.clock.now)
        assert isinstance(taken, Row)
        assert taken.unknown_since is None


def test_a_callback_beyond_its_time_limit_releases_its_replies(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.decides("one")
    passive_reply = world.passive_replies.inbound.passive_reply

    def slow(*arguments: Any) -> PassiveReply:
        world.sleep(5)
        return passive_reply(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(world.passive_replies.inbound, "passive_reply", slow)
        assert world.callback() == (504, "")
    assert world.states() == [("PENDING", [])]
    assert world.callback() == (200, "one|")


def test_a_stalled_callback_cannot_commit_a_reply_that_is_left_to_the_deliverer(world: World) -> None:
    """It has taken the reply, and stalls before it records its response."""
    world.decides("one")
    world.outbox.lease = 60
    taken = world.outbox.take(reply_id(message_key(world.message), 0), "callback-slow", world.clock.now, calls=False)
    assert isinstance(taken, Row)
    assert [world.callback() for _ in range(3)] == [(504, ""), (504, ""), (200, "success")]
    with pytest.raises(NotCommittedError):
        world.callbacks.commit(world.message, [Part(taken.out, carried=True)], "callback-slow", "late", world.clock.now)
    assert world.states() == [("SENDING", [])]


def test_the_last_delivery_sends_a_response_that_was_committed_a_moment_earlier(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another delivery commits first. All deliveries get the same response."""
    world.decides()
    commit = world.callbacks.commit
    response = '{"status":200,"body":"b25jZQ==","content_type":"text/plain"}'

    def commit_second(*arguments: Any) -> None:
        monkeypatch.undo()
        commit(world.message, [], "", response, world.clock.now)
        commit(*arguments)

    monkeypatch.setattr(Callbacks, "commit", lambda _self, *arguments: commit_second(*arguments))
    assert world.callback() == (200, "once")


@pytest.mark.parametrize("error", [ReadTimeoutError(endpoint_url="here"), KeyError("ours")])
def test_taken_replies_are_released_after_an_exception(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    world.decides("one", "two")
    passive_reply = world.passive_replies.inbound.passive_reply

    def fails(*_: Any) -> PassiveReply:
        raise error

    monkeypatch.setattr(world.passive_replies.inbound, "passive_reply", fails)
    try:
        assert world.callback() == (504, "")
    except KeyError:
        assert isinstance(error, KeyError)
    assert world.states() == [("PENDING", [])] * 2
    monkeypatch.setattr(world.passive_replies.inbound, "passive_reply", passive_reply)
    assert world.callback() == (200, "one|two|")


def test_a_commit_with_an_unknown_outcome_is_left_to_the_next_delivery(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.decides("one")
    with monkeypatch.context() as patch:
        patch.setattr(dynamodb(), "transact_write_items", failing)
        assert world.callback() == (504, "")
    assert world.states() == [("SENDING", [])]
    world.sleep(rules.LEASE / 2)
    assert world.callback() == (200, "one|")


def test_a_crashed_callback_leaves_no_unknown_outcome(world: World) -> None:
    world.decides("one")
    world.outbox.take(reply_id(message_key(world.message), 0), "callback-dead", world.clock.now, calls=False)
    world.sleep(rules.LEASE + 20)
    row = world.outbox.take(reply_id(message_key(world.message), 0), "deliverer", world.clock.now)
    assert isinstance(row, Row)
    assert row.unknown_since is None


def test_two_concurrent_deliveries_get_the_same_response(world: World) -> None:
    """The platform reads only the second response. The first delivery commits first."""
    world.decides("once")
    taken = world.outbox.take(reply_id(message_key(world.message), 0), "callback-first", world.clock.now, calls=False)
    assert isinstance(taken, Row)
    response = '{"status":200,"body":"b25jZQ==","content_type":"text/plain"}'

    def commit() -> None:
        world.callbacks.commit(
            world.message, [Part(taken.out, carried=True)], "callback-first", response, world.clock.now
        )

    world.due.append((world.clock.now + 1, commit))
    assert world.callback() == (200, "once")
    assert world.states() == [("SENT", ["passive"])]


def test_a_table_failure_prevents_the_passive_reply_and_keeps_the_message(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The response that leaves the reply to the deliverer is sent only after that decision is recorded."""
    world.decides("later")
    monkeypatch.setattr(Inbox, "decision", failing)
    assert [world.callback() for _ in range(3)] == [(504, "")] * 3
    assert world.states() == [("PENDING", [])]


def test_a_passive_reply_waits_for_earlier_replies(world: World, message: Callable[..., Message]) -> None:
    """Two messages within a second lead to two concurrent callbacks."""
    following, started = message(id="m2"), world.clock.now
    world.decides("first")
    world.decides("second", message=following)
    world.due.append((world.clock.now + 2, lambda: asserted(world.callback() == (200, "first|"))))
    assert world.callback(following) == (200, "second|")
    assert world.clock.now - started >= 2


def asserted(holds: bool) -> None:
    assert holds


def test_a_passive_reply_does_not_wait_for_replies_to_another_conversation(
    world: World, message: Callable[..., Message]
) -> None:
    """It still waits for earlier replies to its own conversation."""
    elsewhere, following = message(id="m2"), message(id="m3")
    there = Destination(platform="feishu", app="demo", room_id="another")
    started = world.clock.now
    world.decides("first")
    world.decides("there", message=elsewhere, to=there)
    world.decides("second", message=following)
    world.due.append((world.clock.now + 2, lambda: asserted(world.callback() == (200, "first|"))))
    assert world.callback(following) == (200, "second|")
    assert world.clock.now - started >= 2


def test_a_passive_reply_does_not_overtake_a_reply_of_the_deliverer(
    world: World, message: Callable[..., Message]
) -> None:
    following = message(id="m2")
    world.decides("first")
    world.decides("second", message=following)
    world.outbox.lease = 60
    world.outbox.take(reply_id(message_key(world.message), 0), "deliverer", world.clock.now)
    assert [world.callback(following) for _ in range(3)] == [(504, ""), (504, ""), (200, "success")]
    assert world.states(following) == [("PENDING", [])]


def test_a_callback_that_comes_once_carries_the_replies_to_the_message_that_goes_on(
    world: World, message: Callable[..., Message]
) -> None:
    """The bot has handed the press on, within its conversation. Other callbacks do not wait for that message."""
    following = message(id="m1.forwarded")
    for once, expected in ((False, (200, "success")), (True, (200, "done|"))):
        world.message = replace(world.message, id=f"m{once}")
        snapshot = world.inbox.open(world.message)
        world.inbox.decide(world.message, snapshot, Decision(forwarded=following.id), world.clock.now)
        if once:
            world.decides("done", after=2, message=following)
        assert world.callback(once=once) == expected
    assert world.callback(once=True) == (200, "done|")


def test_a_callback_gives_up_a_message_that_goes_on_too_long(world: World, message: Callable[..., Message]) -> None:
    following = message(id="m1.forwarded")
    snapshot = world.inbox.open(world.message)
    world.inbox.decide(world.message, snapshot, Decision(forwarded=following.id), world.clock.now)
    world.decides("done", after=9, message=following)
    assert world.callback(once=True) == (200, "success")


def test_passive_replies_use_only_the_rows_that_the_callback_functions_may_access(
    world: World, message: Callable[..., Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deferred and new replies are sent whole, in part and not at all. One response is refused and one is repeated."""
    used: set[tuple[str, str]] = set()
    client: Any = dynamodb()
    call_api = client._make_api_call

    def recording(operation: str, request: dict[str, Any]) -> Any:
        used.update(_rows(operation, request))
        return call_api(operation, request)

    world.decides("late")
    row = world.outbox.take(reply_id(message_key(world.message), 0), "deliverer", world.clock.now)
    assert isinstance(row, Row)
    world.deferred.defer(row.out, "deliverer", "45015", world.clock.now)
    following = message(id="m2")
    world.decides("one", "two", "three", message=following)
    world.passive_replies.inbound = Inbound(room=11)
    monkeypatch.setattr(client, "_make_api_call", recording)
    with monkeypatch.context() as patch:
        patch.setattr(dynamodb(), "transact_write_items", refusing)
        assert world.callback(following) == (504, "")
    assert [world.callback(following) for _ in range(2)] == [(200, "late|one|tw")] * 2
    allowed = {(action.removeprefix("dynamodb:"), keys) for action, keys in PASSIVE_ROWS}
    assert {(action, f"{pk.partition('#')[0]}#*") for action, pk in used} == allowed


def _rows(operation: str, request: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The actions and keys that IAM checks."""
    match operation:
        case "TransactWriteItems":
            for item in request["TransactItems"]:
                [(action, arguments)] = item.items()
                yield f"{action}Item", arguments["Key"]["pk"]["S"]
        case "BatchGetItem":
            for key in request["RequestItems"]["parley"]["Keys"]:
                yield operation, key["pk"]["S"]
        case _:
            yield operation, request["Key"]["pk"]["S"]
