"""A bot reacts to a message or to its own reply. Where the platform has no reactions, people see nothing."""

from typing import Any

import pytest

from parley.bot import Bot, Turn
from parley.errors import ResultError
from parley.model import Button, Card, Destination, Message, Reply, Text
from parley.platforms import NAMES, capabilities, outbound
from parley.platforms.feishu.emoji import EMOJI
from parley.testing import PLATFORMS, Chat
from playground.platforms.feishu import emoji as imitated
from tests.factories import make_message

ANYWHERE = pytest.mark.parametrize("platform", [*PLATFORMS, "wechat passive"])
REACTS = ("discord", "feishu", "http")


def bot() -> Bot:
    bot = Bot()

    @bot.command()
    def like(turn: Turn) -> str:
        turn.react("👍")
        return "liked"

    @bot.command()
    def only(turn: Turn) -> None:
        turn.react("👍")

    @bot.command()
    def own(turn: Turn) -> None:
        turn.state["handle"] = turn.say("mine")
        turn.react("🎉", turn.state["handle"])

    @bot.command()
    def later(turn: Turn) -> Reply:
        return Reply(op="react", emoji="❤️", target=turn.state["handle"])

    @bot.command()
    def first(turn: Turn) -> None:
        assert turn.say(Reply(op="react", emoji="👍")) == ""
        turn.react("🎉", turn.say("one"))

    @bot.command()
    def card() -> Card:
        return Card(title="Card", buttons=(Button(id="ok", label="OK"),))

    @bot.action("ok")
    def pressed(turn: Turn) -> None:
        turn.react("✅")

    return bot


def shown(chat: Chat) -> list[tuple[str, str]]:
    """What the bot has shown since the last call."""
    seen: list[tuple[str, str]] = []
    while chat.unread:
        found = chat.expect()
        seen.append((found.kind, found.text))
    return seen


@ANYWHERE
def test_a_bot_reacts_to_the_message_that_it_answers(platform: str) -> None:
    chat = Chat(bot(), platform=platform)
    chat.say("/like")
    # The invocation of a command on Discord is no message.
    expected = [("reaction", "👍")] if platform in ("feishu", "http") else []
    assert shown(chat) == [("message", "liked"), *expected]


@ANYWHERE
def test_a_bot_reacts_to_its_own_reply_in_the_same_turn_and_later(platform: str) -> None:
    chat = Chat(bot(), platform=platform)
    chat.say("/own")
    can = platform in REACTS
    assert shown(chat) == [("message", "mine"), *([("reaction", "🎉")] if can else [])]
    chat.say("/later")
    assert shown(chat) == ([("reaction", "❤️")] if can else [])


@ANYWHERE
def test_reactions_follow_the_messages_whose_handles_stay_right(platform: str) -> None:
    chat = Chat(bot(), platform=platform)
    chat.say("/first")
    answered = [("reaction", "👍")] if platform in ("feishu", "http") else []
    own = [("reaction", "🎉")] if platform in REACTS else []
    assert shown(chat) == [("message", "one"), *answered, *own]


@ANYWHERE
def test_a_bot_reacts_to_a_press(platform: str) -> None:
    chat = Chat(bot(), platform=platform)
    chat.say("/card")
    chat.expect(contains="Card")
    if platform in ("discord", "feishu", "http", "wecom"):
        chat.press("OK")
    assert shown(chat) == ([("reaction", "✅")] if platform in REACTS else [])


@ANYWHERE
def test_a_bot_that_only_reacts_shows_no_message_and_no_placeholder(platform: str) -> None:
    chat = Chat(bot(), platform=platform)
    chat.say("/only")
    assert shown(chat) == ([("reaction", "👍")] if platform in ("feishu", "http") else [])
    if platform == "discord":
        (command,) = chat._world.platform.messages.values()
        assert command.content["state"] == "The response was deleted"


@pytest.mark.parametrize("emoji", sorted(EMOJI))
def test_an_emoji_of_feishu_is_one_of_its_names_and_looks_alike(emoji: str) -> None:
    assert EMOJI[emoji] in imitated.NAMES
    assert imitated.SHOWN[EMOJI[emoji]].rstrip("\ufe0f") == emoji


@pytest.mark.parametrize("platform", NAMES)
def test_the_table_of_capabilities_says_which_platform_has_reactions(platform: str) -> None:
    found = capabilities(platform)
    if found is not None:
        assert (found.reaction == "native") == outbound(platform).PROFILE.reacts


def result(reply: Reply, message: Message) -> list[Reply]:
    """The replies of a bot that returns `reply`."""
    bot = Bot()

    @bot.fallback
    def anything() -> Reply:
        return reply

    return bot.handle(Turn(message))


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"emoji": ""}, "a reaction with an emoji of 0 characters; possible are 1 to 100"),
        ({"emoji": "x" * 101}, "a reaction with an emoji of 101 characters"),
        ({"emoji": "👍", "segments": (Text(text="hi"),)}, "a reaction with segments"),
        ({"emoji": "👍", "to": Destination(platform="feishu", app="demo", room_id="oc_1")}, "set target"),
        ({"emoji": "👍", "op": "send", "segments": (Text(text="hi"),)}, 'write op="react"'),
    ],
)
def test_a_reaction_that_cannot_be_meant_is_an_error_where_it_is_made(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ResultError) as raised:
        result(Reply(**{"op": "react", **fields}), make_message(platform="feishu"))
    assert problem in str(raised.value)


def test_a_reaction_to_a_message_elsewhere_needs_its_id() -> None:
    to = Destination(platform="feishu", app="demo", room_id="oc_1", message_id="om_1")
    reply = Reply(op="react", emoji="👍", to=to)
    assert result(reply, make_message(platform="feishu")) == [reply]
