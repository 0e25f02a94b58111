"""Calls that somebody approves, and commands that would ask a person during a call."""

from datetime import timedelta
from typing import Any

import pytest

from parley.bot import Ask, Bot, Script, Turn
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


@EVERYWHERE
def test_a_command_that_would_ask_the_person_is_an_error_for_the_model(platform: str) -> None:
    bot = make_bot([])

    @bot.intent("remind", examples=["remind me to pick up my coffee", "tell me when it is ready"])
    def remind(turn: Turn) -> Script:
        yield Ask("In how many minutes?", type=timedelta)
        return turn.text

    @bot.command()
    def question(turn: Turn, text: str) -> Any:
        turn.state["asked"] = True
        turn.say("Let me see.")
        return bot.understand(turn, text)

    model = Scripted([Call("question", text="remind me to pick up my coffee"), "Write /question.", "Hello."])
    chat = Chat(bot, platform, model=model)
    chat.say("/ask please remind me")
    assert model.prompts[1].messages[-1].text.startswith("error: not done: this asks the person a question")
    chat.expect("Write /question.")
    assert "Let me see." not in chat.shown()
    assert chat.state == {}
    chat.say("/ask 5")  # no answer to a question that nobody has seen
    chat.expect("Hello.")
