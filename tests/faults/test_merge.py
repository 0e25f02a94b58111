"""Texts that are merged: with any fault, each one is answered once, in one turn, and in order."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from parley.engine import merging
from parley.journal.merging import Merges
from tools.faults import random_runs, scenarios
from tools.faults.findings import Findings
from tools.faults.policies import Fault
from tools.faults.random_runs import Run
from tools.faults.renderings import Renderings, renderings_of
from tools.faults.scenarios import MERGE, Scenario, ScenarioResult
from tools.faults.targets import titled
from tools.faults.transcript import transcript

FEISHU = titled("feishu")
COMMANDS = pytest.mark.parametrize("command", ["merged", "cut"])


@cache
def renderings() -> Renderings:
    return renderings_of(FEISHU)


def without_fault(command: str) -> ScenarioResult:
    return scenarios.run(FEISHU, Scenario(command, warm=True), renderings())


def single_faults(command: str, fault: Fault) -> Iterator[Findings]:
    """The findings with `fault` at each call. `make faults` tries the other faults, on all platforms."""
    for scenario in scenarios.single_faults(FEISHU, commands=(command,)):
        if scenario.warm and scenario.faults[0][1] is fault:
            yield scenarios.run(FEISHU, scenario, renderings()).findings


@COMMANDS
@pytest.mark.parametrize("fault", [Fault.CRASH_BEFORE, Fault.STALL])
def test_each_text_is_answered_once_and_in_order(command: str, fault: Fault) -> None:
    assert [found for found in single_faults(command, fault) if not found.good] == []


@COMMANDS
def test_three_texts_are_one_message_with_one_reply(command: str) -> None:
    result = without_fault(command)
    assert result.findings.good
    replies = [entry for entry in transcript(result.sim.platforms["feishu"]) if "received" in entry.text]
    assert [entry.key.message for entry in replies if entry.key] == ["marked", "second", "third"]
    items = result.sim.aws.dynamodb.items
    decided = sorted(int(row["replies"]["N"]) for pk, row in items.items() if pk.startswith("in#"))
    assert decided == [0, 0, 1, *[1] * (3 if command == "cut" else 1)]  # the texts, and `/count`
    assert not any(pk.startswith("merge#") for pk in items)


def test_it_holds_in_a_random_run() -> None:
    parameters = Run(seed=3, messages=150, conversations=15, merge=MERGE)
    assert random_runs.run(parameters, FEISHU, renderings()).findings.good


def test_a_text_that_is_not_decided_when_it_joins_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    renderings()
    write = Merges._write

    def without_claim(self: Merges, items: Any) -> bool:
        return write(self, [each for each in items if each["Put"]["Item"].get("state") != {"S": "DECIDED"}])

    monkeypatch.setattr(Merges, "_write", without_claim)
    assert any(found.duplicated for found in single_faults("merged", Fault.CRASH_AFTER))


def test_a_marker_that_is_not_sent_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    renderings()
    monkeypatch.setattr(merging.Merging, "_end", lambda *_: None)
    assert without_fault("merged").findings.lost


def test_a_command_that_overtakes_what_waits_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    renderings()
    monkeypatch.setattr(merging.Merging, "_has_joined", lambda *_: False)
    assert without_fault("cut").findings.out_of_order
