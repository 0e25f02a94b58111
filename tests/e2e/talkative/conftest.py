"""A stack of its own, with a bot that prints, logs, fails and keeps quiet."""

from collections.abc import Iterator

import pytest

from tests.stack import Stack, running


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running local stack with the bot in tests/bots/talkative."""
    with running(tmp_path_factory.mktemp("talkative"), bot="tests/bots/talkative") as found:
        yield found
