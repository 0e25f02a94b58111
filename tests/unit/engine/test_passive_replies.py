"""Answers within the callback: the bot runs once, each reply is said once, whatever the platform delivers again."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from msgspec.structs import replace

from parley.adapter import Accepted, App, Config, PassiveReply, Request, Response
from parley.engine.aws import dynamodb
from parley.engine.passive_replies import PassiveReplies
from parley.journal.inbox import MAX_REPLIES, Inbox
from parley.journal.outbox import PASSIVE_RECEIPTS, Outbox
from parley.journal.passive import MAX_CARRIED, MAX_DEFERRED, Callbacks, DeferredReplies, NotCommittedError, Part, rules
from parley.journal.states import Finished, ReplyState, Row
from parley.journal.view import journal_of
from parley.model import Conversation, Destination, Message, Outgoing, Reply, Text, message_key, plain_text, reply_id
from tests.unit.conftest import Clock
from tests.unit.test_roles import PASSIVE_ROWS

pytestmark = pytest.mark.usefixtures("aws")
APP = App("feishu", "demo", Config())
NOTHING = Response(200, b"success", "text/plain")


class Inbound:
    """Says texts, joined by `|`, at most `room` characters of them."""

    def __init__(self, room: int = 100) -> None:
        self.room = room

    def passive_reply(
        self, request: Request, app: App, message: Message, replies: tuple[Reply, ...], now: float
    ) -> PassiveReply:
        words, said = "", 0
        for reply in replies:
            text = plain_text(reply.segments)
            if len(words) + len(text) > self.room:
                cut = self.room - len(words)
                rest = Reply(segments=(Text(text=text[cut:]),)) if cut else None
                return PassiveReply(Response(200, (words + text[:cut]).encode()), said, rest)
            words, said = words + text + "|", said + 1
        return PassiveReply(Response(200, words.encode()), said)


class World:
    """One message, what the bot decides and when, and the callbacks that wait for it."""

    def __init__(self, message: Message, clock: Clock, room: int = 100) -> None:
        self.message = message
        self.clock = clock
        self.inbox = Inbox(dynamodb(), "parley", 86_400)
        self.outbox = Outbox(dynamodb(), "parley", rules.LEASE)
        self.callbacks = Callbacks(dynamodb(), "parley", 86_400)
        self.deferred = DeferredReplies(dynamodb(), "parley", 86_400)
        self.due: list[tuple[float, Callable[[], Any]]] = []
        self.answers = PassiveReplies(
            Inbound(room), self.inbox, self.outbox, self.callbacks, self.deferred, clock, self.sleep
        )

    def sleep(self, seconds: float) -> None:
        """Let time pass, and what is due happen."""
        self.clock.now += seconds
        while self.due and self.due[0][0] <= self.clock.now:
            self.due.pop(0)[1]()

    def decides(
        self, *texts: str, after: float = 0, message: Message | None = None, to: Destination | None = None
    ) -> None:
        """The processor commits these replies after so many seconds."""
        target = message or self.message
        target = replace(target, context=replace(target.context, awaits_reply=True))

        def commit() -> None:
            rows = [self.outgoing(target, ordinal, text) for ordinal, text in enumerate(texts)]
            rows = [replace(row, to=to, reply=replace(row.reply, to=to)) for row in rows] if to else rows
            self.inbox.decide(target, self.inbox.open(target), {}, rows, self.clock.now)

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

    def callback(self, message: Message | None = None) -> tuple[int, str]:
        """One delivery of the message by the platform."""
        accepted = Accepted(NOTHING, (message or self.message,), passive_reply_within=4.5)
        response = self.answers.respond(Request(), APP, accepted, self.clock.now)
        return response.status, response.body.decode()

    def states(self, message: Message | None = None) -> list[tuple[str, list[str]]]:
        id_ = (message or self.message).id
        view = journal_of(dynamodb(), "parley", platform="feishu", app="demo", tenant="", message_id=id_)
        return [(reply["state"], reply["receipts"]) for reply in view["replies"]]


@pytest.fixture
def world(message: Callable[..., Message], clock: Clock) -> World:
    return World(message(), clock)


def test_an_answer_that_is_there_in_time_goes_with_the_first_delivery(world: World) -> None:
    world.decides("one", "two", after=1)
    assert world.callback() == (200, "one|two|")
    assert world.states() == [("SENT", ["passive"])] * 2


@pytest.mark.parametrize(("after", "deliveries"), [(1, 1), (6, 2), (11, 3)])
def test_further_deliveries_go_on_waiting(world: World, after: float, deliveries: int) -> None:
    world.decides("late", after=after)
    answers = [world.callback() for _ in range(deliveries)]
    assert answers == [(504, "")] * (deliveries - 1) + [(200, "late|")]


def test_what_comes_after_the_last_delivery_goes_another_way(world: World) -> None:
    world.decides("too late", after=20)
    assert [world.callback() for _ in range(3)] == [(504, ""), (504, ""), (200, "success")]
    world.sleep(20)
    row = world.outbox.take(reply_id(message_key(world.message), 0), "deliverer", world.clock.now)
    assert isinstance(row, Row)


def test_a_fourth_delivery_is_told_the_same_as_the_third(world: World) -> None:
    """That the answer goes another way was said, and who says it does not look back."""
    world.decides("late", after=16)
    assert [world.callback() for _ in range(4)] == [(504, ""), (504, ""), (200, "success"), (200, "success")]
    world.sleep(3)
    assert world.states() == [("PENDING", [])]


def test_a_delivery_whose_answer_got_lost_is_answered_with_the_same_bytes(world: World) -> None:
    world.decides("once")
    assert world.callback() == world.callback() == world.callback() == (200, "once|")
    assert world.states() == [("SENT", ["passive"])]


def test_the_deliverer_finds_nothing_left_to_do(world: World) -> None:
    world.decides("once")
    world.callback()
    taken = world.outbox.take(reply_id(message_key(world.message), 0), "deliverer", world.clock.now + 100)
    assert taken == Finished(ReplyState.SENT)


def test_a_reply_that_the_deliverer_has_is_left_to_it(world: World) -> None:
    world.decides("one", "two")
    taken = world.outbox.take(reply_id(message_key(world.message), 0), "deliverer", world.clock.now)
    assert isinstance(taken, Row)
    said = partial(world.outbox.finish, taken.out, "deliverer", ReplyState.SENT, (), "")
    world.due.append((world.clock.now + 1, lambda: said(world.clock.now)))
    assert world.callback() == (200, "two|")


def test_what_the_deliverer_is_refused_meanwhile_is_said_by_the_callback_that_waits(world: World) -> None:
    world.decides("one", "two")
    taken = world.outbox.take(reply_id(message_key(world.message), 0), "deliverer", world.clock.now)
    assert isinstance(taken, Row)
    owe = partial(world.deferred.defer, taken.out, "deliverer", "48001")
    world.due.append((world.clock.now + 1, lambda: owe(world.clock.now)))
    assert world.callback() == (200, "one|two|")
    assert world.deferred.of(taken.out.to.key) == []


def test_what_is_owed_and_names_its_own_place_is_an_answer_like_any_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a push is, that somebody could not be told."""
    world.decides("one", to=Destination.answering(world.message))
    said: list[Reply] = []
    answer = world.answers.inbound.passive_reply

    def noting(request: Any, app: Any, message: Any, replies: tuple[Reply, ...], now: float) -> PassiveReply:
        said.extend(replies)
        return answer(request, app, message, replies, now)

    monkeypatch.setattr(world.answers.inbound, "passive_reply", noting)
    assert world.callback() == (200, "one|")
    assert [reply.to for reply in said] == [None]


