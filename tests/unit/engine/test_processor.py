"""The processor: a decision of the bot is committed once, in one transaction, and its replies are enqueued."""

import asyncio
import re
import threading
from collections.abc import Callable
from typing import Any

import boto3
import msgspec
import pytest
from botocore.exceptions import ClientError

from parley.bot import Bot, Turn
from parley.bot.texts import BOTH
from parley.engine import queues
from parley.engine.aws import dynamodb
from parley.engine.processor import HandlerError, Processor, processor_handler
from parley.errors import RetryAfter
from parley.journal.inbox import Inbox
from parley.journal.limits import MAX_STATE
from parley.journal.view import journal_of
from parley.model import Button, Card, Destination, Message, Outgoing, Reply, Text
from parley.model.codec import decode_outgoing, encode
from tests.unit.conftest import Clock

pytestmark = pytest.mark.usefixtures("aws")
MakeMessage = Callable[..., Message]
MakeRecord = Callable[..., dict[str, Any]]


def count(turn: Turn) -> str:
    turn.state["n"] = turn.state.get("n", 0) + 1
    return str(turn.state["n"])


def counting() -> Bot:
    bot = Bot(apology="sorry")
    bot.fallback(count)
    return bot


def processor(bot: Bot, clock: Clock) -> Processor:
    return Processor(bot, Inbox(dynamodb(), "parley", 30 * 86_400), max_attempts=3, clock=clock)


def emptied(name: str) -> list[str]:
    """Empties a queue. Returns the bodies of its messages."""
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName=f"{name}.fifo")["QueueUrl"]
    found: list[str] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            found.append(message.get("Body", ""))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message.get("ReceiptHandle", ""))
    return found


def queued() -> list[Outgoing]:
    """Empties the outbound queue. Returns its replies."""
    return [decode_outgoing(body) for body in emptied("outbound")]


def texts(rows: list[Outgoing]) -> list[str]:
    return [segment.text for row in rows for segment in row.reply.segments if isinstance(segment, Text)]


def journal(id_: str = "m1") -> dict[str, Any]:
    return journal_of(dynamodb(), "parley", platform="feishu", app="demo", tenant="", message_id=id_)


def test_a_message_is_decided_and_its_reply_enqueued(message: MakeMessage, record: MakeRecord, clock: Clock) -> None:
    processor(counting(), clock)(record(encode(message())))
    (row,) = queued()
    assert texts([row]) == ["1"]
    assert row.to.room_id == "room"
    assert row.to.message_id == "m1"
    assert journal()["state"] == "DECIDED"
    assert [reply["state"] for reply in journal()["replies"]] == ["PENDING"]


def test_a_redelivered_message_does_not_run_the_bot_again(
    message: MakeMessage, record: MakeRecord, clock: Clock
) -> None:
    handle = processor(counting(), clock)
    handle(record(encode(message())))
    first = queued()
    clock.now += 3600
    handle(record(encode(message())))
    handle(record(encode(message(id="m2"))))
    again = queued()
    assert texts(first) == ["1"]
    assert again[-1].reply.segments == (Text(text="2"),)
    assert {row.id for row in again[:-1]} <= {first[0].id}


