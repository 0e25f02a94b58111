"""Whether the time of a function grows with the size of its input and no faster, in one run on any machine."""

import math
import time
from collections.abc import Callable

_TRIES = 5
"""Other processes can slow one of them."""
_SLACK = 2.6
"""How much longer than its share the larger input may take. Quadratic time takes four to eight times its share here."""
_STEEP = 1.4
"""The same for half of the way from the small input to the large one. Quadratic time takes twice its share or more."""


def assert_linear(
    function: Callable[[str], object], text: Callable[[int], str], *, small: int, large: int, least: float = 0.005
) -> None:
    """Fail if `text(large)` takes too long in every try, compared with `text(small)`. `large` is 4 to 8 times `small`.

    Some functions do more for a text above a limit: they split it, for example. That is a step, and no quadratic time.
    There is one size in the middle. A step is below it or above it; quadratic time is too long on both sides.

    `least`: seconds that the smaller one may take in any case. Shorter times are too inexact to compare.
    """
    middle = math.isqrt(small * large)
    best = {small: math.inf, middle: math.inf, large: math.inf}

    def measure(size: int) -> float:
        best[size] = min(best[size], _seconds(function, text(size)))
        return best[size]

    for _ in range(_TRIES):
        if measure(large) < _SLACK * large / small * max(measure(small), least):
            return
        measure(middle)
    first, between, last = best.values()
    if between < _STEEP * middle / small * first or last < _STEEP * large / middle * between:
        return
    raise AssertionError(f"{large // small} times the size took too long: {best}")


def _seconds(function: Callable[[str], object], text: str) -> float:
    started = time.process_time()
    function(text)
    return time.process_time() - started
