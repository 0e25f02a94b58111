"""Answers that people see while they grow, on every platform."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from parley.bot import Bot, Turn
from parley.models import Answer, Partial, Prompt
from parley.testing import PLATFORMS, Chat

GROWS = ("feishu", "discord", "wecom_bot")


class Slow:
    """A model that writes a word in each half second of virtual time."""

    name, pictures, price = "slow", False, (0.0, 0.0)

    def __init__(self, text: str) -> None:
        self.text = text
        self.sleep: Callable[[float], None] = lambda _seconds: None

    def answer(self, prompt: Prompt, partial: Partial) -> Answer:
        words = self.text.split()
        for number in range(1, len(words) + 1):
            partial(" ".join(words[:number]))
            self.sleep(0.5)
        return Answer(text=self.text)


def spend(chat: Chat, seconds: float) -> None:
    """The handler works for `seconds`. Others go on meanwhile, such as polls."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PARLEY_STAGE", "faults")
        chat._world.spend(seconds)


def telling(chat_of: Callable[[], Chat]) -> Bot:
    """A bot that writes a word in each half second of virtual time, or in each `pause`."""
    bot = Bot()

    @bot.command()
    def tell(turn: Turn, words: int, pause: float = 0.5) -> str:
        text = ""
        for number in range(words):
            text = f"{text} w{number}".strip()
            turn.partial(text)
            spend(chat_of(), pause)
        return f"{text}."

    @bot.command()
    def recite(turn: Turn, words: int) -> Iterator[None]:
        for number in range(words):
            yield turn.partial(f"w{number}")
            spend(chat_of(), 2)
        turn.say("done")

    @bot.command()
    def chapters(turn: Turn, minutes: int) -> str:
        for number in range(minutes):
            turn.partial(f"w{number}")
            chat_of()._world.clock.sleep(60)
        turn.partial("almost")
        return "done"

    @bot.command()
    def nothing(turn: Turn) -> None:
        for text in ("a", "ab", "abc"):
            turn.partial(text)
            spend(chat_of(), 2)

    return bot


def _is_typing(chat: Chat) -> bool:
    """Whether the platform has got a call that shows the sign."""
    return any(call.path.endswith("/typing") for call in chat._world.platform.calls)


def make(platform: str) -> Chat:
    chats: list[Chat] = []
    chats.append(Chat(telling(lambda: chats[0]), platform))
    return chats[0]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_people_see_an_answer_grow_where_the_platform_can_show_it(platform: str) -> None:
    chat = make(platform)
    chat.say("/tell 6")
    shown = [each.text for each in chat.replies]
    assert shown[-1] == "w0 w1 w2 w3 w4 w5."
    assert (len(shown) > 2) is (platform in GROWS)
    assert all("w0 w1 w2 w3 w4 w5.".startswith(text) for text in shown)
    assert all(each.kind == "edit" for each in chat.replies[1:])


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_handler_may_yield_its_partial_texts(platform: str) -> None:
    chat = make(platform)
    chat.say("/recite 5")
    *grown, last = [each.text for each in chat.replies]
    assert last == "done"
    assert bool(grown) is (platform in GROWS)
    assert set(grown) <= {f"w{number}" for number in range(5)}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_an_answer_that_is_complete_at_once_is_a_plain_message(platform: str) -> None:
    chat = make(platform)
    chat.say("/tell 1")
    assert [each.text for each in chat.replies] == ["w0."]


def test_on_feishu_an_answer_grows_for_longer_than_the_ten_minutes_of_a_card() -> None:
    chat = make("feishu")
    chat.say("/chapters 25")
    assert [each.text for each in chat.replies] == [*(f"w{number}" for number in range(1, 25)), "almost", "done"]
    world = chat._world.platform
    assert [call for call in world.calls if "cardkit" in call.path and call.status != 200] == []
    assert not any(part.get("generating") for message in world.messages.values() for part in world.parts(message))


def test_on_discord_a_text_is_edited_once_a_second_at_most_and_within_its_rate_limit() -> None:
    """Discord docs: Rate Limits. Five calls in five seconds are what its answers usually say of a webhook."""
    chat = make("discord")
    times: list[float] = []
    platform = chat._world.platform

    def called(kind: str, value: Any) -> None:
        if kind == "call" and "/webhooks/" in value.path:
            times.append(chat._world.clock())
            assert value.status == 200

    platform.listeners.append(called)
    chat.say("/tell 200 0.15")
    edits = times[:-1]  # the last call is the answer itself, which is not best effort
    assert len(edits) >= 15
    assert all(later - earlier >= 1 for earlier, later in itertools.pairwise(edits))
    assert all(later - earlier > 5 for earlier, later in zip(times, times[5:], strict=False))
    assert all(each.status == 200 for each in platform.calls)


@pytest.mark.parametrize("platform", GROWS)
def test_a_handler_that_returns_nothing_leaves_nothing(platform: str) -> None:
    chat = make(platform)
    chat.say("/nothing")
    assert chat.replies[-1].kind == "recall"


@pytest.mark.parametrize("platform", PLATFORMS)
def test_people_see_that_the_bot_is_typing_before_the_model_is_asked_where_the_platform_shows_it(platform: str) -> None:
    bot, model = Bot(), Slow("All is well .")
    bot.converse(model=model, command="ask")(lambda _turn: "")
    chat = Chat(bot, platform)
    clock = chat._world.clock
    seen: list[bool] = []

    def sleep(seconds: float) -> None:
        seen.append(_is_typing(chat))
        clock.sleep(seconds)

    model.sleep = sleep
    chat.say("/ask how are you")
    assert seen[0] is (platform == "wechat")
    assert chat.last.text == "All is well ."


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_handler_can_show_that_it_is_typing(platform: str) -> None:
    bot, seen = Bot(), list[bool]()

    @bot.command()
    def work(turn: Turn) -> str:
        turn.typing()
        seen.append(_is_typing(chat))
        return "Done."

    chat = Chat(bot, platform)
    chat.say("/work")
    assert seen == [platform == "wechat"]
    assert [each.text for each in chat.replies] == ["Done."]


@pytest.mark.parametrize("platform", GROWS)
def test_people_see_what_a_model_writes_within_a_second_of_its_first_word(platform: str) -> None:
    bot, model = Bot(), Slow("All is *well* with the service today .")
    bot.converse(model=model, command="ask")(lambda _turn: "")
    chat = Chat(bot, platform)
    clock = chat._world.clock
    times: list[float] = []

    def changed(kind: str, value: Any) -> None:
        if kind == "message" and value.sender_kind == "bot":
            times.append(clock())

    chat._world.platform.listeners.append(changed)
    model.sleep = lambda seconds: spend(chat, seconds)
    began = clock()
    chat.say("/ask how are you")
    assert times[0] - began <= 1
    assert len(times) >= 3
    assert chat.replies[-1].text.endswith("today .")
