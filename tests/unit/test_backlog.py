"""The model of a platform's outage: when the others wait, and for how long."""

from collections import deque

import pytest

from tests.template import ROOT
from tools import backlog
from tools.backlog import simulate

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()


def test_nobody_waits_while_the_backlog_fits_into_the_window() -> None:
    effect = simulate(rate=10, outage=3600)
    assert (effect.starts, effect.delay, effect.alarm) == (None, 0, None)


def test_the_others_wait_from_the_moment_at_which_the_window_is_full_until_the_outage_ends() -> None:
    effect = simulate(rate=10, outage=6 * 3600)
    assert effect.starts == pytest.approx(backlog.WINDOW / 10, abs=2)
    assert effect.alarm == pytest.approx(backlog.ALARM / 10, abs=2)
    assert effect.delay == pytest.approx(6 * 3600 - backlog.WINDOW / 10, rel=0.01)


def test_a_platform_that_never_catches_up_has_no_result() -> None:
    with pytest.raises(ValueError, match="never catches up"):
        simulate(rate=10, outage=60, drain=10)


def test_the_model_agrees_with_a_queue_of_single_messages() -> None:
    """The same outage, message by message, with a window of a hundredth of the size."""
    rate, outage, drain, window = 3, 900, 9, 1200
    effect = simulate(rate=rate, outage=outage, drain=drain, window=window)

    queue: deque[tuple[str, int]] = deque()
    longest = now = 0
    while True:
        if now >= outage:
            done = 0
            while done < drain and queue and queue[0][0] == "down":
                queue.popleft()
                done += 1
            if not queue:
                break
        queue.extend([("down", now)] * rate)
        queue.append(("other", now))
        found = [message for message in list(queue)[:window] if message[0] == "other"]
        while found:
            for message in found:
                queue.remove(message)
                longest = max(longest, now - message[1])
            found = [message for message in list(queue)[:window] if message[0] == "other"]
        now += 1
    assert effect.delay == pytest.approx(longest, abs=3)


def test_the_runbook_has_the_table_that_the_command_prints() -> None:
    assert backlog.table() in RUNBOOK, "python -m tools.backlog"
