"""The states of a person and of an app: shared by conversations that are handled at the same time, and never half
stored. Results of outside calls: recorded before they are used.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError

from parley.bot import Bot, Turn
from parley.engine.aws import dynamodb
from parley.engine.deadline import DeadlineExceededError
from parley.engine.processor import HandlerError, Processor
from parley.errors import RetryAfter
from parley.journal.inbox import Inbox
from parley.journal.memory import memory_pk
from parley.journal.table import get, get_text, message_pk
from parley.model import Message, Text, message_key
from parley.model.codec import encode
from parley.model.state import Scope
from tests.unit.conftest import Clock

pytestmark = pytest.mark.usefixtures("aws")
MakeMessage = Callable[..., Message]
MakeRecord = Callable[..., dict[str, Any]]


def processor(bot: Bot, clock: Clock) -> Processor:
    return Processor(bot, Inbox(dynamodb(), "parley", 30 * 86_400), max_attempts=3, clock=clock)


def value(scope: Scope, message: Message) -> str:
    return get_text(get(dynamodb(), "parley", memory_pk(scope, message)), "memory")


def counting(scope: Scope) -> Bot:
    """Counts messages in the state `scope`."""
    bot = Bot()

    @bot.fallback
    def count(turn: Turn) -> str:
        state = getattr(turn, scope)
        state["n"] = state.get("n", 0) + 1
        return str(state["n"])

    return bot


@pytest.mark.parametrize("scope", ["user", "shared"])
def test_the_state_is_the_same_in_all_rooms(
    scope: Scope, message: MakeMessage, record: MakeRecord, clock: Clock
) -> None:
    handle = processor(counting(scope), clock)
    for number, room in enumerate(["a", "b", ""]):
        handle(record(encode(message(id=f"m{number}", room=room))))
    assert value(scope, message()) == '{"n":3}'


@pytest.mark.parametrize("scope", ["user", "shared"])
def test_two_conversations_at_the_same_time_both_count(
    scope: Scope, message: MakeMessage, record: MakeRecord, clock: Clock
) -> None:
    """The second one decides while the bot still works on the first: it runs again, on the new state."""
    quick, bot, runs = processor(counting(scope), clock), Bot(), list[int]()

    @bot.fallback
    def slow(turn: Turn) -> str:
        state = getattr(turn, scope)
        state["n"] = state.get("n", 0) + 1
        if not runs:
            quick(record(encode(message(id="other", room="b"))))
        runs.append(state["n"])
        return str(state["n"])

    processor(bot, clock)(record(encode(message(id="mine", room="a"))))
    assert (runs, value(scope, message())) == ([1, 2], '{"n":2}')


def test_a_decision_whose_states_are_outdated_stores_none_of_them(
    message: MakeMessage, record: MakeRecord, clock: Clock
) -> None:
    """The conversation's own state would fit. It must not be stored without the person's."""
    quick, bot, others = processor(counting("user"), clock), Bot(), iter(range(9))

    @bot.fallback
    def slow(turn: Turn) -> str:
        turn.state["orders"] = turn.user["orders"] = 1
        quick(record(encode(message(id=f"other{next(others)}", room="b"))))
        return "ordered"

    mine = message(id="mine", room="a")
    with pytest.raises(RetryAfter):
        processor(bot, clock)(record(encode(mine)))
    assert (value("state", mine), value("user", mine)) == ("", '{"n":3}')
    assert get_text(get(dynamodb(), "parley", message_pk(message_key(mine))), "state") == ""


def test_a_state_that_no_handler_uses_is_not_read(
    message: MakeMessage, record: MakeRecord, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Inbox, "memory", lambda *_: pytest.fail("read"))
    processor(counting("state"), clock)(record(encode(message())))


def refused(*_: Any) -> Any:
    raise ClientError({"Error": {"Code": "ProvisionedThroughputExceededException"}}, "GetItem")


def test_a_failure_of_aws_is_not_the_bots(
    message: MakeMessage, record: MakeRecord, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It counts as no attempt, and a handler that catches all exceptions does not see it."""
    bot = Bot()

    @bot.fallback
    def careful(turn: Turn) -> str:
        try:
            return str(turn.user)
        except Exception:  # noqa: BLE001
            return "caught"

    handle = processor(bot, clock)
    with monkeypatch.context() as patch:
        patch.setattr(Inbox, "memory", refused)
        for receives in range(1, 9):
            with pytest.raises(ClientError):
                handle(record(encode(message()), receives=receives))
    handle(record(encode(message()), receives=9))
    assert Inbox(dynamodb(), "parley", 1).open(message()).decided == 1


