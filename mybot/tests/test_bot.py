"""The tests of your bot: `make test-bot` runs them. They are not deployed."""

import pytest

from bot import bot
from parley.bot import Turn
from parley.model import Content, Context, Message, Sender, plain_text


def ask(text: str, **state: object) -> list[str]:
    """What the bot replies to `text` in a conversation with this state."""
    message = Message(
        id="m1",
        platform="feishu",
        app="demo",
        kind="message",
        sender=Sender(id="ann"),
        content=Content(text=text),
        timestamp=1_800_000_000,
        context=Context(room_id="room"),
    )
    return [plain_text(reply.segments) for reply in bot.handle(Turn(message, state=dict(state)))]


def test_the_commands_can_be_registered() -> None:
    names = [command.name for command in bot.specs()]
    assert len(set(names)) == len(names)


@pytest.mark.skipif("count" not in bot.commands, reason="an example: replace it by the tests of your commands")
def test_count_continues_where_the_conversation_is() -> None:
    assert ask("/count") == ["1"]
    assert ask("/count", count=4) == ["5"]
