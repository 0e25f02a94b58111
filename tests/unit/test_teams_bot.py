"""The project's own tests and tools do not depend on the team's bot, which can have any commands."""

import re
import subprocess

import pytest

from tests.template import ROOT
from tools import bot

NAMES_THE_FOLDER = {
    "cli/parley_cli/bot_folder.py",
    "cli/parley_cli/discord.py",
    "cli/parley_cli/alarms.py",
    f"{bot.SAMPLE}/bot.py",
    "tests/unit/test_bot_folder.py",
    "tests/unit/test_examples.py",
    "tests/unit/test_local_settings.py",
    "tests/unit/test_local_stack.py",
    "tests/unit/test_samconfig.py",
    "tests/unit/test_teams_bot.py",
    "tests/unit/test_upgrade.py",
    "tools/bot.py",
    "tools/samconfig.py",
}
"""The files whose subject is the folder. All others use the bot of the tests."""
PING = """
from parley.bot import Bot

bot = Bot()


@bot.command()
def ping() -> str:
    \"\"\"Pong\"\"\"
    return "pong"
"""


def test_no_other_test_or_tool_names_the_teams_folder_or_imports_its_bot() -> None:
    found = {
        path.relative_to(ROOT).as_posix()
        for folder in ("tests", "tools", "cli")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"\bmybot\b|^\s*(import bot\b|from bot import)", path.read_text(), re.MULTILINE)
    }
    assert found == NAMES_THE_FOLDER


@pytest.mark.parametrize(
    "test",
    ["bot/test_sample.py", "test_events.py -k discord", "test_imports.py -k sweeper", "test_bench.py -k first_message"],
)
def test_the_tests_pass_with_a_bot_of_one_command(test: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The folder with that bot is on the path, as `mybot` is."""
    team = tmp_path_factory.mktemp("team")
    (team / "bot.py").write_text(PING)
    file, *rest = test.split()
    command = [
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-o",
        f"pythonpath=. {team}",
        f"tests/unit/{file}",
        *rest,
    ]
    done = subprocess.run([ROOT / ".venv/bin/python", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
