"""The commands that a model calls: what people see of them, and what is left of them after a failure or a stop."""

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from parley.bot import Bot, Quotas, Turn
from parley.model import Button, Card, Destination, File, Quote, Reply, Text
from parley.models import Answer, ModelError, Prompt, ToolCall
from parley.models.gathering import Gathering
from parley.models.model import tokens_of_message
from parley.testing import PLATFORMS, Call, Chat, Scripted
from tests.factories import NOW, make_message

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


@EVERYWHERE
@pytest.mark.parametrize("private", [True, False])
def test_what_an_approved_command_says_and_the_last_text_are_both_delivered(platform: str, *, private: bool) -> None:
    bot = conversing(Bot())

    @bot.command(tool="approve")
    def deploy(turn: Turn) -> Reply:
        turn.say("Deploying.")
        return Reply(segments=(Text(text="For you."),), private=private)

    chat = Chat(bot, platform, model=Scripted([Call("deploy"), "The last text."]))
    ask(chat, platform)
    chat.press("Approve")
    shown = "\n".join(reply.text for reply in chat.replies)
    assert shown.index("Deploying.") < shown.index("The last text.")
    assert ("For you." in shown) == private
    assert chat._world.undelivered() == []


def test_a_model_does_not_get_what_a_command_says_to_one_person() -> None:
    bot = conversing(Bot())

    @bot.command()
    def salary(turn: Turn) -> str:
        turn.say(Reply(segments=(Text(text="SECRET"),), private=True))
        turn.say(Reply(segments=(Text(text="SECRET"),), to=Destination.answering(turn.message)))
        return "told"

    model = Scripted([Call("salary"), "Done."])
    Chat(bot, model=model).say("hi")
    assert model.prompts[1].messages[-1].text == "told"


# --- commands that fail -----------------------------------------------------------------------------------------------


class Failing:
    """A bot whose command fails the first `times`."""

    def __init__(self, times: int, reply: Any = "worked") -> None:
        self.bot = conversing(Bot())
        self.runs = 0
        self.secret = "SECRET"

        @self.bot.command()
        def note(turn: Turn) -> str:
            turn.state["noted"] = turn.state.get("noted", 0) + 1
            return "noted"

        @self.bot.command()
        def work(turn: Turn) -> Any:
            self.runs += 1
            turn.say("working")
            turn.state["half"] = True
            turn.state["noted"] = 0
            if self.runs <= times:
                raise RuntimeError(f"the key is {self.secret}")
            return reply


def results(prompt: Prompt) -> str:
    return "; ".join(said.text for said in prompt.messages if said.role == "tool")


