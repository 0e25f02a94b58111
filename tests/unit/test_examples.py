"""The examples are bots like the team's: their tests run with `make test`, and `make run BOT=...` runs them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from parley.bot import Bot
from parley.engine import http
from parley.engine.incoming import messages_of
from parley.testing import Chat
from playground import model_server
from tests.abilities import WRITING_FIRST
from tests.template import ROOT
from tools import bot, send

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


# --- the assistant ----------------------------------------------------------------------------------------------------

ASSISTANT = ROOT / "examples" / "assistant"
MODULES = ("bot", *(path.stem for path in ASSISTANT.glob("*.py") if path.stem != "bot"))


@pytest.fixture
def assistant(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bot]:
    """The bot, with the model server of the page. Its modules are forgotten after the test."""

    def serve(request: httpx.Request) -> httpx.Response:
        found = model_server.completion(request.content)
        return httpx.Response(found.status, content=b"".join(found.pieces))

    monkeypatch.setattr(sys, "path", [*sys.path])
    loaded = {name: sys.modules.pop(name) for name in MODULES if name in sys.modules}
    with httpx.Client(transport=httpx.MockTransport(serve)) as client:
        monkeypatch.setattr(http, "client", lambda: client)
        yield bot.load(ASSISTANT / "bot.py")
    for name in MODULES:
        sys.modules.pop(name, None)
    sys.modules.update(loaded)


@pytest.mark.parametrize("platform", WRITING_FIRST)
def test_the_assistant_answers_with_the_model_server_of_the_page(assistant: Bot, platform: str) -> None:
    chat, ask = Chat(assistant, platform), "/ask " if platform == "discord" else ""
    chat.say(f"{ask}free 2027-01-20 9")
    chat.expect(contains="Free: Panda, Bamboo, River")
    chat.say(f"{ask}book Panda 2027-01-20 9")
    chat.expect(contains='/book room="Panda" day="2027-01-20" hour=9')
    chat.press("Approve")
    assert "✅ Panda, 2027-01-20 at 9:00, booking 1" in chat.last.text


def test_its_settings_on_the_local_stack_name_the_model_server_of_the_page() -> None:
    settings = json.loads((ASSISTANT / "settings.playground.json").read_text())
    assert settings == {"base_url": "{playground}/model" + model_server.PATH.removesuffix("/chat/completions")}
