"""The fixture `chat` for pytest: `from parley.testing.pytest_plugin import chat` in a test or in a `conftest.py`."""

from collections.abc import Callable

import pytest

from parley.bot import Bot
from parley.testing import Chat

ChatFactory = Callable[[Bot], Chat]
"""Makes a chat with a bot, on the platform of the test."""


@pytest.fixture
def chat(request: pytest.FixtureRequest) -> ChatFactory:
    """Makes chats on the platform that the test gets as `platform`; on Feishu if it gets none."""
    platform: str = request.getfixturevalue("platform") if "platform" in request.fixturenames else "feishu"
    return lambda bot: Chat(bot, platform)
