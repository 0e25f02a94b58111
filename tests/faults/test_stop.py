"""`/stop` during a run of minutes, with a fault at each call: one answer, on every platform."""

from collections.abc import Iterator
from random import Random

import pytest

from parley.bot import Turn
from playground.platforms.base import NewMessage
from tools.faults import bot
from tools.faults.bot import IDLE, STEPS, make_bot, step_tag
from tools.faults.policies import AWS_FAULTS, Fault, FaultPlan
from tools.faults.simulation import Simulation
from tools.faults.targets import APP, TARGETS, Target, titled
from tools.faults.transcript import transcript

FEISHU = titled("feishu")
STOPPED, DONE = "Stopped.", "worked "
AFTER = 60.0
"""Seconds from the message until the stop: in the second step."""


def run(
    target: Target, faults: dict[int, Fault] | None = None, command: str = "minutes", after: float = AFTER
) -> tuple[Simulation, FaultPlan, list[str]]:
    """A run that a person stops `after` some seconds, with `faults` by the number of the call. Returns the texts at the
    platform.
    """
    plan = FaultPlan(faults or {})
    sim = Simulation((target,), plan, make_bot(), Random(1), bot_seconds=300)
    platform = sim.platforms[target.name]

    def say(text: str) -> None:
        platform.send_message(APP, target.room, "lin", NewMessage(text=text))

    plan.armed = True
    say(target.text(command, "marked"))
    sim.at(sim.clock() + after, lambda: say("/stop"))
    sim.settle(until=sim.clock() + 900)
    plan.armed = False
    say(target.text("count", "behind"))
    sim.settle()
    return sim, plan, [entry.text for entry in transcript(platform)]


def counts(texts: list[str]) -> tuple[int, int, int]:
    """How often people read the result, that it was stopped, and that there was nothing to stop."""
    stopped, idle, done = (sum(what in text for text in texts) for what in (STOPPED, IDLE, DONE))
    return done, stopped, idle


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.title)
def test_a_run_of_minutes_is_stopped(target: Target) -> None:
    sim, _, texts = run(target)
    assert counts(texts) == (0, 1, 0)
    payments: dict[str, list[str]] = sim.bot.payments  # type: ignore[attr-defined]
    assert [len(payments.get(step_tag("marked", step), [])) for step in range(STEPS)] == [1, 1, 0]


def every_fault() -> Iterator[tuple[int, Fault]]:
    _, plan, _ = run(FEISHU)
    for number in range(1, len(plan.calls) + 1):
        for fault in AWS_FAULTS:
            yield number, fault


def test_with_any_fault_the_person_gets_one_answer_to_each_message() -> None:
    """The run has ended before the stop, or because of it."""
    wrong: list[object] = []
    for number, fault in every_fault():
        sim, plan, texts = run(FEISHU, {number: fault})
        payments: dict[str, list[str]] = sim.bot.payments  # type: ignore[attr-defined]
        twice = [tag for tag, keys in payments.items() if len(set(keys)) > 1]
        if counts(texts) not in ((0, 1, 0), (1, 0, 1)) or twice:
            wrong.append((number, plan.calls[number - 1], fault, counts(texts), twice))
    assert wrong == []


def test_a_handler_that_does_not_ask_is_not_said_to_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Turn, "check", lambda _turn: None)
    _, _, texts = run(FEISHU)
    assert counts(texts) == (1, 0, 1)


@pytest.mark.parametrize("target", [FEISHU, titled("discord")], ids=lambda target: target.title)
def test_a_text_that_grows_is_removed_when_it_is_stopped(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bot, "_WORDS", 30)
    _, _, texts = run(target, command="grow", after=10)
    assert not [text for text in texts if "word" in text or "grown" in text]
    assert sum(STOPPED in text for text in texts) == 1


def test_with_any_crash_no_text_that_grows_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bot, "_WORDS", 30)
    _, plan, _ = run(FEISHU, command="grow", after=10)
    for number in range(1, len(plan.calls) + 1):
        _, _, texts = run(FEISHU, {number: Fault.CRASH_AFTER}, command="grow", after=10)
        grown, stopped, idle = (sum(what in text for text in texts) for what in ("grown", STOPPED, IDLE))
        assert (grown, stopped, idle) in ((0, 1, 0), (1, 0, 1)), plan.calls[number - 1]
        assert not [text for text in texts if "word" in text]
