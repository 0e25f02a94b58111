"""Whether the time of a function grows with the size of its input and no faster, in one run on any machine."""

import time
from collections.abc import Callable

_TRIES = 5
"""Other processes can slow one of them."""
_SLACK = 2.6
"""How much longer than its share the larger input may take. Quadratic time takes four to eight times its share here."""


def assert_linear(
    function: Callable[[str], object], text: Callable[[int], str], *, small: int, large: int, least: float = 0.005
) -> None:
    """Fail if `text(large)` takes too long in every try, compared with `text(small)`. It is four times as long or more.

    `least`: seconds that the smaller one may take in any case. Shorter times are too inexact to compare.
    """
    times: list[tuple[float, float]] = []
    for _ in range(_TRIES):
        times.append((_seconds(function, text(small)), _seconds(function, text(large))))
        shorter, longer = times[-1]
        if longer < _SLACK * large / small * max(shorter, least):
            return
    raise AssertionError(f"{large // small} times the size took too long: {times}")


def _seconds(function: Callable[[str], object], text: str) -> float:
    started = time.process_time()
    function(text)
    return time.process_time() - started
