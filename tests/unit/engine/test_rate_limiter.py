"""Rate limits: calls never exceed a limit, and use nine tenths of it while there is work."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import count, pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.adapter import BreakerFailure, Bucket, Limit, Pause
from parley.engine.aws import dynamodb
from parley.engine.limit_row import MAX_WAIT
from parley.engine.rate_limiter import RateLimiter, rows
from parley.engine.spacing import spacing
from parley.errors import RetryAfter
from tests.unit.conftest import Clock
from tests.unit.engine.simulation import START, Simulation
from tools.faults.dynamodb import DynamoDB, ServiceError

buckets = st.builds(
    lambda limit, period: Bucket("b", limit, period),
    st.sampled_from([1, 2, 5, 20, 40, 59, 60, 100, 250]),
    st.sampled_from([1.0, 5.0, 60.0]),
)
pairs = st.sampled_from(
    [
        Bucket("b", 5, 1, Limit(100, 60)),
        Bucket("b", 50, 1, Limit(1000, 60)),
        Bucket("b", 20, 5, Limit(60, 60)),
        Bucket("b", 30, 60, Limit(70, 180)),
        Bucket("b", 200, 60, Limit(300, 120)),
        Bucket("b", 600, 60, Limit(900, 120)),
    ]
)
"""Two limits for the same calls: one is spaced and one counted, or both are counted."""
PAIR_OF_FEISHU = Bucket("b", 50, 1, Limit(1000, 60))
slow = settings(max_examples=20)


@pytest.fixture(autouse=True, scope="module")
def quiet() -> Iterator[None]:
    """Suppress metrics. The workers would write thousands."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("parley.engine.telemetry._emit", lambda *_: None)
        yield


class Table:
    """The model of DynamoDB behind the one method that the rate limiter calls."""

    class exceptions:  # noqa: N801
        class ConditionalCheckFailedException(Exception):
            def __init__(self, item: dict[str, Any] | None) -> None:
                super().__init__()
                self.response = {"Item": item} if item else {}

    def __init__(self) -> None:
        self.model = DynamoDB("parley")
        self.writes: list[str] = []

    def update_item(self, **request: Any) -> dict[str, Any]:
        self.writes.append(request["Key"]["pk"]["S"])
        try:
            return self.model.call("UpdateItem", request)
        except ServiceError as error:
            if error.code != "ConditionalCheckFailedException":
                raise
            raise self.exceptions.ConditionalCheckFailedException(error.members.get("Item")) from error


def most_in_a_window(calls: Sequence[float], period: float) -> int:
    """The most calls that began in any `period` seconds."""
    window: deque[float] = deque()
    most = 0
    for at in calls:
        window.append(at)
        # Slightly less than the period, because sums of floating-point numbers are not exact.
        while at - window[0] >= period - 1e-6:
            window.popleft()
        most = max(most, len(window))
    return most


def caller(
    simulation: Simulation, table: Table, wanted: Callable[[], Sequence[Bucket]], calls: list[float], seed: int
) -> Callable[[], None]:
    """A worker that calls as soon as it may. A call takes up to 80 ms. After RetryAfter, it waits as a queue does."""
    random = Random(seed)
    limiter = RateLimiter(table, "parley", simulation.clock, simulation.sleep, random.random)  # pyright: ignore[reportArgumentType]

    def work() -> None:
        while True:
            try:
                limiter.wait(wanted())
                calls.append(simulation.now)
                simulation.sleep(random.uniform(0.0, 0.08))
            except RetryAfter as retry:
                simulation.sleep(retry.seconds * random.uniform(1.0, 1.5))

    return work


def crowd(bucket: Bucket) -> int:
    """Enough workers for constant work: a call takes 40 ms, and a refused worker waits a second or two."""
    return min(40, 6 + int(bucket.limit / bucket.period * 2))


@slow
@given(buckets, st.integers(0, 2**32))
def test_many_workers_together_stay_within_a_limit_and_use_nine_tenths_of_it(bucket: Bucket, seed: int) -> None:
    seconds = bucket.period * 2 + 5
    simulation, table, calls = Simulation(seconds), Table(), list[float]()
    workers = crowd(bucket)
    simulation.run([caller(simulation, table, lambda: [bucket], calls, seed + number) for number in range(workers)])
    assert most_in_a_window(calls, bucket.period) <= bucket.limit
    could = min(bucket.limit * seconds / bucket.period, workers * seconds / 0.05)
    assert len(calls) >= min(0.9 * bucket.limit * (seconds - MAX_WAIT) / bucket.period, 0.5 * could) - 1


