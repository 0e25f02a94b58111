"""Which handler a dialogue goes on with: its own one, also if another one has its name, or if it was changed."""

import ast
import os
import subprocess
import sys
from collections.abc import Callable
from enum import Enum
from typing import Any

import pytest
from msgspec.structs import replace

from parley.bot import Ask, Bot, Router, Script, dialogues
from parley.bot.rules import private
from parley.model import Destination
from parley.testing import PLATFORMS, Chat

ANYWHERE = pytest.mark.parametrize("platform", PLATFORMS)


def functions(bot: Bot) -> None:
    """Two commands whose functions have one name."""

    @bot.command("archive")
    def _(name: str) -> Script:
        answer = yield Ask("Sure?", choices=("yes", "no"))
        return f"archived {name}: {answer}"

    @bot.command("delete")
    def _(name: str) -> Script:
        answer = yield Ask("Sure?", choices=("yes", "no"))
        return f"deleted {name}: {answer}"


def closures(bot: Bot) -> None:
    def made(done: str) -> Callable[[str], Script]:
        def handler(name: str) -> Script:
            answer = yield Ask("Sure?", choices=("yes", "no"))
            return f"{done} {name}: {answer}"

        return handler

    bot.command("archive")(made("archived"))
    bot.command("delete")(made("deleted"))


class Desk:
    def __init__(self, done: str) -> None:
        self.done = done

    def handle(self, name: str) -> Script:
        answer = yield Ask("Sure?", choices=("yes", "no"))
        return f"{self.done} {name}: {answer}"


def methods(bot: Bot) -> None:
    bot.command("archive")(Desk("archived").handle)
    bot.command("delete")(Desk("deleted").handle)


SAME_NAMES = pytest.mark.parametrize("define", [functions, closures, methods])


def made(define: Callable[[Bot], None]) -> Bot:
    bot = Bot()
    define(bot)
    return bot


@SAME_NAMES
@ANYWHERE
def test_two_functions_with_one_name_have_dialogues_of_their_own(platform: str, define: Callable[[Bot], None]) -> None:
    chat = Chat(made(define), platform)
    for command, done in (("delete", "deleted"), ("archive", "archived"), ("delete", "deleted")):
        chat.say(f"/{command} x")
        chat.expect(contains="Sure?")
        chat.press("yes")
        chat.expect(f"{done} x: yes")


@pytest.fixture
def earlier_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dialogues begin as an earlier version stores them."""
    began = dialogues.began
    monkeypatch.setattr(dialogues, "began", lambda *given: replace(began(*given), registered=""))


@pytest.mark.usefixtures("earlier_version")
def test_a_dialogue_that_an_earlier_version_has_begun_goes_on() -> None:
    bot = Bot()

    @bot.command("archive", aliases=("a",))
    @bot.action("archive", "keep")
    def archive() -> Script:
        answer = yield Ask("Sure?", choices=("yes", "no"))
        return f"archived: {answer}"

    chat = Chat(bot, "feishu")
    chat.say("/archive")
    chat.expect(contains="Sure?")
    chat.press("yes")
    chat.expect("archived: yes")


@SAME_NAMES
@pytest.mark.usefixtures("earlier_version")
def test_a_dialogue_of_an_earlier_version_ends_if_several_handlers_could_be_its_own(
    define: Callable[[Bot], None],
) -> None:
    chat = Chat(made(define), "feishu")
    chat.say("/delete x")
    chat.expect(contains="Sure?")
    chat.press("yes")
    chat.expect(contains="start again")


def test_a_command_with_the_name_of_another_function_is_no_other_command_after_a_deployment() -> None:
    chat, after = Chat(made(functions), "feishu"), made(functions)
    chat.say("/archive x")
    del after.commands["archive"]
    deploy(chat, after)
    chat.press("yes")
    assert "start again" in chat.last.text


def deploy(chat: Chat, bot: Bot) -> None:
    """Deploy `bot` in place of the bot of `chat`."""
    chat._world.processes.current.processor.bot._bot = bot  # type: ignore[attr-defined]


def asks() -> Script:
    yield Ask("Sure?")


def asks_too() -> Script:
    yield Ask("Really?")


asks_too.__qualname__ = asks.__qualname__
ROOM = Destination(platform="feishu", app="a", room_id="oc_1")
WAYS: list[Callable[[Router], Callable[[Any], Any]]] = [
    lambda router: router.fallback(when=private),
    lambda router: router.action("buy", when=private),
    lambda router: router.pattern("buy"),
    lambda router: router.event("bot_added", when=private),
    lambda router: router.reminder("buy", when=private),
    lambda router: router.scheduled("0 9 * * *", to=ROOM),
]


@pytest.mark.parametrize("way", WAYS)
def test_two_handlers_that_an_answer_could_reach_are_an_error_at_once(way: Callable[[Router], Any]) -> None:
    bot, router = Bot(), Router()
    way(bot)(asks)
    with pytest.raises(ValueError, match=r"twice|with one name: asks, test_dialogue_handlers.py:"):
        way(bot)(asks_too)
    way(router)(asks_too)
    with pytest.raises(ValueError, match=r"twice|with one name"):
        bot.include(router)


@pytest.mark.parametrize("way", WAYS[:-1])
def test_handlers_that_ask_nothing_may_have_one_name(way: Callable[[Router], Any]) -> None:
    def told() -> str:
        return "told"

    def told_too() -> str:
        return "told too"

    told_too.__qualname__ = told.__qualname__
    bot = Bot()
    way(bot)(told)
    way(bot)(told_too)


QUESTIONS = """
from datetime import date
from enum import Enum
from typing import Annotated, Any, Literal, Optional
from pydantic import AfterValidator, BeforeValidator, Field
from parley.bot import Ask
from parley.model import Image

class Odd:
    pass

class Size(Enum):
    small = "S"

def even(number: int) -> int:
    return number

checked = Annotated[int, AfterValidator(even)]
types = (
    str, int, date, Any, Size, Image, Literal["a", "b"], Literal[1, 2], checked, Optional[checked], list[checked],
    checked | str | None, list[Size], Annotated[str, Odd(), frozenset({"a", "b", "c"})], Annotated[checked, Odd()],
    Annotated[int, Field(gt=0), BeforeValidator(lambda value: value)],
)
print([Ask("How many?", type=each).fingerprint for each in types])
print([Ask("Which?", choices=("yes", "no")).fingerprint])
"""


def test_a_question_is_the_same_in_every_process() -> None:
    """Also if its type has a function, whose text has an address, or a set, whose order differs."""
    found: set[str] = set()
    for seed in ("1", "2"):
        moved = f"kept = [object() for _ in range({seed}000)]\n"  # other addresses
        command = [sys.executable, "-c", moved + QUESTIONS]
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        found.add(subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout)
    assert len(found) == 1
    first, _ = next(iter(found)).splitlines()
    assert len(set(ast.literal_eval(first))) == 11  # annotations change how an answer is checked, and no question


def test_a_question_with_other_choices_is_another_one() -> None:
    one, other = Enum("Size", {"small": "S"}), Enum("Size", {"small": "M"})
    assert Ask("Which?", type=one).fingerprint != Ask("Which?", type=other).fingerprint
    assert Ask("Which?", type=list[one]).fingerprint != Ask("Which?", type=list[other]).fingerprint  # type: ignore[valid-type]
