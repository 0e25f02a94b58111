"""Calls that somebody approves."""

from typing import Any

import pytest

from parley.bot import Bot
from parley.bot.texts import CHINESE, ENGLISH
from parley.models import ModelError
from parley.testing import PLATFORMS, Call, Chat, Scripted

EVERYWHERE = pytest.mark.parametrize("platform", PLATFORMS)
FAILED = "it has failed: /restart"


def make_bot(runs: list[str], *, fails: bool = False, **settings: Any) -> Bot:
    bot = Bot()

    @bot.command()
    def log() -> str:
        """Read the log"""
        return "line of the log\n" * 1_500

    @bot.command(tool="approve")
    def restart(service: str) -> str:
        """Restart"""
        runs.append(service)
        if fails:
            raise RuntimeError("SECRET")
        return "restarted"

    bot.converse(model=lambda: pytest.fail("the test has a model"), command="ask", **settings)(lambda _turn: "")
    return bot


@EVERYWHERE
@pytest.mark.parametrize("logs", range(7))
def test_a_call_for_whose_result_there_is_no_room_is_not_asked_for(platform: str, logs: int) -> None:
    runs: list[str] = []
    calls = [Call("log")] * logs
    model = Scripted([[Call("log")] * 3, [*calls, Call("restart", service="db")], "Restarted."])
    chat = Chat(make_bot(runs), platform, model=model)
    chat.say("/ask look at the logs")
    if "[" in chat.shown().rpartition("/restart")[2]:
        chat.press("Approve")
        assert runs == ["db"]
    else:
        assert runs == []
        chat.expect(contains="too many steps")


def outage(_prompt: Any) -> Any:
    raise ModelError("down")


@EVERYWHERE
@pytest.mark.parametrize(("steps", "last"), [(8, "All is well."), (8, outage), (1, "never")])
def test_the_person_reads_that_an_approved_call_has_failed_at_each_end(platform: str, steps: int, last: Any) -> None:
    runs: list[str] = []
    model = Scripted([Call("restart", service="db"), last])
    chat = Chat(make_bot(runs, fails=True, steps=steps), platform, attempts=2, model=model)
    chat.say("/ask restart the db")
    chat.press("Approve")
    assert runs == ["db", "db"]
    assert FAILED in chat.last.text
    assert "db" in chat.last.text.partition(FAILED)[2]
    assert "SECRET" not in chat.shown()
    assert "{call}" in ENGLISH.approved_failed
    assert "{call}" in CHINESE.approved_failed


def test_an_approved_call_that_works_is_no_failure() -> None:
    chat = Chat(make_bot([]), model=Scripted([Call("restart", service="db"), "Restarted."]))
    chat.say("/ask restart the db")
    chat.press("Approve")
    assert chat.last.text == "Restarted."
    assert FAILED not in chat.shown()
