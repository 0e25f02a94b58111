"""Polls: the platform asks for the replies to a message, which go out once, however often it asks."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from msgspec.structs import replace

from parley.adapter import Accepted, App, Config, PassiveReply, Request, Response
from parley.engine.aws import dynamodb
from parley.engine.passive_replies import PassiveReplies
from parley.engine.polled_drafts import PolledDraft
from parley.journal.inbox import Inbox
from parley.journal.outbox import Outbox
from parley.journal.passive import Callbacks, DeferredReplies, NotCommittedError, rules
from parley.journal.states import ReplyState, Row
from parley.journal.table import callback_pk, get
from parley.model import Destination, Message, Outgoing, Reply, message_key, plain_text, reply_id
from tests.factories import decide
from tests.unit.conftest import Clock

pytestmark = pytest.mark.usefixtures("aws")
APP = App("feishu", "demo", Config())
UNFINISHED = Response(200, b"unfinished")


class Inbound:
    """Renders the texts of replies, each followed by `|`, and a full stop; an answer that grows ends with dots."""

    def growing_reply(self, request: Request, app: App, message: Message, reply: Reply, now: float) -> Response:
        return Response(200, f"{plain_text(reply.segments)}...".encode())

    def passive_reply(
        self, request: Request, app: App, message: Message, replies: tuple[Outgoing, ...], now: float
    ) -> PassiveReply:
        words = "".join(f"{plain_text(out.reply.segments)}|" for out in replies)
        return PassiveReply(Response(200, f"{words}.".encode()), len(replies))


class World:
    """A platform that polls, and a bot that decides."""

    def __init__(self, message: Message, clock: Clock) -> None:
        self.clock = clock
        self.message = replace(message, context=replace(message.context, awaits_reply=True))
        self.inbox = Inbox(dynamodb(), "parley", 86_400)
        self.outbox = Outbox(dynamodb(), "parley", rules.LEASE)
        self.callbacks = Callbacks(dynamodb(), "parley", 86_400)
        deferred = DeferredReplies(dynamodb(), "parley", 86_400)
        self.replies = PassiveReplies(Inbound(), self.inbox, self.outbox, self.callbacks, deferred, clock, self.sleep)

    def sleep(self, seconds: float) -> None:
        raise AssertionError(f"a poll waits for {seconds} s")

    def decides(self, *texts: str, id_: str = "") -> None:
        message = replace(self.message, id=id_) if id_ else self.message
        rows = [self.outgoing(message, ordinal, text) for ordinal, text in enumerate(texts)]
        decide(self.inbox, message, self.inbox.open(message), {}, rows, self.clock.now)
        self.inbox.queued(message, rows, self.clock.now)

    def outgoing(self, message: Message, ordinal: int, text: str) -> Outgoing:
        key, to = message_key(message), Destination.answering(message)
        return Outgoing(
            id=reply_id(key, ordinal),
            message_key=key,
            ordinal=ordinal,
            to=to,
            reply=Reply.of(text),
            created=self.clock.now,
        )

    def poll(self, id_: str = "") -> str:
        message = replace(self.message, id=id_) if id_ else self.message
        accepted = Accepted(UNFINISHED, polled=message, passive_reply_within=330)
        return self.replies.respond(Request(), APP, accepted, self.clock.now).body.decode()

    def row(self) -> dict[str, Any]:
        """The row of the callbacks."""
        return dict(get(dynamodb(), "parley", callback_pk(message_key(self.message))))

    def states(self, count: int = 1) -> list[ReplyState]:
        return [row.state for row in self.inbox.replies(self.message, count)]


@pytest.fixture
def world(message: Callable[..., Message], clock: Clock) -> World:
    return World(message(), clock)


def test_a_poll_before_the_decision_does_not_wait(world: World) -> None:
    assert world.poll() == "unfinished"
    world.decides("one", "two")
    assert world.poll() == "one|two|."
    assert world.states(2) == [ReplyState.SENT] * 2


def test_a_repeated_or_late_poll_gets_the_same(world: World) -> None:
    world.decides("one")
    assert world.poll() == world.poll() == "one|."
    world.clock.now += 3600
    assert world.poll() == "one|."


def test_the_polls_end_if_there_are_no_replies(world: World) -> None:
    world.decides()
    assert world.poll() == "."


def test_the_polls_end_before_the_platform_ends_them_and_later_replies_are_left(world: World) -> None:
    assert world.poll() == "unfinished"
    world.clock.now += 329
    assert world.poll() == "unfinished"
    world.clock.now += 2
    assert world.poll() == "."
    world.decides("late")
    assert world.poll() == "."
    assert world.states() == [ReplyState.PENDING]


def test_the_polls_end_if_the_reply_went_through_the_api(world: World) -> None:
    world.decides("one")
    (out,) = (row.out for row in world.inbox.replies(world.message, 1))
    assert isinstance(world.outbox.take(out.id, "deliverer", world.clock.now), Row)
    assert world.poll() == "unfinished"  # the deliverer may leave it to a later poll
    world.outbox.finish(out, "deliverer", ReplyState.SENT, (), "", world.clock.now)
    assert world.poll() == "."


def test_a_reply_waits_for_an_earlier_one_of_the_conversation(world: World) -> None:
    world.decides("first", id_="m0")
    world.decides("second")
    assert world.poll() == "unfinished"
    assert world.poll("m0") == "first|."
    assert world.poll() == "second|."


def test_a_process_that_dies_after_the_record_has_answered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.decides("one")
    commit = Callbacks.commit

    def dying(*arguments: Any) -> None:
        commit(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Callbacks, "commit", dying)
        with pytest.raises(KeyboardInterrupt):
            world.poll()
    assert world.poll() == "one|."
    assert world.states() == [ReplyState.SENT]


def test_a_process_that_dies_before_the_record_leaves_the_reply(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.decides("one")

    def dying(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Callbacks, "commit", dying)
        with pytest.raises(KeyboardInterrupt):
            world.poll()
    assert world.poll() == "unfinished"
    world.clock.now += rules.LEASE + 1
    assert world.poll() == "one|."


def test_a_poll_shows_the_answer_so_far_until_there_is_one(world: World) -> None:
    draft = PolledDraft(world.message, world.callbacks, clock=world.clock)
    draft.show(lambda: Reply.of("on"))
    assert world.poll() == "on..."
    draft.show(lambda: Reply.of("one"))
    assert world.poll() == "on..."  # one text in a second
    world.clock.now += 1
    draft.show(lambda: Reply.of("one more"))
    assert world.poll() == world.poll() == "one more..."
    world.decides("one")
    assert world.poll() == "one|."
    world.clock.now += 1
    draft.show(lambda: Reply.of("of a worker that stalls"))
    assert world.poll() == "one|."
    assert world.row().keys().isdisjoint({"draft"})


def test_an_answer_so_far_is_not_shown_for_a_late_worker_or_during_an_outage(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = PolledDraft(world.message, world.callbacks, is_late=lambda: True, clock=world.clock)
    draft.show(lambda: Reply.of("late"))
    with monkeypatch.context() as patched:
        patched.setattr(Callbacks, "grow", timed_out)
        PolledDraft(world.message, world.callbacks, clock=world.clock).show(lambda: Reply.of("lost"))
    assert world.poll() == "unfinished"


def test_the_answer_so_far_ends_with_the_polls(world: World) -> None:
    world.poll()
    PolledDraft(world.message, world.callbacks, clock=world.clock).show(lambda: Reply.of("on"))
    world.clock.now += 331
    assert world.poll() == "."


def timed_out(*_: Any, **__: Any) -> None:
    raise ReadTimeoutError(endpoint_url="http://dynamodb")


@pytest.mark.parametrize("step", ["delivered", "decision", "commit"])
def test_a_poll_during_an_outage_is_answered_unfinished(
    world: World, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    world.decides("one")
    with monkeypatch.context() as patched:
        patched.setattr(Inbox if step == "decision" else Callbacks, step, timed_out)
        assert world.poll() == "unfinished"
    world.clock.now += rules.LEASE + 1
    assert world.poll() == "one|."


def test_a_poll_that_loses_to_another_gets_its_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.decides("one")
    commit = Callbacks.commit

    def outrun(self: Callbacks, message: Message, parts: Any, owner: str, response: str, now: float) -> None:
        commit(self, message, parts, owner, response, now)
        raise NotCommittedError("another poll was first")

    monkeypatch.setattr(Callbacks, "commit", outrun)
    assert world.poll() == "one|."
    assert world.states() == [ReplyState.SENT]
