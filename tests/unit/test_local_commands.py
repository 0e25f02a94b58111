"""The commands of the bot for the page of the local stack."""

import json
from pathlib import Path

import pytest

from tools import bot
from tools.local import commands
from tools.local.errors import StackError
from tools.local.paths import Paths


@pytest.fixture(autouse=True)
def sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_BOT", bot.SAMPLE)


def test_the_commands_are_written_beside_the_stack(tmp_path: Path) -> None:
    commands.register({"apps": {}}, Paths(tmp_path))
    found = json.loads((tmp_path / "commands.json").read_text())
    assert [(one["name"], one["help"]) for one in found][:2] == [("help", "What I can do"), ("echo", "Say it back")]
    assert [option["name"] for option in found[1]["options"]] == ["text"]


def test_they_are_written_also_if_they_cannot_be_registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise commands.RegistrationError("no")

    monkeypatch.setattr(commands, "at_discord", fail)
    key = "00" * 32
    app = {"application_id": "1", "public_key": key, "bot_token": "t"}
    with pytest.raises(StackError, match="cannot be registered: no"):
        commands.register({"apps": {"discord": {"demo": app}}}, Paths(tmp_path))
    assert json.loads((tmp_path / "commands.json").read_text())
