"""`make load`: the moments, and what is counted as lost and repeated."""

from collections import Counter
from random import Random

from tools.bench.load import Found, arrivals, report


def test_people_write_at_random_moments_with_the_rate_on_average() -> None:
    moments = arrivals(50, 100, Random(3))
    assert moments == sorted(moments)
    assert 0 < moments[0] < moments[-1] < 100
    assert 4700 < len(moments) < 5300
    assert arrivals(50, 100, Random(3)) == moments != arrivals(50, 100, Random(4))


def test_a_message_without_a_reply_is_lost_and_a_reply_that_comes_twice_is_repeated() -> None:
    found = Found(
        sent={"load-00001": 10.0, "load-00002": 10.5, "load-00003": 11.0},
        acknowledged={"load-00001": 0.015, "load-00002": 0.026, "load-00003": 7.0},
        replied={"load-00001": 0.05, "load-00003": 0.4},
        shown=Counter({"load-00001": 1, "load-00003": 2}),
    )
    lines = report(found, 2).splitlines()
    assert lines[:2] == ["3 messages, 2 a second on average; all replies after 1.4 s", "lost 1, repeated 1"]
    assert "callback acknowledged: P50 26 ms, P99 7000 ms, at most 7000 ms" in lines
    assert [line.split()[-1] for line in lines if line.startswith(("    <= 25", "    <= 50", "   > 6400"))] == [
        "1",
        "1",
        "1",
        "0",
        "1",
        "0",
    ]
    assert lines[-2:] == ["lost: load-00002", "repeated: load-00003"]


def test_without_any_reply_all_are_lost() -> None:
    lines = report(Found(sent={"load-00001": 1.0}), 1).splitlines()
    assert lines[1:] == ["lost 1, repeated 0", "callback acknowledged: never", "reply shown: never", "lost: load-00001"]
