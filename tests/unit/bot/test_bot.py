"""The bot: which handler answers, with which arguments, and what it says."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Annotated, Any, Literal, Optional

import pytest
from annotated_types import MaxLen
from pydantic import Field

from parley.bot import Bot, Option, Turn
from parley.model import (
    Action,
    Button,
    Card,
    Command,
    Content,
    Context,
    Image,
    Markdown,
    Mention,
    Message,
    Other,
    Reply,
    Sender,
    Text,
    plain_text,
)
from parley.model.instant import Choice, Choices
from parley.platforms import NAMES


def turn(text: str = "", **changed: Any) -> Turn:
    fields: dict[str, Any] = {
        "id": "m1",
        "platform": "feishu",
        "app": "demo",
        "kind": "message",
        "sender": Sender(id="ann"),
        "content": Content(text=text),
        "timestamp": 1_800_000_000,
        "context": Context(room_id="room"),
    }
    return Turn(Message(**(fields | changed)))


def said(bot: Bot, *args: Any, **changed: Any) -> list[str]:
    return [plain_text(reply.segments) for reply in bot.handle(turn(*args, **changed))]


@pytest.fixture
def bot() -> Bot:
    made = Bot()

    @made.command()
    def repeat(times: int, text: str = "again") -> str:
        """Say it more than once"""
        return " ".join([text] * times)

    @made.command("echo", help="Say it back")
    def say_back(text) -> str:  # type: ignore[no-untyped-def]  # without an annotation it is a string
        return text

    @made.fallback
    def anything() -> str:
        return "fallback"

    return made


@pytest.mark.parametrize("typed", ["/echo hello", "／echo hello", "  /echo   hello ", "/echo\nhello"])
def test_a_command_is_recognised_however_it_is_typed(bot: Bot, typed: str):
    assert said(bot, typed) == ["hello"]


@pytest.mark.parametrize(
    ("typed", "answer"),
    [("/doc file check a b", "check a b"), ("/doc  file\n a", "file a"), ("/doc", "fallback"), ("/", "fallback")],
)
def test_a_sub_command_is_typed_with_all_words_of_its_name(bot: Bot, typed: str, answer: str):
    bot.command("doc file check")(lambda text: f"check {text}")
    bot.command("doc file")(lambda text: f"file {text}")
    assert said(bot, typed) == [answer]


@pytest.mark.parametrize("typed", ["/repeat 2 a", "/repeat\n2\ta", "/repeat\u30002\u3000a"])
def test_any_white_space_parts_arguments(bot: Bot, typed: str):
    assert said(bot, typed) == ["a a"]


def test_the_last_string_takes_the_rest_of_the_line(bot: Bot):
    assert said(bot, "/echo  two words\nand a line") == ["two words\nand a line"]
    assert said(bot, "/repeat 2 a b") == ["a b a b"]


REST: dict[str, Any] = {
    "Annotated": Annotated[str, Option(help="h")],
    "Field": Annotated[str, Field(max_length=40)],
    "| None": str | None,
    "Optional": Optional[str],  # noqa: UP045  # authors may write it
    "Annotated | None": Optional[Annotated[str, MaxLen(40)]],  # noqa: UP045
    "Annotated[| None]": Annotated[str | None, Option(help="h")],
    "Field[| None]": Annotated[str | None, Field(max_length=40)],
    "Annotated[Annotated]": Annotated[Annotated[str | None, Field(max_length=40)], Option(help="h")],
}


@pytest.mark.parametrize("annotation", REST.values(), ids=REST)
@pytest.mark.parametrize("platform", NAMES)
def test_a_string_takes_the_rest_of_the_line_however_it_is_annotated(annotation: Any, platform: str):
    def note(times: int, text: Any = None) -> str:
        return f"{times} {text}"

    note.__annotations__["text"] = annotation
    bot = Bot()
    bot.command()(note)
    assert said(bot, "/note 2 two words\nand a line", platform=platform) == ["2 two words\nand a line"]
    assert said(bot, "/note 2", platform=platform) == ["2 None"]
    given = Command(name="note", options={"times": 2, "text": "two words"})
    assert said(bot, kind="command", command=given, platform=platform) == ["2 two words"]
    assert [(option.kind, option.required) for option in bot.specs()[0].options] == [("int", True), ("str", False)]


def test_the_bound_of_an_optional_string_holds():
    bot = Bot()
    bot.command("note")(_short)
    assert said(bot, "/note one two three")[0].startswith("text：")
    (option,) = bot.specs()[0].options
    assert option.maximum == 8


def _short(text: Annotated[str, MaxLen(8)] | None = None) -> str | None:
    return text


def test_a_last_parameter_that_is_no_string_takes_one_word():
    bot = Bot()

    @bot.command()
    def pick(one: Annotated[int | None, Option(help="h")] = None, two: Literal["a b", "c"] | None = None) -> str:
        return f"{one} {two}"

    assert said(bot, "/pick 1 c") == ["1 c"]
    assert said(bot, "/pick 1 c d")[0].startswith("多余的参数：d (too many arguments: d)\n")


def test_arguments_are_converted_to_the_types_of_the_handler(bot: Bot):
    assert said(bot, "/repeat 3") == ["again again again"]


def test_a_wrong_argument_is_told_to_the_person_with_the_usage(bot: Bot):
    (answer,) = said(bot, "/repeat often")
    assert answer.startswith("times：应为整数 (expected a whole number)")
    assert answer.endswith("/repeat TIMES [TEXT]")


def test_a_missing_argument_is_told_to_the_person(bot: Bot):
    assert said(bot, "/echo") == ["缺少参数 text (text is missing)\n/echo TEXT"]


def test_too_many_arguments_are_told_to_the_person():
    bot = Bot()

    @bot.command()
    def on(day: date) -> str:
        return day.strftime("%A")

    assert said(bot, "/on 2026-08-01") == ["Saturday"]
    assert said(bot, "/on 2026-08-01 at noon") == ["多余的参数：at noon (too many arguments: at noon)\n/on DAY"]


def test_any_type_that_pydantic_knows_may_be_used():
    bot = Bot()

    @bot.command()
    def order(size: Literal["small", "large"], count: Annotated[int, Field(gt=0)] = 1) -> str:
        return f"{count} {size}"

    assert said(bot, "/order small") == ["1 small"]
    assert said(bot, "/order large 2") == ["2 large"]
    assert "greater than 0" in said(bot, "/order large 0")[0]
    assert "size：应为以下之一 (expected one of): small, large" in said(bot, "/order huge")[0]


def test_an_unknown_command_falls_to_the_fallback(bot: Bot):
    assert said(bot, "/unknown x") == ["fallback"]


def test_a_command_that_the_platform_parsed_gets_its_options(bot: Bot):
    command = Command(name="repeat", options={"times": 2, "text": "ho"})
    assert said(bot, kind="command", command=command) == ["ho ho"]
    wrong = Command(name="repeat", options={"text": "ho"})
    assert said(bot, kind="command", command=wrong) == ["缺少参数 times (times is missing)\n/repeat TIMES [TEXT]"]


def test_two_handlers_for_one_command_are_refused(bot: Bot):
    with pytest.raises(ValueError, match="two handlers for the command /echo"):
        bot.command("echo")(lambda: "x")


@pytest.mark.parametrize("kind", ["action", "event"])
def test_two_handlers_for_one_button_or_event_are_refused(kind: str):
    register: Callable[..., Any] = getattr(Bot(), kind)
    register("yes")(lambda: "x")
    with pytest.raises(ValueError, match="two handlers for 'yes'"):
        register("no", "yes")(lambda: "x")


def test_help_has_a_line_for_each_command(bot: Bot):
    assert bot.help() == "/repeat TIMES [TEXT]  Say it more than once\n/echo TEXT  Say it back"


def test_a_bot_is_never_answered():
    bot = Bot()
    bot.fallback(lambda: "hello")
    assert said(bot, "hello", sender=Sender(id="other", kind="bot")) == []
    assert said(bot, "hello") == ["hello"]


def test_a_button_goes_to_its_handler_and_an_unknown_one_to_nobody(bot: Bot):
    bot.action("yes", "no")(lambda: "chosen")
    assert said(bot, kind="action", action=Action(id="no")) == ["chosen"]
    assert said(bot, kind="action", action=Action(id="maybe")) == []


def test_an_event_goes_to_its_handler_and_never_to_the_fallback(bot: Bot):
    bot.event("joined")(lambda: "welcome")
    assert said(bot, kind="event", event="joined") == ["welcome"]
    assert said(bot, kind="event", event="left") == []


def test_a_pattern_gives_its_named_groups_converted(bot: Bot):
    @bot.pattern(r"(?P<hours>\d+)\s*h(?:\s*(?P<minutes>\d+)\s*min)?")
    def minutes(hours: int, minutes: int = 0) -> str:
        return str(hours * 60 + minutes)

    assert said(bot, "it took 2 h 5 min") == ["125"]
    assert said(bot, "it took 2 h") == ["120"]
    assert said(bot, "no idea") == ["fallback"]


def test_a_pattern_whose_words_do_not_fit_the_handler_is_told_to_the_person():
    bot = Bot()

    @bot.pattern(r"at (?P<day>\S+)")
    def on(day: date) -> str:
        return day.strftime("%A")

    assert said(bot, "at 2026-08-01") == ["Saturday"]
    assert said(bot, "at 2026-13-01")[0].startswith("day：应为日期")


def test_the_first_pattern_that_is_found_answers():
    bot = Bot()
    bot.pattern("a")(lambda: "first")
    bot.pattern("ab")(lambda: "second")
    assert said(bot, "ab") == ["first"]


def test_a_handler_may_say_nothing_one_thing_or_many():
    bot = Bot()

    @bot.command()
    def many() -> Iterator[str | Text | Reply]:
        yield "one"
        yield Text(text="two")
        yield Reply.of(Mention(id="u", name="three"))

    @bot.command()
    def nothing() -> None:
        return

    @bot.command()
    def early(turn: Turn) -> str:
        turn.say("first")
        return "then"

    assert said(bot, "/many") == ["one", "two", "@three"]
    assert said(bot, "/nothing") == []
    assert said(bot, "/early") == ["first", "then"]
    assert said(Bot(), "hello") == []


NOTHING: dict[str, Any] = {
    "None": None,
    "empty": "",
    "white space": " \n\t\u3000",
    "list": [],
    "list of empty": ["", " ", None, Text(text="")],
    "generator": (text for text in ("", "\n")),
    "text": Text(text=" "),
    "markdown": Markdown(text=""),
    "reply": Reply(),
    "reply of empty texts": Reply(segments=(Text(text=""), Markdown(text="\n")), quote=True),
}


@pytest.mark.parametrize("returned", NOTHING.values(), ids=NOTHING)
@pytest.mark.parametrize("kind", ["command", "action", "event", "pattern", "fallback"])
def test_an_empty_string_is_no_reply_in_every_handler(kind: str, returned: Any):
    bot = Bot()
    register = {"command": bot.command("x"), "action": bot.action("x"), "event": bot.event("x")}
    register |= {"pattern": bot.pattern("^y"), "fallback": bot.fallback}
    register[kind](lambda: returned)
    changed: dict[str, Any] = {
        "action": {"kind": "action", "action": Action(id="x")},
        "event": {"kind": "event", "event": "x"},
    }
    assert bot.handle(turn("/x" if kind == "command" else "y", **changed.get(kind, {}))) == []


def test_an_empty_string_beside_others_is_left_out():
    bot = Bot()

    @bot.command()
    def some(turn: Turn) -> list[str | Text | None]:
        turn.say("")
        turn.say("first")
        return ["", "second", None, Text(text=" "), Text(text="third")]

    assert said(bot, "/some") == ["first", "second", "third"]


@pytest.mark.parametrize(
    "reply",
    [
        Reply.of(Image(key="k")),
        Reply.of(Card(buttons=(Button(id="a", label="A"),))),
        Reply.of(Other(name="typing")),
        Reply(op="recall", target="m"),
    ],
)
def test_a_reply_without_words_is_a_reply(reply: Reply):
    bot = Bot()
    bot.fallback(lambda: reply)
    assert bot.handle(turn("x")) == [reply]


def test_turn_and_message_are_injected_by_their_types():
    bot = Bot()

    @bot.command()
    def who(said: Message, word: str, here: Turn) -> str:
        return f"{said.sender.id} {word} {here.message.context.room_id}"

    assert said(bot, "/who in") == ["ann in room"]


def test_what_a_handler_raises_comes_through():
    bot = Bot()

    @bot.fallback
    def broken() -> str:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        bot.handle(turn("x"))


def test_a_turn_without_downloads_says_what_to_do():
    with pytest.raises(RuntimeError, match=r"Turn\(download="):
        turn().fetch(Image(key="k"))


def test_a_turn_fetches_what_came_with_its_message():
    seen: list[Any] = []

    def download(media: Any, message: Message) -> bytes:
        seen.append((media.key, message.id))
        return b"bytes"

    made = turn()
    made.download = download
    assert made.fetch(Image(key="k")) == b"bytes"
    assert seen == [("k", "m1")]


def test_instant_functions_answer_for_their_names_only():
    bot = Bot()
    titles = Choices((Choice("A", "a"),))
    bot.instant("doc", "open")(lambda _message: titles)
    assert bot.instantly(turn(kind="command", command=Command(name="doc", focused="t")).message) == titles
    assert bot.instantly(turn(kind="action", action=Action(id="open")).message) == titles
    assert bot.instantly(turn(kind="command", command=Command(name="other")).message) is None
    assert bot.instantly(turn("doc").message) is None


def test_a_completion_answers_for_its_option_while_that_is_typed_and_no_longer():
    bot = Bot()

    @bot.completion("doc", "title")
    def titles(typed: str) -> list[str | Choice]:
        return [typed.upper(), Choice("Invoice", "inv")]

    typing = Command(name="doc", options={"title": "in", "other": "x"}, focused="title")
    assert bot.instantly(turn(kind="command", command=typing).message) == Choices(
        (Choice("IN", "IN"), Choice("Invoice", "inv"))
    )
    for elsewhere in (
        Command(name="doc", options={"title": "in"}),
        Command(name="doc", options={"other": "x"}, focused="other"),
        Command(name="dot", options={"title": "in"}, focused="title"),
    ):
        assert bot.instantly(turn(kind="command", command=elsewhere).message) is None


def test_what_is_called_from_a_menu_is_no_line_of_the_help():
    bot = Bot()
    bot.command("Count words", menu="message")(lambda: "2")
    bot.command("other", help="Something else")(lambda: "other")
    assert bot.help() == "/other  Something else"
    assert said(bot, "two words", kind="command", command=Command(name="Count words", options={"target": "1"})) == ["2"]


def test_an_option_says_nothing_of_the_values_that_are_taken():
    bot = Bot()

    @bot.command()
    def greet(
        who: Annotated[str, Option(kind="user")], times: Annotated[int, Option(help="h"), Field(ge=1)] = 1
    ) -> str:
        return f"{who}{times}"

    given = {"who": "110", "times": 2}
    assert said(bot, kind="command", command=Command(name="greet", options=given)) == ["1102"]
    assert said(bot, "/greet ann 0")[0].startswith("times：")


@pytest.mark.parametrize("decorator", ["command", "action", "event", "pattern"])
def test_a_decorator_without_parentheses_says_so(decorator: str):
    with pytest.raises(TypeError, match=rf"write @bot\.{decorator}\(\.\.\.\), with parentheses"):
        getattr(Bot(), decorator)(lambda: "x")


@pytest.mark.parametrize(("name", "kind"), [("turn", "Turn"), ("message", "Message")])
def test_a_turn_without_its_annotation_is_an_error_and_no_argument(name: str, kind: str):
    namespace: dict[str, Any] = {}
    exec(f"def plain({name}):\n    return 'x'", namespace)
    with pytest.raises(TypeError, match=f"plain: write `{name}: {kind}` in the parameters"):
        Bot().command()(namespace["plain"])


@pytest.mark.parametrize("decorator", ["action", "event", "reminder"])
def test_a_decorator_without_a_name_says_so(decorator: str):
    with pytest.raises(TypeError, match=rf'write @bot\.{decorator}\("\.\.\."\)'):
        getattr(Bot(), decorator)()


@pytest.mark.parametrize("parameters", ["*names", "**names", "names, /"])
def test_a_parameter_that_is_not_passed_by_name_is_an_error(parameters: str):
    namespace: dict[str, Any] = {}
    exec(f"def plain({parameters}):\n    return 'x'", namespace)
    with pytest.raises(TypeError, match=r"plain: write `names` as a plain parameter, a list as `names: list\[str\]`"):
        Bot().command()(namespace["plain"])


def test_a_dialogue_that_is_an_async_def_is_an_error():
    async def plan() -> Any:
        yield "x"

    with pytest.raises(
        TypeError, match=r"plan, test_bot\.py:\d+: a handler that yields is no `async def`: write `def`"
    ):
        Bot().command()(plan)
