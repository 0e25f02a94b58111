"""The settings of the bot on the local stack."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tools import bot
from tools.local import settings
from tools.local.aws import Aws
from tools.local.errors import StackError

PLAYGROUND = "http://127.0.0.1:8123"


class Moto(Aws):
    def client(self, service: str) -> Any:
        return boto3.client(service)  # type: ignore[call-overload]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(bot, "ROOT", tmp_path)
    (tmp_path / "mybot").mkdir()
    return tmp_path / "mybot"


def test_the_file_is_stored_where_the_functions_read_it(folder: Path) -> None:
    (folder / "settings.local.json").write_text('{"api_key": "k"}')
    with mock_aws():
        assert settings.install(Moto(""), PLAYGROUND) is True
        stored = boto3.client("ssm").get_parameter(Name="/parley/local/bot", WithDecryption=True)["Parameter"]
    assert json.loads(stored.get("Value", "")) == {"api_key": "k"}
    assert stored.get("Type") == "SecureString"


def test_a_bot_brings_settings_for_the_page_and_a_developer_replaces_some_of_them(folder: Path) -> None:
    (folder / "settings.playground.json").write_text('{"base_url": "{playground}/model/v1", "model": "local"}')
    (folder / "settings.local.json").write_text('{"model": "another"}')
    with mock_aws():
        assert settings.install(Moto(""), PLAYGROUND) is True
        stored = boto3.client("ssm").get_parameter(Name="/parley/local/bot", WithDecryption=True)["Parameter"]
    assert json.loads(stored.get("Value", "")) == {"base_url": f"{PLAYGROUND}/model/v1", "model": "another"}


def test_a_bot_without_the_files_stores_nothing(folder: Path) -> None:
    assert settings.install(Aws("http://127.0.0.1:9"), PLAYGROUND) is False


@pytest.mark.parametrize(("text", "reason"), [('{\n"api_key" "hunter2"}', "line 2: "), ('["hunter2"]', "JSON object")])
def test_a_file_that_holds_something_else_is_an_error_without_its_content(folder: Path, text: str, reason: str) -> None:
    (folder / "settings.local.json").write_text(text)
    with pytest.raises(StackError, match=reason) as raised:
        settings.install(Aws("http://127.0.0.1:9"), PLAYGROUND)
    assert str(raised.value).startswith("mybot/settings.local.json")
    assert "hunter2" not in str(raised.value)
