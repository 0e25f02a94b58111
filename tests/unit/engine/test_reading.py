"""Clients read what is delivered, at once or as soon as it is there, and nothing is taken from the journal."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from msgspec.structs import replace

from parley.adapter import App, Read, Reading
from parley.engine.apps import Apps
from parley.engine.aws import dynamodb
from parley.engine.callback import Callback
from parley.engine.reading import Reader
from parley.journal.inbox import Decision, Inbox
from parley.journal.mailbox import Mailbox
from parley.journal.outbox import Outbox
from parley.journal.states import ReplyState
from parley.model import Conversation, Destination, Message, Outgoing, message_key, plain_text, reply_id
from parley.platforms.http import inbound
from parley.platforms.http.config import Config
from playground.platforms.http import wire
from tests.factories import make_message, make_reply
from tests.tokens import issuer, token
from tests.unit.conftest import Clock
from tests.unit.test_roles import READ_ROWS

pytestmark = pytest.mark.usefixtures("aws")


class World:
    """One message, and what happens at later times, while a client waits."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.message = make_message()
        self.inbox = Inbox(dynamodb(), "parley", 86_400)
        self.mailbox = Mailbox(dynamodb(), "parley", 86_400)
        self.due: list[tuple[float, Callable[[], Any]]] = []
        self.reader = Reader(self.inbox, self.mailbox, clock, self.sleep)

    def sleep(self, seconds: float) -> None:
        until = self.clock() + seconds
        while self.due and self.due[0][0] <= until:
            at, what = self.due.pop(0)
            self.clock.now = max(self.clock.now, at)
            what()
        self.clock.now = until

    def at(self, seconds: float, what: Callable[[], Any]) -> None:
        self.due.append((self.clock() + seconds, what))

    def decide(self, *texts: str, message: Message | None = None, forwarded: str = "", **more: Any) -> list[Outgoing]:
        """Decide the message, with these replies."""
        message = message or self.message
        replies = [replace(make_reply(message, text, ordinal=n), **more) for n, text in enumerate(texts)]
        self.inbox.decide(message, self.inbox.open(message), Decision(replies, forwarded=forwarded), self.clock())
        return replies

    def deliver(self, *replies: Outgoing) -> None:
        for out in replies:
            self.mailbox.put(out, self.clock())

    def read(self, wait: float = 0, **more: Any) -> tuple[list[str], Read]:
        found = self.reader(Reading("person", wait=wait, **more), self.clock())
        return [plain_text(out.reply.segments) for out in found.replies], found

    def of_message(self, wait: float = 0) -> tuple[list[str], bool]:
        texts, found = self.read(wait, message=self.message)
        return texts, found.done

    def of_conversation(self, wait: float = 0, after: int | None = None) -> tuple[list[str], int]:
        texts, found = self.read(wait, conversation=Conversation.of(self.message).key, after=after)
        return texts, found.cursor


@pytest.fixture
def world(clock: Clock) -> World:
    return World(clock)


def test_the_replies_to_a_message_are_there_once_they_are_delivered(world: World) -> None:
    assert world.of_message() == ([], False)
    one, two = world.decide("one", "two")
    assert world.of_message() == ([], False)
    world.deliver(one)
    assert world.of_message() == (["one"], False)
    world.deliver(two)
    assert world.of_message() == (["one", "two"], True)
    assert world.of_message() == (["one", "two"], True)


def test_a_client_waits_until_all_replies_are_there_and_no_longer(world: World, clock: Clock) -> None:
    started = clock()
    replies: list[Outgoing] = []
    world.at(2, lambda: replies.extend(world.decide("one", "two")))
    world.at(3, lambda: world.deliver(replies[0]))
    world.at(4, lambda: world.deliver(replies[1]))
    assert world.of_message(25) == (["one", "two"], True)
    assert 4 <= clock() - started < 5


def test_a_client_that_has_waited_gets_what_is_there(world: World, clock: Clock) -> None:
    started = clock()
    one, _ = world.decide("one", "two")
    world.deliver(one)
    assert world.of_message(5) == (["one"], False)
    assert 5 <= clock() - started < 5.6


def test_a_message_without_replies_is_done(world: World) -> None:
    world.decide()
    assert world.of_message(25) == ([], True)


def test_a_reply_that_has_failed_is_not_waited_for(world: World, clock: Clock) -> None:
    (lost,) = world.decide("lost")
    outbox = Outbox(dynamodb(), "parley", 20)
    outbox.take(lost.id, "me", clock())
    outbox.finish(lost, "me", ReplyState.FAILED, (), "no", clock())
    assert world.of_message(25) == ([], True)


def test_a_reply_to_another_place_is_not_among_the_replies(world: World) -> None:
    elsewhere = Destination(platform="feishu", app="demo", room_id="other")
    (made,) = world.decide("elsewhere", reply=replace(make_reply(world.message, "x").reply, to=elsewhere), to=elsewhere)
    world.deliver(made)
    assert world.of_message() == ([], True)
    assert world.of_conversation() == ([], 0)


