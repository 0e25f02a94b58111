"""A text that was written before a question is no answer to it, when it comes back from the dead-letter queue."""

import pytest

from parley.bot import Ask, Bot, Script, Turn
from parley.bot.addressing import is_before
from parley.engine import queues
from parley.model import Card, Message
from parley.model.instant import Form, Input
from parley.testing import PLATFORMS, Chat
from tests.factories import make_message

ANYWHERE = pytest.mark.parametrize("platform", PLATFORMS)
TYPED = pytest.mark.parametrize("platform", [each for each in PLATFORMS if each != "discord"])


class BrokenError(Exception):
    """The handler fails."""


class Shop:
    """A bot that fails on an answer while it is broken, and a person who talks to it."""

    def __init__(self, platform: str) -> None:
        self.is_broken = False
        self.platform = platform
        self.chat = Chat(self._bot(), platform)

    def _bot(self) -> Bot:
        bot = Bot(apology="sorry")

        @bot.command()
        def order() -> Script:
            colour = yield Ask("Which colour?")
            if self.is_broken:
                raise BrokenError
            count = yield Ask("How many?")
            return f"{count} {colour}"

        @bot.fallback
        def other(turn: Turn) -> str:
            return f"no answer: {turn.text}"

        return bot

    def answer(self, text: str) -> None:
        if self.platform == "discord":
            self.chat.press("Answer")
            self.chat.submit({"answer": text})
        else:
            self.chat.say(text)

    def fail(self, text: str) -> Message:
        """An answer on which the handler fails. Returns the message, which is in the dead-letter queue."""
        self.is_broken = True
        with pytest.raises(BrokenError):
            self.answer(text)
        self.is_broken = False
        return self.chat.received

    def send_back(self, message: Message) -> None:
        """Send a message of the dead-letter queue back, as an operator does."""
        world = self.chat._world  # pyright: ignore[reportPrivateUsage]
        with world.active():
            queues.send_messages([message])
            world.work()


@TYPED
def test_a_text_that_comes_back_is_no_answer_to_a_later_question(platform: str) -> None:
    shop = Shop(platform)
    shop.chat.say("/order")
    dead = shop.fail("red")
    shop.chat.advance(minutes=6)
    shop.answer("blue")
    assert shop.chat.last.text == "How many?"
    shop.send_back(dead)
    assert shop.chat.last.text == "no answer: red"
    shop.answer("3")
    assert shop.chat.last.text == "3 blue"


@TYPED
def test_nor_to_a_question_of_another_dialogue(platform: str) -> None:
    shop = Shop(platform)
    shop.chat.say("/order")
    dead = shop.fail("red")
    shop.answer("/cancel")
    shop.chat.advance(minutes=6)
    shop.chat.say("/order")
    shop.send_back(dead)
    assert shop.chat.last.text == "no answer: red"
    shop.answer("blue")
    assert shop.chat.last.text.endswith("How many?")


def test_a_form_that_comes_back_is_told_that_the_question_is_over() -> None:
    shop = Shop("discord")
    shop.chat.say("/order")
    dead = shop.fail("red")
    shop.chat.advance(minutes=6)
    shop.answer("blue")
    shop.send_back(dead)
    assert "no longer open" in shop.chat.last.text


@ANYWHERE
def test_an_answer_that_comes_back_to_its_own_question_counts(platform: str) -> None:
    shop = Shop(platform)
    shop.chat.say("/order")
    dead = shop.fail("red")
    shop.chat.advance(minutes=20)
    shop.send_back(dead)
    assert shop.chat.last.text == "How many?"
    shop.answer("3")
    assert shop.chat.last.text == "3 red"


@TYPED
def test_answers_in_the_second_of_the_question_count(platform: str) -> None:
    shop = Shop(platform)
    with shop.chat.at_once():
        shop.chat.say("/order")
        shop.chat.say("red")
        shop.chat.say("3")
    assert shop.chat.last.text == "3 red"


@pytest.mark.parametrize("platform", [each for each in PLATFORMS if each not in ("feishu", "discord", "http")])
def test_a_number_that_comes_back_presses_nothing_of_a_later_card(platform: str) -> None:
    bot, broken = Bot(), [True]

    @bot.command()
    def card() -> Card:
        return Card(text="x", form=Form(id="form", title="Fill in", inputs=(Input(id="name", label="Name"),)))

    @bot.action("form")
    def filled() -> str:
        return "filled"

    @bot.fallback
    def other() -> str:
        if broken[0]:
            raise BrokenError
        return "no number"

    shop = Shop(platform)
    shop.chat = Chat(bot, platform)
    with pytest.raises(BrokenError):
        shop.chat.say("1 Ann")
    dead, broken[0] = shop.chat.received, False
    shop.chat.advance(minutes=6)
    shop.chat.say("/card")
    shop.send_back(dead)
    assert shop.chat.last.text == "no number"
    shop.chat.say("1 Ann")
    assert shop.chat.last.text == "filled"


@pytest.mark.parametrize(
    ("written", "asked", "expected"),
    [
        (1000, 1010.9, True),
        (1000, 1010.0, False),
        (1000, 1000.9, False),  # in the same second
        (1003, 1000.0, False),
        (0, 1e9, False),  # the platform does not say when
    ],
)
def test_ten_seconds_allow_for_clocks(written: int, asked: float, expected: bool) -> None:
    assert is_before(make_message(timestamp=written), asked) is expected
