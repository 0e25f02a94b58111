"""Dialogues: questions over many messages, each answer once, on every platform, also after the bot was changed."""

from collections.abc import Callable
from datetime import timedelta
from enum import Enum
from typing import Annotated, Any, Literal

import pytest

from parley.bot import Approve, Ask, Bot, ResultError, Script, Turn
from parley.bot.definitions import check
from parley.bot.questions import ANSWER, given_in
from parley.bot.texts import BOTH, ENGLISH
from parley.bot.typed_number import typed_number
from parley.model import Action, Image, Mention, Message
from parley.model.commands import Option
from parley.testing import PLATFORMS, Chat
from playground.sample_image import png
from tests.abilities import APART, WRITING_FIRST
from tests.factories import make_message

ANYWHERE = pytest.mark.parametrize("platform", PLATFORMS)


class Size(Enum):
    small = "S"
    large = "L"


def shop(**changes: Any) -> Bot:
    bot = Bot()
    calls: list[str] = changes.get("calls", [])

    @bot.command()
    def order(turn: Turn, item: str) -> Script:
        yield f"So you want {item}."
        size = yield Ask("Which size?", type=Size)
        count = yield Ask("How many?", type=int, timeout=timedelta(minutes=10))
        price = turn.once("price", lambda key: calls.append(key) or 5 * count)
        where = yield Ask(changes.get("where", "Where to?"))
        turn.state["orders"] = turn.state.get("orders", 0) + 1
        return f"{count} {size.name} {item} to {where} for {price}. Order {turn.state['orders']}"

    @bot.command()
    def echo(text: str) -> str:
        return text

    @bot.fallback
    def other() -> str:
        return "what?"

    return bot


class Talk:
    """A person who answers as the platform lets them: by text, or in a form."""

    def __init__(self, bot: Bot, platform: str) -> None:
        self.chat = Chat(bot, platform=platform)
        self.platform = platform

    def answer(self, text: str) -> None:
        if self.platform == "discord":
            self.chat.press("Answer")
            self.chat.expect(contains="Answer")  # the form
            self.chat.submit({"answer": text})
        else:
            self.chat.say(text)

    def start(self) -> None:
        self.chat.say("/order tea")
        self.chat.expect("So you want tea.")
        self.chat.expect(contains="Which size?")


@pytest.mark.parametrize("platform", APART)
def test_a_dialogue_asks_reads_and_asks_again(platform: str) -> None:
    calls: list[str] = []
    talk = Talk(shop(calls=calls), platform)
    talk.start()
    talk.chat.press("L")
    talk.chat.expect(contains="How many?")
    talk.answer("many")
    talk.chat.expect(contains="a whole number")
    talk.chat.expect(contains="How many?")
    talk.answer("3")
    talk.chat.expect(contains="Where to?")
    talk.answer("Home")
    talk.chat.expect("3 large tea to Home for 15. Order 1")
    talk.chat.expect_nothing()
    assert len(calls) == 1


@pytest.mark.parametrize("platform", WRITING_FIRST)
def test_a_dialogue_without_an_answer_asks_again_and_ends(platform: str) -> None:
    talk = Talk(shop(), platform)
    talk.start()
    talk.chat.advance(minutes=29)
    talk.chat.expect_nothing()
    talk.chat.advance(minutes=2)
    talk.chat.expect(contains="still waiting")
    talk.chat.expect(contains="Which size?")
    talk.chat.advance(minutes=31)
    talk.chat.expect(contains="stopped asking")
    talk.chat.advance(hours=3)
    talk.chat.expect_nothing()
    talk.chat.press("L")
    talk.chat.expect(contains="no longer open")


def test_where_a_bot_only_answers_it_asks_again_with_the_right_of_the_message() -> None:
    """The message gives the right to one message within the hour, so the end is not said."""
    bot = Bot()

    @bot.command()
    def order() -> Script:
        yield Ask("Which size?", choices=("S", "L"), timeout=timedelta(minutes=50))

    chat = Chat(bot, platform="wecom_bot")
    chat.say("/order")
    chat.expect(contains="Which size?")
    chat.advance(minutes=26)
    chat.expect(contains="still waiting")
    chat.advance(hours=1)
    chat.expect_nothing()


