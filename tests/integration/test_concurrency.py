"""Real concurrency: threads against the emulator, whose DynamoDB is atomic."""

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
from botocore.httpsession import URLLib3Session

from parley.adapter import Bucket, Limit, Sent, Token
from parley.engine.aws import error_code
from parley.engine.rate_limiter import RateLimiter
from parley.engine.tokens import Tokens
from parley.errors import RetryAfter
from parley.journal.inbox import AlreadyDecidedError, Inbox, VersionConflictError
from parley.journal.outbox import LeaseLostError, Outbox
from parley.journal.states import ReplyState, Row
from parley.model import Text
from tests.factories import decide, make_message, make_reply
from tests.faults.contract import CALLS, TABLE, client_method
from tests.stack import Stack
from tools.faults.dynamodb import DynamoDB, ServiceError

ACCOUNT = "100000000003"
"""A separate account in the emulator, so that the deployed stack is not changed."""


_CONNECTIONS = 50


class Killed(BaseException):
    """The process is killed here."""


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Suppress metrics: thousands of them would hide a failure."""
    monkeypatch.setattr("parley.engine.telemetry._emit", lambda *_: None)


@pytest.fixture
def client(stack: Stack) -> Iterator[Any]:
    """A DynamoDB client of the emulator, with an empty table `parley`. At most `_CONNECTIONS` requests are under way,
    because the emulator closes connections when there are hundreds."""
    client = boto3.client(
        "dynamodb",
        endpoint_url=stack.facts["aws_endpoint"],
        region_name=stack.facts["region"],
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key=ACCOUNT,
        config=Config(retries={"total_max_attempts": 5, "mode": "standard"}),
    )
    session = URLLib3Session(max_pool_connections=_CONNECTIONS)
    free = threading.Semaphore(_CONNECTIONS)

    def send(request: Any, **_: Any) -> Any:
        with free:
            return session.send(request)

    client.meta.events.register("before-send.dynamodb", send)
    client.create_table(**TABLE)
    yield client
    client.delete_table(TableName="parley")
    client.close()
    session.close()


def at_once(work: Sequence[Callable[[], Any]]) -> list[Any]:
    """Call all of `work` at the same time. Returns the result or the exception of each."""
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
    """Call `work` until it no longer raises RetryAfter, as a queue does."""
    while True:
        try:
            return work()
        except RetryAfter as later:
            time.sleep(min(later.seconds, 1))  # in production this is the visibility timeout


# --- tokens -----------------------------------------------------------------------------------------------------------


class Upstream:
    """A platform's token endpoint. The first `killed` requests kill their process."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self.fetched = 0
        self.lock = threading.Lock()
        self.killed = 0

    def fetch(self) -> Token:
        """A new token, after a delay as with a real endpoint."""
        with self.lock:
            self.fetched += 1
            number = self.fetched
        time.sleep(0.3)  # the latency of the request
        if number <= self.killed:
            raise Killed
        return Token(f"token-{number}", self.clock() + 7200)


def test_a_thousand_workers_refresh_a_token_once(client: Any) -> None:
    """The clock is a tenth as fast, because a thousand requests take the emulator many seconds: no lock may expire."""
    started = time.time()

    def clock() -> float:
        return started + (time.time() - started) / 10

    upstream = Upstream(clock)

    def worker() -> str:
        tokens = Tokens(client, "parley", clock)
        return persistent(lambda: tokens.get("t", upstream.fetch)).value

    assert Counter(at_once([worker] * 1000)) == {"token-1": 1000}
    assert upstream.fetched == 1


def test_a_killed_refresher_is_replaced_after_its_lock_has_expired(client: Any) -> None:
    """The clock is ten times as fast, because the lock lasts fifteen seconds."""
    started = time.time()

    def clock() -> float:
        return started + (time.time() - started) * 10

    upstream = Upstream(clock)
    upstream.killed = 1

    def worker() -> str:
        tokens = Tokens(client, "parley", clock, lambda seconds: time.sleep(seconds / 10))
        return persistent(lambda: tokens.get("t", upstream.fetch)).value

    results = at_once([worker] * 50)
    assert sum(isinstance(result, Killed) for result in results) == 1
    assert Counter(result for result in results if isinstance(result, str)) == {"token-2": 49}
    assert upstream.fetched == 2


