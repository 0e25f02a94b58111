"""The last failure of a message that brings a dialogue on: one message ends the dialogue, and nobody else is told."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec import to_builtins
from msgspec.structs import replace

from parley.bot import Approve, Ask, Bot, Script, Turn
from parley.bot.texts import BOTH
from parley.engine.aws import dynamodb
from parley.engine.processor import HandlerError, Processor
from parley.engine.undelivered import end_approval
from parley.errors import RetryAfter
from parley.journal.outbox import Outbox
from parley.journal.timers import Set, Timers
from parley.model import Action, Button, Card, Message, Outgoing, Reply
from parley.model.agenda import FAILED, PRESSED
from parley.model.codec import decode_message, encode
from tests.factories import make_message, make_reply
from tests.unit.conftest import Clock
from tests.unit.engine.test_processor import emptied, processor, queued, texts

pytestmark = pytest.mark.usefixtures("aws")
MakeRecord = Callable[..., dict[str, Any]]


def deploying() -> Bot:
    bot = Bot(apology="sorry")

    @bot.command()
    def deploy() -> Script:
        yield Approve("Deploy?", timeout=timedelta(hours=2))
        raise OSError

    @bot.command()
    def ask() -> Script:
        answer = yield Ask("Which?")
        if answer == "bad":
            raise OSError
        return f"so {answer}"

    @bot.command()
    def remind(turn: Turn) -> None:
        turn.remind("tea", after=timedelta(minutes=1), handler="fails")

    @bot.reminder("fails")
    def fails() -> str:
        raise OSError

    return bot


def asked(handle: Processor, record: MakeRecord) -> Card:
    """The card of an approval that is asked for."""
    handle(record(encode(make_message(text="/deploy"))))
    (card,) = (part for out in queued() for part in out.reply.segments if isinstance(part, Card))
    return card


def press(card: Card) -> Message:
    """The message that brings the press of the first button under `card` to its conversation."""
    action = Action(id=card.buttons[0].id, value=card.buttons[0].value, message_id="om_1")
    pressed = make_message("press", "", kind="action", action=action)
    return make_message("forwarded", "", kind="event", event=PRESSED, raw=to_builtins(pressed))


def fail(handle: Processor, record: MakeRecord, message: Message, *, receives: int) -> None:
    """Deliver `message` until it goes to the dead-letter queue."""
    for number in range(1, receives):
        with pytest.raises(HandlerError):
            handle(record(encode(message), receives=number))
    handle(record(encode(message), receives=receives))


def endings() -> list[Message]:
    """Empties the inbound queue. Returns the messages that end dialogues."""
    return [message for message in map(decode_message, emptied("inbound")) if message.event == FAILED]


def test_a_press_that_fails_for_the_last_time_ends_the_dialogue_once(record: MakeRecord, clock: Clock) -> None:
    handle = processor(deploying(), clock)
    pressed = press(asked(handle, record))
    fail(handle, record, pressed, receives=3)
    handle(record(encode(pressed), receives=4))  # after a crash
    (ending,) = {message.id: message for message in endings()}.values()
    assert len(emptied("inbound_dead")) == 1
    handle(record(encode(ending)))
    edit, told = queued()
    assert (edit.reply.op, edit.reply.target) == ("edit", "om_1")
    assert texts([told])[0].startswith("Deploy?\n")
    handle(record(encode(pressed), id="sent back"))
    assert texts(queued()) == [BOTH.decided]


def test_a_reminder_that_fails_for_the_last_time_apologises(record: MakeRecord, clock: Clock) -> None:
    handle = processor(deploying(), clock)
    handle(record(encode(make_message(text="/remind"))))
    (timer,) = due(handle)
    fail(handle, record, timer, receives=3)
    assert texts(queued()) == ["sorry"]
    assert endings() == []


def due(handle: Processor) -> list[Message]:
    """The messages of the timers."""
    found = Timers(dynamodb(), "parley").due(handle.clock() + 86_400)
    return [each.timer.due for each in found if isinstance(each, Set)]


def test_a_reminder_of_a_newer_version_of_the_bot_waits_for_it(record: MakeRecord, clock: Clock) -> None:
    new, old = processor(deploying(), clock), processor(Bot(apology="sorry"), clock)
    new(record(encode(make_message(text="/remind"))))
    (timer,) = due(new)
    clock.now = timer.timestamp
    for receives in range(1, 10):  # more than there are attempts
        with pytest.raises(RetryAfter):
            old(record(encode(timer), receives=receives))
    clock.now += 1000
    with pytest.raises(HandlerError, match=r"does not have @bot.reminder\('fails'\)"):
        old(record(encode(timer), receives=10))
    with pytest.raises(HandlerError, match="OSError"):
        new(record(encode(timer), receives=11))


def test_the_time_out_of_an_approval_that_fails_ends_it(record: MakeRecord, clock: Clock) -> None:
    handle = processor(deploying(), clock)
    asked(handle, record)
    (timer,) = due(handle)
    clock.now = timer.timestamp
    fail(handle, record, timer, receives=3)
    (ending,) = endings()
    handle(record(encode(ending)))
    assert "sorry" not in texts(queued())
    assert due(handle) == []


def test_an_answer_that_fails_gets_the_apology_and_can_be_given_again(record: MakeRecord, clock: Clock) -> None:
    handle = processor(deploying(), clock)
    handle(record(encode(make_message(text="/ask"))))
    fail(handle, record, make_message("m2", "bad"), receives=3)
    handle(record(encode(make_message("m3", "good"))))
    assert texts(queued()) == ["Which?", "sorry", "so good"]
    assert endings() == []


def outgoing(*buttons: Button, **more: Any) -> Outgoing:
    """A reply with a card that has these buttons."""
    return replace(make_reply(make_message()), reply=Reply(segments=(Card(text="Deploy?", buttons=buttons),), **more))


def test_a_card_that_is_not_delivered_ends_its_approval_while_it_waits(record: MakeRecord, clock: Clock) -> None:
    handle = processor(deploying(), clock)
    card = asked(handle, record)
    outbox = Outbox(dynamodb(), "parley", lease=0)
    lost = outgoing(*card.buttons)
    end_approval(outgoing(*card.buttons, op="edit", target="om_1"), outbox, clock())
    end_approval(outgoing(*card.buttons[2:]), outbox, clock())
    end_approval(outgoing(Button(id="other", label="x", value=card.buttons[0].value)), outbox, clock())
    assert endings() == []
    end_approval(lost, outbox, clock())
    (ending,) = endings()
    handle(record(encode(ending)))
    assert due(handle) == []
    end_approval(lost, outbox, clock())
    assert endings() == []