@pytest.mark.parametrize("platform", APART)
def test_from_the_second_wrong_answer_on_a_person_reads_how_to_get_out(platform: str) -> None:
    talk, texts = Talk(shop(), platform), ENGLISH if platform == "discord" else BOTH
    talk.start()
    talk.chat.press("L")
    for count in range(2):  # a right answer makes the next wrong one the first
        talk.chat.expect(contains="How many?")
        for hint in ("", f"\n{texts.cancel_or_back}", f"\n{texts.cancel_or_back}"):
            talk.answer("many")
            assert talk.chat.expect(contains="a whole number").text.endswith(hint or ")" if texts is BOTH else hint)
            talk.chat.expect(contains="How many?")
        talk.answer(str(count + 1))
        talk.chat.expect(contains="Where to?")
        if not count:
            talk.answer("/返回")
    talk.answer("/cancel")
    talk.chat.expect(texts.cancelled)
    talk.chat.advance(hours=3)
    talk.chat.expect_nothing()


@pytest.mark.parametrize("platform", WRITING_FIRST)
def test_the_reminder_of_a_question_says_how_to_get_out(platform: str) -> None:
    talk, texts = Talk(shop(), platform), ENGLISH if platform == "discord" else BOTH
    talk.start()
    talk.chat.advance(minutes=31)
    talk.chat.expect(f"{texts.still_there}\n{texts.cancel}")
    talk.chat.expect(contains="Which size?")
    talk.chat.press("L")
    talk.chat.expect(contains="How many?")
    talk.chat.advance(minutes=6)
    talk.chat.expect(f"{texts.still_there}\n{texts.cancel_or_back}")


def test_a_command_between_two_answers_is_run_and_the_dialogue_goes_on() -> None:
    talk = Talk(shop(), "feishu")
    talk.start()
    talk.chat.say("/echo hi")
    talk.chat.expect("hi")
    talk.chat.say("L")
    talk.chat.expect("How many?")


@pytest.mark.parametrize("word", ["/cancel", "取消", "/Cancel", "／ｃａｎｃｅｌ"])
def test_a_person_cancels(word: str) -> None:
    talk = Talk(shop(), "feishu")
    talk.start()
    talk.chat.say(word)
    talk.chat.expect(contains="Cancelled")
    talk.chat.say("L")
    talk.chat.expect("what?")
    talk.chat.advance(hours=2)
    talk.chat.expect_nothing()


def test_a_person_goes_back_to_the_question_before() -> None:
    talk = Talk(shop(), "feishu")
    talk.start()
    talk.chat.say("S")
    talk.chat.say("/back")
    talk.chat.say("2")  # the number of the choice
    talk.chat.say("3")
    talk.chat.say("Home")
    assert str(talk.chat.replies[-1]).startswith("3 large tea")


def test_an_old_button_is_no_answer_to_another_question() -> None:
    talk = Talk(shop(), "feishu")
    talk.start()
    talk.chat.press("L")
    talk.chat.expect("How many?")
    talk.chat.press("S")
    talk.chat.expect(contains="no longer open")
    talk.chat.say("3")
    talk.chat.expect("Where to?")


def test_each_person_in_a_room_has_a_dialogue() -> None:
    room = Chat(shop(), platform="feishu").room("shop")
    room.say("/order tea", by="ann")
    room.say("/order coffee", by="bob")
    for _ in range(2):
        room.expect(contains="So you want")
        room.expect(contains="Which size?")
    for person, size in (("ann", "S"), ("bob", "L")):
        room.say(size, by=person, mention=True)
    for answer, person in (("1", "ann"), ("2", "bob"), ("here", "ann"), ("there", "bob")):
        room.say(answer, by=person, mention=True)
    assert [str(each) for each in room.replies if " to " in str(each)] == [
        "1 small tea to here for 5. Order 1",
        "2 large coffee to there for 10. Order 2",
    ]


def test_a_press_under_the_question_of_somebody_else_is_none() -> None:
    room = Chat(shop(), platform="feishu").room("shop")
    room.say("/order tea", by="ann")
    room.press("L", by="bob")
    assert "somebody else" in str(room.replies[-1])
    room.press("S", by="ann")
    assert str(room.replies[-1]) == "How many?"


