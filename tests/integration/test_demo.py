"""The cases of `make demo` as tests: conversations and attacks on every platform, over HTTP on the deployed stack."""

import pytest

from tests.stack import Stack
from tools.demo.case import Case
from tools.demo.cases import PLATFORMS, run

CASES = [
    pytest.param(platform, case, id=f"{platform}: {case.sent}")
    for platform, cases in PLATFORMS.items()
    for case in cases
]


@pytest.mark.parametrize(("platform", "case"), CASES)
def test_a_case_of_the_demo_passes(stack: Stack, platform: str, case: Case) -> None:
    assert run(case, stack.facts, platform).got == case.expected