def test_of_a_reply_that_does_not_fit_the_rest_is_kept(message: Callable[..., Message], clock: Clock) -> None:
    world = World(message(), clock, room=6)
    world.decides("one", "twothree", "four")
    assert world.callback() == (200, "one|tw")
    assert [state for state, _ in world.states()] == ["SENT", "PENDING", "PENDING"]
    rest = world.inbox.replies(world.message, 3)[1].out.reply
    assert plain_text(rest.segments) == "othree"


def test_what_is_owed_comes_with_the_next_answer_and_first(world: World, message: Callable[..., Message]) -> None:
    world.decides("owed")
    id_ = reply_id(message_key(world.message), 0)
    row = world.outbox.take(id_, "deliverer", world.clock.now)
    assert isinstance(row, Row)
    world.deferred.defer(row.out, "deliverer", "45015", world.clock.now)
    assert world.states() == [("PENDING", [])]
    following = message(id="m2")
    world.decides("new", message=following)
    assert world.callback(following) == (200, "owed|new|")
    assert world.states() == [("SENT", ["passive"])]
    assert world.deferred.of(Conversation.of(following).key) == []
    assert world.inbox.replies(world.message, 1)[0].receipts == PASSIVE_RECEIPTS


def test_an_answer_tells_of_no_more_replies_than_one_transaction_takes(
    world: World, message: Callable[..., Message]
) -> None:
    world.decides(*(f"owed {number}" for number in range(MAX_DEFERRED)))
    for row in world.inbox.replies(world.message, MAX_DEFERRED):
        world.outbox.take(row.out.id, "deliverer", world.clock.now)
        world.deferred.defer(row.out, "deliverer", "45015", world.clock.now)
    following = message(id="m2")
    world.decides(*("x" for _ in range(MAX_REPLIES)), message=following)
    world.answers.inbound = Inbound(room=10_000)
    status, body = world.callback(following)
    assert (status, body.count("|")) == (200, MAX_CARRIED)
    assert [state for state, _ in world.states(following)].count("PENDING") == MAX_DEFERRED + MAX_REPLIES - MAX_CARRIED


