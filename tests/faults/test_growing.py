"""An answer that grows, with a fault at each call: one message remains, and no card is left generating."""

from collections.abc import Iterator

import pytest

from parley.adapter import Steps
from parley.model import Outgoing
from parley.platforms.feishu import drafts
from tools.faults import scenarios
from tools.faults.renderings import renderings_of
from tools.faults.scenarios import Scenario, ScenarioResult
from tools.faults.targets import Target, titled

FEISHU, DISCORD = titled("feishu"), titled("discord")


def grown(target: Target) -> Iterator[tuple[Scenario, ScenarioResult]]:
    renderings = renderings_of(target)
    for scenario in scenarios.single_faults(target, commands=("grow",)):
        yield scenario, scenarios.run(target, scenario, renderings)


@pytest.mark.parametrize("target", [FEISHU, DISCORD], ids=lambda target: target.title)
def test_with_any_fault_one_message_remains(target: Target) -> None:
    assert [(scenario, result.findings) for scenario, result in grown(target) if not result.findings.good] == []


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