def fastest(limits: Sequence[Limit], seconds: float) -> int:
    """The most calls that `limits` allow in `seconds`."""
    calls = list[float]()
    while not calls or calls[-1] < seconds:
        earliest = [calls[-limit.calls] + limit.period for limit in limits if len(calls) >= limit.calls]
        calls.append(max([0.0, *earliest]))
    return len(calls) - 1


@settings(max_examples=10)
@given(pairs, st.integers(0, 2**32))
def test_many_workers_stay_within_both_limits_of_a_pair_and_use_nine_tenths_of_them(bucket: Bucket, seed: int) -> None:
    seconds = bucket.limits[-1].period * 3
    simulation, table, calls = Simulation(seconds), Table(), list[float]()
    simulation.run([caller(simulation, table, lambda: [bucket], calls, seed + number) for number in range(30)])
    for limit in bucket.limits:
        assert most_in_a_window(calls, limit.period) <= limit.calls
    assert len(calls) >= 0.9 * fastest(bucket.limits, seconds)


@settings(max_examples=10)
@given(pairs, st.integers(0, 2**32))
def test_slow_requests_and_clocks_that_differ_do_not_exceed_a_counted_limit(bucket: Bucket, seed: int) -> None:
    simulation, table, calls = Simulation(bucket.limits[-1].period * 2.2), Table(), list[float]()

    def worker(number: int) -> Callable[[], None]:
        random = Random(seed + number)
        ahead = random.uniform(-0.5, 0.5)

        class SlowTable(Table):
            exceptions = Table.exceptions

            def update_item(self, **request: Any) -> dict[str, Any]:
                simulation.sleep(random.uniform(0, 0.3))
                try:
                    return table.update_item(**request)
                finally:
                    simulation.sleep(random.uniform(0, 0.3))

        limiter = RateLimiter(SlowTable(), "parley", lambda: simulation.now + ahead, simulation.sleep, random.random)  # pyright: ignore[reportArgumentType]

        def work() -> None:
            while True:
                try:
                    limiter.wait([bucket])
                    calls.append(simulation.now)
                except RetryAfter as retry:
                    simulation.sleep(retry.seconds * random.uniform(1.0, 1.5))

        return work

    simulation.run([worker(number) for number in range(30)])
    for limit in bucket.limits[1:]:
        assert most_in_a_window(calls, limit.period) <= limit.calls
    assert len(calls) >= bucket.limits[-1].calls


@slow
@given(buckets, st.lists(st.tuples(st.floats(0, 30), st.integers(1, 40)), max_size=6), st.integers(0, 2**32))
def test_bursts_and_pauses_never_exceed_a_limit(bucket: Bucket, bursts: list[tuple[float, int]], seed: int) -> None:
    """In a burst, several workers start at the same time after a pause, and each makes one call."""
    simulation, table, calls = Simulation(1000), Table(), list[float]()
    random = Random(seed)

    def once(at: float) -> Callable[[], None]:
        limiter = RateLimiter(table, "parley", simulation.clock, simulation.sleep, random.random)  # pyright: ignore[reportArgumentType]

        def work() -> None:
            simulation.sleep(at)
            while True:
                try:
                    limiter.wait([bucket])
                except RetryAfter as retry:
                    simulation.sleep(retry.seconds * random.uniform(1.0, 1.5))
                else:
                    calls.append(simulation.now)
                    return

        return work

    simulation.run([once(at) for at, count in bursts for _ in range(count)])
    assert most_in_a_window(calls, bucket.period) <= bucket.limit


@settings(max_examples=10)
@given(st.integers(0, 2**32))
def test_the_limits_of_each_chat_and_of_the_app_are_both_respected(seed: int) -> None:
    """Each chat has one worker, as with the queue. The limit of the app is the bottleneck."""
    app = Bucket("app", 20, 1)
    chats = [Bucket(f"chat-{number}", 5, 1) for number in range(10)]
    simulation, table = Simulation(30), Table()
    calls: dict[str, list[float]] = {chat.key: [] for chat in chats}

    def wanted(chat: Bucket) -> Callable[[], Sequence[Bucket]]:
        return lambda: [app, chat]

    simulation.run(
        [caller(simulation, table, wanted(chat), calls[chat.key], seed + at) for at, chat in enumerate(chats)]
    )
    together = sorted(at for each in calls.values() for at in each)
    assert most_in_a_window(together, 1) <= 20
    assert max(most_in_a_window(each, 1) for each in calls.values()) <= 5
    assert len(together) >= 0.9 * 20 * 29


