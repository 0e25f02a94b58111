"""Deadlines for code that is not ours."""

import math
import re
import signal
import threading
import time

import pytest

from parley.engine.deadline import DeadlineExceededError, deadline


def test_code_that_waits_is_ended_where_it_stands() -> None:
    started = time.monotonic()
    with pytest.raises(DeadlineExceededError, match=r"\.py:\d+"), deadline(0.05):
        threading.Event().wait(30)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "work",
    [lambda: all(number == 0 for number in iter(int, 1)), lambda: re.match("(a*)*b", "a" * 60)],
    ids=["loop", "re"],
)
def test_code_that_computes_is_ended(work: object) -> None:
    assert callable(work)
    with pytest.raises(DeadlineExceededError), deadline(0.05):
        work()


def test_no_except_of_ordinary_code_swallows_it() -> None:
    def stubborn() -> None:
        while True:
            try:
                threading.Event().wait(30)
            except Exception:  # noqa: BLE001
                continue

    with pytest.raises(DeadlineExceededError), deadline(0.05):
        stubborn()


def test_who_has_no_end_has_no_deadline() -> None:
    with deadline(math.inf):
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_where_no_time_is_left_it_ends_at_once() -> None:
    with pytest.raises(DeadlineExceededError), deadline(-3):
        threading.Event().wait(30)


def test_what_ends_in_time_hears_nothing_afterwards() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with deadline(30):
        pass
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is before


def test_a_thread_other_than_the_first_goes_on_without() -> None:
    ended: list[bool] = []

    def work() -> None:
        with deadline(0.01):
            threading.Event().wait(0.1)
        ended.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert ended == [True]