def reads_alone(turn: Turn) -> Any:
    """Read the state of the person in a coroutine whose errors become values."""

    async def read() -> Any:
        return turn.user

    async def both() -> Any:
        return await asyncio.gather(read(), return_exceptions=True)

    return asyncio.run(both())


def reads_in_group(turn: Turn) -> None:
    async def read() -> Any:
        return turn.user

    async def grouped() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(read())

    asyncio.run(grouped())


def reads_in_thread(turn: Turn) -> Any:
    with ThreadPoolExecutor() as pool:
        return pool.submit(lambda: turn.user).result()


def reads_carelessly(turn: Turn) -> None:
    with suppress(BaseException):
        _ = turn.user


@pytest.mark.parametrize("read", [reads_alone, reads_in_group, reads_in_thread, reads_carelessly])
def test_a_failure_of_aws_is_not_the_bots_wherever_the_handler_meets_it(
    read: Callable[[Turn], Any], message: MakeMessage, record: MakeRecord, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No decision is made without the state, and the worker goes on."""
    bot = Bot()

    @bot.fallback
    def handler(turn: Turn) -> str:
        read(turn)
        return "done"

    handle = processor(bot, clock)
    with monkeypatch.context() as patch:
        patch.setattr(Inbox, "memory", refused)
        for receives in range(1, 6):
            with pytest.raises(ClientError):
                handle(record(encode(message()), receives=receives))
    assert Inbox(dynamodb(), "parley", 1).open(message()).decided is None
    handle(record(encode(message()), receives=6))
    assert Inbox(dynamodb(), "parley", 1).open(message()).decided == 1


def test_a_handler_that_ends_its_tasks_badly_has_failed(message: MakeMessage, record: MakeRecord, clock: Clock) -> None:
    """The time of the handler ends while one of its tasks works: asyncio makes a group of it."""
    bot = Bot()

    @bot.fallback
    def handler(_turn: Turn) -> None:
        raise BaseExceptionGroup("tasks", [DeadlineExceededError()])

    with pytest.raises(HandlerError):
        processor(bot, clock)(record(encode(message())))


def test_threads_of_a_handler_share_one_state(
    message: MakeMessage, record: MakeRecord, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot, loads, load = Bot(), list[Scope](), Inbox.memory

    def counted(inbox: Inbox, scope: Scope, message: Message) -> Any:
        loads.append(scope)
        return load(inbox, scope, message)

    @bot.fallback
    def handler(turn: Turn) -> None:
        together = Barrier(4)

        def add(key: int) -> None:
            together.wait()
            turn.user[str(key)] = True

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(add, range(4)))

    monkeypatch.setattr(Inbox, "memory", counted)
    processor(bot, clock)(record(encode(message())))
    assert (len(loads), len(msgspec.json.decode(value("user", message())))) == (1, 4)


# --- once


class Bank:
    """An outside service."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def pay(self, key: str) -> dict[str, int]:
        self.keys.append(key)
        return {"receipt": len(self.keys)}


def paying(bank: Bank, then: Callable[[], None]) -> Bot:
    """Pays twice, and does `then` after the first payment."""
    bot = Bot(apology="")

    @bot.fallback
    def pay(turn: Turn) -> str:
        first = turn.once("first", bank.pay)
        then()
        second = turn.once("second", bank.pay)
        return f"{first['receipt']} {second['receipt']}"

    return bot


def test_a_call_that_has_finished_is_not_repeated(message: MakeMessage, record: MakeRecord, clock: Clock) -> None:
    bank, fails = Bank(), [True, True]

    def fail() -> None:
        if fails:
            fails.pop()
            raise RuntimeError

    handle = processor(paying(bank, fail), clock)
    for receives in (1, 2):
        with pytest.raises(HandlerError):
            handle(record(encode(message()), receives=receives))
    handle(record(encode(message()), receives=3))
    inbox = Inbox(dynamodb(), "parley", 30 * 86_400)
    assert len(bank.keys) == len(set(bank.keys)) == 2
    assert [row.out.reply.segments for row in inbox.replies(message(), 1)] == [(Text(text="1 2"),)]
    assert inbox.open(message()).results == ""  # they are deleted by the decision


def test_a_call_whose_record_was_lost_is_repeated_under_the_same_key(
    message: MakeMessage, record: MakeRecord, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank = Bank()
    handle = processor(paying(bank, lambda: None), clock)
    with monkeypatch.context() as patch:
        patch.setattr(Inbox, "record", refused)
        with pytest.raises(ClientError):
            handle(record(encode(message())))
    handle(record(encode(message()), receives=2))
    assert (len(bank.keys), len(set(bank.keys))) == (3, 2)


def test_results_survive_the_dead_letter_queue(message: MakeMessage, record: MakeRecord, clock: Clock) -> None:
    bank, fails = Bank(), [RuntimeError()] * 3

    def fail() -> None:
        if fails:
            raise fails.pop()

    handle = processor(paying(bank, fail), clock)
    for receives in (1, 2):
        with pytest.raises(HandlerError):
            handle(record(encode(message()), receives=receives))
    handle(record(encode(message()), receives=3))  # it goes to the dead-letter queue
    handle(record(encode(message()), receives=1))  # and an operator sends it back
    assert len(bank.keys) == 2


def test_a_stalled_worker_does_not_record_over_its_successor(
    message: MakeMessage, record: MakeRecord, clock: Clock
) -> None:
    """It ends without a second payment: its successor has decided the message."""
    bank, waiting = Bank(), [True]
    quick = processor(paying(bank, lambda: None), clock)

    def stall() -> None:
        if waiting:
            waiting.pop()
            quick(record(encode(message()), receives=2))

    processor(paying(bank, stall), clock)(record(encode(message())))
    # The stalled worker has called "second" as well, under the key of its successor.
    assert len(set(bank.keys)) == 2
    (row,) = Inbox(dynamodb(), "parley", 30 * 86_400).replies(message(), 1)
    assert row.out.reply.segments == (Text(text="1 2"),)


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ({1, 2}, r"the result of `once` has a value of type set, which JSON has not"),
        ("x" * 100_001, r"the results of `once` are 100011 bytes of JSON; at most 100000 can be stored"),
    ],
)
def test_a_result_that_cannot_be_stored_is_an_error_of_the_bot(
    result: Any, reason: str, message: MakeMessage, record: MakeRecord, clock: Clock
) -> None:
    """The call is not repeated: each run ends with the same error."""
    bot, calls = Bot(), list[str]()

    def call(key: str) -> Any:
        calls.append(key)
        return result

    @bot.fallback
    def once(turn: Turn) -> str:
        return str(turn.once("key", call))

    handle = processor(bot, clock)
    for receives in (1, 2):
        with pytest.raises(HandlerError, match=reason):
            handle(record(encode(message()), receives=receives))
    assert len(calls) == 1