def changed(before: Bot, after: Bot) -> Talk:
    """A dialogue that waits for its third answer when the bot is deployed in another form."""
    talk = Talk(before, "feishu")
    talk.start()
    talk.chat.say("L")
    talk.chat.say("3")
    talk.chat._world.processes.current.processor.bot._bot = after  # type: ignore[attr-defined]
    talk.chat.say("Home")
    return talk


def test_a_deployment_that_leaves_the_questions_as_they_are_goes_on() -> None:
    assert str(changed(shop(), shop()).chat.replies[-1]) == "3 large tea to Home for 15. Order 1"


@pytest.mark.parametrize("after", [shop(where="Which address?"), Bot()])
def test_a_deployment_that_changes_the_question_ends_the_dialogue_and_says_so(after: Bot) -> None:
    talk = changed(shop(), after)
    assert "start again" in str(talk.chat.replies[-1])
    talk.chat.advance(hours=3)
    assert "start again" in str(talk.chat.replies[-1])


def test_a_question_with_a_key_may_change_its_text() -> None:
    bot = Bot()
    texts = iter(["It is 1 pm. Go on?", "It is 2 pm. Go on?", "never"])

    @bot.command()
    def ask() -> Script:
        answer = yield Ask(next(texts), key="go", choices=("yes", "no"))
        return f"{answer}!"

    chat = Chat(bot, platform="feishu")
    chat.say("/ask")
    chat.expect(contains="It is 1 pm. Go on?")
    chat.say("YES")
    chat.expect("yes!")


def changes_state(turn: Turn) -> None:
    turn.state["n"] = 1


def changes_user(turn: Turn) -> None:
    turn.user["n"] = 1


def sets_reminder(turn: Turn) -> None:
    turn.remind("tea", after=timedelta(1))


@pytest.mark.parametrize("early", [changes_state, changes_user, sets_reminder])
def test_a_change_before_a_question_is_an_error(early: Callable[[Turn], None]) -> None:
    """It would be made again with each answer."""
    bot = Bot()

    @bot.command()
    def ask(turn: Turn) -> Script:
        early(turn)
        yield Ask("Why?")

    chat = Chat(bot, platform="feishu")
    with pytest.raises(ResultError, match="before its last question"):
        chat.say("/ask")


def test_a_handler_sees_the_message_of_each_answer() -> None:
    bot, seen = Bot(), list[str]()

    @bot.command()
    def ask(turn: Turn) -> Script:
        first = turn.text
        yield Ask("One?")
        second = turn.text
        yield Ask("Two?")
        seen.append(f"{first}, {second}, {turn.text}")

    chat = Chat(bot, platform="feishu")
    for text in ("/ask", "a", "b"):
        chat.say(text)
    assert seen == ["/ask, a, b"]
    assert [str(each) for each in chat.replies] == ["One?", "Two?"]


@pytest.mark.parametrize("platform", WRITING_FIRST)
def test_a_question_may_contain_the_name_of_the_person(platform: str) -> None:
    """A name that was fetched is not stored. It is there again when the handler runs again, also for a reminder."""
    bot = Bot()

    @bot.command()
    def ask(turn: Turn, message: Message) -> Script:
        assert message.sender.name == turn.message.sender.name
        answer = yield Ask(f"{turn.message.sender.name or 'You'}, go on?", choices=("yes",))
        return f"{turn.message.sender.name or 'You'}: {answer}"

    names = {} if platform in ("wechat", "discord", "http") else {"names": True}
    chat = Chat(bot, platform=platform, config=names)
    chat.say("/ask")
    question = chat.replies[-1].text
    chat.advance(minutes=31)
    assert chat.replies[-1].text == question
    chat.press("yes")
    assert str(chat.replies[-1]) == f"{question.partition(',')[0]}: yes"
    assert platform == "wechat" or not question.startswith("You")


