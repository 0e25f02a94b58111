"""What only real concurrency shows: threads against the emulator, whose DynamoDB is atomic."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from parley.adapter import Bucket, Sent, Token
from parley.engine.aws import error_code
from parley.engine.rate_limiter import RateLimiter
from parley.engine.tokens import Tokens
from parley.errors import RetryAfter
from parley.journal.inbox import AlreadyDecidedError, Inbox, VersionConflictError
from parley.journal.outbox import LeaseLostError, Outbox
from parley.journal.states import ReplyState, Row
from parley.model import Content, Context, Destination, Message, Outgoing, Reply, Sender, Text, message_key, reply_id
from tests.faults.contract import CALLS, TABLE
from tests.stack import Stack
from tools.faults.dynamodb import DynamoDB, ServiceError

ACCOUNT = "100000000003"
"""An account of its own in the emulator: nothing of the deployed stack is touched."""


class Killed(BaseException):
    """The process dies here."""


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of metrics would hide what went wrong."""
    monkeypatch.setattr("parley.engine.telemetry._emit", lambda *_: None)


@pytest.fixture
def client(stack: Stack) -> Iterator[Any]:
    """DynamoDB of the emulator, with an empty table `parley`."""
    client = boto3.client(
        "dynamodb",
        endpoint_url=stack.facts["aws_endpoint"],
        region_name=stack.facts["region"],
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key=ACCOUNT,
        config=Config(max_pool_connections=100, retries={"total_max_attempts": 5, "mode": "standard"}),
    )
    client.create_table(**TABLE)
    yield client
    client.delete_table(TableName="parley")
    client.close()


def at_once(work: Sequence[Callable[[], Any]]) -> list[Any]:
    """Do all of `work` at the same time; what each returned or raised."""
    ready = threading.Barrier(len(work))
    results: list[Any] = [None] * len(work)

    def run(number: int) -> None:
        ready.wait()
        try:
            results[number] = work[number]()
        except BaseException as error:  # noqa: BLE001
            results[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(work))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def persistent(work: Callable[[], Any]) -> Any:
    """Do `work` as a queue has it done: again, as long as it asks to wait."""
    while True:
        try:
            return work()
        except RetryAfter as later:
            time.sleep(min(later.seconds, 1))  # what the queue's visibility timeout is in production


# --- tokens -----------------------------------------------------------------------------------------------------------