def test_a_call_to_a_bucket_that_many_workers_use_up_costs_one_write_and_a_little() -> None:
    bucket, simulation, table, calls = Bucket("b", 50, 1), Simulation(20), Table(), list[float]()
    simulation.run([caller(simulation, table, lambda: [bucket], calls, seed) for seed in range(20)])
    assert len(calls) > 0.9 * 50 * 20
    assert len(table.writes) <= 1.1 * len(calls)


def test_calls_after_a_minute_that_was_used_up_cost_one_write_and_a_little() -> None:
    """Calls are spaced then, and the row is full again and again."""
    bucket, simulation, table, calls = PAIR_OF_FEISHU, Simulation(150), Table(), list[float]()
    simulation.run([caller(simulation, table, lambda: [bucket], calls, seed) for seed in range(20)])
    assert len(calls) > 0.9 * 1000 * 2
    assert len(table.writes) <= 1.1 * len(calls)


@pytest.mark.parametrize("limit", [*range(1, 200), 300, 1000, 5000, 100_000])
def test_the_pace_of_every_limit_is_between_nine_tenths_and_the_limit(limit: int) -> None:
    for period in (1.0, 60.0):
        parts = rows(Bucket("b", limit, period))
        assert sum(part.limit for part in parts) == limit
        assert all(part.limit / part.period <= 200 for part in parts)
        paces = [(part, spacing(part.limits[0])) for part in parts]
        assert sum(period / pace.interval for _, pace in paces) >= 0.9 * limit
        assert all(pace.burst / pace.interval + period / pace.interval + 1 <= part.limit + 1 for part, pace in paces)


def test_a_large_limit_is_divided_so_that_no_row_gets_too_many_writes() -> None:
    bucket = Bucket("hot", 1000, 1)
    simulation, table, calls = Simulation(3), Table(), list[float]()
    simulation.run([caller(simulation, table, lambda: [bucket], calls, seed) for seed in range(60)])
    writes = {key: table.writes.count(key) / 3 for key in table.writes}
    assert len(writes) == 5
    assert max(writes.values()) < 1000
    assert most_in_a_window(calls, 1) <= 1000


# --- one worker, step by step -----------------------------------------------------------------------------------------


@pytest.fixture
def table() -> Table:
    return Table()


def make_limiter(table: Table, clock: Clock) -> RateLimiter:
    return RateLimiter(table, "parley", clock, clock.sleep, lambda: 0.0)  # pyright: ignore[reportArgumentType]


def test_an_idle_bucket_costs_one_write(table: Table, clock: Clock) -> None:
    started = clock.now
    make_limiter(table, clock).wait([Bucket("b", 5, 1)])
    assert clock.now == started
    assert table.writes == ["limit#b"]


def test_the_next_call_waits_in_the_worker_and_costs_one_write(table: Table, clock: Clock) -> None:
    limiter, bucket = make_limiter(table, clock), Bucket("b", 5, 1)
    moments = []
    for _ in range(4):
        limiter.wait([bucket])
        moments.append(clock.now)
    assert all(later - earlier >= 0.2 for earlier, later in pairwise(moments))
    assert len(table.writes) == 4


# --- counted calls ----------------------------------------------------------------------------------------------------

PAIR = Bucket("pair", 50, 1, Limit(1000, 60))


def free(limiter: RateLimiter, bucket: Bucket) -> int:
    """Reserve calls until RetryAfter. Returns their number."""
    for calls in count():
        try:
            limiter.wait([bucket])
        except RetryAfter:
            return calls
    raise AssertionError


@pytest.mark.parametrize("calls", [1, 2, 7, 19, 30, 1000])
@pytest.mark.parametrize("period", [60, 600, 3600, 86_400])
def test_a_counted_limit_may_be_used_up_at_once_and_again_six_seconds_after_its_period(
    calls: int, period: int, clock: Clock
) -> None:
    limiter, bucket = make_limiter(Table(), clock), Bucket("b", calls, period)
    for _ in range(3):
        assert free(limiter, bucket) == calls
        with pytest.raises(RetryAfter) as retry:
            limiter.wait([bucket])
        assert period <= retry.value.seconds <= period + 7
        clock.now += retry.value.seconds + 0.1