def test_a_generator_without_questions_is_a_list_of_replies() -> None:
    bot = Bot()

    @bot.command()
    def count() -> Script:
        yield "one"
        yield None
        return "two"

    chat = Chat(bot, platform="feishu")
    chat.say("/count")
    assert [str(each) for each in chat.replies] == ["one", "two"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"question": " "}, "needs a text"),
        ({"timeout": timedelta()}, "longer than zero"),
        ({"choices": ("yes", "no", "yes")}, "1 and 3 look the same.*differ"),
        ({"choices": (1, 2)}, r"are texts: choices=\(.*or type=Literal"),
        ({"choices": ("yes", " ")}, "2 shows nothing"),
        ({"choices": ["1", "2"], "type": int}, "is a text: leave out type, or write type=Literal"),
        ({"type": Mention}, "cannot ask for a person"),
        ({"type": list[Mention]}, "cannot ask for a person"),
    ],
)
def test_a_question_that_cannot_be_asked_is_an_error_that_says_why(wrong: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"question": "Why?", **wrong}
    with pytest.raises(ValueError, match=message):
        Ask(**given)


ALIKE = [
    pytest.param(("yes", "yes "), id="white space"),
    pytest.param(("New York", "New\u3000York"), id="full-width space"),
    pytest.param(("a b", "a\nb"), id="a line break"),
    pytest.param(("A", "\uff21"), id="full width"),
    pytest.param(("caf\u00e9", "cafe\u0301"), id="an accent"),
    pytest.param(("yes", "y\u200des"), id="a joiner"),
    pytest.param(("yes", "yes\ufe0f"), id="a variation selector"),
    pytest.param(("yes", "\u200fyes"), id="a mark of direction"),
    pytest.param(("yes", "\u200byes"), id="a zero-width space"),
    pytest.param(("x", "\u3164"), id="a blank filler"),
    pytest.param(("x", "\u200d"), id="a joiner alone"),
]


@pytest.mark.parametrize("choices", ALIKE)
def test_choices_that_people_cannot_tell_apart_are_no_question_and_no_argument(choices: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"write (a text|texts)"):
        Ask("Which?", choices=choices)
    types: list[Any] = [Literal[choices], Enum("Kind", [(f"K{each}", text) for each, text in enumerate(choices)])]
    for type_ in types:
        with pytest.raises(ValueError, match=r"write (a text|texts)"):
            Ask("Which?", type=type_)
        for annotation in (type_, type_ | None, list[type_], Annotated[type_, Option(help="h")]):
            bot = Bot()

            def take(kind: Any) -> str:
                return str(kind)

            take.__annotations__["kind"] = annotation
            bot.command()(take)
            with pytest.raises(TypeError, match=r"`kind`: .*write (a text|texts)"):
                check(bot)


@pytest.mark.parametrize("choices", [("m", "M"), ("Z\u00fcrich", "Zurich"), ("\u2615", "\u2615\u2615"), ("1", "l")])
def test_choices_that_look_different_are_a_question(choices: tuple[str, str]) -> None:
    bot = Bot()

    @bot.command()
    def ask() -> Script:
        chosen = yield Ask("Which?", choices=choices)
        return f"({chosen})"

    chat = Chat(bot, "feishu")
    for choice in choices:
        chat.say("/ask")
        chat.say(choice)
        assert str(chat.last) == f"({choice})"


def test_an_answer_without_an_item_is_no_list() -> None:
    bot = Bot()

    @bot.command()
    def ask() -> Script:
        names = yield Ask("Which?", type=list[str])
        return "+".join(names)

    chat = Chat(bot, "feishu")
    chat.say("/ask")
    chat.expect("Which?")
    chat.say(",，、")
    chat.expect(BOTH.no_answer)
    chat.expect("Which?")
    chat.say("a,b")
    chat.expect("a+b")


def test_more_choices_than_buttons_are_numbered() -> None:
    bot = Bot()

    @bot.command()
    def ask() -> Script:
        month = yield Ask("Which?", choices=("Jan", "Feb", "Mar", "Apr", "May", "Jun"))
        return month

    chat = Chat(bot, platform="feishu")
    chat.say("/ask")
    chat.expect("Which?\n1. Jan\n2. Feb\n3. Mar\n4. Apr\n5. May\n6. Jun")
    chat.say("6")
    chat.expect("Jun")