def test_decided_replies_that_were_not_enqueued_are_enqueued_by_the_next_delivery(
    message: MakeMessage, record: MakeRecord, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = processor(counting(), clock)

    def dies(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(queues, "send_replies", dies)
        with pytest.raises(KeyboardInterrupt):
            handle(record(encode(message())))
    assert queued() == []
    handle(record(encode(message()), receives=2))
    assert texts(queued()) == ["1"]


def test_each_conversation_has_its_own_state(message: MakeMessage, record: MakeRecord, clock: Clock) -> None:
    handle = processor(counting(), clock)
    for number, room in enumerate(["a", "b", "a", "a"]):
        handle(record(encode(message(id=f"m{number}", room=room))))
    assert sorted((row.to.room_id, texts([row])[0]) for row in queued()) == [
        ("a", "1"),
        ("a", "2"),
        ("a", "3"),
        ("b", "1"),
    ]


def disturbed(quick: Processor, record: MakeRecord, others: list[Message]) -> Bot:
    """A bot that counts as `counting`, and while it does, `quick` decides one of the `others`."""
    bot = Bot()

    @bot.fallback
    def slow(turn: Turn) -> str:
        said = count(turn)
        if others:
            quick(record(encode(others.pop())))
        return said

    return bot


def test_a_worker_whose_state_has_changed_runs_the_bot_again_on_the_new_one(
    message: MakeMessage, record: MakeRecord, clock: Clock
) -> None:
    """Two workers handle the same conversation, and the second one decides first."""
    quick = processor(counting(), clock)
    processor(disturbed(quick, record, [message(id="other")]), clock)(record(encode(message(id="mine"))))
    assert texts(queued()) == ["1", "2"]


def test_a_state_that_changes_in_every_run_delays_the_message(
    message: MakeMessage, record: MakeRecord, clock: Clock
) -> None:
    quick = processor(counting(), clock)
    others = [message(id=f"other{number}") for number in range(3)]
    handle = processor(disturbed(quick, record, others), clock)
    with pytest.raises(RetryAfter):
        handle(record(encode(message(id="mine"))))
    assert (texts(queued()), journal("mine")["state"]) == (["1", "2", "3"], "RECEIVED")
    handle(record(encode(message(id="mine")), receives=2))
    assert texts(queued()) == ["4"]


def test_one_of_two_workers_with_the_same_message_decides_it(
    message: MakeMessage, record: MakeRecord, clock: Clock
) -> None:
    quick = processor(counting(), clock)
    bot = Bot()

    @bot.fallback
    def slow(_: Turn) -> str:
        quick(record(encode(message())))
        return "mine"

    processor(bot, clock)(record(encode(message())))
    assert set(texts(queued())) == {"1"}


def failing() -> Bot:
    bot = Bot(apology="sorry")

    @bot.fallback
    def fail(turn: Turn) -> str:
        turn.state["half"] = True
        raise ValueError(f"secret {turn.text}")

    return bot


def test_a_handler_that_raises_stores_only_the_reason(
    message: MakeMessage, record: MakeRecord, clock: Clock, logged: Callable[[], str]
) -> None:
    with pytest.raises(HandlerError):
        processor(failing(), clock)(record(encode(message("my words"))))
    assert queued() == []
    assert journal()["state"] == "RECEIVED"
    assert journal()["reason"].startswith("ValueError at test_processor.py:")
    assert "handler failed" in logged()
    assert "my words" not in logged()


def test_the_person_gets_one_apology_at_the_last_attempt(
    message: MakeMessage, record: MakeRecord, clock: Clock
) -> None:
    handle = processor(failing(), clock)
    for receives in (1, 2):
        with pytest.raises(HandlerError):
            handle(record(encode(message()), receives=receives))
    assert queued() == []
    assert emptied("inbound_dead") == []
    for receives in (3, 4):  # the third moves it to the dead-letter queue; a fourth may follow a crash
        handle(record(encode(message()), receives=receives))
    assert len({row.id for row in queued()}) == 1
    assert [reply["ordinal"] for reply in journal()["replies"]] == [-1]
    assert emptied("inbound_dead") == [encode(message()).decode()]


def test_a_message_sent_back_from_the_dead_letter_queue_gets_new_attempts(
    message: MakeMessage, record: MakeRecord, clock: Clock
) -> None:
    handle = processor(failing(), clock)
    for id_ in ("first", "back"):
        for receives in (1, 2):
            with pytest.raises(HandlerError):
                handle(record(encode(message()), receives=receives, id=id_))
        handle(record(encode(message()), receives=3, id=id_))
        assert len(emptied("inbound_dead")) == 1


def broken(*_: Any, **__: Any) -> None:
    raise ClientError({"Error": {"Code": "InternalServerError", "Message": ""}}, "TransactWriteItems")


def test_an_aws_outage_does_not_count_as_an_attempt_of_the_bot(
    message: MakeMessage, record: MakeRecord, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = processor(failing(), clock)
    healthy = processor(counting(), clock)
    for receives in range(1, 100):
        with monkeypatch.context() as patch:
            patch.setattr(Inbox, "open" if receives % 2 else "decide", broken)
            with pytest.raises(ClientError):
                healthy(record(encode(message()), receives=receives))
    for receives in (100, 101):
        with pytest.raises(HandlerError):
            handle(record(encode(message()), receives=receives))
    assert emptied("inbound_dead") == []
    healthy(record(encode(message()), receives=102))
    assert texts(queued()) == ["1"]


def test_a_message_that_crashes_every_worker_gets_an_apology_after_the_last_attempt(
    message: MakeMessage, record: MakeRecord, clock: Clock
) -> None:
    bot, started = Bot(apology="sorry"), list[int]()

    @bot.fallback
    def kill(_: Turn) -> str:
        started.append(1)
        raise KeyboardInterrupt  # no code of Parley catches it, as with a killed process

    handle = processor(bot, clock)
    receives = 1
    while not emptied("inbound_dead"):
        try:
            handle(record(encode(message()), receives=receives))
        except KeyboardInterrupt:
            receives += 1
    assert len(started) == 4  # the first is not recorded: that would cost a request for every message
    assert texts(queued()) == ["sorry"]
    assert "died" in journal()["reason"]


def test_a_message_handled_at_the_first_attempt_records_no_attempt(
    message: MakeMessage, record: MakeRecord, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Inbox, "attempted", broken)
    processor(counting(), clock)(record(encode(message())))
    assert texts(queued()) == ["1"]


def test_a_decision_comes_after_the_one_whose_reply_is_in_the_queue_also_if_clocks_disagree(
    message: MakeMessage, record: MakeRecord, clock: Clock
) -> None:
    handle = processor(counting(), clock)
    handle(record(encode(message(id="m1"))))
    clock.now -= 5
    handle(record(encode(message(id="m2"))))
    first, second = queued()
    assert first.created < second.created


def test_the_reason_remains_if_the_dead_letter_queue_did_not_accept_the_message(
    message: MakeMessage, record: MakeRecord, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = Bot()

    @bot.fallback
    def fail() -> None:
        raise ZeroDivisionError

    handle = processor(bot, clock)
    for receives in (1, 2):
        with pytest.raises(HandlerError):
            handle(record(encode(message()), receives=receives))
    with monkeypatch.context() as patch:
        patch.setattr(queues, "move_to_dead_letters", broken)
        with pytest.raises(ClientError):
            handle(record(encode(message()), receives=3))
    handle(record(encode(message()), receives=4))
    assert journal()["reason"].startswith("ZeroDivisionError at ")


class Context:
    """A Lambda context with `seconds` left."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


def test_a_handler_that_hangs_is_interrupted_and_the_last_attempt_sends_an_apology(
    message: MakeMessage, record: MakeRecord
) -> None:
    bot = Bot(apology="sorry")

    @bot.fallback
    def hang(turn: Turn) -> str:
        turn.state["half"] = True
        while True:
            try:
                threading.Event().wait(60)
            except Exception:  # noqa: BLE001
                continue

    handler = processor_handler(bot)
    for receives in range(1, 5):
        answer = handler({"Records": [record(encode(message()), receives=receives)]}, Context(10.2))
        assert answer == {"batchItemFailures": [{"itemIdentifier": "r1"}]}
    assert queued() == []
    assert journal()["reason"].startswith("not done after 0 s (BotSeconds), at ")
    assert handler({"Records": [record(encode(message()), receives=5)]}, Context(10.2)) == {"batchItemFailures": []}
    assert texts(queued()) == ["sorry"]
    assert len(emptied("inbound_dead")) == 1


def test_an_asynchronous_handler_that_hangs_is_interrupted(message: MakeMessage, record: MakeRecord) -> None:
    bot = Bot()

    @bot.fallback
    async def hang() -> None:
        await asyncio.sleep(60)

    answer = processor_handler(bot)({"Records": [record(encode(message()))]}, Context(10.2))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "r1"}]}
    line = hang.__code__.co_firstlineno + 2
    assert journal()["reason"] == f"not done after 0 s (BotSeconds), at test_processor.py:{line}"


def test_an_exception_of_an_asynchronous_handler_is_a_handler_error(
    message: MakeMessage, record: MakeRecord, clock: Clock
) -> None:
    bot = Bot()

    @bot.fallback
    async def broken(turn: Turn) -> str:
        turn.state["half"] = True
        await asyncio.sleep(0)
        raise ValueError("a person's text")

    with pytest.raises(HandlerError, match=r"^ValueError at test_processor\.py:\d+$"):
        processor(bot, clock)(record(encode(message())))
    assert queued() == []


def test_an_invalid_record_is_moved_unchanged_to_the_dead_letter_queue(record: MakeRecord, clock: Clock) -> None:
    handle = processor(counting(), clock)
    for receives in (1, 2):
        with pytest.raises(msgspec.ValidationError):
            handle(record('{"id": 1}', receives=receives))
    handle(record('{"id": 1}', receives=3))
    assert emptied("inbound_dead") == ['{"id": 1}']


def test_a_failed_event_causes_no_apology(message: MakeMessage, record: MakeRecord, clock: Clock) -> None:
    bot = failing()

    @bot.event("joined")
    def joined() -> str:
        raise ValueError

    handle, body = processor(bot, clock), encode(message(kind="event", event="joined"))
    for receives in (1, 2):
        with pytest.raises(HandlerError):
            handle(record(body, receives=receives))
    handle(record(body, receives=3))
    assert len(emptied("inbound_dead")) == 1
    assert queued() == []


def test_a_failed_message_is_handled_after_the_bot_is_corrected(
    message: MakeMessage, record: MakeRecord, clock: Clock
) -> None:
    with pytest.raises(HandlerError):
        processor(failing(), clock)(record(encode(message())))
    clock.now += 5 * 86_400
    processor(counting(), clock)(record(encode(message())))
    assert texts(queued()) == ["1"]
    assert journal()["state"] == "DECIDED"


def test_a_person_reads_that_a_state_is_too_large_and_it_is_not_written(
    message: MakeMessage, record: MakeRecord, clock: Clock
) -> None:
    bot = Bot(apology="")

    @bot.fallback
    def hoard(turn: Turn) -> str:
        turn.state["all"] = "x" * MAX_STATE
        return "stored"

    processor(bot, clock)(record(encode(message())))
    assert texts(queued()) == [BOTH.too_much]
    assert journal()["state"] == "DECIDED"


def test_state_without_a_json_form_is_a_handler_error(message: MakeMessage, record: MakeRecord, clock: Clock) -> None:
    bot = Bot(apology="")

    @bot.fallback
    def odd(turn: Turn) -> str:
        turn.state["it"] = object()
        return "stored"

    with pytest.raises(HandlerError):
        processor(bot, clock)(record(encode(message())))


def test_too_many_replies_are_a_handler_error(message: MakeMessage, record: MakeRecord, clock: Clock) -> None:
    bot = Bot(apology="")

    @bot.fallback
    def chatter(_: Turn) -> list[str]:
        return ["again"] * 91

    with pytest.raises(HandlerError, match="91 replies"):
        processor(bot, clock)(record(encode(message())))


def test_a_button_beyond_the_limit_of_the_platform_is_a_handler_error(
    message: MakeMessage, record: MakeRecord, clock: Clock
) -> None:
    bot = Bot(apology="sorry")
    card = Card(text="a person's text", buttons=(Button(id="approve", label="Approve", value="v" * 135),))
    there = Destination(platform="discord", app="demo", room_id="9")

    @bot.fallback
    def ask() -> list[Any]:
        return ["first", Reply(segments=(card,), to=there)]

    handle, body = processor(bot, clock), encode(message())
    reason = 'the button "Approve": id and value have 143 characters together; Discord takes 1 to 100'
    for receives in (1, 2):
        with pytest.raises(HandlerError) as raised:
            handle(record(body, receives=receives))
        assert str(raised.value) == journal()["reason"]
        assert re.fullmatch(rf"{re.escape(reason)} \(in ask, test_processor\.py:\d+\)", journal()["reason"])
        assert queued() == []
    handle(record(body, receives=3))
    assert texts(queued()) == ["sorry"]


def test_a_reply_that_the_deliverer_could_not_read_is_a_handler_error(
    message: MakeMessage, record: MakeRecord, clock: Clock
) -> None:
    bot = Bot(apology="")
    bot.fallback(lambda: Text(text=7))  # type: ignore[arg-type]
    with pytest.raises(HandlerError, match=r"^reply 0 is not valid: Expected `str`, got `int`"):
        processor(bot, clock)(record(encode(message())))


def test_a_reply_can_go_to_another_destination(message: MakeMessage, record: MakeRecord, clock: Clock) -> None:
    bot = Bot()
    there = Destination(platform="feishu", app="other", room_id="ops")

    @bot.fallback
    def redirect(_: Turn) -> Reply:
        return Reply(segments=(Text(text="over there"),), to=there)

    processor(bot, clock)(record(encode(message())))
    assert [row.to for row in queued()] == [there]


def test_a_message_without_replies_is_done_at_once(message: MakeMessage, record: MakeRecord, clock: Clock) -> None:
    processor(Bot(), clock)(record(encode(message())))
    assert queued() == []
    assert journal()["state"] == "DONE"


def deferred(message: MakeMessage, kind: int = 2) -> Message:
    """A Discord interaction with a deferred response."""
    context = msgspec.structs.replace(
        message().context, reply_token="sealed", reply_token_expires=int(Clock().now) + 600
    )
    return msgspec.structs.replace(message(), platform="discord", kind="command", raw={"type": kind}, context=context)


@pytest.mark.parametrize("returned", [None, "", "\n", [], ["", None], Text(text="")], ids=repr)
def test_a_deferred_response_is_deleted_if_the_bot_sends_nothing(
    message: MakeMessage, record: MakeRecord, clock: Clock, returned: Any
) -> None:
    bot = Bot()
    bot.fallback(lambda: returned)
    processor(bot, clock)(record(encode(deferred(message))))
    (row,) = queued()
    assert (row.reply, row.to.reply_token) == (Reply(op="recall", target="@original"), "sealed")


def test_a_deferred_response_is_deleted_if_the_bot_replies_only_elsewhere(
    message: MakeMessage, record: MakeRecord, clock: Clock
) -> None:
    bot = Bot()
    elsewhere = Reply(segments=(Text(text="hi"),), to=Destination(platform="discord", app="demo", room_id="9"))
    bot.fallback(lambda: elsewhere)
    processor(bot, clock)(record(encode(deferred(message))))
    assert {row.reply.op: row.to.room_id for row in queued()} == {"send": "9", "recall": "room"}


@pytest.mark.parametrize(("kind", "late"), [(3, 0), (2, 600)], ids=["not deferred", "expired"])
def test_nothing_is_deleted_without_a_valid_deferred_response(
    message: MakeMessage, record: MakeRecord, clock: Clock, kind: int, late: int
) -> None:
    clock.now += late
    processor(Bot(), clock)(record(encode(deferred(message, kind))))
    assert queued() == []


def test_the_handler_reports_only_failed_records(message: MakeMessage, record: MakeRecord) -> None:
    handler = processor_handler(counting())
    good = record(encode(message()), id="good", group="a")
    bad = record("not json", id="bad", group="b")
    url = boto3.client("sqs").get_queue_url(QueueName="inbound.fifo")["QueueUrl"]
    assert url
    assert handler({"Records": [bad]}, Context(60)) == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    assert handler({"Records": [good]}, Context(60)) == {"batchItemFailures": []}
    assert texts(queued()) == ["1"]
