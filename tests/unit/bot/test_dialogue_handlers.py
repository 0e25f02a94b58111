"""Which handler a dialogue goes on with: its own one, also if another one has its name, or if it was changed."""

import ast
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

import pytest
from msgspec.structs import replace

from parley.bot import Approve, Ask, Bot, Router, Script, Turn, dialogues
from parley.bot.rules import private, role, rule
from parley.model import Destination, Message, Reply
from parley.model.agenda import OpenDialogue
from parley.testing import PLATFORMS, Chat

ANYWHERE = pytest.mark.parametrize("platform", PLATFORMS)
HOUR_ONLY = ("wecom_bot",)
"""Where nothing can be written more than an hour after the last message: a `response_url` is valid for an hour, and
takes one message. Dialogues end there as elsewhere, and the person reads nothing of it."""


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


def open_dialogues(chat: Chat) -> Mapping[str, OpenDialogue]:
    memory = chat._memory("ann")
    assert memory is not None
    return memory.agenda.dialogues


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


def visit(*, asks_days: bool) -> Bot:
    """Without `asks_days`, the bot as it was before the deployment."""
    bot = Bot()

    def visit(city: str) -> Script:
        answer = yield Ask("Go?", choices=("yes", "no"))
        return f"{city} {answer}"

    def longer(city: str, days: int) -> Script:
        answer = yield Ask("Go?", choices=("yes", "no"))
        return f"{city} {days} {answer}"

    longer.__qualname__ = visit.__qualname__
    bot.command("visit")(longer if asks_days else visit)

    @bot.fallback
    def other() -> str:
        return "what?"

    return bot


@ANYWHERE
def test_a_handler_with_other_arguments_ends_its_open_dialogues(platform: str) -> None:
    chat = Chat(visit(asks_days=False), platform)
    chat.say("/visit Paris")
    chat.expect(contains="Go?")
    deploy(chat, visit(asks_days=True))
    chat.press("yes")
    chat.expect(contains="start again")
    chat.advance(hours=3)
    chat.press("yes")
    chat.expect(contains="no longer open")


@ANYWHERE
def test_a_handler_with_other_arguments_ends_when_the_question_has_to_come_again(platform: str) -> None:
    chat = Chat(visit(asks_days=False), platform)
    chat.say("/visit Paris")
    chat.expect(contains="Go?")
    deploy(chat, visit(asks_days=True))
    chat.advance(minutes=31)
    assert "still waiting" not in chat.expect(contains="start again").text
    chat.advance(hours=3)
    chat.expect_nothing()


def release(*, asks_days: bool) -> Bot:
    bot = Bot()

    def release(version: str) -> Script:
        answer = yield Approve(f"Release {version}?")
        return f"{version} {answer.outcome}"

    def later(version: str, days: int) -> Script:
        answer = yield Approve(f"Release {version}?")
        return f"{version} {days} {answer.outcome}"

    later.__qualname__ = release.__qualname__
    bot.command("release")(later if asks_days else release)
    return bot


@ANYWHERE
@pytest.mark.parametrize("ends", ["Approve", "Withdraw", "its time"])
def test_an_approval_of_a_handler_with_other_arguments_ends_and_its_card_is_closed(platform: str, ends: str) -> None:
    chat = Chat(release(asks_days=False), platform)
    chat.say("/release 1.4")
    chat.expect(contains="Release 1.4?")
    deploy(chat, release(asks_days=True))
    if ends == "its time":
        chat.advance(hours=25)
    else:
        chat.press(ends)
    shown = [str(each) for each in chat.unread]
    reads = not (ends == "its time" and platform in HOUR_ONLY)
    assert sum("Could not be done" in each for each in shown) == reads
    assert sum("Release 1.4?" in each and "start again" in each for each in shown) == reads
    assert not open_dialogues(chat)