@pytest.mark.parametrize("platform", APART)
def test_a_number_of_thousands_of_digits_does_not_fit(platform: str) -> None:
    bot = Bot()

    @bot.command()
    def ask() -> Script:
        count = yield Ask("How many?", type=int)
        month = yield Ask("Which?", choices=("Jan", "Feb", "Mar", "Apr", "May", "Jun"))
        return f"{count} {month}"

    digits = "9" * (4000 if platform == "discord" else 5000)  # a form of Discord takes no more
    talk = Talk(bot, platform)
    talk.chat.say("/ask")
    talk.chat.expect(contains="How many?")
    if platform != "discord":  # Python reads 4,300 digits
        talk.answer(digits)
        talk.chat.expect(contains="expected a whole number")
        talk.chat.expect(contains="How many?")
    talk.answer("7")
    talk.chat.expect(contains="Which?")
    talk.answer(digits)
    talk.chat.expect(contains="expected one of")
    talk.chat.expect(contains="Which?")
    talk.answer("2")
    talk.chat.expect("7 Feb")


@pytest.mark.parametrize("number", ["9" * 5000, "٠", "１", "²", "-1", "x"])
def test_a_forged_press_is_no_choice(number: str) -> None:
    press = make_message("", kind="action", action=Action(id=ANSWER, value=f"d.0.{number}"))
    given = given_in(press)
    assert given is not None
    assert given.number is None


@ANYWHERE
def test_a_question_that_is_optional_can_be_skipped(platform: str) -> None:
    bot = Bot()

    @bot.command()
    def note() -> Script:
        text = yield Ask("A note?", optional=True)
        size = yield Ask("Which size?", choices=("S", "L"), optional=True)
        yield f"{text} {size}"

    chat = Chat(bot, platform=platform)
    chat.say("/note")
    chat.expect(contains="A note?")
    if platform == "wechat":
        chat.say("跳过")
    else:
        chat.press("Skip")
    chat.expect(contains="Which size?")
    chat.press("Skip")
    chat.expect("None None")


@pytest.mark.parametrize("platform", [name for name in APART if name not in ("discord", "http")])
def test_a_question_asks_for_a_picture(platform: str) -> None:
    bot = Bot()

    @bot.command()
    def report() -> Script:
        photo = yield Ask("A photo, please.", type=Image)
        place = yield Ask("Where is it?")
        yield f"{type(photo).__name__} {bool(photo.key or photo.url)} {place}"

    chat = Chat(bot, platform=platform)
    chat.say("/report")
    chat.expect("A photo, please.")
    chat.say("here")
    chat.expect(contains="a file of the right kind")
    chat.expect("A photo, please.")
    chat.say(image=png(8, 8))
    chat.expect("Where is it?")
    chat.say("at home")
    chat.expect("Image True at home")


def test_discord_has_no_answer_that_is_a_file() -> None:
    bot = Bot()

    @bot.command()
    def report() -> Script:
        yield Ask("A photo, please.", type=Image)

    with pytest.raises(ResultError, match="command's argument"):
        Chat(bot, platform="discord").say("/report")


@ANYWHERE
@pytest.mark.parametrize("word", ["back", "cancel", "Skip", "/backup"])
def test_a_plain_word_is_an_answer(platform: str, word: str) -> None:
    bot = Bot()

    @bot.command()
    def ask() -> Script:
        yield Ask("One?", choices=("yes", "no"))
        return f"{yield Ask('Two?', optional=True)}!"

    talk = Talk(bot, platform)
    talk.chat.say("/ask")
    talk.chat.expect(contains="One?")
    talk.chat.press("yes")
    talk.chat.expect(contains="Two?")
    talk.answer(word)
    talk.chat.expect(f"{word}!")


class Then(Enum):
    back = "返回"
    stop = "/cancel"