@pytest.mark.parametrize(
    ("bucket", "marks"), [(Bucket("b", 5, 1, Limit(100, 60)), 200), (Bucket("b", 30, 60, Limit(1000, 3600)), 680)]
)
def test_both_limits_cost_one_write_and_another_for_each_tenth(
    bucket: Bucket, marks: int, table: Table, clock: Clock
) -> None:
    limiter, calls = make_limiter(table, clock), 2000
    for _ in range(calls):
        limiter.wait([bucket])
        clock.now += 5
    assert len(table.writes) == calls + marks


def test_workers_that_have_never_seen_the_row_need_no_more_writes(table: Table, clock: Clock) -> None:
    for number in range(300):
        make_limiter(table, clock).wait([PAIR])
        clock.now += 1 + number % 70
    assert len(table.writes) == 300 + 3


@pytest.mark.parametrize("pause", [5, 20, 300])
@pytest.mark.parametrize("limit", [30, 1000])
def test_nine_tenths_of_what_is_free_can_be_used_at_once(pause: int, limit: int, table: Table, clock: Clock) -> None:
    """After calls at any distance. Those since the last mark count as if they were made with the next."""
    bucket = Bucket("b", limit, 60)
    for number in range(limit + 95):
        make_limiter(table, clock).wait([bucket])
        clock.now += pause + number % 7 / 10
    assert free(make_limiter(table, clock), bucket) >= 0.9 * limit - 66 / pause


def test_a_mark_that_is_missing_is_set_when_the_row_is_full(table: Table, clock: Clock) -> None:
    bucket = Bucket("b", 30, 60)
    assert free(make_limiter(table, clock), bucket) == 30
    del table.model.items["limit#b"]["marks"]
    with pytest.raises(RetryAfter):
        make_limiter(table, clock).wait([bucket])
    clock.now += 66.1
    assert free(make_limiter(table, clock), bucket) == 30


def test_a_row_that_was_deleted_begins_again(table: Table, clock: Clock) -> None:
    limiter, bucket = make_limiter(table, clock), Bucket("b", 5, 60)
    for _ in range(40):
        limiter.wait([bucket])
        clock.now += 20
    table.model.items.clear()
    clock.now += 2 * 86_400
    assert free(limiter, bucket) == 5


def test_a_reservation_that_took_too_long_is_not_used(table: Table, clock: Clock) -> None:
    class Stalled(Table):
        def update_item(self, **request: Any) -> dict[str, Any]:
            clock.now += 6
            return super().update_item(**request)

    for bucket in (PAIR, Bucket("b", 1000, 60), Bucket("b", 5, 1)):
        with pytest.raises(RetryAfter, match="took too long"):
            make_limiter(Stalled(), clock).wait([bucket])


# --- portions ---------------------------------------------------------------------------------------------------------

LARGE = Bucket("large", 2000, 60)
CHAT = Bucket("chat", 5, 1)
leased = st.sampled_from(
    [
        CHAT,
        Bucket("b", 20, 1),
        Bucket("b", 50, 1, Limit(1000, 60)),
        Bucket("b", 40, 1, Limit(300, 20)),
        Bucket("b", 150, 1),
        Bucket("b", 200, 60, Limit(400, 180)),
        LARGE,
    ]
)
"""Buckets of which processes lease portions."""


def phases(
    simulation: Simulation, table: Table, bucket: Bucket, calls: list[float], seed: int
) -> Callable[[], Callable[[], None]]:
    """Makes workers that all have little and much to do at the same times.

    Their clocks differ, some reservations are not used, a call begins late, and some workers begin anew.
    """
    plan = Random(seed)
    gaps = [plan.choice([0.0, 0.0, 0.5, 2.0, 6.0]) for _ in range(12)]
    tolerance = 0.015 * bucket.period if bucket.period < 60 else 0.4
    full = Bucket("full", 1, 60)

    def worker() -> Callable[[], None]:
        random = Random(plan.random())
        ahead = random.uniform(-tolerance, tolerance)

        def begin() -> RateLimiter:
            clock = lambda: simulation.now + ahead  # noqa: E731
            return RateLimiter(table, "parley", clock, simulation.sleep, random.random)  # pyright: ignore[reportArgumentType]

        def work() -> None:
            limiter = begin()
            while True:
                gap = gaps[int((simulation.now - START) / 9) % len(gaps)]
                simulation.sleep(random.expovariate(1 / gap) if gap else 0.01)
                if random.random() < 0.01:
                    limiter = begin()
                try:
                    limiter.wait([bucket, full] if random.random() < 0.05 else [bucket])
                    simulation.sleep(random.uniform(0, tolerance))
                    calls.append(simulation.now)
                except RetryAfter as retry:
                    simulation.sleep(min(retry.seconds, 5) * random.uniform(1.0, 1.5))

        return work

    return worker


