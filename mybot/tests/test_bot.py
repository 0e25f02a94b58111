"""The tests of your bot: `make test-bot` runs them. They are not deployed."""

import pytest

from bot import bot
from parley.testing import PLATFORMS, Chat


def needs(command: str) -> pytest.MarkDecorator:
    """Skips a test of an example that you have removed. Replace these tests by those of your commands."""
    return pytest.mark.skipif(command not in bot.commands, reason=f"there is no /{command}")


def test_discord_accepts_the_commands() -> None:
    names = [command.name for command in bot.specs()]
    assert len(set(names)) == len(names)
    Chat(bot, platform="discord")


@needs("echo")
@pytest.mark.parametrize("platform", PLATFORMS)
def test_echo(platform: str) -> None:
    chat = Chat(bot, platform)
    chat.say("/echo hi")
    chat.expect("hi")


@needs("count")
def test_a_room_counts_together() -> None:
    team = Chat(bot, platform="feishu").room("team")
    team.say("/count", by="ann")
    team.say("/count", by="bob")
    assert [str(reply) for reply in team.replies] == ["1", "2"]
    assert team.state == {"count": 2}


@needs("card")
@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_button_is_pressed(platform: str) -> None:
    chat = Chat(bot, platform)
    chat.say("/card")
    chat.expect(contains="Tea or coffee?")
    chat.press("Coffee")
    chat.expect("You chose coffee.")


@needs("remind")
def test_a_reminder_comes_at_its_time() -> None:
    chat = Chat(bot, platform="feishu")
    chat.say("/remind 10m 喝水")
    chat.expect("I will remind you.")
    chat.advance(minutes=9)
    chat.expect_nothing()
    chat.advance(minutes=1)
    chat.expect("喝水")


@needs("feedback")
def test_a_form_is_filled_in() -> None:
    chat = Chat(bot, platform="discord")
    chat.say("/feedback")
    chat.submit({"text": "Good"})
    assert chat.last.text == "Thank you for “Good”."
