"""What happens to a local stack that runs already with other options."""

from pathlib import Path
from typing import Any

import pytest

from tools.demo import __main__ as demo
from tools.local import stack as module
from tools.local.stack import Options

IAM: dict[str, Any] = {"iam": True, "build": "", "apps": {}}
PLAIN: dict[str, Any] = {"iam": False}


def test_the_demo_uses_the_running_stack_also_if_it_enforces_iam(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[Any] = []
    monkeypatch.setattr(demo, "running", lambda: IAM)
    monkeypatch.setattr(demo, "demonstrate", lambda stack: used.append(stack) or 0)
    for name in ("up", "down"):
        monkeypatch.setattr(demo, name, lambda *_: pytest.fail("the running stack is not touched"))
    monkeypatch.setattr(demo.signal, "signal", lambda *_: None)

    assert demo.main() == 0
    assert used == [IAM]


def test_a_stack_with_other_options_is_not_replaced_without_a_word(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    reported: list[str] = []
    monkeypatch.setattr(module, "running", lambda _directory: IAM)
    monkeypatch.setattr(module, "down", lambda _directory: True)
    monkeypatch.setattr(module, "_start", lambda _paths, _options: PLAIN)

    assert module.up(Options(directory=tmp_path, report=reported.append)) == PLAIN
    assert reported == ["replacing the running stack, which has other options for IAM"]