@slow
@given(leased, st.integers(1, 10), st.integers(0, 2**32))
def test_workers_with_portions_stay_within_all_limits(bucket: Bucket, workers: int, seed: int) -> None:
    simulation, table, calls = Simulation(108), Table(), list[float]()
    worker = phases(simulation, table, bucket, calls, seed)
    simulation.run([worker() for _ in range(workers)])
    for limit in bucket.limits:
        assert most_in_a_window(sorted(calls), limit.period) <= limit.calls


@pytest.mark.parametrize("workers", [1, 4, 10])
def test_the_workers_of_that_test_lease_portions(workers: int) -> None:
    simulation, table, calls = Simulation(108), Table(), list[float]()
    worker = phases(simulation, table, PAIR, calls, 7)
    simulation.run([worker() for _ in range(workers)])
    assert table.model.items["limit#pair"]["portions"]


@slow
@given(st.sampled_from([200, 1000, 2000]), st.integers(1, 40), st.integers(0, 2**32))
def test_many_workers_with_portions_stay_within_a_limit(limit: int, workers: int, seed: int) -> None:
    """They need much and little in turn, begin anew, and give calls back because another limit is full."""
    random, clock, table, calls = Random(seed), Clock(), Table(), list[float]()
    bucket, full = Bucket("b", limit, 60, Limit(limit * 2, 180)), Bucket("full", 1, 60)
    limiters = [make_limiter(table, clock) for _ in range(workers)]
    for phase in range(8):
        pace = random.choice([0.3, 1.0, 3.0]) * 60 / limit
        until = clock.now + random.uniform(5, 90)
        while clock.now < until:
            clock.now += random.expovariate(1 / pace)
            limiter = random.choice(limiters)
            try:
                limiter.wait([bucket, full] if random.random() < 0.1 else [bucket])
                calls.append(clock.now)
            except RetryAfter:
                pass
        limiters[phase % workers] = make_limiter(table, clock)
    for window in bucket.limits:
        assert most_in_a_window(calls, window.period) <= window.calls


@pytest.mark.parametrize(
    ("bucket", "most"),
    [(LARGE, 0.05), (PAIR, 0.08), (CHAT, 0.06), (Bucket("b", 30, 60), 1.4)],
)
def test_a_worker_that_calls_each_second_writes_seldom_to_a_large_bucket(
    bucket: Bucket, most: float, table: Table, clock: Clock
) -> None:
    limiter, calls = make_limiter(table, clock), 600
    for _ in range(calls):
        clock.now += 1.1 if bucket.limit != 30 else 2.5
        limiter.wait([bucket])
    assert len(table.writes) <= most * calls


@pytest.mark.parametrize(("workers", "rate", "most"), [(1, 3, 0.4), (2, 1, 0.4), (4, 3, 0.4), (4, 0.1, 1.05)])
def test_workers_that_share_a_spaced_bucket_write_less_often_than_they_call(
    workers: int, rate: float, most: float, table: Table, clock: Clock
) -> None:
    random = Random(1)
    limiters = [make_limiter(table, clock) for _ in range(workers)]
    for _ in range(2000):
        clock.now += random.expovariate(rate)
        random.choice(limiters).wait([PAIR])
    assert len(table.writes) <= most * 2000


def test_many_workers_under_load_write_seldom_to_a_large_bucket(table: Table, clock: Clock) -> None:
    """Twenty workers with ten calls a second, in any order."""
    random = Random(1)
    limiters = [make_limiter(table, clock) for _ in range(20)]
    for _ in range(3000):
        clock.now += random.expovariate(10)
        random.choice(limiters).wait([LARGE])
    assert len(table.writes) <= 0.75 * 3000


