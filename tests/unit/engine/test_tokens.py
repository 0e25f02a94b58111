"""Tokens: one worker at a time refreshes a token before it expires. A revoked token is dropped."""

from typing import Any

import pytest

from parley.adapter import Token, TokenUnavailableError
from parley.engine.aws import dynamodb
from parley.engine.tokens import Tokens
from parley.errors import RetryAfter
from tests.unit.conftest import Clock

pytestmark = pytest.mark.usefixtures("aws")
LIFETIME = 7200


class Platform:
    """Issues the tokens `t1`, `t2`, ..., each valid for two hours."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.fetched = 0
        self.error: Exception | None = None

    def __call__(self) -> Token:
        if self.error:
            raise self.error
        self.fetched += 1
        return Token(f"t{self.fetched}", self.clock.now + LIFETIME)


@pytest.fixture
def platform(clock: Clock) -> Platform:
    return Platform(clock)


def worker(clock: Clock) -> Tokens:
    """The tokens of a separate process."""
    return Tokens(dynamodb(), "parley", clock, clock.sleep, lambda: 0.5)


def test_one_fetch_serves_every_worker(clock: Clock, platform: Platform) -> None:
    assert {worker(clock).get("k", platform).value for _ in range(20)} == {"t1"}
    assert platform.fetched == 1


def test_a_token_is_renewed_at_four_fifths_of_its_lifetime(clock: Clock, platform: Platform) -> None:
    tokens = worker(clock)
    tokens.get("k", platform)
    clock.now += LIFETIME * 0.79
    assert tokens.get("k", platform).value == "t1"
    clock.now += LIFETIME * 0.02
    assert tokens.get("k", platform).value == "t2"


def test_a_worker_uses_the_token_that_another_worker_has_renewed(clock: Clock, platform: Platform) -> None:
    first, second = worker(clock), worker(clock)
    first.get("k", platform)
    second.get("k", platform)
    clock.now += LIFETIME * 0.9
    assert [tokens.get("k", platform).value for tokens in (first, second)] == ["t2", "t2"]
    assert platform.fetched == 2


def test_a_failed_renewal_keeps_the_token_that_is_still_valid(clock: Clock, platform: Platform) -> None:
    tokens = worker(clock)
    tokens.get("k", platform)
    clock.now += LIFETIME * 0.9
    platform.error = TokenUnavailableError("down", 2)
    assert tokens.get("k", platform).value == "t1"
    platform.error = None
    assert tokens.get("k", platform).value == "t2"


def test_a_failed_first_fetch_raises_and_the_next_worker_may_fetch_at_once(clock: Clock, platform: Platform) -> None:
    platform.error = TokenUnavailableError("app_secret", None)
    with pytest.raises(TokenUnavailableError):
        worker(clock).get("k", platform)
    platform.error = None
    assert worker(clock).get("k", platform).value == "t1"


def crash_in_fetch(tokens: Tokens) -> None:
    """The worker is killed while it fetches a token."""

    def fetch() -> Token:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tokens.get("k", fetch)


def test_another_worker_refreshes_the_token_15_seconds_after_a_crash(clock: Clock, platform: Platform) -> None:
    crash_in_fetch(worker(clock))
    with pytest.raises(RetryAfter):
        worker(clock).get("k", platform)
    clock.now += 15
    assert worker(clock).get("k", platform).value == "t1"


def test_the_old_token_is_used_while_another_worker_renews_it(clock: Clock, platform: Platform) -> None:
    worker(clock).get("k", platform)
    clock.now += LIFETIME * 0.9
    crash_in_fetch(worker(clock))
    before = clock.now
    assert worker(clock).get("k", platform).value == "t1"
    assert clock.now == before


def test_a_revoked_token_is_dropped_for_all_workers(clock: Clock, platform: Platform) -> None:
    first, second = worker(clock), worker(clock)
    revoked = first.get("k", platform)
    second.get("k", platform)
    first.reject("k", revoked)
    assert worker(clock).get("k", platform).value == "t2"


def test_a_late_rejection_does_not_drop_the_newer_token(clock: Clock, platform: Platform) -> None:
    first, second = worker(clock), worker(clock)
    old = first.get("k", platform)
    second.reject("k", second.get("k", platform))
    assert second.get("k", platform).value == "t2"
    first.reject("k", old)
    assert first.get("k", platform).value == "t2"
    assert platform.fetched == 2


def test_a_slow_refresh_does_not_replace_a_newer_token(clock: Clock, platform: Platform) -> None:
    def slow() -> Token:
        clock.now += 20
        assert worker(clock).get("k", platform).value == "t1"
        return Token("late", clock.now + LIFETIME)

    assert worker(clock).get("k", slow).value == "t1"
    assert worker(clock).get("k", platform).value == "t1"


def test_the_token_is_not_logged(clock: Clock, platform: Platform, logged: Any) -> None:
    tokens = worker(clock)
    tokens.reject("k", tokens.get("k", platform))
    assert "t1" not in logged()


def test_a_token_that_is_being_fetched_while_its_organisation_leaves_is_not_stored(
    clock: Clock, platform: Platform
) -> None:
    tokens = worker(clock)

    def fetch() -> Token:
        worker(clock).drop("k")
        return platform()

    tokens.get("k", fetch)
    assert "t1" not in str(dynamodb().scan(TableName="parley")["Items"])


def test_a_token_that_is_being_renewed_while_its_organisation_leaves_is_not_stored(
    clock: Clock, platform: Platform
) -> None:
    tokens = worker(clock)
    tokens.get("k", platform)
    clock.now += LIFETIME * 0.9

    def fetch() -> Token:
        worker(clock).drop("k")
        return platform()

    tokens.get("k", fetch)
    rows = str(dynamodb().scan(TableName="parley")["Items"])
    assert "t1" not in rows
    assert "t2" not in rows
