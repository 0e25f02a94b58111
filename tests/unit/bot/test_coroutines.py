"""Handlers that are declared with `async def`."""

import asyncio
import os
import subprocess
import sys
from typing import Any

import pytest

from parley.bot import Bot, Turn
from parley.bot.texts import BOTH
from parley.model import Action, Command, Content, Context, Message, Sender, plain_text
from parley.model.instant import Choice, Choices, Form, Input
from tests.template import ROOT

FORM = Form(id="f", title="t", inputs=(Input(id="i", label="l"),))
KINDS: dict[str, dict[str, Any]] = {
    "command": {"content": Content(text="/go")},
    "parsed command": {"kind": "command", "command": Command(name="go")},
    "action": {"kind": "action", "action": Action(id="go")},
    "event": {"kind": "event", "event": "go"},
    "pattern": {"content": Content(text="PROJ-7")},
    "fallback": {"content": Content(text="hello")},
}


def message(**changed: Any) -> Message:
    fields: dict[str, Any] = {
        "id": "m1",
        "platform": "feishu",
        "app": "demo",
        "kind": "message",
        "sender": Sender(id="ann"),
        "content": Content(text=""),
        "timestamp": 1_800_000_000,
        "context": Context(room_id="room"),
    }
    return Message(**(fields | changed))


def said(bot: Bot, **changed: Any) -> list[str]:
    return [plain_text(reply.segments) for reply in bot.handle(Turn(message(**changed)))]


def with_handler(handler: Any) -> Bot:
    bot = Bot()
    for register in (bot.command("go"), bot.action("go"), bot.event("go"), bot.pattern("PROJ"), bot.fallback):
        register(handler)
    return bot


@pytest.mark.parametrize("kind", KINDS)
def test_an_asynchronous_handler_replies(kind: str):
    async def handler(turn: Turn) -> list[str]:
        turn.say("first")
        await asyncio.sleep(0)
        return ["second", turn.message.sender.id]

    assert said(with_handler(handler), **KINDS[kind]) == ["first", "second", "ann"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("returned", [None, "", []], ids=repr)
def test_an_asynchronous_handler_may_reply_nothing(kind: str, returned: Any):
    async def handler() -> Any:
        return returned

    assert said(with_handler(handler), **KINDS[kind]) == []


@pytest.mark.parametrize("kind", KINDS)
def test_an_exception_of_an_asynchronous_handler_is_raised(kind: str):
    async def handler() -> str:
        await asyncio.sleep(0)
        raise LookupError("no")

    with pytest.raises(LookupError, match="no"):
        said(with_handler(handler), **KINDS[kind])


def test_arguments_are_converted_for_an_asynchronous_handler():
    bot = Bot()

    @bot.command()
    async def repeat(times: int, text: str | None = None) -> str:
        return f"{text} " * times

    assert said(bot, content=Content(text="/repeat 2 a b")) == ["a b a b"]
    assert said(bot, content=Content(text="/repeat often"))[0].startswith("times：")


def test_asynchronous_instant_functions_and_completions_answer():
    bot = Bot()

    @bot.instant("go")
    async def form(_message: Message) -> Form:
        await asyncio.sleep(0)
        return FORM

    @bot.completion("go", "title")
    async def titles(typed: str) -> list[str | Choice]:
        await asyncio.sleep(0)
        return [typed.upper()]

    typing = Command(name="go", options={"title": "in"}, focused="title")
    assert bot.instantly(message(kind="command", command=Command(name="go"))) == FORM
    assert bot.instantly(message(kind="action", action=Action(id="go"))) == FORM
    assert bot.instantly(message(kind="command", command=typing)) == Choices.of(["IN"])


@pytest.mark.parametrize("answer", [True, False])
def test_an_asynchronous_predicate_names_administrators(answer: bool):
    """The coroutine itself is true: it must not be taken for the answer."""

    async def is_admin(_message: Message) -> bool:
        await asyncio.sleep(0)
        return answer

    bot = Bot(is_admin=is_admin)
    bot.command("purge", admin=True)(lambda: "purged")
    assert said(bot, content=Content(text="/purge")) == ["purged" if answer else BOTH.not_admin]


@pytest.mark.parametrize(
    "register",
    ["command()", "action('x')", "event('x')", "pattern('x')", "fallback", "instant('x')", "completion('x', 'y')"],
)
@pytest.mark.parametrize("kind", ["async def", "def"])
def test_asyncio_is_imported_with_the_first_asynchronous_function(register: str, kind: str):
    code = (
        f"import sys\nfrom parley.bot import Bot\n@Bot().{register}\n{kind} f(x=''): ...\n"
        "print('asyncio' in sys.modules)"
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "shared")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(kind == "async def")