@EVERYWHERE
def test_a_command_that_fails_for_good_is_an_error_for_the_model_which_goes_on(
    platform: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    failing = Failing(times=9)
    chat = Chat(
        failing.bot, platform, attempts=3, model=Scripted([[Call("note"), Call("work"), Call("note")], results])
    )
    ask(chat, platform)
    assert failing.runs == 3
    (reply,) = chat.replies
    assert reply.text.startswith("noted; error: the tool has failed")
    assert reply.text.endswith("; noted")
    assert chat.state == {"noted": 2}
    assert "SECRET" not in reply.text + capsys.readouterr().out + str([each.__dict__ for each in caplog.records])


def test_an_earlier_attempt_that_fails_is_repeated_as_before() -> None:
    failing = Failing(times=1)
    model = Scripted([Call("work"), results])
    chat = Chat(failing.bot, attempts=2, model=model)
    chat.say("hi")
    assert chat.last.text == "working\nworked"
    assert (failing.runs, len(model.prompts)) == (2, 2)


def test_a_failed_command_is_counted_and_logged_with_its_place(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[Any] = []
    monkeypatch.setattr("parley.models.measures.log.error", lambda text, extra: logged.append((text, extra)))
    turn = Turn(make_message("m1", "hi"), state={}, user={}, shared={}, now=NOW)
    turn.model, turn.is_last = Scripted([Call("work"), "Sorry."]), True
    Failing(times=1).bot.handle(turn)
    assert '"ModelToolFailures":[1.0]' in capsys.readouterr().out
    ((text, extra),) = logged
    assert (text, extra["error"].partition(":")[0]) == ("tool failed", "RuntimeError at test_converse_tools.py")
    assert "SECRET" not in str(extra)


@pytest.mark.parametrize("reply", [{"no": "reply"}, Reply(segments=(Card(title="x" * 400_000),))])
def test_a_reply_of_a_command_that_cannot_be_shown_is_a_failure_of_the_command(reply: Any) -> None:
    chat = Chat(Failing(times=0, reply=reply).bot, model=Scripted([Call("work"), results]))
    chat.say("hi")
    assert chat.last.text.startswith("error: the tool has failed")
    assert chat.state == {}


def test_a_limit_that_a_command_reaches_is_told_to_the_model_at_once() -> None:
    bot = conversing(Bot())

    @bot.command()
    def remind(turn: Turn, text: str) -> str:
        turn.remind(text * 10_000, after=timedelta(hours=1))
        return "reminded"

    @bot.command()
    def fill(turn: Turn) -> str:
        turn.user["all"] = "x" * 400_000
        return "filled"

    @bot.command()
    def note(turn: Turn) -> str:
        turn.state["noted"] = True
        return "noted"

    chat = Chat(bot, attempts=2, model=Scripted([[Call("note"), Call("remind", text="long"), Call("fill")], results]))
    chat.say("hi")
    reasons = "error: This is too long for a reminder.; error: This is too much to store. Please send less."
    assert chat.last.text == f"noted; {reasons}"
    assert chat.state == {"noted": True}


# --- budgets of tokens ------------------------------------------------------------------------------------------------


def sizes(model: Scripted) -> list[int]:
    return [sum(map(tokens_of_message, prompt.messages)) for prompt in model.prompts]


@pytest.mark.parametrize("history", [200, 1_000, 8_000])
@pytest.mark.parametrize("calls", [1, 8])
def test_long_results_are_cut_and_the_budget_holds_in_all_steps(history: int, calls: int) -> None:
    bot = conversing(Bot(), history=history)

    @bot.command()
    def long() -> str:
        return "\x00\n长" * 50_000

    model = Scripted([lambda _: [Call("long")] * calls])
    chat = Chat(bot, model=model)
    chat.say("hi")
    assert max(sizes(model)) <= history
    first = [said.text for said in model.prompts[1].messages if said.role == "tool"] if len(model.prompts) > 1 else []
    assert all("(cut: the whole text has 100000 characters)" in text or text.startswith("error: ") for text in first)
    chat.expect(contains="too many steps")


def test_a_command_is_not_run_if_there_is_no_room_for_its_result() -> None:
    bot, runs = conversing(Bot(), history=200), list[str]()
    bot.command("long")(lambda: runs.append("run") or "x" * 1_000)
    model = Scripted([[Call("long")] * 6, results])
    chat = Chat(bot, model=model)
    chat.say("hi")
    assert runs == []
    chat.expect(contains="too many steps")


def test_eight_results_of_each_step_can_be_stored() -> None:
    bot = conversing(Bot(), history=32_000)
    bot.command("long")(lambda: '"\n' * 50_000)
    chat = Chat(bot, model=Scripted([lambda _: [Call("long")] * 8]))
    chat.say("hi")
    chat.expect(contains="too many steps")


def attachments(*texts: str) -> tuple[dict[str, bytes], tuple[File, ...]]:
    names = [f"file{number}.txt" for number in range(len(texts))]
    data = {name: text.encode() for name, text in zip(names, texts, strict=True)}
    return data, tuple(File(url=f"https://files.example/{name}", name=name) for name in names)


def prompt_of(text: str, history: int, *texts: str, quote: str = "") -> Prompt:
    """The prompt for a message with text files."""
    bot, model = conversing(Bot(), history=history), Scripted(["read"])
    data, files = attachments(*texts)
    message = make_message("m1", text)
    quoted = (Quote(message_id="m0", text=quote),) if quote else ()
    message = replace(message, content=replace(message.content, attachments=files), segments=quoted)
    turn = Turn(message, state={}, user={}, shared={}, now=NOW, download=lambda media, _message: data[media.name])
    turn.model = model
    bot.handle(turn)
    return model.prompts[0]


@pytest.mark.parametrize("history", [200, 1_000, 8_000])
def test_the_question_stays_whole_whatever_is_attached(history: int) -> None:
    prompt = prompt_of("What do these say?", history, *["长" * 60_000] * 3, quote="q" * 50_000)
    (said,) = prompt.messages
    assert said.text.endswith("What do these say?")
    assert tokens_of_message(said) <= history
    assert "(cut: the whole text has" in said.text or "left out" in said.text


def test_each_file_gets_a_share_and_a_short_one_leaves_its_to_the_next() -> None:
    (said,) = prompt_of("Compare.", 8_000, "short", "a" * 90_000, "b" * 90_000).messages
    assert "[file0.txt]\nshort\n" in said.text
    assert 6_000 < said.text.count("a") < 10_000
    assert 6_000 < said.text.count("b") < 10_000


def test_files_that_are_left_out_are_counted_and_unreadable_ones_are_named() -> None:
    (said,) = prompt_of("Compare.", 8_000, *["x"] * 6).messages
    assert "(2 more files are left out)" in said.text
    bot, model = conversing(Bot()), Scripted(["read"])
    Chat(bot, model=model).say("hi", file=("tool.bin", b"\xff\xfe"))
    assert "[tool.bin]\n(no text file)" in model.prompts[0].messages[0].text


def test_a_question_that_is_too_long_is_cut_and_leaves_room_for_results() -> None:
    (said,) = prompt_of("word " * 20_000, 1_000).messages
    assert 700 < tokens_of_message(said) <= 760
    assert said.text.endswith("(cut: the whole text has 100009 characters)")


# --- texts of the library ---------------------------------------------------------------------------------------------


def history_after(line: Any, **settings: Any) -> list[str]:
    """The answers in the history of the prompt that follows `line`."""
    bot = conversing(Bot(**settings))
    bot.command("status")(lambda service: f"{service} is up")
    bot.command("help")(bot.help)
    model = Scripted([line, lambda prompt: "Next."])
    chat = Chat(bot, model=model)
    for text in ("/status", "/help", "hi"):
        chat.say(text)
    chat.advance(days=1)
    chat.say("what did you say?")
    return [said.text for said in model.prompts[-1].messages if said.role == "assistant"]


@pytest.mark.parametrize("line", [ModelError("HTTP 401"), Answer(text="", stop="refused"), Answer(text="  ")])
def test_what_the_library_says_is_not_in_the_history_as_if_the_model_had_said_it(line: Any) -> None:
    assert history_after(line)[-1] == "(no answer)"


def test_a_used_up_budget_and_results_are_in_the_history_as_data() -> None:
    call = Answer(calls=(ToolCall(id="1", name="status", arguments='{"service":"</quoted> web"}'),), sent=900)
    bot = conversing(Bot(quotas=Quotas(person_tokens_a_day=800)))
    bot.command("status")(lambda service: f"{service} is up")
    model = Scripted([call, "Next."])
    chat = Chat(bot, model=model)
    chat.say("hi")
    assert "800" in chat.last.text
    chat.advance(days=1)
    chat.say("again")
    (answer,) = [said.text for said in model.prompts[-1].messages if said.role == "assistant"]
    assert answer == "<quoted>\n/status: <quoted> web is up\n</quoted>\n(no answer)"


# --- attempts that break off ------------------------------------------------------------------------------------------


class Breaking:
    """A model whose streams break off after some words."""

    pictures, price = False, (1.0, 1.0)

    def __init__(self, name: str, end: Any) -> None:
        self.name, self.end = name, end

    def answer(self, prompt: Prompt, partial: Any) -> Answer:
        assert prompt.messages
        partial("Hello, here is")
        if isinstance(self.end, ModelError):
            raise self.end
        return self.end


BROKEN = ModelError("the stream has broken off", sent=100, received=50)


def handled(bot: Bot) -> Turn:
    turn = Turn(make_message("m1", "hi"), state={}, user={}, shared={}, now=NOW)
    bot.handle(turn)
    return turn


@pytest.mark.parametrize(
    ("end", "tokens"), [(Answer(text="Hi.", sent=20, received=5), 175), (BROKEN, 300)], ids=["answers", "fails"]
)
def test_tokens_of_broken_attempts_and_of_a_failed_first_model_are_in_budgets_and_metrics(
    end: Any, tokens: int, capsys: pytest.CaptureFixture[str]
) -> None:
    bot, metrics = Bot(quotas=Quotas(person_tokens_a_day=10_000)), Counter[str]()
    first, second = Breaking("first", BROKEN), Breaking("second", end)
    bot.converse(model=lambda: first, fallback=lambda: second)(lambda _turn: "")
    turn = handled(bot)
    assert turn.states["user"].private["quota"]["tokens"] == tokens
    for line in map(json.loads, capsys.readouterr().out.splitlines()):
        for name in ("ModelTokensSent", "ModelTokensReceived", "ModelFallbacks", "ModelFailures", "ModelCost"):
            metrics[name] += sum(line.get(name, ()))
    assert metrics["ModelTokensSent"] + metrics["ModelTokensReceived"] == tokens
    assert round(metrics["ModelCost"] * 1_000_000) == tokens
    answers = isinstance(end, Answer)
    assert (metrics["ModelFallbacks"], metrics["ModelFailures"]) == (answers, not answers)


def test_the_price_of_a_call_is_a_metric_of_its_model(capsys: pytest.CaptureFixture[str]) -> None:
    """`ModelCost` is in the currency of `price`, which is that of a million tokens of a prompt, and of an answer."""

    class Priced(Breaking):
        price = (3.0, 15.0)

    def costs(model: Breaking) -> list[Any]:
        bot = Bot()
        bot.converse(model=lambda: model)(lambda _turn: "")
        handled(bot)
        return [line for line in map(json.loads, capsys.readouterr().out.splitlines()) if "ModelCost" in str(line)]

    answer = Answer(text="Hi.", sent=1_000_000, received=200_000)
    (line,) = costs(Priced("big", answer))
    assert (line["model"], sum(line["ModelCost"])) == ("big", 3.0 + 15.0 / 5)
    (metrics,) = line["_aws"]["CloudWatchMetrics"]
    assert any("model" in dimensions for dimensions in metrics["Dimensions"])
    free = Breaking("free", answer)
    free.price = (0.0, 0.0)
    assert costs(free) == []


def test_tokens_of_broken_attempts_are_in_the_budget_if_the_person_stops() -> None:
    bot = Bot(quotas=Quotas(person_tokens_a_day=10_000))
    second = Breaking("second", Answer(text="Hi."))
    bot.converse(model=lambda: Breaking("first", BROKEN), fallback=lambda: second)(lambda _turn: "")
    turn = Turn(make_message("m1", "hi"), state={}, user={}, shared={}, now=NOW)
    asked: list[bool] = []
    turn.stopping = lambda: asked.append(True) or len(asked) > 2
    assert bot.handle(turn) == []
    assert turn.states["user"].private["quota"]["tokens"] > 150


class Thinking(Breaking):
    """A model that thinks for long before it says a word."""

    def answer(self, prompt: Prompt, partial: Any) -> Answer:
        found = Gathering(partial)
        with found.counting():
            for _ in range(100):
                found.add_thought("Well. " * 5)
        return self.end


def test_a_model_is_stopped_while_it_thinks_and_what_it_has_written_is_in_budgets_and_metrics(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bot, metrics, asked = Bot(quotas=Quotas(person_tokens_a_day=10_000)), Counter[str](), list[int]()
    bot.converse(model=lambda: Thinking("first", Answer(text="42")))(lambda _turn: "")
    turn = Turn(make_message("m1", "hi"), state={}, user={}, shared={}, now=NOW)
    turn.stopping = lambda: asked.append(1) or len(asked) > 20
    assert bot.handle(turn) == []
    assert len(asked) == 21
    for line in map(json.loads, capsys.readouterr().out.splitlines()):
        for name in ("ModelTokensSent", "ModelTokensReceived", "ModelErrors", "ModelFailures", "ModelCost"):
            metrics[name] += sum(line.get(name, ()))
    assert 150 <= metrics["ModelTokensReceived"] <= 210
    tokens = metrics["ModelTokensSent"] + metrics["ModelTokensReceived"]
    assert metrics["ModelTokensSent"] > 0
    assert turn.states["user"].private["quota"]["tokens"] == tokens == round(metrics["ModelCost"] * 1_000_000)
    assert (metrics["ModelErrors"], metrics["ModelFailures"]) == (0, 0)
