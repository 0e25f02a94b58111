"""Wrong settings of `Bot.converse`: they fail before the bot runs, and say what to write instead."""

from typing import Any

import pytest

from parley.bot import Bot, Script
from parley.bot.definitions import check
from parley.bot.questions import Ask
from parley.models import Answer, OpenAICompatible, Partial, Prompt
from parley.testing import Chat, Scripted


def a_model() -> Any:
    return Scripted(["x"])


async def an_async_model() -> Any:
    return a_model()


class Half:
    """Answers, and has nothing else of a model."""

    def answer(self, prompt: Prompt, _partial: Partial) -> Answer:
        return Answer(text=prompt.key)


class Whole:
    name, pictures, price = "whole", False, (0.0, 0.0)

    def answer(self, _prompt: Prompt, _partial: Partial) -> Answer:
        return Answer(text="Hello.")


HIDDEN = "SECRET"


def broken() -> Any:
    raise ValueError(HIDDEN)


def never() -> Any:
    pytest.fail("the fallback is not made before it is asked")


@pytest.mark.parametrize(
    ("model", "fallback", "text"),
    [
        (Whole(), never, "Hello."),
        (Whole, broken, "Hello."),
        (broken, Whole, "Hello."),
        (lambda: None, Whole(), "Hello."),
        (lambda: Whole, Whole, "Hello."),
        (broken, broken, "does not answer"),
        (Half, None, "does not answer"),
    ],
)
def test_a_model_that_cannot_be_made_is_a_model_that_does_not_answer(
    model: Any, fallback: Any, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[Any] = []
    monkeypatch.setattr("parley.models.measures.log.error", lambda text, extra: logged.append((text, extra)))
    bot = Bot()
    settings: Any = {"fallback": fallback} if fallback else {}
    bot.converse(model=model, **settings)(lambda _turn: "")
    check(bot)
    chat = Chat(bot)
    chat.say("hi")
    chat.expect(contains=text)
    assert ("model not made" in str(logged)) == (model is broken)
    assert "SECRET" not in str(logged)


@pytest.mark.parametrize(
    ("settings", "error", "text"),
    [
        ({"modle": a_model}, TypeError, "has no setting 'modle'; it has answer, command"),
        ({"model": "gpt"}, TypeError, "model='gpt'.*write a model, or a function that makes one"),
        ({"model": None}, TypeError, "model=None"),
        ({"fallback": "gpt"}, TypeError, "fallback='gpt'.*write a model"),
        ({"fallback": 5}, TypeError, "fallback=5"),
        ({"system": None}, TypeError, "system=None.*write a text"),
        ({"command": 5}, TypeError, "command=5"),
        ({"steps": 0}, ValueError, "steps=0.*from 1 to 50"),
        ({"steps": True}, ValueError, "steps=True"),
        ({"history": -1}, ValueError, "history=-1.*from 200 to 32000"),
        ({"history": 8e3}, ValueError, "history=8000.0.*whole number"),
        ({"answer": -5}, ValueError, "answer=-5"),
        ({"seconds": 0}, ValueError, "seconds=0.*up to 900"),
        ({"seconds": -1.5}, ValueError, "seconds=-1.5"),
        ({"seconds": float("nan")}, ValueError, "seconds=nan"),
        ({"seconds": 5_000}, ValueError, "seconds=5000"),
        ({"seconds": "60"}, ValueError, "seconds='60'"),
        ({"tools": "status"}, TypeError, r'write tools=\("status",\)'),
        ({"tools": 5}, TypeError, "tools=5"),
        ({"tools": (5,)}, TypeError, "tools"),
        ({"links": "example.com"}, TypeError, r'write links=\("example.com",\)'),
        ({"model": OpenAICompatible}, TypeError, "without arguments.*missing a required"),
        ({"model": lambda name: name}, TypeError, "without arguments.*missing a required argument: 'name'"),
        ({"fallback": an_async_model}, TypeError, "without `async`"),
        ({"model": Half()}, TypeError, "write a model"),
        ({"model": Chat}, TypeError, "write a model"),
        ({"links": ("https://docs.example.com",)}, ValueError, r'is no host: write links=\("example.com",\)'),
        ({"links": ("*.example.com",)}, ValueError, "is no host"),
        ({"links": ("example.com/docs",)}, ValueError, "is no host"),
        ({"links": (".example.com",)}, ValueError, "is no host"),
        ({"links": ("",)}, ValueError, "is no host"),
        ({"links": True}, TypeError, "links=True"),
    ],
)
def test_a_wrong_setting_says_what_to_write(settings: dict[str, Any], error: type[Exception], text: str) -> None:
    given: Any = {"model": a_model, **settings}
    with pytest.raises(error, match=text):
        Bot().converse(**given)(lambda _turn: "")


def make_bot(**settings: Any) -> Bot:
    bot = Bot()
    bot.converse(model=a_model, **settings)(lambda _turn: "")
    bot.command("status")(lambda: "up")
    bot.command("secret", tool=False)(lambda: "secret")
    bot.command("menu", menu="message")(lambda: "menu")

    @bot.command()
    def order() -> Script:
        yield Ask("What?")

    return bot


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("statsu", "there is no command 'statsu'; it can call status"),
        ("/status", "there is no command '/status'"),
        *((name, f"a model cannot call '{name}'; it can call status") for name in ("secret", "menu", "order")),
    ],
)
def test_a_tool_that_no_model_can_call_fails_when_the_bot_is_checked(name: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check(make_bot(tools=("status", name)))
    with pytest.raises(ValueError, match=reason):
        Chat(make_bot(tools=(name,)))


@pytest.mark.parametrize("tools", [True, False, (), ("status",), ["status"]])
def test_right_tools_are_accepted(tools: Any) -> None:
    check(make_bot(tools=tools, fallback=Scripted(["x"]), seconds=0.5))
