"""An answer that grows, with a fault at each call: one message remains, and no card is left generating."""

from collections.abc import Iterator

import pytest

from parley.adapter import Steps
from parley.engine.heartbeat import HIDDEN
from parley.model import Outgoing
from parley.platforms.feishu import drafts
from tools.faults import scenarios
from tools.faults.injector import Execution
from tools.faults.policies import Fault
from tools.faults.renderings import renderings_of
from tools.faults.scenarios import Scenario, ScenarioResult
from tools.faults.simulation import Simulation
from tools.faults.targets import Target, titled

FEISHU, DISCORD = titled("feishu"), titled("discord")


def stands_still(sim: Simulation, _execution: Execution) -> None:
    """The process stands still for longer than a beat hides its record. The others go on."""
    with sim.injector.executing(Execution()), sim.processes.replaced():
        end = sim.clock() + 2 * HIDDEN
        sim.settle(until=end)
        sim.clock.now = max(sim.clock(), end)


def shown_in(result: ScenarioResult, target: Target) -> list[str]:
    """What the bot shows."""
    platform = result.sim.platforms[target.name]
    bots = (each for each in platform.messages.values() if each.sender_kind != "user" and not each.recalled)
    return [str(platform.parts(each)) for each in bots]


def is_growing(shown: str) -> bool:
    """Whether it is the beginning of an answer, or a card that is being written."""
    return "word" in shown or "'generating'" in shown


def grown(target: Target) -> Iterator[tuple[Scenario, ScenarioResult]]:
    renderings = renderings_of(target)
    for scenario in scenarios.single_faults(target, commands=("grow",)):
        yield scenario, scenarios.run(target, scenario, renderings)


@pytest.mark.parametrize("target", [FEISHU, DISCORD], ids=lambda target: target.title)
def test_with_any_fault_one_message_remains(target: Target) -> None:
    assert [(scenario, result.findings) for scenario, result in grown(target) if not result.findings.good] == []


@pytest.mark.parametrize("target", [FEISHU, DISCORD], ids=lambda target: target.title)
def test_a_worker_that_stands_still_until_another_one_has_answered_changes_nothing(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its heartbeat stops with it. So the next worker answers, while the first one may be within a call."""
    monkeypatch.setitem(scenarios.BOT_SECONDS_OF, "grow", 300.0)
    monkeypatch.setattr(Simulation, "_stall", stands_still)
    renderings = renderings_of(target)
    sites = scenarios.calls(target, Scenario("grow", warm=True))
    first = next(number for number, site in enumerate(sites, 1) if site == "BatchGetItem")
    for number in range(first, len(sites) + 1):
        scenario = Scenario("grow", warm=True, faults=((number, Fault.STALL),))
        result = scenarios.run(target, scenario, renderings)
        assert result.findings.good, (scenario, result.findings)
        assert not any(map(is_growing, shown_in(result, target))), scenario


def test_people_see_the_text_grow() -> None:
    for target, call in ((FEISHU, "PUT /open-apis/cardkit"), (DISCORD, "PATCH /api")):
        calls = scenarios.calls(target, Scenario("grow", warm=True))
        assert sum(each.startswith(call) for each in calls) > 3, calls


def test_a_card_that_is_left_generating_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    def left_open(_out: Outgoing, *_: object) -> Steps:
        yield from ()

    renderings = renderings_of(FEISHU)
    monkeypatch.setattr(drafts, "replaced", left_open)
    assert scenarios.run(FEISHU, Scenario("grow", warm=True), renderings).findings.lost
