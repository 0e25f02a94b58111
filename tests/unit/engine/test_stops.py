"""`/stop` reaches a handler that runs, past the queue: it ends between two steps, and one message says so."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ClientError

from parley.adapter import Accepted, App, Config, Response
from parley.bot import Bot, Turn
from parley.engine import stops
from parley.engine.aws import dynamodb
from parley.engine.callback import Callback
from parley.engine.processor import Processor
from parley.engine.repeating import Step
from parley.engine.stops import FIRST, INTERVAL, Stops
from parley.journal.inbox import Inbox
from parley.journal.runs import Runs, RunState, ended
from parley.journal.table import get_text
from parley.journal.view import journal_of
from parley.model import Message
from parley.model.codec import encode
from tests.factories import NOW
from tests.unit.conftest import Clock

pytestmark = pytest.mark.usefixtures("aws")
MakeMessage = Callable[..., Message]
MakeRecord = Callable[..., dict[str, Any]]
FAILED = ClientError({"Error": {"Code": "InternalError"}}, "UpdateItem")


class Steps:
    """Repeats the steps of a run when the handler lets them: `pass_time()`."""

    def __init__(self) -> None:
        self.steps: list[tuple[float, Step]] = []

    @contextmanager
    def __call__(self, *steps: tuple[float, Step]) -> Generator[None]:
        self.steps = list(steps)
        yield
        self.steps = []

    def pass_time(self) -> None:
        for _, step in self.steps:
            step()


class Conversation:
    """A bot with time for minutes, and the messages of one conversation, one after another."""

    def __init__(self, bot: Bot, message: MakeMessage, record: MakeRecord, clock: Clock) -> None:
        self.steps = Steps()
        self.runs = Runs(dynamodb(), "parley")
        self._message, self._record, self._clock = message, record, clock
        self._numbers = count()
        inbox = Inbox(dynamodb(), "parley", 30 * 86_400)
        self._processor = Processor(bot, inbox, clock=clock, hide=lambda *_: None, repeat=self.steps)
        self._processor.ends_in(310)

    def make(self, text: str, **more: Any) -> Message:
        """A message that is sent at the time of the clock."""
        return self._message(text, id=f"m{next(self._numbers)}", timestamp=int(self._clock()), **more)

    def handle(self, message: Message) -> list[str]:
        """The texts of the replies to `message`."""
        self._processor(self._record(encode(message)))
        found = journal_of(dynamodb(), "parley", platform="feishu", app="demo", tenant="", message_id=message.id)
        return [reply["reply"]["segments"][0]["text"] for reply in found["replies"]]

    def stop(self, message: Message) -> None:
        """The callback of `message`."""
        self.runs.stop(message, self._clock())


@pytest.fixture
def conversation(message: MakeMessage, record: MakeRecord, clock: Clock) -> Callable[[Bot], Conversation]:
    return lambda bot: Conversation(bot, message, record, clock)


def working(*, until_stopped: Callable[[Turn], object]) -> Bot:
    """A bot whose handler works until it is stopped."""
    bot = Bot()

    @bot.command()
    def work(turn: Turn) -> str:
        turn.state["begun"] = True
        turn.say("I begin.")
        until_stopped(turn)
        return "done"

    @bot.command()
    def look(turn: Turn) -> str:
        return str(dict(turn.state))

    return bot


def test_a_run_is_stopped_and_the_message_that_stops_it_is_answered_once(
    conversation: Callable[[Bot], Conversation], clock: Clock
) -> None:
    stop: list[Message] = []

    def steps(turn: Turn) -> None:
        for number in range(5):
            turn.once(f"step {number}", lambda _key: done.append(number))  # noqa: B023
            there.steps.pass_time()
            if number == 1:
                clock.now += 5
                stop.append(there.make("/stop"))
                there.stop(stop[0])
                there.steps.pass_time()

    done: list[int] = []
    there = conversation(working(until_stopped=steps))
    assert there.handle(there.make("/work")) == []
    assert done == [0, 1]
    assert there.handle(stop[0]) == ["已停止。 Stopped."]
    assert there.handle(there.make("/stop")) == ["没有可以停止的任务。 There is nothing to stop."]
    assert there.handle(there.make("/look")) == ["{}"]


def test_a_run_that_ends_by_itself_is_not_said_to_be_stopped(
    conversation: Callable[[Bot], Conversation], clock: Clock
) -> None:
    stop: list[Message] = []

    def ends(_turn: Turn) -> None:
        there.steps.pass_time()
        clock.now += 5
        stop.append(there.make("停"))
        there.stop(stop[0])

    there = conversation(working(until_stopped=ends))
    assert there.handle(there.make("/work")) == ["I begin.", "done"]
    assert there.handle(stop[0]) == []  # the word alone belongs to the bot, which has no handler for it


def test_messages_before_the_stop_are_stopped_too_and_later_ones_are_not(
    conversation: Callable[[Bot], Conversation], clock: Clock
) -> None:
    def checks(turn: Turn) -> None:
        there.steps.pass_time()
        turn.check()

    there = conversation(working(until_stopped=checks))
    first, second = there.make("/work"), there.make("/work")
    there.runs.go_on(first, clock())
    clock.now += 5
    stop = there.make("/stop")
    there.stop(stop)
    assert there.handle(first) == there.handle(second) == []
    assert there.handle(stop) == ["已停止。 Stopped."]
    clock.now += 5
    there.stop(stop)  # the platform delivers it again
    assert there.handle(there.make("/work")) == ["I begin.", "done"]
    there.stop(stop)
    assert there.handle(there.make("/work")) == ["I begin.", "done"]


def test_a_handler_can_say_what_is_done_so_far(conversation: Callable[[Bot], Conversation], clock: Clock) -> None:
    bot = Bot()

    @bot.command()
    def work(turn: Turn) -> str:
        there.steps.pass_time()
        return "half of it" if turn.stopped else "all of it"

    there = conversation(bot)
    message = there.make("/work")
    there.runs.go_on(message, clock())
    stop = there.make("/停")
    there.stop(stop)
    assert there.handle(message) == ["half of it"]
    assert there.handle(stop) == ["已停止。 Stopped."]


def test_the_next_worker_stops_where_the_first_one_has_died(
    conversation: Callable[[Bot], Conversation], clock: Clock
) -> None:
    def dies(turn: Turn) -> None:
        there.steps.pass_time()
        turn.check()
        there.stop(stop)
        raise KeyboardInterrupt  # as if the process died

    there = conversation(working(until_stopped=dies))
    message = there.make("/work")
    clock.now += 5
    stop = there.make("/stop")
    with pytest.raises(KeyboardInterrupt):
        there.handle(message)
    assert there.handle(message) == []
    assert there.handle(stop) == ["已停止。 Stopped."]


# --- the row


def state_of(message: Message) -> str:
    (item,) = (each for each in dynamodb().scan(TableName="parley")["Items"] if get_text(each, "pk").startswith("run#"))
    return get_text(item, "state")


def test_nothing_is_stopped_where_nothing_runs(message: MakeMessage) -> None:
    runs = Runs(dynamodb(), "parley")
    runs.stop(message("/stop", timestamp=NOW), NOW)
    assert not runs.is_stopped(message("/stop"))
    assert runs.go_on(message(timestamp=NOW + 1), NOW + 4)


def test_a_stop_in_the_first_seconds_of_a_run_reaches_it(message: MakeMessage) -> None:
    """The run records that it is there only when it has lasted three seconds."""
    runs = Runs(dynamodb(), "parley")
    runs.stop(message("/stop", timestamp=NOW + 2), NOW + 2)
    assert not runs.go_on(message(timestamp=NOW), NOW + 3)


def test_a_stop_that_is_answered_and_comes_again_stops_nothing(message: MakeMessage) -> None:
    runs, stop = Runs(dynamodb(), "parley"), message("/stop", timestamp=NOW)
    runs.stop(stop, NOW)
    dynamodb().transact_write_items(TransactItems=[ended("parley", stop, RunState.ANSWERED, NOW)])
    runs.stop(stop, NOW + 1)
    assert state_of(stop) == RunState.ANSWERED
    assert runs.go_on(message(timestamp=NOW), NOW + 4)


def test_a_stop_that_has_ended_a_run_is_answered_before_the_next_one_counts(message: MakeMessage) -> None:
    runs = Runs(dynamodb(), "parley")
    stop = message("/stop", timestamp=NOW + 1)
    runs.go_on(message(timestamp=NOW), NOW)
    dynamodb().transact_write_items(TransactItems=[ended("parley", message(), RunState.STOPPED, NOW)])
    runs.stop(stop, NOW + 2)
    assert runs.is_stopped(stop)


def test_a_stop_that_was_sent_before_the_message_does_not_stop_it(message: MakeMessage) -> None:
    runs = Runs(dynamodb(), "parley")
    assert runs.go_on(message(timestamp=NOW), NOW)
    runs.stop(message("/stop", timestamp=NOW - 1), NOW)
    assert runs.go_on(message(timestamp=NOW), NOW)


def test_a_stop_that_was_never_handled_does_not_stop_a_later_message(message: MakeMessage) -> None:
    runs = Runs(dynamodb(), "parley")
    runs.go_on(message(timestamp=NOW), NOW)
    runs.stop(message("/stop", timestamp=NOW + 5), NOW + 5)
    assert not runs.go_on(message(timestamp=NOW), NOW)
    assert runs.go_on(message(timestamp=NOW + 6), NOW + 6)


def test_conversations_are_stopped_one_by_one(message: MakeMessage) -> None:
    runs = Runs(dynamodb(), "parley")
    runs.go_on(message(room="a"), NOW)
    runs.stop(message("/stop", room="b"), NOW)
    assert runs.go_on(message(room="a"), NOW)


# --- the look of a worker


def test_a_look_that_fails_is_repeated_and_a_stop_is_final() -> None:
    answers = iter([True, FAILED, False])

    def go_on() -> bool:
        answer = next(answers)
        if isinstance(answer, bool):
            return answer
        raise answer

    looking = Stops(go_on)
    seen: list[bool] = []
    for _ in range(4):
        assert looking.look() == INTERVAL
        seen.append(looking.is_stopped)
    assert seen == [False, False, True, True]


def test_a_short_run_looks_for_no_stop(message: MakeMessage, record: MakeRecord, clock: Clock) -> None:
    there = Conversation(working(until_stopped=lambda _turn: firsts.extend(there.steps.steps)), message, record, clock)
    firsts: list[tuple[float, Step]] = []
    there.handle(there.make("/work"))
    assert [seconds for seconds, _ in firsts] == [0, FIRST]
    assert not [
        item for item in dynamodb().scan(TableName="parley")["Items"] if get_text(item, "pk").startswith("run#")
    ]


# --- the callback


class Apps:
    """Holds one app."""

    def get(self, platform: str, name: str) -> App:
        return App(platform, name, Config())


def receive(message: Message, clock: Clock) -> dict[str, Any]:
    """The response to the callback with `message`."""

    class Inbound:
        def receive(self, *_: object) -> Accepted:
            return Accepted(Response(200), (message,))

    event: Mapping[str, Any] = {"httpMethod": "POST", "pathParameters": {"app": "demo"}, "body": "{}"}
    return Callback("feishu", Inbound(), Apps(), clock)(event, None)  # type: ignore[arg-type]


@pytest.mark.parametrize(("text", "expected"), [("/stop", False), (" 停 ", False), ("stop it", True), ("stop", True)])
def test_the_callback_of_a_stop_reaches_the_run(text: str, expected: bool, message: MakeMessage, clock: Clock) -> None:
    runs = Runs(dynamodb(), "parley")
    runs.go_on(message(), clock())
    assert receive(message(text), clock)["statusCode"] == 200
    assert runs.go_on(message(), clock()) is expected


def test_a_stop_is_acknowledged_also_if_it_reaches_nothing(
    message: MakeMessage, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise FAILED

    monkeypatch.setattr(stops.Runs, "stop", fails)
    assert receive(message("/stop"), clock)["statusCode"] == 200