@ANYWHERE
def test_middleware_that_keeps_the_reminder_of_a_question_from_its_handler_does_not_keep_it_open(platform: str) -> None:
    bot, is_closed = visit(asks_days=False), [False]

    @bot.middleware
    def hours(_turn: Turn, handle: Callable[[], list[Reply]]) -> Any:
        return "We are closed." if is_closed[0] else handle()

    chat = Chat(bot, platform)
    chat.say("/visit Paris")
    chat.expect(contains="Go?")
    is_closed[0] = True
    chat.advance(minutes=31)
    chat.expect("We are closed.")
    chat.advance(minutes=20)
    chat.expect_nothing()
    chat.advance(minutes=20)
    if platform not in HOUR_ONLY:
        chat.expect(contains="stopped asking")
    chat.expect_nothing()
    assert not open_dialogues(chat)


@ANYWHERE
def test_middleware_that_keeps_the_end_of_an_approval_from_its_handler_does_not_keep_it_open(platform: str) -> None:
    bot, is_closed = release(asks_days=False), [False]

    @bot.middleware
    def hours(_turn: Turn, handle: Callable[[], list[Reply]]) -> Any:
        return "We are closed." if is_closed[0] else handle()

    chat = Chat(bot, platform)
    chat.say("/release 1.4")
    chat.expect(contains="Release 1.4?")
    is_closed[0] = True
    chat.advance(hours=25)
    shown = [str(each) for each in chat.unread]
    assert sum("Could not be done" in each for each in shown) == (platform not in HOUR_ONLY)
    assert sum("Nobody has decided in time" in each for each in shown) == (platform not in HOUR_ONLY)
    assert not open_dialogues(chat)


@ANYWHERE
@pytest.mark.parametrize("lost", ["role", "admin", "role without a text"])
def test_a_person_who_may_no_longer_use_the_handler_reads_so_and_the_dialogue_ends(platform: str, lost: str) -> None:
    roles = {"ops", "admin"}
    bot, wiped = Bot(roles=lambda _message: roles), list[str]()
    limits: dict[str, Any] = {"admin": True} if lost == "admin" else {"when": role("ops")}
    limits |= {"refusal": "Ops only."} if lost == "role" else {}

    @bot.command(**limits)
    def wipe() -> Script:
        yield Ask("Really?", choices=("yes", "no"))
        yield Ask("Really, really?", choices=("yes", "no"))
        wiped.append("all")

    chat = Chat(bot, platform)
    chat.say("/wipe")
    chat.press("yes")
    chat.expect(contains="Really?")
    chat.expect(contains="Really, really?")
    roles.clear()
    chat.press("yes")
    chat.expect(contains={"role": "Ops only.", "admin": "Only an administrator"}.get(lost, "no longer open"))
    assert not open_dialogues(chat)
    assert not wiped


@ANYWHERE
def test_a_rule_for_the_first_text_is_not_for_the_answers(platform: str) -> None:
    bot = Bot()

    @bot.command(when=rule(lambda message: not message.action))
    def wipe() -> Script:
        return f"{yield Ask('Really?', choices=('yes', 'no'))}!"

    chat = Chat(bot, platform)
    chat.say("/wipe")
    chat.expect(contains="Really?")
    chat.press("yes")
    chat.expect("yes!")


@ANYWHERE
def test_middleware_sees_the_answer_and_the_handler_its_first_message(platform: str) -> None:
    bot, seen = Bot(), list[tuple[str, float]]()

    @bot.middleware
    def log(turn: Turn, handle: Callable[[], list[Reply]]) -> Any:
        seen.append((turn.message.id, turn.now))
        replies = handle()
        seen.append((turn.message.id, turn.now))
        return replies

    @bot.command()
    def ask(turn: Turn, message: Message, city: str) -> Script:
        first = (turn.message.id, turn.now)
        assert turn.message.id == message.id
        yield Ask("One?", choices=("yes", "no"))
        assert turn.message.id != message.id
        seen.append(first)
        yield f"{city}!"

    chat = Chat(bot, platform)
    chat.say("/ask Oslo")
    asked = chat.received.id
    chat.advance(minutes=5)
    chat.press("yes")
    chat.expect(contains="One?")
    chat.expect("Oslo!")
    start, answer = seen[0], (chat.received.id, seen[2][1])
    assert start[0] == asked != answer[0]
    assert answer[1] >= start[1] + 300
    assert seen == [start, start, answer, start, answer]
