"""A question is literal text: what a person wrote in it is never markup, in all that the bot makes of the question."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from parley.bot import Approve, Ask, Bot, Script, Turn
from parley.bot.rules import rule
from parley.model import AnySegment, Card, Markdown, Reply, Text, plain_text
from parley.models import Prompt
from parley.testing import PLATFORMS, Call, Chat, Scripted
from parley.testing.world import ObservedBot
from parley.text import one_line, without_direction

EVERYWHERE = pytest.mark.parametrize("platform", PLATFORMS)
WORDS = "**Approved** [click](https://evil.example) <at id=all></at> @everyone `x`\n# Paid\n- a"
"""What a person may write to look like the bot."""
TURNED = "to eve\u202e bob\u2066\u200f"
"""The mark shows what follows from right to left."""


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[AnySegment]:
    """The segments of all replies of the bot."""
    segments: list[AnySegment] = []
    handle = ObservedBot.handle

    def observed(self: ObservedBot, turn: Turn) -> list[Reply]:
        replies = handle(self, turn)
        segments.extend(segment for reply in replies for segment in reply.segments)
        return replies

    monkeypatch.setattr(ObservedBot, "handle", observed)
    return segments


def make_bot(ask: Callable[[], Ask | Approve]) -> Bot:
    bot = Bot(is_admin=lambda _message: True)

    @bot.command()
    def go(_turn: Turn) -> Script:
        answer = yield ask()
        return f"got {answer if isinstance(answer, str) else answer.outcome}"

    return bot


def check_literal(said: list[AnySegment], words: str = WORDS, times: int = 1) -> None:
    """`words` are in `times` segments, and in no markup."""
    with_words = [segment for segment in said if words in plain_text((segment,))]
    assert all(isinstance(each, Text) or (isinstance(each, Card) and each.literal) for each in with_words)
    assert len(with_words) == times
    assert not any("\u202e" in plain_text((segment,)) for segment in said)
    said.clear()


@EVERYWHERE
def test_an_approval_is_literal_until_it_is_closed(platform: str, said: list[AnySegment]) -> None:
    chat = Chat(make_bot(lambda: Approve(f"Pay?\n{WORDS}")), platform=platform)
    chat.say("/go")
    check_literal(said)
    chat.press("Approve")
    check_literal(said)
    assert "got approved" in chat.last.text


@EVERYWHERE
def test_an_approval_is_literal_when_it_is_shown_again(platform: str, said: list[AnySegment]) -> None:
    """WeCom takes its buttons away with a press, also one of somebody who may not decide."""
    may = [True]
    chat = Chat(make_bot(lambda: Approve(WORDS, by=rule(lambda _message: may[0]))), platform)
    chat.say("/go")
    may[0] = False
    said.clear()
    chat.press("Approve")
    check_literal(said)


@EVERYWHERE
def test_a_withdrawn_approval_and_one_whose_time_is_over_are_literal(platform: str, said: list[AnySegment]) -> None:
    chat = Chat(make_bot(lambda: Approve(WORDS)), platform=platform)
    chat.say("/go")
    said.clear()
    chat.press("Withdraw")
    check_literal(said)
    chat.say("/go")
    said.clear()
    if platform == "discord":  # nobody waits for an answer any more
        return
    chat.advance(days=1, hours=1)
    assert any(WORDS in plain_text((segment,)) for segment in said) or platform in ("wechat", "wecom_bot")
    check_literal(said, times=sum(WORDS in plain_text((segment,)) for segment in said))


@EVERYWHERE
@pytest.mark.parametrize("choices", [("yes", "no"), tuple(f"choice {number}" for number in range(9)), ()])
def test_a_question_is_literal_and_so_are_its_further_tries(
    platform: str, choices: tuple[str, ...], said: list[AnySegment]
) -> None:
    typed: Any = {"choices": choices} if choices else {"type": int}
    chat = Chat(
        make_bot(lambda: Ask(f"Who?\n{WORDS}", optional=True, timeout=timedelta(minutes=10), **typed)), platform
    )
    chat.say("/go")
    check_literal(said)
    if platform != "discord":  # where an answer is written in a form
        chat.say("what?")
        check_literal(said)
    if platform != "wechat passive":
        chat.advance(minutes=6)
        assert said
        check_literal(said)


@EVERYWHERE
def test_markdown_is_markup_if_the_author_says_so(platform: str, said: list[AnySegment]) -> None:
    chat = Chat(make_bot(lambda: Ask(Markdown(text="**Which?**"), choices=("yes", "no"))), platform)
    chat.say("/go")
    chat.press("yes")
    assert "got yes" in chat.last.text
    asked = next(segment for segment in said if "Which?" in plain_text((segment,)))
    assert isinstance(asked, Card)
    assert asked.body == Markdown(text="**Which?**")


@EVERYWHERE
def test_the_numbered_choices_below_a_markdown_question_are_literal(platform: str, said: list[AnySegment]) -> None:
    choices = tuple(f"**choice** {number}" for number in range(9))
    chat = Chat(make_bot(lambda: Ask(Markdown(text="**Which?**"), choices=choices)), platform)
    chat.say("/go")
    shown = [segment for segment in said if "**choice** 1" in plain_text((segment,))]
    assert shown
    for each in shown:
        assert isinstance(each, Text) or (isinstance(each, Card) and "choice" not in each.text)


@EVERYWHERE
def test_a_closed_markdown_approval_stays_markdown_and_its_time_is_text(platform: str, said: list[AnySegment]) -> None:
    chat = Chat(make_bot(lambda: Approve(Markdown(text="Deploy **1.4**?\n```\nx"))), platform)
    chat.say("/go")
    said.clear()
    chat.press("Approve")
    closed = next(segment for segment in said if isinstance(segment, Card))
    assert closed.body == Markdown(text="Deploy **1.4**?\n```\nx")
    assert "UTC" in closed.fields[0].label


@pytest.mark.parametrize("make", [Ask, Approve])
def test_marks_that_turn_the_direction_are_left_out(make: Callable[..., Any], said: list[AnySegment]) -> None:
    for question in (f"Pay {TURNED}?", Markdown(text=f"Pay {TURNED}?")):
        chat = Chat(make_bot(lambda question=question: make(question)))
        chat.say("/go")
        check_literal(said, words="to eve bob?", times=1) if isinstance(question, str) else said.clear()
        assert "Pay to eve bob?" in chat.last.text


def test_a_question_is_the_same_if_its_author_says_that_it_is_markdown() -> None:
    """The dialogues of an earlier version, in which all questions with buttons were markdown, go on."""
    assert Ask("**Go?**").fingerprint == Ask(Markdown(text="**Go?**")).fingerprint == "808f570471dde2d2"
    assert Approve("**Go?**").fingerprint == Approve(Markdown(text="**Go?**")).fingerprint == "05f7e7dd964378e0"


@pytest.mark.parametrize("make", [Ask, Approve])
def test_a_question_of_another_type_is_an_error(make: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match=r'write a text, or Markdown\(text="..."\)'):
        make(7)
    with pytest.raises(TypeError, match="write a text"):
        make(Text(text="Go?"))
    with pytest.raises(ValueError, match="needs a text"):
        make(Markdown(text=" "))


class Scribe:
    """A bot whose model calls `/note TEXT`, which needs an approval."""

    def __init__(self, platform: str, text: str, tool: Any = "approve") -> None:
        bot = Bot()
        self.noted: list[str] = []

        @bot.command(tool=tool)
        def note(text: str) -> str:
            """Note a text"""
            self.noted.append(text)
            return "noted"

        @bot.converse(model=lambda: pytest.fail("the test has a model"), command="ask")
        def assistant(_turn: Turn) -> str:
            return ""

        def model(prompt: Prompt) -> Any:
            return "Noted." if prompt.messages[-1].text == "noted" else Call("note", text=text)

        self.chat = Chat(bot, platform=platform, model=Scripted([model, model]))
        self.chat.say("/ask note it")


@EVERYWHERE
def test_the_arguments_of_a_tool_call_are_one_literal_line(platform: str, said: list[AnySegment]) -> None:
    scribe = Scribe(platform, f"{WORDS}\u2028Approved by Ann {TURNED}")
    words = one_line(WORDS.replace("\n", "\\n"))  # as in JSON
    check_literal(said, words=f'\n/note text="{words} Approved by Ann to eve bob"')
    scribe.chat.press("Approve")
    assert scribe.noted == [f"{WORDS}\u2028Approved by Ann {TURNED}"]


def test_the_arguments_of_a_tool_call_are_code_below_a_question_in_markdown(said: list[AnySegment]) -> None:
    Scribe("feishu", "a ``` b\n**c**", Approve(Markdown(text="**Really?**")))
    asked = next(segment for segment in said if isinstance(segment, Card))
    assert asked.body == Markdown(text="**Really?**\n```\n/note text=\"a ''' b\\n**c**\"\n```")


@pytest.mark.parametrize("to", ["bob amount=1", 'bob" amount="1', "鲍勃"])
def test_an_argument_cannot_look_like_another_one(to: str, said: list[AnySegment]) -> None:
    bot = Bot()

    @bot.command(tool="approve")
    def transfer(_turn: Turn, to: str, amount: int) -> str:
        return f"{amount} to {to}"

    @bot.converse(model=lambda: pytest.fail("the test has a model"))
    def assistant(_turn: Turn) -> str:
        return ""

    Chat(bot, "feishu", model=Scripted([Call("transfer", to=to, amount=1000)])).say("pay")
    quoted = to.replace('"', '\\"')
    check_literal(said, words=f'\n/transfer to="{quoted}" amount=1000')


def test_words_of_a_person_in_one_line() -> None:
    assert one_line(" a\r\nb\u2028c\u0085d\x0b\te ") == "a b c d e"
    assert one_line(TURNED) == without_direction(TURNED) == "to eve bob"
    assert one_line("bob" + "\u3164" * 9 + "\u2800\u115f\u1160\uffa0\u00ad\u200b\ufeff\U000e0041x") == "bob x"
    assert one_line("a" + "\u200d" * 9 + "b" + "\ufe0f" * 3) == "a b"
    assert one_line("👩\u200d💻 ❤\ufe0f\u200d🔥 می\u200cخواهم 한글") == "👩\u200d💻 ❤\ufe0f\u200d🔥 می\u200cخواهم 한글"
    assert without_direction("👩\u200d💻\n\u200b") == "👩\u200d💻\n\u200b"
