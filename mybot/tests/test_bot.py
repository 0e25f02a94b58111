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
    chat.expect(contains="You chose coffee.")


@needs("remind")
def test_a_reminder_comes_at_its_time() -> None:
    chat = Chat(bot, platform="feishu")
    chat.say("/remind 10m 喝水")
    chat.expect(contains="I will remind you.")
    chat.advance(minutes=9)
    chat.expect_nothing()
    chat.advance(minutes=1)
    chat.expect("喝水")


@needs("order")
@pytest.mark.parametrize("platform", PLATFORMS)
def test_an_order_is_a_dialogue(platform: str) -> None:
    chat = Chat(bot, platform)
    chat.say("/order")
    chat.expect(contains="What would you like?")
    chat.press("Coffee")
    chat.expect(contains="How many?")
    chat.press("2")
    chat.expect(contains="coming.")


@needs("deploy")
@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_deployment_waits_for_an_approval(platform: str) -> None:
    chat = Chat(bot, platform)
    chat.say("/deploy 1.4")
    chat.expect(contains="Deploy 1.4?")
    chat.press("Approve")
    assert "1.4 is deployed." in chat.last.text


@needs("deploy")
def test_a_deployment_is_rejected() -> None:
    chat = Chat(bot, platform="feishu")
    chat.say("/deploy 1.4")
    chat.press("Reject")
    assert not any("is deployed" in reply.text for reply in chat.replies)


@needs("order")
def test_a_person_with_a_chinese_client_reads_chinese() -> None:
    chat = Chat(bot, platform="discord")
    chat.say("/order", by="lin")
    chat.expect(contains="喝什么？")
    chat.press("茶", by="lin")
    chat.press("1", by="lin")
    assert chat.last.text == "1 杯茶，马上就来。"


@needs("order")
@pytest.mark.parametrize("platform", ["feishu", "wecom", "wechat"])
def test_where_the_language_is_not_known_people_read_both(platform: str) -> None:
    chat = Chat(bot, platform)
    chat.say("/order")
    chat.expect(contains="喝什么？ What would you like?")
    chat.press("茶")
    chat.press("1")
    assert "马上就来。" in chat.last.text
    assert "coming." in chat.last.text
