"""A display name is a person's own words: on every platform it is one line, and turns no text around."""

import pytest

from parley.bot import Bot
from parley.model import Card, Mention, Reply, Text
from parley.testing import PLATFORMS, Chat

NAME = "Ann\u202egpj\n\n1. Reject\u2028Approved\u3164\u3164by"
SHOWN = "@Anngpj 1. Reject Approved by"
PERSON = Mention(id="?", name=NAME)  # an id that no platform can mention


def make_bot() -> Bot:
    bot = Bot()

    @bot.command()
    def card() -> Card:
        return Card(text="Deploy?", literal=True, mentions=(PERSON,))

    @bot.command()
    def text() -> Reply:
        return Reply(segments=(PERSON, Text(text=" hi")))

    return bot


@pytest.mark.parametrize("platform", [each for each in PLATFORMS if each != "http"])  # gets the name as it is
@pytest.mark.parametrize("kind", ["card", "text"])
def test_a_name_is_one_line(platform: str, kind: str) -> None:
    chat = Chat(make_bot(), platform)
    chat.say(f"/{kind}")
    assert SHOWN in str(chat.last)


@pytest.mark.parametrize("platform", ["wecom", "wecom_bot"])
def test_a_mention_that_shows_nothing_leaves_no_empty_line(platform: str) -> None:
    bot = Bot()

    @bot.command()
    def card() -> Card:
        return Card(title="Done", text="Deploy?", literal=True, mentions=(Mention(id="bob"),))

    chat = Chat(bot, platform)
    chat.say("/card")
    assert "\n\n" not in str(chat.last)
