"""`turn.heard`: the last messages of a room that were not for the bot."""

from collections.abc import Mapping
from typing import Any

import pytest

from parley.bot import Bot, Turn
from parley.bot.rules import anything
from parley.engine.aws import dynamodb
from parley.engine.processor import Processor
from parley.journal.forget import Forget
from parley.journal.heard import KEPT, heard_keys
from parley.journal.inbox import Inbox
from parley.model import Context, Message, message_key
from parley.model.codec import encode
from parley.testing import PLATFORMS, Chat
from tests.factories import make_message
from tests.unit.conftest import Clock
from tools.faults.processes import TABLE
from tools.faults.targets import APP


def make_bot(hear: int = 20) -> Bot:
    bot = Bot(hear=hear)

    @bot.command()
    def talk(turn: Turn, count: int = 20) -> str:
        return ", ".join(f"{each.sender.name}: {each.content.text}" for each in turn.heard(count)) or "silence"

    @bot.pattern("outage", when=anything)
    def outage() -> str:
        return "I have seen it."

    return bot


def rows(chat: Chat) -> list[str]:
    return [pk for pk in chat._world.aws.dynamodb.items if pk.startswith("heard#")]


def test_the_last_messages_that_were_not_for_the_bot_in_order() -> None:
    chat = Chat(make_bot(), "feishu", config={"names": True})
    room = chat.room("team")
    room.say("lunch?", by="ann", mention=False)
    room.say("at noon", by="bob", mention=False)
    room.say("hello bot", by="ann")
    room.say("/talk", by="ann")
    room.expect("ann: lunch?, bob: at noon")
    room.say("/talk 1", by="ann")
    room.expect("bob: at noon")


def test_no_more_than_the_bot_hears_and_none_of_another_room() -> None:
    chat = Chat(make_bot(hear=2), "feishu")
    room, other = chat.room("team"), chat.room("other")
    for text in ("a", "b", "c"):
        room.say(text, mention=False)
    room.say("/talk")
    room.expect(": b, : c")
    other.say("/talk")
    other.expect("silence")
    room.say("/talk 0")
    room.expect("silence")


def test_a_message_is_heard_for_an_hour() -> None:
    chat = Chat(make_bot(), "feishu")
    room = chat.room("team")
    room.say("early", mention=False)
    chat.advance(seconds=KEPT / 2)
    room.say("late", mention=False)
    chat.advance(seconds=KEPT / 2 + 1)
    room.say("/talk")
    room.expect(": late")


def test_a_message_that_a_rule_gives_to_the_bot_is_heard_too() -> None:
    room = Chat(make_bot(), "feishu").room("team")
    room.say("an outage!", mention=False)
    room.expect("I have seen it.")
    room.say("/talk")
    room.expect(": an outage!")


def test_what_a_forgotten_person_said_is_not_heard() -> None:
    chat = Chat(make_bot(), "feishu")
    room = chat.room("team")
    room.say("ann's", by="ann", mention=False)
    person = chat._world.bot.received[-1].sender.id
    room.say("bob's", by="bob", mention=False)
    with chat._world.active():
        Forget(dynamodb(), TABLE, chat._world.clock, lambda _seconds: None)("feishu", APP, person)
    room.say("/talk", by="bob")
    room.expect(": bob's")


def test_without_it_nothing_is_stored_and_nothing_is_heard() -> None:
    chat = Chat(make_bot(hear=0), "feishu")
    room = chat.room("team")
    room.say("lunch?", mention=False)
    room.say("/talk")
    room.expect("silence")
    assert rows(chat) == []


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_conversation_in_which_all_is_for_the_bot_has_nothing_to_hear(platform: str) -> None:
    chat = Chat(make_bot(), platform)
    chat.say("/talk")
    chat.expect("silence")
    assert rows(chat) == []


@pytest.mark.parametrize("hear", [-1, 51, True, 1.5, "20"])
def test_a_wrong_number_is_refused(hear: Any) -> None:
    with pytest.raises(ValueError, match="whole number from 0 to 50"):
        Bot(hear=hear)


# --- in the journal


def record(message: Message, receives: int = 1) -> Mapping[str, Any]:
    attributes = {"ApproximateReceiveCount": str(receives)}
    return {"body": encode(message).decode(), "messageId": "r", "attributes": attributes}


def unaddressed(id_: str) -> Message:
    return make_message(id_, context=Context(room_id="room", mentioned=False))


@pytest.mark.usefixtures("aws")
def test_a_message_that_comes_again_is_heard_once(clock: Clock) -> None:
    processor = Processor(make_bot(), Inbox(dynamodb(), "parley", 86_400), clock=clock)
    first, second = unaddressed("m1"), unaddressed("m2")
    for message, receives in ((first, 1), (first, 2), (second, 1), (first, 3)):
        processor(record(message, receives))
    assert heard_keys(dynamodb(), "parley", first) == [message_key(first), message_key(second)]


@pytest.mark.usefixtures("aws")
def test_a_message_whose_decision_fails_is_not_heard_until_it_is_decided(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    processor = Processor(make_bot(), Inbox(dynamodb(), "parley", 86_400), clock=clock)
    message = unaddressed("m1")
    with monkeypatch.context() as dying:
        dying.setattr(Inbox, "_commit", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            processor(record(message))
    assert heard_keys(dynamodb(), "parley", message) == []
    processor(record(message, 2))
    assert heard_keys(dynamodb(), "parley", message) == [message_key(message)]