def test_near_the_limit_no_portion_is_taken(table: Table, clock: Clock) -> None:
    """Each call counts, so nothing may be lost."""
    limiters = [make_limiter(table, clock) for _ in range(20)]
    for number in range(1000):
        limiters[number % 20].wait([LARGE])
        clock.now += 0.01
    assert len(table.writes) < 500
    before = len(table.writes)
    assert sum(free(limiter, LARGE) for limiter in limiters) == 1000
    assert len(table.writes) - before > 400


def take_portion(limiter: RateLimiter, table: Table, clock: Clock, bucket: Bucket = LARGE) -> None:
    """Call each second until there is a portion of sixty calls, and take the first of them."""
    for _ in range(20):
        clock.now += 1
        limiter.wait([bucket])
    before = len(table.writes)
    while len(table.writes) == before:
        clock.now += 1
        limiter.wait([bucket])


@pytest.mark.parametrize(("bucket", "seconds"), [(LARGE, 60), (PAIR, 50), (CHAT, 60)])
def test_a_portion_ends_after_a_minute_or_when_its_calls_would_be_used(
    bucket: Bucket, seconds: int, table: Table, clock: Clock
) -> None:
    limiter = make_limiter(table, clock)
    take_portion(limiter, table, clock, bucket)
    before = len(table.writes)
    clock.now += seconds - 1.1
    limiter.wait([bucket])
    assert len(table.writes) == before
    clock.now += 0.2
    limiter.wait([bucket])
    assert len(table.writes) == before + 1


@pytest.mark.parametrize("bucket", [LARGE, Bucket("b", 200, 60, Limit(250, 120))])
def test_the_last_calls_of_a_portion_are_in_the_window_for_their_own_period(
    bucket: Bucket, table: Table, clock: Clock
) -> None:
    """They begin up to a minute after they were counted."""
    first, other, calls = make_limiter(table, clock), make_limiter(table, clock), list[float]()
    take_portion(first, table, clock, bucket)
    calls += [clock.now] * free(other, bucket)
    ends = max(map(float, table.model.items[f"limit#{bucket.key}"]["portions"]["S"].split()))
    for at in (ends - 1, *(ends + 2 * number for number in range(100))):
        clock.now = at
        calls += [at] * (free(first, bucket) + free(other, bucket))
    for limit in bucket.limits:
        assert most_in_a_window(calls, limit.period) <= limit.calls


def test_the_others_leave_the_share_of_a_portion_free(table: Table, clock: Clock) -> None:
    """Two of five calls a second, until two seconds after its end."""
    take_portion(make_limiter(table, clock), table, clock, CHAT)
    ends = float(table.model.items["limit#chat"]["portions"]["S"])
    for at, most in ((ends - 20, 3), (ends - 1, 3), (ends + 10, 5)):
        clock.now = at
        other, moments = make_limiter(table, clock), list[float]()
        for _ in range(5):
            other.wait([CHAT])
            moments.append(clock.now)
        assert most_in_a_window(moments[:5], 1) == most


def test_a_busy_bucket_has_no_portions(table: Table, clock: Clock) -> None:
    limiters = [make_limiter(table, clock) for _ in range(4)]
    for number in range(400):
        limiters[number % 4].wait([PAIR])
    assert "portions" not in table.model.items["limit#pair"]


def test_a_pause_stops_the_portion_of_this_process(table: Table, clock: Clock) -> None:
    limiter = make_limiter(table, clock)
    take_portion(limiter, table, clock)
    limiter.apply([Pause(LARGE, 3)])
    with pytest.raises(RetryAfter) as retry:
        limiter.wait([LARGE])
    assert 3 <= retry.value.seconds <= 4
    clock.now += retry.value.seconds
    limiter.wait([LARGE])


def test_a_call_that_is_not_made_is_used_for_another_one(table: Table, clock: Clock) -> None:
    """For example if the person's limit is full and the company's is not."""
    limiter, company, person = make_limiter(table, clock), Bucket("company", 10, 60), Bucket("person", 1, 60)
    limiter.wait([company, person])
    for _ in range(20):
        with pytest.raises(RetryAfter):
            limiter.wait([company, person])
    assert free(limiter, company) == 9


# --- waits and pauses -------------------------------------------------------------------------------------------------


def test_a_long_wait_raises_retry_after(table: Table, clock: Clock) -> None:
    limiter, bucket = make_limiter(table, clock), Bucket("b", 1, 60)
    limiter.wait([bucket])
    with pytest.raises(RetryAfter) as retry:
        limiter.wait([bucket])
    assert 60 < retry.value.seconds <= 67


