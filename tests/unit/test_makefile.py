"""Variables of the developer reach the tools."""

import re

import pytest

from tools.local.paths import ROOT

ASSIGNED = set(re.findall(r"(?m)^(?:export )?(\w+) *[:?]?=", (ROOT / "Makefile").read_text()))


@pytest.mark.parametrize("name", ["SEED", "N"])
def test_a_variable_of_the_faults_suite_can_come_from_the_environment(name: str) -> None:
    """make would replace its value by that of a variable of the same name."""
    assert name not in ASSIGNED
