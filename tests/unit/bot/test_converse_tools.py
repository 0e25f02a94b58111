"""The commands that a model calls: what people see of them, and what is left of them after a failure or a stop."""

from typing import Any

import pytest

from parley.bot import Bot
from parley.model import Button, Card, Reply, Text
from parley.testing import PLATFORMS, Call, Chat, Scripted

EVERYWHERE = pytest.mark.parametrize("platform", PLATFORMS)


def conversing(bot: Bot, **settings: Any) -> Bot:
    """`bot` with a model, which the test has."""
    bot.converse(model=lambda: pytest.fail("the test has a model"), command="ask", **settings)(lambda _turn: "")
    return bot


def ask(chat: Chat, platform: str, text: str = "hi", **more: Any) -> None:
    chat.say(f"/ask {text}" if platform == "discord" else text, **more)


# --- what people see --------------------------------------------------------------------------------------------------


@EVERYWHERE
@pytest.mark.parametrize("order", [("card", "secret"), ("secret", "card"), ("card", "secret", "secret")])
def test_cards_and_private_replies_of_commands_and_the_last_text_are_all_delivered(
    platform: str, order: tuple[str, ...]
) -> None:
    bot = conversing(Bot())

    @bot.command()
    def card() -> Card:
        return Card(title="A card", buttons=(Button(id="press", label="Press"),))

    @bot.command()
    def secret() -> Reply:
        return Reply(segments=(Text(text="For you."),), private=True)

    bot.action("press")(lambda: "pressed")
    chat = Chat(bot, platform, model=Scripted([[Call(name) for name in order], "The last text."]))
    ask(chat, platform)
    shown = "\n".join(reply.text for reply in chat.replies)
    places = [shown.index("A card"), shown.index("For you."), shown.index("The last text.")]
    assert shown.count("For you.") == order.count("secret")
    assert places[2] == max(places)
    assert (places[0] < places[1]) == (order[0] == "card")
    assert chat._world.undelivered() == []
