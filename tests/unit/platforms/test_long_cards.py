"""The buttons of a long card are in the last message of the platform, and people get it."""

import pytest

from parley.bot import Approve, Bot, Script
from parley.model import Button, Card, Select
from parley.model.instant import Choice
from parley.testing import PLATFORMS, Chat


def make_bot(text: str) -> Bot:
    bot = Bot()

    @bot.command()
    def deploy() -> Script:
        yield Approve(text)
        return "decided"

    @bot.command()
    def show() -> Card:
        buttons = (Button(id="yes", label="Yes"), Button(id="docs", label="Docs", url="https://docs.example.com"))
        return Card(title="Title", text=text, buttons=buttons)

    @bot.action("yes")
    def yes() -> str:
        return "pressed"

    return bot


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("character", ["长", "w ", "😀"])
@pytest.mark.parametrize("length", [300, 341, 600, 1000, 3000, 3400, 4500])
def test_the_buttons_of_a_long_card_are_in_its_last_message(platform: str, character: str, length: int) -> None:
    chat = Chat(make_bot(character * length), platform)
    chat.say("/show")
    assert "Yes" in chat.last.buttons
    assert not any(reply.buttons for reply in chat.replies[:-1])
    chat.press("Yes")
    assert chat.last.text == "pressed"


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_long_approval_can_be_decided(platform: str) -> None:
    chat = Chat(make_bot("长" * 3000), platform)
    chat.say("/deploy")
    assert "".join(reply.text for reply in chat.replies).count("长") == 3000
    chat.press("Approve")
    assert any("Approved" in reply.text for reply in chat.replies)


def test_wechat_shows_five_messages_so_a_longer_card_is_cut_before_its_buttons() -> None:
    chat = Chat(make_bot("长" * 6000), "wechat")
    chat.say("/show")
    assert len(chat.replies) == 5
    assert chat.last.text.startswith("…")


def test_menus_of_choices_are_among_the_five_messages() -> None:
    bot = Bot()

    @bot.command()
    def choose() -> Card:
        select = Select(id="pick", label="Pick", choices=tuple(Choice(f"choice {n}", str(n)) for n in range(15)))
        return Card(text="长" * 6000, selects=(select,))

    chat = Chat(bot, "wechat")
    chat.say("/choose")
    assert [reply.text.count("长") for reply in chat.replies] == [682, 682, 682, 0, 0]
    assert chat.replies[3].text.startswith("…\nPick")
