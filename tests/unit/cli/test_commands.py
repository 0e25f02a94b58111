"""The other commands: cost, discord register, where a deployment is found, and what all commands share."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from typer.main import get_command

from parley_cli import check, cost, place, reference
from parley_cli.main import root
from parley_cli.problems import Problem
from playground.platforms.discord import Discord
from playground.transport import PlatformTransport
from tests.template import ROOT
from tests.unit.cli.tool import FACTS, Client, Healthy, fake_place, parley, use_place
from tests.unit.playground import discord as portal
from tests.unit.playground.clock import Clock

BOT = '''
from parley.bot import Bot

bot = Bot()


@bot.command()
def ping() -> str:
    """Pong"""
    return "pong"
'''
Printed = pytest.CaptureFixture[str]


def commands(found: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each command that is no group, with its path."""
    for name, each in found.commands.items():
        if hasattr(each, "commands"):
            yield from commands(each, (*path, name))
        else:
            yield (*path, name), each


EVERY = dict(commands(get_command(root)))


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_every_command_can_print_json_and_name_a_deployment(path: tuple[str, ...]) -> None:
    options = {option for parameter in EVERY[path].params for option in parameter.opts}
    assert {"--json", "--stage", "--stack"} <= options
    assert EVERY[path].help


def test_the_reference_in_the_documents_is_up_to_date() -> None:
    for file in reference.FILES:
        assert reference.written(file.read_text()) == file.read_text(), "python -m parley_cli.reference"


def test_a_problem_is_json_too(monkeypatch: pytest.MonkeyPatch, capsys: Printed) -> None:
    monkeypatch.setattr(place, "running", lambda: None)
    assert parley("app", "list", "--json") == 1
    assert set(json.loads(capsys.readouterr().out)) == {"error", "do"}


def test_without_the_extra_one_sentence_says_what_to_install() -> None:
    program = "import sys; sys.modules['typer'] = None; from parley_cli.__main__ import main; main()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        done.stderr == "error: the command line needs typer and rich: pipx install '.[cli]' in a checkout of Parley\n"
    )


def test_no_function_and_no_layer_has_the_command_line() -> None:
    places = [
        path for folder in ("shared", "functions", "connectors", "layers") for path in (ROOT / folder).rglob("*.*")
    ]
    named = [path for path in places if path.suffix in (".py", ".txt", ".in", ".mk")]
    assert len(named) > 100
    assert [path for path in named if re.search(r"parley_cli|\btyper\b|^rich==", path.read_text(), re.MULTILINE)] == []


# --- where a deployment is found --------------------------------------------------------------------------------------


def test_the_local_stack_is_that_of_this_folder_or_of_one_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local" / "stack.json").write_text(json.dumps({**FACTS, "ready": True}))
    below = tmp_path / "below"
    below.mkdir()
    monkeypatch.chdir(below)
    found = place.find("", "")
    assert (found.is_local, found.stage) == (True, "unit")
    assert found.callback_url("feishu", "demo") == "http://api.test/callback/feishu/demo"
    monkeypatch.setenv("PARLEY_LOCAL_DIR", str(below))
    with pytest.raises(Problem, match="No local stack"):
        place.find("", "")


@pytest.mark.parametrize(
    ("stage", "stack", "found"),
    [
        ("prod", "", ("prod", "parley-prod")),
        ("prod", "chat", ("prod", "chat")),
        ("", "parley-dev", ("dev", "parley-dev")),
    ],
)
def test_a_stage_and_its_stack_are_found_by_either_name(
    stage: str, stack: str, found: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place.Place, "description", {"Parameters": []})
    made = place.find(stage, stack)
    assert (made.stage, made.stack) == found


# --- cost -------------------------------------------------------------------------------------------------------------


def test_the_estimate_is_that_of_the_ledger(stack: place.Place, capsys: Printed) -> None:
    assert parley("cost", "--json") == 0
    shown, known = json.loads(capsys.readouterr().out), cost.figures()
    assert shown["messages"] == shown["queued"] == 500_000
    assert shown["dollars"] == pytest.approx(known["per_million"]["queue"] / 2)
    assert shown["alarms_dollars"] == pytest.approx(0.1)


def bills(*groups: tuple[str, str]) -> dict[str, Any]:
    found = [{"Keys": [name], "Metrics": {"UnblendedCost": {"Amount": amount}}} for name, amount in groups]
    return {"ResultsByTime": [{"Groups": found}, {"Groups": found[:1]}]}


def test_the_bill_is_summed_by_service() -> None:
    found = fake_place({"ce": Client(get_cost_and_usage=bills(("AWS Lambda", "1.5"), ("Amazon SQS", "4")))})
    assert cost.bill(found, datetime(2026, 12, 1, tzinfo=UTC)) == {"Amazon SQS": 4.0, "AWS Lambda": 3.0}


def test_a_bill_without_the_stacks_tag_says_how_to_activate_it(
    healthy: Healthy, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    use_place(monkeypatch, fake_place({**healthy, "ce": Client(get_cost_and_usage=bills())}))
    assert parley("cost", "--actual") == 1
    assert "Cost allocation tags" in capsys.readouterr().err


# --- discord ----------------------------------------------------------------------------------------------------------


def test_the_commands_of_the_bot_are_registered_with_discord(
    store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    discord = Discord(clock=Clock(), random=Random(7))
    discord.add_app("demo", portal.APP)
    monkeypatch.setattr(
        check, "client", lambda: httpx.Client(transport=PlatformTransport({"http://discord.test": discord}))
    )
    store("discord/demo", {name: value for name, value in portal.APP.items() if name != "signing_key"})
    (tmp_path / "bot.py").write_text(BOT)
    monkeypatch.delitem(sys.modules, "bot", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    for arguments in ((), ("--apply",)):
        assert parley("discord", "register", "demo", "--bot", str(tmp_path), *arguments) == 0
    text = capsys.readouterr().out
    assert "nothing was changed: add --apply" in text
    assert "done: command ping" in text or "/ping" in text
    assert parley("discord", "register", "demo", "--bot", str(tmp_path), "--json") == 0
    assert json.loads(capsys.readouterr().out)["changes"] == ["everywhere: nothing to change"]
    monkeypatch.delitem(sys.modules, "bot", raising=False)
    assert parley("discord", "register", "demo", "--bot", str(tmp_path / "none")) == 1
    assert "has no bot.py" in capsys.readouterr().err
