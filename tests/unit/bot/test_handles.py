"""A handle stands for a reply whose message the platform has not named yet, on every platform."""

from typing import Literal

import pytest

from parley.bot import Bot, Turn
from parley.errors import ResultError
from parley.model import Card, Destination, Reply, Text
from parley.testing import PLATFORMS, Chat
from tests.abilities import APART

ANYWHERE = pytest.mark.parametrize("platform", PLATFORMS)
EDITS = ("discord", "feishu", "http")
"""They can change a message at any time. WeCom changes a card after a press only, WeChat nothing."""
RECALLS = (*EDITS, "wecom")


def bot() -> Bot:
    bot = Bot()

    @bot.command()
    def start(turn: Turn) -> None:
        turn.state["card"] = turn.say(Card(title="Build", text="running"))

    @bot.command()
    def both(turn: Turn) -> Reply:
        handle = turn.say(Card(title="Build", text="running"))
        return Reply(op="edit", target=handle, segments=(Card(title="Build", text="done"),))

    @bot.command()
    def done(turn: Turn) -> Reply:
        return Reply(op="edit", target=turn.state["card"], segments=(Card(title="Build", text="done"),))

    @bot.command()
    def away(turn: Turn) -> Reply:
        return Reply(op="recall", target=turn.state["card"])

    @bot.command()
    def gone() -> Reply:
        return Reply(op="edit", target="reply:0123", segments=(Text(text="a new one"),))

    return bot


@ANYWHERE
def test_an_earlier_reply_is_edited_by_its_handle(platform: str) -> None:
    chat = Chat(bot(), platform=platform)
    chat.say("/start")
    chat.expect(contains="running")
    chat.say("/done")
    shown = chat.expect(contains="done")
    assert shown.kind == ("edit" if platform in EDITS else "message")
    chat.expect_nothing()


@pytest.mark.parametrize("platform", APART)
def test_a_reply_is_edited_in_the_turn_that_says_it(platform: str) -> None:
    chat = Chat(bot(), platform=platform)
    chat.say("/both")
    chat.expect(contains="running")
    assert chat.expect(contains="done").kind == ("edit" if platform in EDITS else "message")
    chat.expect_nothing()


@ANYWHERE
def test_a_target_that_is_no_message_makes_an_edit_a_new_message(platform: str) -> None:
    bot = Bot()

    @bot.command()
    def gone() -> Reply:
        return Reply(op="edit", target="gone", segments=(Text(text="a new one"),))

    chat = Chat(bot, platform=platform)
    chat.say("/gone")
    assert chat.expect("a new one").kind == "message"


@ANYWHERE
@pytest.mark.parametrize("op", ["edit", "recall"])
def test_a_change_of_no_message_is_an_error_of_the_bot(platform: str, op: Literal["edit", "recall"]) -> None:
    bot = Bot()

    @bot.command()
    def change(turn: Turn) -> Reply:
        return Reply(op=op, target=turn.say(""), segments=(Text(text="x"),))

    with pytest.raises(ResultError, match="no target"):
        Chat(bot, platform=platform).say("/change")


@ANYWHERE
def test_a_reply_that_waits_for_itself_is_an_error_of_the_bot(platform: str) -> None:
    bot = Bot()

    @bot.command()
    def change(turn: Turn) -> list[Reply]:
        handle = turn.say("A")
        turn.replies.clear()
        return [Reply(op="edit", target=handle, segments=(Text(text="x"),)), Reply.of("B")]

    with pytest.raises(ResultError, match="reply 0 changes reply 0"):
        Chat(bot, platform=platform).say("/change")


@ANYWHERE
def test_an_earlier_reply_is_recalled_by_its_handle(platform: str) -> None:
    chat = Chat(bot(), platform=platform)
    chat.say("/start")
    chat.expect(contains="running")
    chat.say("/away")
    if platform in RECALLS:
        assert chat.expect().kind == "recall"
    chat.expect_nothing()


@ANYWHERE
def test_an_edit_of_a_reply_that_has_no_row_is_a_new_message(platform: str) -> None:
    chat = Chat(bot(), platform=platform)
    chat.say("/gone")
    assert chat.expect("a new one").kind == "message"


def test_an_edit_goes_to_the_room_of_the_reply() -> None:
    seen: list[str] = []
    bot = Bot()

    @bot.command()
    def there(turn: Turn, room: str) -> str:
        to = Destination(platform="feishu", app=turn.message.app, room_id=room)
        seen.append(turn.say(Reply(to=to, segments=(Text(text="1"),))))
        return "sent"

    @bot.command()
    def change() -> Reply:
        return Reply(op="edit", target=seen[0], segments=(Text(text="2"),))

    chat = Chat(bot, platform="feishu")
    room = chat.room("ops")
    chat.say(f"/there {room.id}")
    room.expect("1")
    chat.say("/change")
    assert room.expect("2").kind == "edit"
