"""What happens to a local stack that runs already with other options."""

from pathlib import Path
from typing import Any

import pytest

from tools import bot
from tools.demo import __main__ as demo
from tools.local import stack as module
from tools.local.stack import Options

IAM: dict[str, Any] = {"iam": True, "build": "", "apps": {}, "bot": bot.SAMPLE}
PLAIN: dict[str, Any] = {"iam": False}


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The stacks on which the demo runs its cases."""
    used: list[Any] = []
    monkeypatch.setenv("PARLEY_BOT", "")  # the demo sets it; it is reset after the test
    monkeypatch.setattr(demo, "demonstrate", lambda stack: used.append(stack) or 0)
    monkeypatch.setattr(demo.signal, "signal", lambda *_: None)
    return used


def test_the_demo_uses_the_running_stack_also_if_it_enforces_iam(
    monkeypatch: pytest.MonkeyPatch, used: list[Any]
) -> None:
    monkeypatch.setattr(demo, "running", lambda: IAM)
    for name in ("up", "down"):
        monkeypatch.setattr(demo, name, lambda *_: pytest.fail("the running stack is not touched"))

    assert demo.main() == 0
    assert used == [IAM]


def test_the_demo_leaves_a_stack_with_the_bot_of_a_team_alone_and_starts_its_own(
    monkeypatch: pytest.MonkeyPatch, used: list[Any]
) -> None:
    started: list[tuple[object, str]] = []
    stopped: list[object] = []
    monkeypatch.setattr(demo, "running", lambda: {**IAM, "bot": "mybot"})
    monkeypatch.setattr(demo, "up", lambda options: started.append((options.directory, bot.folder())) or PLAIN)
    monkeypatch.setattr(demo, "down", stopped.append)

    assert demo.main() == 0
    assert used == [PLAIN]
    assert started == [(bot.ROOT / ".local" / "demo", bot.SAMPLE)]
    assert stopped == [bot.ROOT / ".local" / "demo"]


def test_a_stack_with_other_options_is_not_replaced_without_a_word(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    reported: list[str] = []
    monkeypatch.setattr(module, "running", lambda _directory: IAM)
    monkeypatch.setattr(module, "down", lambda _directory: True)
    monkeypatch.setattr(module, "_start", lambda _paths, _options: PLAIN)

    assert module.up(Options(directory=tmp_path, report=reported.append)) == PLAIN
    assert reported == ["replacing the running stack, which has another bot or other options for IAM"]
