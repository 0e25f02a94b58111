"""The folder of the team's bot: modules beside `bot.py` are found by the tools, and go into the layer."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.template import ROOT
from tools import bot

TARGET = ROOT / "layers" / "targets" / "python3.13-arm64" / "Makefile"


BOT = """
from greetings import HELLO
from parley.bot import Bot

bot = Bot()
bot.command("hi")(lambda: HELLO)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A bot of two files, with a test of its own. Its modules are forgotten after the test."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    loaded = dict(sys.modules)
    files = {
        "bot.py": BOT,
        "greetings.py": "HELLO = 'hello'",
        "tests/test_bot.py": "",
        "__pycache__/greetings.cpython-311.pyc": "",
        "stages/prod.toml": "",
        "requirements.in": "",
        "requirements.txt": "# no package\n",
        "settings.local.json": '{"api_key": "hunter2"}',
        ".env": "",
    }
    for name, text in files.items():
        (tmp_path / "bots" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "bots" / name).write_text(text)
    yield tmp_path / "bots"
    for name in ("bot", "bot_of_a_test", "greetings"):
        sys.modules.pop(name, None)
        if name in loaded:
            sys.modules[name] = loaded[name]


def test_a_tool_loads_a_bot_that_imports_the_module_beside_it(folder: Path) -> None:
    assert list(bot.load(folder / "bot.py").commands) == ["hi"]


def test_a_tool_loads_the_bot_of_the_folder_that_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    assert bot.folder() == "mybot"
    monkeypatch.setenv("PARLEY_BOT", "tests/bots/two_files")
    assert bot.folder() == "tests/bots/two_files"


def test_a_file_without_a_bot_is_an_error_that_says_what_to_write(folder: Path) -> None:
    (folder / "bot_of_a_test.py").write_text("robot = 1")
    with pytest.raises(ImportError, match=r"defines no `bot`: write `bot = Bot\(\)` in it"):
        bot.load(folder / "bot_of_a_test.py")
    with pytest.raises(ImportError, match="is not a Python file"):
        bot.load(folder / "bot.txt")


def make_layer(folder: Path) -> subprocess.CompletedProcess[str]:
    command = ["make", "-f", TARGET, "build-BotLayer", f"ARTIFACTS_DIR={folder.parent / 'layer'}"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_layer_holds_the_modules_and_neither_tests_nor_secrets(folder: Path) -> None:
    made = make_layer(folder)
    assert made.returncode == 0, made.stderr
    layer = folder.parent / "layer" / "python"
    assert {path.name for path in layer.iterdir()} - {"__pycache__"} == {"bot.py", "greetings.py"}


def test_a_package_that_the_dependencies_layer_has_is_refused(folder: Path) -> None:
    (folder / "requirements.txt").write_text("msgspec==0.1 \\\n    --hash=sha256:00\n")
    made = make_layer(folder)
    assert made.returncode != 0
    assert "requirements.txt has 'msgspec', and so has the dependencies layer; please run 'make add'" in made.stderr


@pytest.mark.parametrize("name", ["app.py", "parley"])
def test_a_module_that_would_hide_parleys_own_is_refused(folder: Path, name: str) -> None:
    (folder / name).mkdir()
    made = make_layer(folder)
    assert made.returncode != 0
    assert f"the module name '{name.removesuffix('.py')}' is taken by Parley; please rename yours" in made.stderr
