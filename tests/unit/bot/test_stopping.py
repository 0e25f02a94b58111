"""Handlers that a person stops, and what the person is told."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from parley.bot import Ask, Bot, Quotas, Script, Turn
from parley.bot.once import StoppedError
from parley.model import Card, Reply, plain_text
from parley.models import Prompt
from parley.testing import PLATFORMS, Call, Chat, Scripted
from tests.factories import NOW, make_message


def texts(replies: list[Reply]) -> list[str]:
    return [plain_text(reply.segments) for reply in replies]


def stopped_turn(text: str, after: int = 0) -> Turn:
    """The turn of a message whose handler is stopped when it has asked `after` times."""
    turn, asked = Turn(make_message(text=text), now=NOW), list[bool]()

    def stopping() -> bool:
        asked.append(True)
        return len(asked) > after

    turn.stopping = stopping
    return turn


@pytest.mark.parametrize("platform", [name for name in PLATFORMS if name != "discord"])
@pytest.mark.parametrize("text", ["/stop", "/停", "／ｓｔｏｐ", "／停"])
def test_a_person_reads_that_nothing_runs(platform: str, text: str) -> None:
    bot = Bot()
    bot.fallback(lambda: "what?")
    chat = Chat(bot, platform)
    chat.say(text)
    chat.expect(contains="There is nothing to stop.")
    chat.expect_nothing()


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_bots_own_command_gets_it(platform: str) -> None:
    bot = Bot()
    bot.command("stop")(lambda: "I am idle.")
    chat = Chat(bot, platform)
    chat.say("/stop")
    chat.expect("I am idle.")


def test_the_plain_word_belongs_to_the_bot_if_nothing_runs() -> None:
    bot = Bot()

    @bot.fallback
    def heard(turn: Turn) -> str:
        return f"heard {turn.text}"

    assert texts(bot.handle(Turn(make_message(text="停")))) == ["heard 停"]


def asking() -> Bot:
    bot = Bot()

    @bot.command()
    def order(turn: Turn) -> Script:
        size = yield Ask("Which size?")
        turn.once("pay", lambda _key: 1)
        return f"ordered {size}"

    return bot


def test_it_ends_an_open_question() -> None:
    chat = Chat(asking())
    chat.say("/order")
    chat.expect("Which size?")
    chat.say("/stop")
    chat.expect(contains="Cancelled.")
    chat.say("/stop")
    chat.expect(contains="There is nothing to stop.")


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_bot_with_a_model_has_the_command_where_commands_are_registered(platform: str) -> None:
    bot = Bot()
    bot.converse(model=lambda: pytest.fail("the test has a model"), command="ask")(lambda _turn: "")
    assert [spec.name for spec in bot.specs()] == ["ask", "stop"]
    chat = Chat(bot, platform)
    chat.say("/stop")
    chat.expect(contains="There is nothing to stop.")
    chat.expect_nothing()


@pytest.mark.parametrize("name", ["stop", "stop server", "停"])
def test_a_bot_with_such_a_command_of_its_own_keeps_it(name: str) -> None:
    bot = Bot()
    bot.command(name)(lambda: "mine")
    bot.converse(model=lambda: pytest.fail("the test has a model"), command="ask")(lambda _turn: "")
    assert {spec.name for spec in bot.specs()} == {name, "ask"}


def test_a_dialogue_whose_handler_is_stopped_ends() -> None:
    bot = asking()
    first = Turn(make_message(text="/order"), now=NOW)
    bot.handle(first)
    second = stopped_turn("large")
    second.plans._dialogues = dict(first.plans.agenda.dialogues)
    assert bot.handle(second) == []
    assert second.plans.dialogue is None


def test_what_a_stopped_handler_has_changed_is_dropped() -> None:
    bot = Bot()
    around: list[list[Reply]] = []

    @bot.middleware
    def middleware(turn: Turn, handle: Any) -> list[Reply]:
        turn.state["seen"] = 1
        around.append(handle())
        return around[-1]

    @bot.command()
    def work(turn: Turn) -> str:
        turn.user["half"] = True
        turn.say("half")
        turn.remind("later", after=timedelta(minutes=1))
        turn.once("first", lambda _key: 1)
        turn.once("second", lambda _key: 2)
        return "done"

    turn = stopped_turn("/work", after=1)
    assert bot.handle(turn) == []
    assert around == [[]]
    assert turn.user == {}
    assert turn.reminders == []
    assert turn.plans.timers == []
    assert "first" in turn.results
    assert "second" not in turn.results
    assert turn.was_stopped


def test_a_handler_that_never_asks_ends_by_itself() -> None:
    bot = Bot()
    bot.command("work")(lambda: "done")
    turn = stopped_turn("/work")
    assert texts(bot.handle(turn)) == ["done"]
    assert not turn.was_stopped


def test_asynchronous_handlers_are_stopped_too() -> None:
    bot = Bot()

    @bot.command()
    async def work(turn: Turn) -> str:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(turn.once_async("first", lambda _key: asyncio.sleep(0)))
        return "done"

    turn = stopped_turn("/work")
    assert bot.handle(turn) == []
    assert turn.was_stopped


def test_another_error_of_several_tasks_is_no_stop() -> None:
    bot = Bot()

    @bot.command()
    async def work() -> str:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(asyncio.wait_for(asyncio.sleep(60), 0))
        return "done"

    with pytest.raises(BaseExceptionGroup):
        bot.handle(Turn(make_message(text="/work")))


def test_no_exception_handler_of_the_bot_catches_it() -> None:
    assert not issubclass(StoppedError, Exception)


# --- with a language model


def conversing(lines: list[Any], quotas: Quotas | None = None) -> tuple[Bot, Scripted]:
    bot = Bot(quotas=quotas)

    @bot.command()
    def buy(turn: Turn, what: str) -> str:
        return turn.once("pay", lambda _key: f"bought {what}")

    bot.converse(model=lambda: pytest.fail("the test has a model"))(lambda _turn: "")
    return bot, Scripted(lines)


def ask(bot: Bot, model: Scripted, turn: Turn) -> list[str]:
    turn.model = model
    return texts(bot.handle(turn))


@pytest.mark.parametrize("after", range(6))
def test_an_exchange_with_a_model_stops_between_calls_and_within_a_text(after: int) -> None:
    bot, model = conversing([Call("buy", what="tea"), "Here is a long answer about tea."])
    turn = stopped_turn("buy tea", after)
    bought = ["/buy: bought tea"] if after >= 2 else []
    assert ask(bot, model, turn) == bought
    assert turn.was_stopped
    done = "<quoted>\n/buy: bought tea\n</quoted>\n" if bought else ""
    assert turn.states["talk"].get()["exchanges"][0]["answered"] == f"{done}(stopped by the person)"


def shopping(lines: list[Any]) -> tuple[Bot, Scripted]:
    """A bot whose tools change all that a turn can change."""
    bot = Bot()

    @bot.command()
    def buy(turn: Turn, what: str) -> Reply:
        turn.say(f"buying {what}")
        for state in (turn.state, turn.user, turn.shared):
            state.setdefault("begun", []).append(what)
        turn.remind(what, after=timedelta(hours=1))
        turn.once("pay", lambda _key: 1)
        turn.once("send", lambda _key: 2)
        turn.state.setdefault("bought", []).append(what)
        return Reply(segments=(Card(title=f"bought {what}"),))

    bot.converse(model=lambda: pytest.fail("the test has a model"))(lambda _turn: "")
    return bot, Scripted(lines)


class Cart(BaseModel):
    bought: list[str] = []


@pytest.mark.parametrize(
    ("after", "finished"),
    [
        *((before, 0) for before in (0, 1, 2)),
        *((inside_or_after_the_first, 1) for inside_or_after_the_first in (3, 4, 5)),
        *((in_the_last_text, 2) for in_the_last_text in (6, 7, 8, 9)),
    ],
)
def test_all_that_a_tool_has_done_which_had_ended_stays_and_nothing_of_one_that_had_not(
    after: int, finished: int
) -> None:
    bot, model = shopping([Call("buy", what="tea"), Call("buy", what="milk"), "Tea and milk are yours."])
    turn = stopped_turn("buy tea and milk", after)
    replies = ask(bot, model, turn)
    assert turn.was_stopped
    wanted = ["tea", "milk"][:finished]
    said = [text for what in wanted for text in (f"buying {what}", f"bought {what}")]
    done = "\n".join(f"/buy: buying {what}\nbought {what} (shown to the person)" for what in wanted)
    assert replies == [*said, *([done] if done else [])]
    assert turn.state.get("bought", []) == wanted
    assert [state.get("begun", []) for state in (turn.state, turn.user, turn.shared)] == [wanted] * 3
    assert [reminder.text for reminder in turn.reminders] == wanted


def test_a_stop_keeps_what_earlier_tools_have_changed_in_states_that_are_models() -> None:
    bot = Bot()

    @bot.command()
    def buy(turn: Turn[Cart], what: str) -> str:
        turn.state.bought.append(what)
        turn.once("pay", lambda _key: 1)
        return f"bought {what}"

    bot.converse(model=lambda: pytest.fail("the test has a model"))(lambda _turn: "")
    turn = stopped_turn("buy", after=2)
    assert ask(bot, Scripted([[Call("buy", what="tea"), Call("buy", what="milk")]]), turn) == ["/buy: bought tea"]
    assert turn.states["state"].stored({}) == {"bought": ["tea"]}


def test_a_stop_inside_an_approved_tool_ends_the_exchange_and_keeps_it_in_the_next_prompts() -> None:
    bot, stopping = Bot(), list[bool]()

    @bot.middleware
    def middleware(turn: Turn, handle: Any) -> list[Reply]:
        turn.stopping = lambda: bool(stopping)
        return handle()

    @bot.command(tool="approve")
    def deploy(turn: Turn) -> str:
        turn.user["begun"] = True
        turn.once("first", lambda _key: 1)
        return "deployed"

    bot.converse(model=lambda: pytest.fail("the test has a model"))(lambda _turn: "")
    chat = Chat(bot, model=Scripted([Call("deploy"), lambda prompt: prompt.messages[1].text]))
    chat.say("deploy")
    stopping.append(True)
    chat.press("Approve")
    stopping.clear()
    assert chat.user == {}
    chat.say("and now?")
    assert chat.last.text == "(stopped by the person)"


def test_middleware_that_is_stopped_leaves_nothing() -> None:
    bot = Bot()

    @bot.middleware
    def middleware(turn: Turn, handle: Any) -> list[Reply]:
        turn.state["seen"] = 1
        replies = handle()
        turn.check()
        return replies

    bot.command("work")(lambda: "done")
    turn = stopped_turn("/work")
    assert bot.handle(turn) == []
    assert turn.state == {}


def test_the_next_prompt_says_that_the_answer_was_stopped() -> None:
    prompts: list[Prompt] = []
    bot, model = conversing(["A long answer.", lambda prompt: prompts.append(prompt) or "Fine."])
    first = stopped_turn("tell me a story", after=2)
    assert ask(bot, model, first) == []
    second = Turn(make_message("m2", "go on"), now=NOW)
    second.states["talk"].put(first.states["talk"].get())
    assert ask(bot, model, second) == ["Fine."]
    assert [said.text for said in prompts[0].messages] == [
        "[person] tell me a story",
        "(stopped by the person)",
        "[person] go on",
    ]


def test_the_tokens_of_an_answer_that_was_stopped_are_counted() -> None:
    bot, model = conversing(["A long answer."], Quotas(person_tokens_a_day=1_000_000))
    turn = stopped_turn("tell me a story", after=2)
    assert ask(bot, model, turn) == []
    assert turn.states["user"].private["quota"]["tokens"] > 5