def test_a_revoked_token_is_replaced_once_for_all_workers(client: Any) -> None:
    upstream = Upstream()
    workers = [Tokens(client, "parley") for _ in range(100)]
    held = [persistent(lambda each=each: each.get("t", upstream.fetch)) for each in workers]

    def rejected(number: int) -> str:
        workers[number].reject("t", held[number])
        return persistent(lambda: workers[number].get("t", upstream.fetch)).value

    assert Counter(at_once([lambda number=number: rejected(number) for number in range(100)])) == {"token-2": 100}
    assert upstream.fetched == 2


# --- limits -----------------------------------------------------------------------------------------------------------


def test_threads_together_use_nine_tenths_of_a_limit_and_no_more_than_all(client: Any) -> None:
    bucket, seconds = Bucket("b", 60, 10.0), 20.0
    started = time.monotonic()
    calls: list[float] = []

    def worker() -> None:
        rate_limiter = RateLimiter(client, "parley")
        while time.monotonic() < started + seconds:
            persistent(lambda: rate_limiter.wait([bucket]))
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


def test_threads_together_use_a_counted_limit_up_and_no_more(client: Any) -> None:
    bucket = Bucket("counted", 100, 60, Limit(1000, 3600))

    def worker() -> int:
        rate_limiter, calls = RateLimiter(client, "parley"), 0
        while True:
            try:
                rate_limiter.wait([bucket])
                calls += 1
            except RetryAfter as full:
                if full.seconds > 50:
                    return calls

    assert sum(at_once([worker] * 12)) == bucket.limit


# --- the journal ------------------------------------------------------------------------------------------------------


def test_one_of_many_workers_decides_a_message(client: Any) -> None:
    inbox, mine = Inbox(client, "parley", 86_400), make_message()

    def win(number: int) -> str:
        decide(inbox, mine, inbox.open(mine), {"by": number}, [make_reply(mine, str(number))], time.time())
        return str(number)

    results = at_once([lambda number=number: win(number) for number in range(30)])
    winners = [result for result in results if isinstance(result, str)]
    assert len(winners) == 1
    assert all(isinstance(result, str | AlreadyDecidedError | VersionConflictError) for result in results)
    assert inbox.open(mine).memory.state == {"by": int(winners[0])}
    assert [row.out.reply.segments for row in inbox.replies(mine, 1)] == [(Text(text=winners[0]),)]


def test_messages_of_one_conversation_decided_at_the_same_time_count_each_once(client: Any) -> None:
    """The queue serialises them. The version check holds without it too."""
    inbox = Inbox(client, "parley", 86_400)

    def count(number: int) -> int:
        mine = make_message(f"m{number}")
        while True:
            snapshot = inbox.open(mine)
            reached = snapshot.memory.state.get("count", 0) + 1
            try:
                decide(inbox, mine, snapshot, {"count": reached}, [make_reply(mine, str(reached))], time.time())
            except (VersionConflictError, ClientError):
                continue
            return reached

    results = at_once([lambda number=number: count(number) for number in range(20)])
    assert sorted(results) == list(range(1, 21))


def test_one_of_many_workers_takes_a_reply_and_only_this_one_can_finish_it(client: Any) -> None:
    out = make_reply(make_message())
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


# --- the fake DynamoDB of the faults suite ----------------------------------------------------------------------------


def test_the_fake_dynamodb_behaves_as_the_emulator(client: Any) -> None:
    model = DynamoDB("parley")
    for operation, request in CALLS:
        try:
            theirs = client_method(client, operation)(**request)
        except ClientError as error:
            theirs = error_code(error)
        try:
            ours: Any = model.call(operation, request)
        except ServiceError as error:
            ours = error.code
        compared = ("Attributes", "Item", "Items", "Count")
        if isinstance(ours, dict) and isinstance(theirs, dict):
            ours, theirs = ({key: each[key] for key in compared if key in each} for each in (ours, theirs))
        assert ours == theirs, (operation, request)


def test_the_emulators_conditional_writes_are_atomic(client: Any) -> None:
    """Of forty increments with the condition `n < 25`, exactly twenty-five succeed."""
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
