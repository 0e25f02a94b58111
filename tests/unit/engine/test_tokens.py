"""Tokens: one refresher, early, healed by time, and nothing kept that the platform has revoked."""

from typing import Any

import pytest

from parley.adapter import Token, TokenUnavailableError
from parley.engine.aws import dynamodb
from parley.engine.tokens import Tokens
from parley.errors import RetryAfter
from tests.unit.conftest import Clock

pytestmark = pytest.mark.usefixtures("aws")
LIFE = 7200


class Platform:
    """Hands out `t1`, `t2` ... with two hours of life each."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.fetched = 0
        self.error: Exception | None = None

    def __call__(self) -> Token:
        if self.error:
            raise self.error
        self.fetched += 1
        return Token(f"t{self.fetched}", self.clock.now + LIFE)


@pytest.fixture
def platform(clock: Clock) -> Platform:
    return Platform(clock)


def worker(clock: Clock) -> Tokens:
    """The tokens as another process sees them."""
    return Tokens(dynamodb(), "parley", clock, clock.sleep, lambda: 0.5)


def test_one_fetch_serves_every_worker(clock: Clock, platform: Platform) -> None:
    assert {worker(clock).get("k", platform).value for _ in range(20)} == {"t1"}
    assert platform.fetched == 1


def test_a_token_is_renewed_at_four_fifths_of_its_life(clock: Clock, platform: Platform) -> None:
    tokens = worker(clock)
    tokens.get("k", platform)
    clock.now += LIFE * 0.79
    assert tokens.get("k", platform).value == "t1"
    clock.now += LIFE * 0.02
    assert tokens.get("k", platform).value == "t2"


def test_a_worker_that_comes_late_uses_the_new_token_and_fetches_none(clock: Clock, platform: Platform) -> None:
    first, second = worker(clock), worker(clock)
    first.get("k", platform)
    second.get("k", platform)
    clock.now += LIFE * 0.9
    assert [tokens.get("k", platform).value for tokens in (first, second)] == ["t2", "t2"]
    assert platform.fetched == 2


def test_a_renewal_that_fails_leaves_the_token_that_is_still_good(clock: Clock, platform: Platform) -> None:
    tokens = worker(clock)
    tokens.get("k", platform)
    clock.now += LIFE * 0.9
    platform.error = TokenUnavailableError("down", 2)
    assert tokens.get("k", platform).value == "t1"
    platform.error = None
    assert tokens.get("k", platform).value == "t2"


def test_without_any_token_the_failure_comes_through_and_the_next_may_try_at_once(
    clock: Clock, platform: Platform
) -> None:
    platform.error = TokenUnavailableError("app_secret", None)
    with pytest.raises(TokenUnavailableError):
        worker(clock).get("k", platform)
    platform.error = None
    assert worker(clock).get("k", platform).value == "t1"


def dies(tokens: Tokens) -> None:
    """A refresher that is killed while it fetches."""

    def fetch() -> Token:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tokens.get("k", fetch)


def test_a_refresher_that_dies_holds_nobody_up_for_long(clock: Clock, platform: Platform) -> None:
    dies(worker(clock))
    with pytest.raises(RetryAfter):
        worker(clock).get("k", platform)
    clock.now += 15
    assert worker(clock).get("k", platform).value == "t1"


def test_while_another_renews_the_old_token_is_used(clock: Clock, platform: Platform) -> None:
    worker(clock).get("k", platform)
    clock.now += LIFE * 0.9
    dies(worker(clock))
    before = clock.now
    assert worker(clock).get("k", platform).value == "t1"
    assert clock.now == before


def test_a_revoked_token_is_dropped_for_all(clock: Clock, platform: Platform) -> None:
    first, second = worker(clock), worker(clock)
    held = first.get("k", platform)
    second.get("k", platform)
    first.reject("k", held)
    assert worker(clock).get("k", platform).value == "t2"


def test_a_late_rejection_does_not_drop_the_newer_token(clock: Clock, platform: Platform) -> None:
    first, second = worker(clock), worker(clock)
    old = first.get("k", platform)
    second.reject("k", second.get("k", platform))
    assert second.get("k", platform).value == "t2"
    first.reject("k", old)
    assert first.get("k", platform).value == "t2"
    assert platform.fetched == 2


def test_a_refresher_that_was_too_slow_does_not_replace_its_successors_token(clock: Clock, platform: Platform) -> None:
    def slow() -> Token:
        clock.now += 20
        assert worker(clock).get("k", platform).value == "t1"
        return Token("late", clock.now + LIFE)

    assert worker(clock).get("k", slow).value == "t1"
    assert worker(clock).get("k", platform).value == "t1"


def test_the_token_is_nowhere_in_the_logs(clock: Clock, platform: Platform, logged: Any) -> None:
    tokens = worker(clock)
    tokens.reject("k", tokens.get("k", platform))
    assert "t1" not in logged()
