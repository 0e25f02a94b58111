"""The examples are bots like the team's: their tests run with `make test`, and `make run BOT=...` runs them."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from parley.engine.incoming import messages_of
from tests.template import ROOT
from tools import send

EXAMPLES = sorted(path.parent for path in (ROOT / "examples").glob("*/bot.py"))
EVENTS = sorted((ROOT / "examples").glob("*/events/*.json"))
MAKEFILE = (ROOT / "Makefile").read_text()


def make(*arguments: str, **environment: str) -> str:
    """What the Makefile says with these arguments, with a target `shown` that prints the bot's folder."""
    shown = "include Makefile\nshown:\n\t@echo $$PARLEY_BOT of $(BOT)\n"
    command = ["make", "-s", "-f", "-", *arguments]
    variables = {"PATH": os.environ["PATH"], **environment}
    done = subprocess.run(command, cwd=ROOT, env=variables, input=shown, capture_output=True, text=True, check=True)
    return done.stdout


def test_the_bot_that_make_names_is_the_one_of_the_tools() -> None:
    assert make("shown", "BOT=examples/operations") == "examples/operations of examples/operations\n"
    assert make("shown", PARLEY_BOT="examples/operations") == "examples/operations of examples/operations\n"
    assert make("shown") == "mybot of mybot\n"


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda path: path.name)
def test_an_example_has_a_guide_in_two_languages_and_tests_that_make_runs(folder: Path) -> None:
    assert {"README.md", "README.zh-CN.md"} <= {path.name for path in folder.iterdir()}
    name = folder.relative_to(ROOT).as_posix()
    assert f"test-bot BOT={name}" in make("-n", "test").replace("$bot", name)
    assert f"{name}/tests" in make("-n", "test-bot", f"BOT={name}")
    assert f"make run BOT={name}" in (folder / "README.md").read_text()


@pytest.mark.parametrize("file", EVENTS, ids=lambda path: path.stem)
def test_a_sample_event_can_be_sent_again_and_again(file: Path) -> None:
    event = json.loads(file.read_text())
    first, second = (next(messages_of(send.current(event))) for _ in range(2))
    assert first.event == second.event
    assert first.id != second.id
    assert first.timestamp > next(messages_of(event)).timestamp