@ANYWHERE
@pytest.mark.parametrize("choices", [{"choices": ("取消", "返回", "跳过")}, {"type": Literal["取消", "返回", "跳过"]}])
@pytest.mark.parametrize("word", ["取消", "返回", "跳过"])
def test_a_choice_is_an_answer_before_it_is_a_way_out(platform: str, choices: dict[str, Any], word: str) -> None:
    bot = Bot()

    @bot.command()
    def ask() -> Script:
        yield Ask("One?", choices=("yes", "no"))
        two = yield Ask("Two?", choices=("yes", "no"))
        many: dict[str, Any] = {"choices": (*choices["choices"], "4", "5", "6")} if "choices" in choices else choices
        return f"{two} {yield Ask('Three?', **many)}!"

    talk = Talk(bot, platform)
    talk.chat.say("/ask")
    for question in ("One?", "Two?"):
        talk.chat.expect(contains=question)
        talk.chat.press("yes")
    talk.chat.expect(contains="Three?")
    if platform == "discord" and "type" in choices:
        talk.chat.press(word)
    else:
        talk.answer(word)
    talk.chat.expect(f"yes {word}!")


def test_a_choice_of_an_enumeration_is_an_answer_before_it_is_a_way_out() -> None:
    bot = Bot()

    @bot.command()
    def ask() -> Script:
        return f"{(yield Ask('One?', type=Then)).name}!"

    talk = Talk(bot, "feishu")
    for word, name in (("/Cancel", "stop"), ("返回", "back"), ("STOP", "stop")):
        talk.chat.say("/ask")
        talk.chat.expect(contains="One?")
        talk.answer(word)
        talk.chat.expect(f"{name}!")
    talk.chat.say("/ask")
    talk.chat.expect(contains="One?")
    talk.answer("取消")
    talk.chat.expect(contains="Cancelled")


@ANYWHERE
@pytest.mark.parametrize("typed", ["2", "２", "2.", "2、", " 2) ", "2：", "⒉", "②", "feb", "ＦＥＢ"])
def test_a_choice_is_named_by_its_number_as_people_write_it(platform: str, typed: str) -> None:
    bot = Bot()

    @bot.command()
    def ask() -> Script:
        return f"{yield Ask('Which?', choices=('Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun'))}!"

    talk = Talk(bot, platform)
    talk.chat.say("/ask")
    talk.chat.expect(contains="Which?")
    talk.answer(typed)
    talk.chat.expect("Feb!")


@ANYWHERE
@pytest.mark.parametrize("typed", ["1", "１"])
def test_a_choice_that_is_a_number_goes_before_the_number_of_a_choice(platform: str, typed: str) -> None:
    bot = Bot()

    @bot.command()
    def ask() -> Script:
        return f"{yield Ask('Which?', choices=('10', '2', '1', '7', '8', '9'))}!"

    talk = Talk(bot, platform)
    talk.chat.say("/ask")
    talk.chat.expect(contains="Which?")
    talk.answer(typed)
    talk.chat.expect("1!")


@pytest.mark.parametrize("text", ["", "one", "1.5", "10:30", "12345", "2026-01-02", "9" * 5000, "٣ x"])
def test_a_text_that_begins_with_no_number_has_none(text: str) -> None:
    assert typed_number(text) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("3", (3, "")),
        ("⒈\nsmall", (1, "\nsmall")),
        ("１．Ｓ", (1, "Ｓ")),
        ("㈠ x", None),
        ("2)small", (2, "small")),
        ("12、 ｘ", (12, " ｘ")),
    ],
)
def test_what_follows_a_number_stays_as_it_was_typed(text: str, found: tuple[int, str] | None) -> None:
    assert typed_number(text) == found


@ANYWHERE
def test_a_person_gets_out_of_a_question_with_buttons(platform: str) -> None:
    bot = Bot()

    @bot.command()
    def ask() -> Script:
        first = yield Ask("One?", choices=("a", "b"))
        second = yield Ask("Two?", choices=("1", "2", "3", "4", "5"), optional=True)
        return f"{first}{second}"

    talk = Talk(bot, platform)
    talk.chat.say("/ask")
    talk.chat.expect(contains="One?")
    talk.answer("A")
    talk.chat.expect(contains="Two?")
    talk.answer("/back")
    talk.chat.expect(contains="One?")
    talk.chat.press("b")
    talk.chat.expect(contains="Two?")
    talk.answer("/cancel")
    talk.chat.expect(contains="Cancelled")
    talk.chat.expect_nothing()