def test_a_bot_that_says_nothing_is_told_so_at_once(world: World) -> None:
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


def test_an_answer_that_dynamodb_refuses_is_not_given_and_the_next_delivery_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.decides("one", "two")
    with monkeypatch.context() as patch:
        patch.setattr(dynamodb(), "transact_write_items", refusing)
        assert world.callback() == (504, "")
    assert world.states() == [("PENDING", [])] * 2
    assert world.callback() == (200, "one|two|")


def test_what_was_given_back_leaves_no_doubt_behind(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.decides("one", "two")
    monkeypatch.setattr(dynamodb(), "transact_write_items", refusing)
    world.callback()
    for row in world.inbox.replies(world.message, 2):
        taken = world.outbox.take(row.out.id, "deliverer", world.clock.now)
        assert isinstance(taken, Row)
        assert taken.unknown_since is None


def test_a_callback_that_stood_still_gives_back_what_nobody_would_hear(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.decides("one")
    answer = world.answers.inbound.passive_reply

    def slow(*arguments: Any) -> PassiveReply:
        world.sleep(5)
        return answer(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(world.answers.inbound, "passive_reply", slow)
        assert world.callback() == (504, "")
    assert world.states() == [("PENDING", [])]
    assert world.callback() == (200, "one|")


def test_what_goes_another_way_can_no_longer_be_taken_along_by_a_callback_that_stood_still(world: World) -> None:
    """It has taken the reply, and stands still before it records what it says."""
    world.decides("one")
    world.outbox.lease = 60
    taken = world.outbox.take(reply_id(message_key(world.message), 0), "callback-slow", world.clock.now, calls=False)
    assert isinstance(taken, Row)
    assert [world.callback() for _ in range(3)] == [(504, ""), (504, ""), (200, "success")]
    with pytest.raises(NotCommittedError):
        world.callbacks.commit(world.message, [Part(taken.out, carried=True)], "callback-slow", "late", world.clock.now)
    assert world.states() == [("SENDING", [])]


def test_an_answer_that_comes_while_the_last_delivery_gives_up_is_given_by_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another delivery was quicker by a moment: there is one answer, whoever looks."""
    world.decides()
    commit = world.callbacks.commit
    given = '{"status":200,"body":"b25jZQ==","content_type":"text/plain"}'

    def overtaken(*arguments: Any) -> None:
        monkeypatch.undo()
        commit(world.message, [], "", given, world.clock.now)
        commit(*arguments)

    monkeypatch.setattr(Callbacks, "commit", lambda _self, *arguments: overtaken(*arguments))
    assert world.callback() == (200, "once")


@pytest.mark.parametrize("error", [ReadTimeoutError(endpoint_url="here"), KeyError("ours")])
def test_what_was_taken_before_something_failed_is_given_back(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    world.decides("one", "two")
    answer = world.answers.inbound.passive_reply

    def fails(*_: Any) -> PassiveReply:
        raise error

    monkeypatch.setattr(world.answers.inbound, "passive_reply", fails)
    try:
        assert world.callback() == (504, "")
    except KeyError:
        assert isinstance(error, KeyError)
    assert world.states() == [("PENDING", [])] * 2
    monkeypatch.setattr(world.answers.inbound, "passive_reply", answer)
    assert world.callback() == (200, "one|two|")


def test_an_answer_of_which_nobody_knows_whether_it_is_recorded_is_left_to_the_next_delivery(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.decides("one")
    with monkeypatch.context() as patch:
        patch.setattr(dynamodb(), "transact_write_items", failing)
        assert world.callback() == (504, "")
    assert world.states() == [("SENDING", [])]
    world.sleep(rules.LEASE / 2)
    assert world.callback() == (200, "one|")


def test_a_callback_that_dies_over_its_answer_leaves_no_doubt_about_it(world: World) -> None:
    world.decides("one")
    world.outbox.take(reply_id(message_key(world.message), 0), "callback-dead", world.clock.now, calls=False)
    world.sleep(rules.LEASE + 20)
    row = world.outbox.take(reply_id(message_key(world.message), 0), "deliverer", world.clock.now)
    assert isinstance(row, Row)
    assert row.unknown_since is None


def test_of_two_deliveries_at_once_both_are_given_the_one_answer(world: World) -> None:
    """The platform has given the first one up, and looks at the second alone; the first is quicker."""
    world.decides("once")
    taken = world.outbox.take(reply_id(message_key(world.message), 0), "callback-first", world.clock.now, calls=False)
    assert isinstance(taken, Row)
    given = '{"status":200,"body":"b25jZQ==","content_type":"text/plain"}'

    def commit() -> None:
        world.callbacks.commit(world.message, [Part(taken.out, carried=True)], "callback-first", given, world.clock.now)

    world.due.append((world.clock.now + 1, commit))
    assert world.callback() == (200, "once")
    assert world.states() == [("SENT", ["passive"])]


def test_a_table_that_fails_costs_the_answer_and_not_the_message(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is told that the answer goes another way before that is recorded."""
    world.decides("later")
    monkeypatch.setattr(Callbacks, "decision", failing)
    assert [world.callback() for _ in range(3)] == [(504, "")] * 3
    assert world.states() == [("PENDING", [])]


def test_an_answer_waits_for_what_was_said_before_it(world: World, message: Callable[..., Message]) -> None:
    """Whoever writes twice within a second has two callbacks side by side."""
    following, started = message(id="m2"), world.clock.now
    world.decides("first")
    world.decides("second", message=following)
    world.due.append((world.clock.now + 2, lambda: asserted(world.callback() == (200, "first|"))))
    assert world.callback(following) == (200, "second|")
    assert world.clock.now - started >= 2


def asserted(holds: bool) -> None:
    assert holds


def test_an_answer_waits_for_nothing_that_is_said_elsewhere(world: World, message: Callable[..., Message]) -> None:
    """And what was said here before that is waited for all the same."""
    elsewhere, following = message(id="m2"), message(id="m3")
    there = Destination(platform="feishu", app="demo", room_id="another")
    started = world.clock.now
    world.decides("first")
    world.decides("there", message=elsewhere, to=there)
    world.decides("second", message=following)
    world.due.append((world.clock.now + 2, lambda: asserted(world.callback() == (200, "first|"))))
    assert world.callback(following) == (200, "second|")
    assert world.clock.now - started >= 2


def test_an_answer_does_not_overtake_what_goes_another_way(world: World, message: Callable[..., Message]) -> None:
    following = message(id="m2")
    world.decides("first")
    world.decides("second", message=following)
    world.outbox.lease = 60
    world.outbox.take(reply_id(message_key(world.message), 0), "deliverer", world.clock.now)
    assert [world.callback(following) for _ in range(3)] == [(504, ""), (504, ""), (200, "success")]
    assert world.states(following) == [("PENDING", [])]


def test_answering_touches_no_rows_but_those_that_the_callback_functions_may(
    world: World, message: Callable[..., Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Owed and new replies, said whole, in part and not at all; an answer refused; an answer given once more."""
    used: set[tuple[str, str]] = set()
    client: Any = dynamodb()
    ask = client._make_api_call

    def noting(operation: str, request: dict[str, Any]) -> Any:
        used.update(_rows(operation, request))
        return ask(operation, request)

    world.decides("owed")
    row = world.outbox.take(reply_id(message_key(world.message), 0), "deliverer", world.clock.now)
    assert isinstance(row, Row)
    world.deferred.defer(row.out, "deliverer", "45015", world.clock.now)
    following = message(id="m2")
    world.decides("one", "two", "three", message=following)
    world.answers.inbound = Inbound(room=11)
    monkeypatch.setattr(client, "_make_api_call", noting)
    with monkeypatch.context() as patch:
        patch.setattr(dynamodb(), "transact_write_items", refusing)
        assert world.callback(following) == (504, "")
    assert [world.callback(following) for _ in range(2)] == [(200, "owed|one|tw")] * 2
    allowed = {(action.removeprefix("dynamodb:"), keys) for [action], rows in PASSIVE_ROWS.items() for keys in rows}
    assert {(action, f"{pk.partition('#')[0]}#*") for action, pk in used} == allowed


def _rows(operation: str, request: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The actions and keys that IAM would see."""
    match operation:
        case "TransactWriteItems":
            for item in request["TransactItems"]:
                [(action, what)] = item.items()
                yield f"{action}Item", what["Key"]["pk"]["S"]
        case "BatchGetItem":
            for key in request["RequestItems"]["parley"]["Keys"]:
                yield operation, key["pk"]["S"]
        case _:
            yield operation, request["Key"]["pk"]["S"]
