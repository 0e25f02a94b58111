"""`assert_linear` finds time that grows faster than the input, also beside a step, and is not misled by the step."""

from collections.abc import Callable
from random import Random

import pytest

from tests import linear
from tests.linear import assert_linear

RATIOS = [4, 5, 8]
SMALL = 10_000
LEAST = 0.005
LINEAR = 1e-6
"""Seconds for each character: more than `LEAST` for the small input."""


def check(monkeypatch: pytest.MonkeyPatch, seconds: Callable[[int], float], ratio: int) -> None:
    """Check a function that takes `seconds(size)`, on a machine that is up to a tenth too slow."""
    random = Random(ratio)
    monkeypatch.setattr(linear, "_seconds", lambda _, text: seconds(len(text)) * random.uniform(1, 1.1))
    assert_linear(lambda _: None, lambda size: "x" * size, small=SMALL, large=SMALL * ratio, least=LEAST)


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("share", [1e-6, 0.01, 1, 100])
def test_linear_time_passes(monkeypatch: pytest.MonkeyPatch, ratio: int, share: float) -> None:
    check(monkeypatch, lambda size: LINEAR * share * size, ratio)


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("below", [0.001, 0.1, 1])
@pytest.mark.parametrize("at", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_step_between_the_sizes_passes(monkeypatch: pytest.MonkeyPatch, ratio: int, below: float, at: float) -> None:
    """Above the limit each character takes 20 to 20,000 times as long."""
    limit = SMALL * (1 + at * (ratio - 1))
    check(monkeypatch, lambda size: LINEAR * size * (20 if size > limit else below), ratio)


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("share", [2, 3, 10, 1000])
@pytest.mark.parametrize("at", [None, 0.1, 0.9])
def test_quadratic_time_fails_also_beside_linear_time_and_a_step(
    monkeypatch: pytest.MonkeyPatch, ratio: int, share: float, at: float | None
) -> None:
    """Of the small input, the quadratic part takes `share` times as long as the linear part."""
    limit = 0 if at is None else SMALL * (1 + at * (ratio - 1))

    def seconds(size: int) -> float:
        return LINEAR * size * (1 + share * size / SMALL) * (1 if size > limit else 0.5)

    with pytest.raises(AssertionError, match=f"^{ratio} times the size took too long"):
        check(monkeypatch, seconds, ratio)


def test_the_time_is_that_of_the_process() -> None:
    def pairs(text: str) -> int:
        return sum(1 for one in range(len(text)) for other in range(len(text)) if one == other)

    with pytest.raises(AssertionError, match="4 times the size took too long"):
        assert_linear(pairs, lambda size: "x" * size, small=300, large=1200, least=0.001)
    assert_linear(lambda text: pairs(text[:100]), lambda size: "x" * size, small=300, large=1200, least=0.001)