def test_a_handler_that_changes_a_result_does_not_change_what_is_recorded(
    message: MakeMessage, record: MakeRecord, clock: Clock
) -> None:
    bot, seen, fails = Bot(), list[list[str]](), [True]

    @bot.fallback
    def call(turn: Turn) -> str:
        basket = turn.once("basket", lambda _: ["tea"])
        seen.append(list(basket))
        basket.append("fee")
        turn.once("next", lambda _: 1)
        if fails:
            fails.pop()
            raise RuntimeError
        return ", ".join(basket)

    handle = processor(bot, clock)
    with pytest.raises(HandlerError):
        handle(record(encode(message())))
    handle(record(encode(message()), receives=2))
    assert seen == [["tea"], ["tea"]]


def test_a_key_that_is_used_twice_is_an_error(message: MakeMessage, record: MakeRecord, clock: Clock) -> None:
    """The second call would silently get the result of the first."""
    bot = Bot()

    @bot.fallback
    def call(turn: Turn) -> str:
        return turn.once("key", lambda _: "a") + turn.once("key", lambda _: "b")

    with pytest.raises(HandlerError, match="`once` is called twice with one key for one message"):
        processor(bot, clock)(record(encode(message())))


def test_once_works_in_coroutines(message: MakeMessage, record: MakeRecord, clock: Clock) -> None:
    bank, bot, fails = Bank(), Bot(), [True]

    async def pay(key: str) -> dict[str, int]:
        return bank.pay(key)

    @bot.fallback
    async def paid(turn: Turn) -> str:
        receipt = await turn.once_async("pay", pay)
        if fails:
            fails.pop()
            raise RuntimeError
        return str(receipt)

    handle = processor(bot, clock)
    with pytest.raises(HandlerError):
        handle(record(encode(message())))
    handle(record(encode(message()), receives=2))
    assert len(bank.keys) == 1
