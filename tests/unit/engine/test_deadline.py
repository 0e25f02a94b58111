"""Deadlines for the code of bots."""

import asyncio
import math
import re
import signal
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from parley.engine.deadline import DeadlineExceededError, deadline


def test_the_deadline_interrupts_code_that_waits() -> None:
    started = time.monotonic()
    with pytest.raises(DeadlineExceededError), deadline(0.05):
        threading.Event().wait(30)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "work",
    [lambda: all(number == 0 for number in iter(int, 1)), lambda: re.match("(a*)*b", "a" * 60)],
    ids=["loop", "re"],
)
def test_the_deadline_interrupts_code_that_computes(work: object) -> None:
    assert callable(work)
    with pytest.raises(DeadlineExceededError), deadline(0.05):
        work()


async def waits() -> None:
    await asyncio.sleep(30)


async def waits_for_a_thread() -> None:
    await asyncio.to_thread(time.sleep, 4)


async def refuses_to_be_cancelled() -> None:
    while True:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            continue


async def computes() -> None:
    while True:
        pass


async def computes_in_a_callback() -> None:
    asyncio.get_running_loop().call_soon(lambda: all(number == 0 for number in iter(int, 1)))
    await asyncio.sleep(30)


COROUTINES = [waits, waits_for_a_thread, refuses_to_be_cancelled, computes, computes_in_a_callback]


@pytest.mark.parametrize("work", COROUTINES, ids=lambda work: work.__name__)
def test_the_deadline_interrupts_a_coroutine(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    started = time.monotonic()
    with pytest.raises(DeadlineExceededError), deadline(0.05):
        asyncio.run(work())
    assert time.monotonic() - started < 3
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_except_exception_does_not_catch_the_deadline() -> None:
    def stubborn() -> None:
        while True:
            try:
                threading.Event().wait(30)
            except Exception:  # noqa: BLE001
                continue

    with pytest.raises(DeadlineExceededError), deadline(0.05):
        stubborn()


def test_an_infinite_deadline_sets_no_timer() -> None:
    with deadline(math.inf):
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_deadline_in_the_past_interrupts_at_once() -> None:
    with pytest.raises(DeadlineExceededError), deadline(-3):
        threading.Event().wait(30)


def test_code_that_ends_in_time_leaves_no_timer_and_no_signal_handler() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with deadline(30):
        pass
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is before


def test_a_deadline_has_no_effect_outside_the_main_thread() -> None:
    ended: list[bool] = []

    def work() -> None:
        with deadline(0.01):
            threading.Event().wait(0.1)
        ended.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert ended == [True]
