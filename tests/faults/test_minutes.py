"""Runs of minutes with faults: a dead worker is noticed within a minute, and no recorded call is made again."""

from collections.abc import Iterator

import pytest

from parley.engine.heartbeat import Heartbeat
from tools.faults import scenarios
from tools.faults.policies import Fault
from tools.faults.renderings import Renderings, renderings_of
from tools.faults.scenarios import Scenario, ScenarioResult
from tools.faults.targets import titled

FEISHU = titled("feishu")
NOTICED_WITHIN = 60.0
CRASHES = (Fault.CRASH_BEFORE, Fault.CRASH_AFTER)


@pytest.fixture(scope="module")
def renderings() -> Renderings:
    return renderings_of(FEISHU)


def crashes(renderings: Renderings) -> Iterator[tuple[Scenario, ScenarioResult]]:
    """A run of minutes, and a short one behind it, with a crash at each call."""
    for scenario in scenarios.single_faults(FEISHU, commands=("minutes",)):
        if scenario.warm and scenario.faults[0][1] in CRASHES:
            yield scenario, scenarios.run(FEISHU, scenario, renderings)


def longest_unnoticed(result: ScenarioResult) -> float:
    """The longest time in which the death of a worker was not noticed."""
    return max(result.sim.ledger.unnoticed, default=0)


def test_a_dead_worker_is_noticed_within_a_minute_unless_it_dies_before_its_first_heartbeat(
    renderings: Renderings,
) -> None:
    noticed = [(scenario, longest_unnoticed(result)) for scenario, result in crashes(renderings)]
    late = [scenario for scenario, seconds in noticed if seconds > NOTICED_WITHIN]
    assert sum(seconds > 0 for _, seconds in noticed) > 20
    assert [scenario.faults[0][1] for scenario in late] == [Fault.CRASH_BEFORE] * 2  # one in each run


def test_a_worker_without_a_heartbeat_is_noticed_too_late_and_is_detected(
    renderings: Renderings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Heartbeat, "beat", lambda _: 15.0)
    assert any(longest_unnoticed(result) > NOTICED_WITHIN for _, result in crashes(renderings))


def test_the_record_of_a_worker_whose_heartbeat_fails_goes_to_another_one_which_pays_nothing_twice(
    renderings: Renderings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The heart of the first worker stops after one beat, and the worker lives on."""
    beat, beats = Heartbeat.beat, dict[Heartbeat, int]()

    def stops(heartbeat: Heartbeat) -> float:
        beats[heartbeat] = beats.get(heartbeat, 0) + 1
        is_dead = heartbeat is next(iter(beats)) and beats[heartbeat] > 1
        return 15.0 if is_dead else beat(heartbeat)

    monkeypatch.setattr(Heartbeat, "beat", stops)
    result = scenarios.run(FEISHU, Scenario("minutes", warm=False), renderings)
    assert result.findings.good, result.findings
    assert max(message.receives for message in result.sim.inbound.accepted) > 1