def test_a_full_bucket_causes_no_further_write_until_it_can_have_capacity(table: Table, clock: Clock) -> None:
    limiter, bucket = make_limiter(table, clock), Bucket("b", 1, 60)
    limiter.wait([bucket])
    before = len(table.writes)
    for _ in range(10):
        with pytest.raises(RetryAfter):
            limiter.wait([bucket])
    assert len(table.writes) == before


def test_a_bucket_that_is_known_to_be_full_causes_no_write_in_the_other_buckets(table: Table, clock: Clock) -> None:
    limiter, chat, app = make_limiter(table, clock), Bucket("chat", 5, 1), Bucket("app", 1, 60)
    limiter.wait([chat, app])
    before = len(table.writes)
    with pytest.raises(RetryAfter) as retry:
        limiter.wait([chat, app])
    assert len(table.writes) == before
    clock.now += retry.value.seconds
    limiter.wait([chat, app])


def test_a_full_bucket_releases_the_reservations_in_other_buckets(table: Table, clock: Clock) -> None:
    chat, app = Bucket("chat", 5, 60), Bucket("app", 1, 1)
    make_limiter(table, clock).wait([Bucket("app", 1, 1)])
    make_limiter(table, clock).pause(app, clock.now + 100)
    for _ in range(5):
        with pytest.raises(RetryAfter):
            make_limiter(table, clock).wait([app, chat])
    started = clock.now
    make_limiter(table, clock).wait([chat])
    assert clock.now == started


def test_a_reservation_is_not_released_after_a_later_reservation(table: Table, clock: Clock) -> None:
    """Otherwise two calls would get the same moment."""
    chat, app = Bucket("chat", 5, 1), Bucket("app", 1000, 1)
    other = make_limiter(table, clock)

    class Interleaved(RateLimiter):
        def _reserve(self, bucket: Bucket) -> Any:
            if bucket is app:
                other.wait([chat])
                raise RetryAfter(1, "full")
            return RateLimiter._reserve(self, bucket)

    with pytest.raises(RetryAfter):
        Interleaved(table, "parley", clock, clock.sleep).wait([chat, app])  # pyright: ignore[reportArgumentType]
    interval = spacing(chat.limits[0]).interval
    [row] = [item for key, item in table.model.items.items() if key == "limit#chat"]
    assert float(row["tat"]["N"]) - clock.now >= interval - 1e-6


def test_a_pause_stops_all_calls_until_it_ends(table: Table, clock: Clock) -> None:
    bucket = Bucket("b", 1000, 1)
    make_limiter(table, clock).apply([Pause(bucket, 30)])
    with pytest.raises(RetryAfter):
        make_limiter(table, clock).wait([bucket])
    clock.now += 29.5
    make_limiter(table, clock).wait([bucket])
    assert clock.now >= START + 30


def test_a_pause_never_shortens_a_longer_one(table: Table, clock: Clock) -> None:
    bucket = Bucket("b", 5, 1)
    make_limiter(table, clock).pause(bucket, clock.now + 100)
    make_limiter(table, clock).pause(bucket, clock.now + 1)
    clock.now += 50
    with pytest.raises(RetryAfter):
        make_limiter(table, clock).wait([bucket])


def test_enough_failures_open_the_circuit_breaker(table: Table, clock: Clock) -> None:
    failures, calls = Bucket("failures", 3, 600), Bucket("calls", 50, 1)
    limiter = make_limiter(table, clock)
    for _ in range(4):
        limiter.apply([BreakerFailure(failures, (calls,))])
    with pytest.raises(RetryAfter):
        limiter.wait([calls])


@pytest.mark.usefixtures("aws")
def test_the_rate_limiter_runs_on_dynamodb(clock: Clock) -> None:
    limiter = RateLimiter(dynamodb(), "parley", clock, clock.sleep)
    moments = []
    for _ in range(4):
        limiter.wait([Bucket("b", 5, 1)])
        moments.append(clock.now)
    assert moments[0] == START
    first, *others = (later - earlier for earlier, later in pairwise(moments))
    assert 0.2 <= first < 0.36  # as if others had leased portions; the next ones know that there are none
    assert all(0.2 <= other < 0.25 for other in others)
    full = RateLimiter(dynamodb(), "parley", clock, lambda _: None)
    full.pause(Bucket("b", 5, 1), clock.now + 100)
    with pytest.raises(RetryAfter):
        full.wait([Bucket("b", 5, 1)])