def test_the_replies_to_the_message_to_which_the_bot_hands_a_press_on_are_among_them(world: World) -> None:
    brought = make_message("m2")
    world.decide(forwarded="m2")
    assert world.of_message() == ([], False)
    world.deliver(*world.decide("of the dialogue", message=brought))
    assert world.of_message() == (["of the dialogue"], True)


def test_an_apology_ends_the_wait_for_a_message_on_which_the_bot_has_failed(world: World, clock: Clock) -> None:
    sorry = replace(make_reply(world.message, "sorry"), id=reply_id(message_key(world.message), "apology"))
    world.inbox.add(sorry, clock())
    assert world.of_message() == ([], False)
    world.deliver(sorry)
    assert world.of_message() == (["sorry"], True)


def test_a_conversation_is_read_on_from_the_cursor(world: World) -> None:
    world.deliver(*world.decide("one", "two"))
    texts, cursor = world.of_conversation()
    assert texts == ["one", "two"]
    assert world.of_conversation(after=cursor) == ([], cursor)
    world.deliver(*world.decide("three", message=make_message("m2")))
    assert world.of_conversation(after=cursor) == (["three"], cursor + 1)


def test_a_client_waits_for_the_next_reply_of_its_conversation(world: World, clock: Clock) -> None:
    started = clock()
    world.at(3, lambda: world.deliver(*world.decide("one")))
    texts, cursor = world.of_conversation(25)
    assert texts == ["one"]
    assert 3 <= clock() - started < 4
    assert world.of_conversation(5, after=cursor) == ([], cursor)
    assert 8 <= clock() - started < 9


def test_a_cursor_from_before_the_mailbox_expired_leads_to_the_first_reply(world: World) -> None:
    world.deliver(*world.decide("one"))
    assert world.of_conversation(after=1)[0] == ["one"]


def test_it_reads_the_rows_that_its_role_allows_and_no_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.deliver(*world.decide("one"))
    used = set[tuple[str, str]]()
    client: Any = type(dynamodb())
    made = client._make_api_call

    def recording(self: Any, operation: str, request: dict[str, Any]) -> Any:
        keys = request["RequestItems"]["parley"]["Keys"] if operation == "BatchGetItem" else [request["Key"]]
        used.update((f"dynamodb:{operation}", f"{key['pk']['S'].partition('#')[0]}#*") for key in keys)
        return made(self, operation, request)

    monkeypatch.setattr(client, "_make_api_call", recording)
    assert world.of_message() == (["one"], True)
    assert world.of_conversation()[0] == ["one"]
    assert used == READ_ROWS


# --- through the callback function ------------------------------------------------------------------------------------

SECRET_APP = App("http", "web", Config(issuers=(issuer(),)))


class OneApp(Apps):
    """Holds one app."""

    def get(self, platform: str, name: str) -> App:
        return SECRET_APP


def called(clock: Clock, reader: Reader | None, method: str = "POST", **parts: Any) -> tuple[int, dict[str, Any]]:
    sent = wire.posted(token(clock()), "k1", {"text": "hi"})
    handler = Callback("http", inbound, OneApp(), clock, reader=(lambda: reader) if reader is not None else None)
    event = {
        "httpMethod": method,
        "pathParameters": {"app": "web", **parts.get("parameters", {})},
        "queryStringParameters": parts.get("query"),
        "headers": dict(sent.headers),
        "body": sent.body.decode() if method == "POST" else "",
    }
    answer = handler(event, None)
    return answer["statusCode"], json.loads(answer["body"])


class Broken(Reader):
    """DynamoDB does not answer."""

    def __call__(self, reading: Reading, started: float) -> Read:
        raise ReadTimeoutError(endpoint_url="x")


def test_a_message_is_queued_before_anything_is_read_and_then_answered(world: World, clock: Clock) -> None:
    status, pending = called(clock, None)
    assert (status, pending["state"]) == (202, "pending")
    received = make_message(pending["id"], platform="http", app="web", room="")
    world.at(1, lambda: world.deliver(*world.decide("hello", message=received)))
    status, answered = called(clock, world.reader, query={"wait": "10"})
    assert (status, answered["id"], [reply["text"] for reply in answered["replies"]]) == (200, pending["id"], ["hello"])
    status, again = called(clock, world.reader, "GET", parameters={"id": pending["id"]})
    assert (status, again) == (200, answered)


def test_a_message_that_is_stored_is_acknowledged_although_nothing_can_be_read(world: World, clock: Clock) -> None:
    broken = Broken(world.inbox, world.mailbox, clock, clock.sleep)
    status, document = called(clock, broken, query={"wait": "10"})
    assert (status, document["state"]) == (202, "pending")
    status, document = called(clock, broken, "GET", parameters={"id": document["id"]})
    assert (status, document["error"]) == (503, "unavailable")