class Upstream:
    """A platform's token endpoint."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self.fetched = 0
        self.lock = threading.Lock()
        self.dies = 0

    def fetch(self) -> Token:
        """Another token; takes a while, as such endpoints do."""
        with self.lock:
            self.fetched += 1
            number = self.fetched
        time.sleep(0.3)  # the way there and back
        if number <= self.dies:
            raise Killed
        return Token(f"token-{number}", self.clock() + 7200)


def test_a_thousand_workers_refresh_a_token_once(client: Any) -> None:
    upstream = Upstream()

    def worker() -> str:
        tokens = Tokens(client, "parley")
        return persistent(lambda: tokens.get("t", upstream.fetch)).value

    assert Counter(at_once([worker] * 1000)) == {"token-1": 1000}
    assert upstream.fetched == 1


def test_a_refresher_that_dies_is_replaced_once_its_lock_is_over(client: Any) -> None:
    """Time runs ten times as fast here: the lock is held for fifteen seconds."""
    started = time.time()

    def clock() -> float:
        return started + (time.time() - started) * 10

    upstream = Upstream(clock)
    upstream.dies = 1

    def worker() -> str:
        tokens = Tokens(client, "parley", clock, lambda seconds: time.sleep(seconds / 10))
        return persistent(lambda: tokens.get("t", upstream.fetch)).value

    results = at_once([worker] * 50)
    assert sum(isinstance(result, Killed) for result in results) == 1
    assert Counter(result for result in results if isinstance(result, str)) == {"token-2": 49}
    assert upstream.fetched == 2


def test_a_token_that_the_platform_ends_is_replaced_once_by_all_who_hold_it(client: Any) -> None:
    upstream = Upstream()
    workers = [Tokens(client, "parley") for _ in range(100)]
    held = [persistent(lambda each=each: each.get("t", upstream.fetch)) for each in workers]

    def rejected(number: int) -> str:
        workers[number].reject("t", held[number])
        return persistent(lambda: workers[number].get("t", upstream.fetch)).value

    assert Counter(at_once([lambda number=number: rejected(number) for number in range(100)])) == {"token-2": 100}
    assert upstream.fetched == 2


# --- limits -----------------------------------------------------------------------------------------------------------


def test_threads_together_stay_within_a_limit_and_use_nine_tenths_of_it(client: Any) -> None:
    bucket, seconds = Bucket("b", 60, 10.0, burst=0), 20.0
    started = time.monotonic()
    calls: list[float] = []

    def worker() -> None:
        pacing = RateLimiter(client, "parley")
        while time.monotonic() < started + seconds:
            persistent(lambda: pacing.wait([bucket]))
            calls.append(time.monotonic())

    assert at_once([worker] * 12) == [None] * 12
    window: deque[float] = deque()
    most = 0
    for at in sorted(calls):
        window.append(at)
        while at - window[0] >= bucket.period:
            window.popleft()
        most = max(most, len(window))
    assert most <= bucket.limit
    within = sum(at <= started + seconds for at in calls)
    assert within >= 0.9 * bucket.limit * seconds / bucket.period


# --- the journal ------------------------------------------------------------------------------------------------------


def message(id_: str) -> Message:
    return Message(
        id=id_,
        platform="feishu",
        app="demo",
        kind="message",
        sender=Sender(id="person"),
        content=Content(text="/count"),
        timestamp=1_800_000_000,
        context=Context(room_id="room"),
    )


def reply(to: Message, text: str) -> Outgoing:
    key = message_key(to)
    return Outgoing(
        id=reply_id(key, 0),
        message_key=key,
        ordinal=0,
        to=Destination.answering(to),
        reply=Reply(segments=(Text(text=text),)),
        created=time.time(),
    )


def test_one_of_many_workers_decides_a_message(client: Any) -> None:
    inbox, mine = Inbox(client, "parley", 86_400), message("m")

    def decide(number: int) -> str:
        inbox.decide(mine, inbox.open(mine), {"by": number}, [reply(mine, str(number))], time.time())
        return str(number)

    results = at_once([lambda number=number: decide(number) for number in range(30)])
    winners = [result for result in results if isinstance(result, str)]
    assert len(winners) == 1
    assert all(isinstance(result, str | AlreadyDecidedError | VersionConflictError) for result in results)
    assert inbox.open(mine).state == {"by": int(winners[0])}
    assert [row.out.reply.segments for row in inbox.replies(mine, 1)] == [(Text(text=winners[0]),)]


def test_messages_of_one_conversation_decided_side_by_side_count_each_once(client: Any) -> None:
    """The queue keeps them apart; where it did not, the version check would."""
    inbox = Inbox(client, "parley", 86_400)

    def count(number: int) -> int:
        mine = message(f"m{number}")
        while True:
            opened = inbox.open(mine)
            reached = opened.state.get("count", 0) + 1
            try:
                inbox.decide(mine, opened, {"count": reached}, [reply(mine, str(reached))], time.time())
            except (VersionConflictError, ClientError):
                continue
            return reached

    results = at_once([lambda number=number: count(number) for number in range(20)])
    assert sorted(results) == list(range(1, 21))


def test_one_of_many_workers_takes_a_reply_and_only_it_can_finish_it(client: Any) -> None:
    out = reply(message("m"), "hi")
    Inbox(client, "parley", 86_400).add(out, time.time())
    outbox = Outbox(client, "parley", 30)

    def deliver() -> bool:
        owner = uuid4().hex
        taken = isinstance(outbox.take(out.id, owner, time.time()), Row)
        try:
            outbox.finish(out, owner, ReplyState.SENT, (Sent(owner),), "", time.time())
        except LeaseLostError:
            assert not taken
        return taken

    assert Counter(at_once([deliver] * 50)) == {True: 1, False: 49}


# --- the model of the faults suite ------------------------------------------------------------------------------------


def test_the_dynamodb_of_the_faults_suite_answers_as_the_emulators(client: Any) -> None:
    model = DynamoDB("parley")
    for operation, request in CALLS:
        method = getattr(client, "".join(f"_{c.lower()}" if c.isupper() else c for c in operation).lstrip("_"))
        try:
            theirs = method(**request)
        except ClientError as error:
            theirs = error_code(error)
        try:
            ours: Any = model.call(operation, request)
        except ServiceError as error:
            ours = error.code
        told = ("Attributes", "Item", "Items", "Count")
        if isinstance(ours, dict) and isinstance(theirs, dict):
            ours, theirs = ({key: each[key] for key in told if key in each} for each in (ours, theirs))
        assert ours == theirs, (operation, request)


def test_a_pool_of_threads_is_what_it_takes(client: Any) -> None:
    """The emulator itself: forty conditional increments up to twenty-five, and not one more."""
    client.put_item(TableName="parley", Item={"pk": {"S": "n"}, "n": {"N": "0"}})

    def increment(_: int) -> bool:
        try:
            client.update_item(
                TableName="parley",
                Key={"pk": {"S": "n"}},
                UpdateExpression="ADD n :one",
                ConditionExpression="n < :most",
                ExpressionAttributeValues={":one": {"N": "1"}, ":most": {"N": "25"}},
            )
        except ClientError:
            return False
        return True

    with ThreadPoolExecutor(40) as pool:
        assert sum(pool.map(increment, range(40))) == 25
