"""Edit and see: what is saved in the bot's folder is live within seconds, and a broken bot never is."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stack import ROOT, Stack, running

BOT = """from importlib.util import find_spec

from parley.bot import Bot, Turn
from words import GREETING

bot = Bot()


@bot.command()
def hello() -> str:
    return GREETING


@bot.command()
def fail(secret: str) -> str:
    print("before the failure")
    return {}[secret]


@bot.command()
def packages() -> str:
    found = [name for name in ("boto3", "httpx", "ministack", "yaml", "pip", "setuptools") if find_spec(name)]
    return " ".join(found)


@bot.command()
def count(turn: Turn) -> str:
    turn.state["count"] = turn.state.get("count", 0) + 1
    return str(turn.state["count"])
"""
WORDS = 'GREETING = "one"\n'


class Edited:
    """A stack whose bot is edited. `folder` holds the bot."""

    def __init__(self, stack: Stack, directory: Path, folder: Path) -> None:
        self.stack, self.directory, self.folder = stack, directory, folder

    def save(self, name: str, text: str, state: str) -> dict[str, Any]:
        """Save a file. Returns the result of the change, which is `state`: `live` or `failed`."""
        before = self.result()
        (self.folder / name).write_text(text)

        def changed() -> dict[str, Any] | None:
            now = self.result()
            return now if now != before else None

        result = self.stack.wait(changed)
        assert result["state"] == state, result
        return result

    def result(self) -> dict[str, Any]:
        """The result of the last change, as the page gets it."""
        return self.stack.get("/api/rooms")["stack"]["bot"]

    def says(self, text: str, room: str) -> str:
        """The bot's next message in `room` after a person has written."""
        before = len(self.stack.replies(room)) if self.knows(room) else 0
        self.stack.send(text, room=room)
        return self.stack.wait_for_replies(room, before + 1)[before]["text"]

    def knows(self, room: str) -> bool:
        """Whether somebody has written in `room`."""
        rooms = self.stack.get("/api/rooms")["platforms"]
        return any(each["name"] == room for platform in rooms for each in platform["rooms"])

    def tool(self, *arguments: str, module: str = "tools.local") -> subprocess.CompletedProcess[str]:
        """Run a tool for this stack."""
        return subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env={**os.environ, "PARLEY_LOCAL_DIR": str(self.directory), "PARLEY_BOT": str(self.folder)},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edited]:
    place = tmp_path_factory.mktemp("edited")
    folder = place / "bot"
    folder.mkdir()
    (folder / "bot.py").write_text(BOT)
    (folder / "words.py").write_text(WORDS)
    with running(place / "stack", bot=str(folder)) as stack:
        yield Edited(stack, place / "stack", folder)


def test_a_saved_module_is_live_and_the_conversation_keeps_its_state(edited: Edited) -> None:
    assert (edited.says("/hello", "greetings"), edited.says("/count", "counting")) == ("one", "1")
    edited.save("words.py", 'GREETING = "two"\n', "live")
    assert (edited.says("/hello", "greetings"), edited.says("/count", "counting")) == ("two", "2")


@pytest.mark.parametrize(
    ("broken", "error"),
    [
        ("GREETING = (\n", "words.py:1: SyntaxError: '(' was never closed"),
        ("\nGREETING = missing\n", "words.py:2: NameError: name 'missing' is not defined"),
        ("import yaml\n", "words.py:1: ModuleNotFoundError: No module named 'yaml'. A package is added with `make add"),
        ("raise SystemExit\n", "words.py:1: SystemExit"),
    ],
)
def test_a_bot_that_cannot_be_imported_is_named_and_the_last_good_one_goes_on(
    edited: Edited, broken: str, error: str
) -> None:
    edited.save("words.py", f"GREETING = {error!r}\n", "live")
    found = edited.save("words.py", broken, "failed")["error"]
    assert found.startswith(f"{edited.folder}/{error}")
    assert edited.says("/hello", "greetings") == error


def test_a_new_command_is_offered_on_discord(edited: Edited) -> None:
    edited.save("words.py", 'GREETING = "three"\n', "live")
    edited.save("bot.py", BOT.replace("def hello", "def greet"), "live")

    def offered() -> bool:
        listed = edited.stack.get("/api/commands", platform="discord", app="demo")
        return {command["name"] for command in listed} == {"greet", "fail", "packages", "count"}

    edited.stack.wait(offered)
    edited.save("bot.py", BOT, "live")


def test_a_function_can_import_its_layers_and_none_of_the_emulators_packages(edited: Edited) -> None:
    assert edited.says("/packages", "packages") == "boto3 httpx"


def test_a_failure_is_seen_after_one_attempt_with_its_traceback(edited: Edited) -> None:
    sent = edited.stack.send("/fail xyz", room="failures")

    def reason() -> str:
        return (edited.stack.get(f"/api/trace/{sent}")["journal"] or {}).get("reason", "")

    assert edited.stack.wait(reason) == "KeyError at bot.py:17: 'xyz'"
    assert len(edited.stack.wait_for_replies("failures")) == 1  # the apology

    def logged() -> str:
        lines = edited.tool("tail", "--function", "processor", module="parley_cli").stdout
        return lines if "moved to the dead-letter queue" in lines else ""

    lines = edited.stack.wait(logged)
    assert "processor  before the failure\n" in lines
    assert 'bot.py", line 17, in fail\n        return {}[secret]\n' in lines
    assert lines.count("handler failed") == 1
    assert "_aws" not in lines
    found = edited.tool("tail", sent, module="parley_cli").stdout.splitlines()
    assert [line for line in found if "handler failed" in line]
    assert all(sent in line or line.startswith("    ") for line in found)


def test_a_second_run_says_what_to_do(edited: Edited) -> None:
    done = edited.tool("run")
    assert done.returncode == 1
    assert edited.stack.facts["playground"] in done.stderr
    assert "make down" in done.stderr


def test_a_broken_bot_is_named_before_anything_is_built(edited: Edited, tmp_path: Path) -> None:
    (tmp_path / "bot.py").write_text("bot = Bot(\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PARLEY_BOT", str(tmp_path))
        patch.setenv("PARLEY_LOCAL_DIR", str(tmp_path / "stack"))
        done = subprocess.run(
            [sys.executable, "-m", "tools.local", "up"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.endswith(f"error: {tmp_path}/bot.py:1: SyntaxError: '(' was never closed\n")
    assert not (tmp_path / "stack" / "logs").exists()


def test_the_apps_are_the_same_after_a_restart(edited: Edited) -> None:
    assert edited.tool("down").returncode == 0
    (edited.folder / "words.py").write_text(WORDS)  # as it was when the bot was built
    assert edited.tool("up").returncode == 0
    facts = json.loads((edited.directory / "stack.json").read_text())
    for platform, apps in edited.stack.facts["apps"].items():
        for name, app in apps.items():
            addresses = (
                "host",
                "install",
                "logins",
                "origins",
                "webhook_url",
                "webhooks",
            )  # of the playground, which has another port
            secret = {key: value for key, value in app.items() if key not in addresses}
            assert secret.items() <= facts["apps"][platform][name].items()
