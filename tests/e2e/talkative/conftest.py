"""A stack of its own, with a bot that prints, logs, fails and keeps quiet. Tests can edit its folder, a copy."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack import ROOT, Stack, running


@pytest.fixture(scope="session")
def bot_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of tests/bots/talkative."""
    return Path(shutil.copytree(ROOT / "tests/bots/talkative", tmp_path_factory.mktemp("bots") / "talkative"))


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, bot_folder: Path) -> Iterator[Stack]:
    """A running local stack with that bot."""
    with running(tmp_path_factory.mktemp("talkative"), bot=str(bot_folder)) as found:
        yield found