def test_a_text_in_a_room_that_is_not_for_the_bot_is_no_answer() -> None:
    """A Feishu app may get all messages of its rooms."""
    room = Chat(shop(), platform="feishu").room("shop")
    room.say("/order tea", by="ann")
    room.expect(contains="So you want")
    room.expect(contains="Which size?")
    room.say("L", by="ann", mention=False)
    room.say("hello", by="bob", mention=True)
    room.expect("what?")
    room.say("L", by="ann", mention=True)
    room.expect("How many?")
    room.expect_nothing()


@pytest.mark.parametrize("platform", PLATFORMS)
def test_what_a_handler_says_while_it_is_closed_at_a_question_is_not_sent(platform: str) -> None:
    bot = Bot()

    @bot.command()
    def ask(turn: Turn) -> Script:
        try:
            answer = yield Ask("One?", choices=("yes", "no"))
            yield f"{answer}!"
        finally:
            turn.say("done")

    chat = Chat(bot, platform)
    chat.say("/ask")
    chat.expect(contains="One?")
    chat.expect_nothing()
    chat.press("yes")
    shown = [line for each in chat.unread for line in str(each).splitlines()]
    assert sorted(shown) == ["done", "yes!"]


def test_a_person_reads_that_there_is_no_question_to_go_back_to() -> None:
    bot = Bot()

    @bot.command()
    def ask() -> Script:
        yield Approve("Go?")
        yield Ask("One?")

    chat = Chat(bot, "feishu")
    chat.say("/ask")
    chat.press("Approve")
    chat.expect(contains="Go?")
    chat.expect(contains="Approved")
    chat.expect("One?")
    chat.say("返回")
    chat.expect(BOTH.no_back)
    chat.expect("One?")


@pytest.mark.parametrize("text", ["／ｃａｎｃｅｌ", "／ＣＡＮＣＥＬ\u3000", "／取消"])
def test_the_ways_out_may_be_written_in_full_width(text: str) -> None:
    bot = Bot()

    @bot.command()
    def order(_turn: Turn) -> Script:
        yield Ask("What?")

    chat = Chat(bot)
    chat.say("／ｏｒｄｅｒ")
    chat.expect("What?")
    chat.say(text)
    chat.expect(contains="Cancelled.")


class Odd(Enum):
    first = " Yes "
    second = "No\n3. All"


ODD = (" Yes ", "two  words", "a\n2. fake", "\u202eabc", "full\u3000width")


@pytest.mark.parametrize("platform", [name for name in APART if name != "discord"])
@pytest.mark.parametrize("many", [(), ("d", "e")])
def test_a_choice_with_odd_white_space_is_shown_on_one_line_and_can_be_chosen(
    platform: str, many: tuple[str, ...]
) -> None:
    """With more than five choices, they are numbered lines."""
    bot, got = Bot(), list[str]()

    @bot.command()
    def ask(turn: Turn) -> Script:
        got.append((yield Ask("Which?", choices=(*ODD, *many))))

    chat = Chat(bot, platform=platform)
    for number, choice in enumerate(ODD, 1):
        label = " ".join(choice.replace("\u202e", "").split())
        chat.say("/ask")
        shown = chat.last
        assert "\n2. fake" not in shown.text
        if shown.buttons:
            assert label in shown.buttons
            chat.press(label)
            chat.say("/ask")
        chat.say(label)
        chat.say("/ask")
        chat.say(str(number))
        assert set(got) == {choice}
        got.clear()


def test_a_value_with_odd_white_space_is_shown_on_one_line_and_can_be_chosen() -> None:
    got: list[Any] = []
    bot = Bot()

    @bot.command()
    def ask(turn: Turn) -> Script:
        first = yield Ask("Which?", type=Odd)
        got.extend((first, (yield Ask("And?", type=Literal["No\n3. All", "x "]))))

    chat = Chat(bot, platform="feishu")
    chat.say("/ask")
    assert chat.last.buttons == ("Yes", "No 3. All")
    chat.say("maybe")
    assert "one of): Yes, No 3. All" in chat.replies[-2].text
    chat.press("No 3. All")
    chat.say("x")
    assert got == [Odd.second, "x "]


def test_a_choice_that_shows_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="choice 1 shows nothing"):
        Ask("Which?", choices=("\u202e", "x"))
