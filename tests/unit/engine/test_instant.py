"""Instant answers: the bot's declared functions, within a time budget."""

import threading
from collections.abc import Callable

import msgspec
import pytest

from parley.adapter import Accepted, App, Request, Response
from parley.bot import Bot
from parley.engine import callback
from parley.engine.callback import Callback
from parley.engine.instant import within
from parley.model import Command, Message
from parley.model.instant import Choice, Choices, Form, Instant
from tests.unit.engine.test_callback import Apps, event

TITLES = Choices((Choice("Invoice", "inv"),))


class Inbound:
    """A platform that requires completions in the response to the callback."""

    def __init__(self, message: Message) -> None:
        self.message = message

    def receive(self, request: Request, app: App, now: float) -> Accepted:
        return Accepted(Response(200, b"none"), instant=self.message)

    def instant(self, message: Message, result: Instant, app: App) -> Response:
        assert isinstance(result, Choices)
        return Response(200, result.choices[0].label.encode())


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may need a second to start a thread."""
    monkeypatch.setattr(callback, "BUDGET", 60)


def answer(inbound: Inbound, bot: Bot) -> str:
    handler = Callback("feishu", inbound, Apps(), instantly=bot.instantly)  # type: ignore[arg-type]
    return handler(event(), None)["body"]


@pytest.fixture
def typing(message: Callable[..., Message]) -> Message:
    return message(kind="command", command=Command(name="doc", focused="title"))


def test_a_declared_function_answers_within_the_callback(typing: Message) -> None:
    bot = Bot()

    @bot.instant("doc")
    def titles(message: Message) -> Choices:
        assert message.command
        assert message.command.focused == "title"
        return TITLES

    assert answer(Inbound(typing), bot) == "Invoice"


def test_the_default_answer_is_sent_without_a_declared_function(typing: Message) -> None:
    assert answer(Inbound(typing), Bot()) == "none"


def test_an_exception_is_counted_and_the_default_answer_is_sent(
    typing: Message, capsys: pytest.CaptureFixture[str]
) -> None:
    bot = Bot()

    @bot.instant("doc")
    def broken(_: Message) -> Choices:
        raise ValueError("what was typed")

    assert answer(Inbound(typing), bot) == "none"
    printed = capsys.readouterr().out
    assert "InstantAnswersFailed" in printed
    assert "what was typed" not in printed


def test_an_invalid_result_is_counted_and_the_default_answer_is_sent(
    typing: Message, capsys: pytest.CaptureFixture[str]
) -> None:
    class Unable(Inbound):
        def instant(self, message: Message, result: Instant, app: App) -> Response:
            raise ValueError("Invoice")

    bot = Bot()
    bot.instant("doc")(lambda _: TITLES)
    assert answer(Unable(typing), bot) == "none"
    printed = capsys.readouterr().out
    assert "InstantAnswersInvalid" in printed
    assert "Invoice" not in printed


def test_a_form_that_the_platform_refuses_is_counted_and_the_log_names_the_limit(
    message: Callable[..., Message], capsys: pytest.CaptureFixture[str], logged: Callable[[], str]
) -> None:
    command = msgspec.structs.replace(message(kind="command", command=Command(name="doc")), platform="discord")
    bot = Bot()
    bot.instant("doc")(lambda _: Form(id="f", title="what was typed", inputs=()))
    assert answer(Inbound(command), bot) == "none"
    assert "InstantAnswersInvalid" in capsys.readouterr().out
    assert "form 'f': Discord shows 1 to 5 inputs, not 0" in logged()
    assert "what was typed" not in logged()


def test_a_slow_function_is_abandoned_and_counted(typing: Message, capsys: pytest.CaptureFixture[str]) -> None:
    hold = threading.Event()

    def slow(_: Message) -> Choices:
        hold.wait(30)
        return TITLES

    try:
        assert within(0.01, slow, typing) is None
    finally:
        hold.set()
    assert "InstantAnswersTimedOut" in capsys.readouterr().out


def test_the_default_answer_is_sent_if_a_function_exceeds_the_budget(
    typing: Message, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hold = threading.Event()
    bot = Bot()

    @bot.instant("doc")
    def slow(_: Message) -> Choices:
        hold.wait(30)
        return TITLES

    monkeypatch.setattr(callback, "BUDGET", 0.01)
    try:
        assert answer(Inbound(typing), bot) == "none"
    finally:
        hold.set()
    assert "InstantAnswersTimedOut" in capsys.readouterr().out
