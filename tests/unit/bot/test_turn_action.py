"""`turn.action` is the press; a message that is none has no action."""

import pytest

from parley.bot import Bot, Turn
from parley.errors import AuthorError
from parley.model import Button, Card
from parley.testing import PLATFORMS, Chat


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_handler_of_an_action_has_the_press_and_another_one_is_told(platform: str) -> None:
    bot = Bot()
    bot.command("card")(lambda: Card(title="?", buttons=(Button(id="go", label="Go", value="7"),)))

    @bot.action("go")
    def pressed(turn: Turn) -> str:
        return f"{turn.action.id} {turn.action.value}"

    @bot.command()
    def wrong(turn: Turn) -> str:
        return turn.action.id

    chat = Chat(bot, platform)
    chat.say("/card")
    chat.press("Go")
    assert chat.last.text == "go 7"
    with pytest.raises(AuthorError, match="no press"):
        chat.say("/wrong")
