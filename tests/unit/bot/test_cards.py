"""Cards with fields, menus and forms: the bot gets the same action on every platform."""

import pytest
from msgspec.structs import replace

from parley.bot import Ask, Bot, Script, Turn
from parley.errors import ResultError
from parley.model import Button, Card, CardField, Destination, Image, Message, Reply, Select
from parley.model.codec import decode_reply, encode
from parley.model.instant import Choice, Form, Input
from parley.testing import PLATFORMS, Chat
from playground.sample_image import png
from tests.factories import make_message

EVERYWHERE = pytest.mark.parametrize("platform", [*PLATFORMS, "wechat passive"])
TYPED = pytest.mark.parametrize("platform", ["wechat", "wecom", "wechat passive"])
"""Platforms on which a form with a text is numbered."""
SIZES = (Choice("Small", "s"), Choice("Large", "l"))
MANY = tuple(Choice(f"Size {number}", str(number)) for number in range(1, 22))

bot = Bot()
ORDER = bot.form(
    Form(
        id="order",
        title="Order tea",
        submit="Send",
        inputs=(
            Input(id="name", label="Name", max_length=9),
            Input(id="size", label="Size", kind="choice", choices=SIZES),
            Input(id="day", label="Day", kind="date", required=False),
        ),
    )
)
PICK = bot.form(Form(id="pick", title="Pick", inputs=(Input(id="size", label="Size", kind="choice", choices=SIZES),)))


@bot.command()
def tea() -> Card:
    """Ask for a size"""
    return Card(
        title="Tea",
        text="Which **one**?",
        fields=(
            CardField(label="Price", value="3 <at id=all></at> [x](https://e.example)"),
            CardField(label="Note", value="hot", short=False),
        ),
        selects=(Select(id="size", label="Which size", value="tea", choices=SIZES),),
        buttons=(Button(id="none", label="None"),),
    )


@bot.command()
def sizes() -> Card:
    """Many choices"""
    return Card(title="Tea", selects=(Select(id="size", label="Which size", choices=MANY),))


@bot.command()
def order() -> Card:
    """Order"""
    return Card(title="Order", form=replace(ORDER, value="7"))


@bot.command()
def pick() -> Card:
    """Pick"""
    return Card(title="Order", text="Please.", form=replace(PICK, value="7"))


COMPLAINT = bot.form(
    Form(
        id="complaint",
        title="Complaint",
        inputs=(
            Input(id="name", label="Name"),
            Input(id="note", label="Note", kind="paragraph", required=False, max_length=20),
        ),
    )
)


@bot.command()
def complain() -> Card:
    """Complain"""
    return Card(title="Complaint", form=COMPLAINT)


@bot.action("size", "order", "pick", "none", "complaint")
def acted(message: Message) -> str:
    action = message.action
    assert action is not None
    return f"{action.id}/{action.value}/{','.join(action.options)}/{action.form}"


@bot.command()
def guess() -> Script:
    """A dialogue"""
    number = yield Ask("Which number?", int)
    return f"guessed {number}"


@bot.fallback
def other(turn: Turn) -> str:
    return f"heard {turn.text}"


@EVERYWHERE
def test_fields_are_shown_as_plain_text(platform: str):
    chat = Chat(bot, platform)
    chat.say("/tea")
    shown = chat.replies[0].text.replace("\u200b", "")
    assert "Price" in shown
    assert "3 <at id=all></at> [x](https://e.example)" in shown
    assert "hot" in shown


@EVERYWHERE
def test_a_choice_is_an_action(platform: str):
    chat = Chat(bot, platform)
    chat.say("/tea")
    chat.choose("size", "Large")
    assert chat.last.text == "size/tea/l/{}"


@EVERYWHERE
def test_the_buttons_of_a_card_with_a_menu_stay(platform: str):
    chat = Chat(bot, platform)
    chat.say("/tea")
    chat.press("None")
    assert chat.last.text == "none///{}"


@EVERYWHERE
def test_all_choices_of_a_long_menu_can_be_chosen(platform: str):
    chat = Chat(bot, platform)
    chat.say("/sizes")
    chat.choose("Which size", "Size 1")
    assert chat.last.text == "size//1/{}"
    chat.choose("Which size", "Size 21")
    assert chat.last.text == "size//21/{}"


@EVERYWHERE
def test_a_submitted_form_is_an_action(platform: str):
    chat = Chat(bot, platform)
    chat.say("/order")
    chat.submit({"name": "Ann", "size": "s", "day": "2026-12-31"})
    assert chat.last.text == "order/7//{'name': 'Ann', 'size': 's', 'day': '2026-12-31'}"


@EVERYWHERE
def test_an_input_that_may_be_empty_is_empty(platform: str):
    chat = Chat(bot, platform)
    chat.say("/order")
    chat.submit({"name": "Ann", "size": "l"})
    assert chat.last.text == "order/7//{'name': 'Ann', 'size': 'l', 'day': ''}"


@EVERYWHERE
def test_a_form_of_choices_is_an_action(platform: str):
    chat = Chat(bot, platform)
    chat.say("/pick")
    chat.submit({"size": "l"})
    assert chat.last.text == "pick/7//{'size': 'l'}"


@EVERYWHERE
def test_a_picture_of_a_card_may_be_data(platform: str):
    painter = Bot()

    @painter.command()
    def paint() -> Card:
        import base64

        return Card(title="Tea", images=(Image(data=base64.b64encode(png()).decode(), name="tea.png"),), text="Hot")

    chat = Chat(painter, platform)
    chat.say("/paint")
    assert ("(image" in chat.shown()) == (platform != "wechat passive")
    assert "Hot" in chat.shown()


def test_a_form_that_is_not_declared_is_an_error_where_it_has_to_be_opened():
    hasty = Bot()
    hasty.command("order")(lambda: Card(form=ORDER))
    with pytest.raises(ResultError, match=r"the form 'order' is not declared.*bot\.form"):
        Chat(hasty, "discord").say("/order")
    chat = Chat(hasty, "feishu")
    chat.say("/order")
    assert "Order tea" in chat.shown()


def test_a_form_of_a_declared_command_of_the_same_name_does_not_open_instead_of_the_command():
    chat = Chat(bot, "discord")
    chat.say("/order")
    assert chat.last.buttons == ("Order tea",)


# --- numbers ----------------------------------------------------------------------------------------------------------


@EVERYWHERE
def test_a_form_belongs_to_the_person_who_has_it_open(platform: str):
    """Somebody else has written to the bot meanwhile."""
    chat = Chat(bot, platform)
    chat.say("/order", by="ann")
    if platform == "discord":
        chat.press("Order tea", by="ann")
    chat.say("/tea", by="bob")
    chat.submit({"name": "Ann", "size": "l"}, by="ann")
    assert chat.last.text.startswith("order/7//{'name': 'Ann'")


@EVERYWHERE
def test_the_choices_and_inputs_of_a_form_are_named_in_their_order(platform: str):
    chat = Chat(bot, platform)
    chat.say("/order")
    with pytest.raises(AssertionError, match=r"the form has no input 'extra'; it has name, size, day$"):
        chat.submit({"name": "Ann", "size": "l", "wish": "x", "extra": "y"})
    if platform in ("discord", "feishu", "http"):
        with pytest.raises(AssertionError, match=r"size offers s, l$"):
            chat.submit({"name": "Ann", "size": "huge"})


@TYPED
@pytest.mark.parametrize(
    "typed",
    [
        "1\nAnn\nsmall\n2026年12月31日",
        "1、Ann\n L \n2026/12/31",
        "１. Ann\nLarge\n-",
        "⒈\nAnn\nＳ",
        "1)\nAnn\nｓｍａｌｌ",
    ],
)
def test_the_lines_after_the_number_are_the_inputs(platform: str, typed: str):
    chat = Chat(bot, platform)
    chat.say("/order")
    chat.say(typed)
    assert chat.last.text.startswith("order/7//{'name': 'Ann'")


@TYPED
@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ("1", "缺少参数 Name (Name is missing)"),
        ("1\nAnn", "缺少参数 Size (Size is missing)"),
        ("⒈\nAnn", "缺少参数 Size (Size is missing)"),
        ("1\nAnn\nhuge", "Size：应为以下之一 (expected one of): Small, Large"),
        ("1\nAnn\ns\nsoon", "Day：应为日期，例如 2026-12-31 或 明天 (expected a date such as 2026-12-31 or tomorrow)"),
        ("1\nAnn of Austria\ns", "Name：应为最多 9 个字符或条目 (expected at most 9 characters or items)"),
        ("1\nAnn\ns\n-\nmore", "多余的参数：more (too many arguments: more)"),
    ],
)
def test_a_person_reads_what_is_wrong_and_can_try_again(platform: str, typed: str, wrong: str):
    chat = Chat(bot, platform)
    chat.say("/order")
    chat.say(typed)
    assert chat.last.text.startswith(f"{wrong}\n请回复 1")
    chat.say("1\nAnn\ns")
    assert chat.last.text.startswith("order/7//{'name': 'Ann'")


@TYPED
@pytest.mark.parametrize(("typed", "note"), [("a\nb", "a\nb"), ("\n a\n\nb ", "a\n\nb"), ("-", "")])
def test_a_paragraph_at_the_end_takes_several_lines(platform: str, typed: str, note: str):
    chat = Chat(bot, platform)
    chat.say("/complain")
    chat.say(f"1\nLin\n{typed}")
    assert chat.last.text == f"complaint///{ {'name': 'Lin', 'note': note} }"


@TYPED
@pytest.mark.parametrize("text", ["2", "1 apple please", "1.5", "12", "10:30", "one", "2026-01-02", "0"])
def test_a_text_that_is_no_answer_to_the_card_goes_to_its_handler(platform: str, text: str):
    chat = Chat(bot, platform)
    chat.say("/order")
    chat.say(text)
    assert chat.last.text == f"heard {text}"


@TYPED
def test_without_a_numbered_card_a_number_is_a_text(platform: str):
    chat = Chat(bot, platform)
    chat.say("1")
    assert chat.last.text == "heard 1"


@pytest.mark.parametrize("platform", ["feishu"])
def test_a_card_that_the_platform_shows_takes_no_numbers(platform: str):
    chat = Chat(bot, platform)
    chat.say("/order")
    chat.say("1")
    assert chat.last.text == "heard 1"


@TYPED
def test_an_open_dialogue_gets_the_number_and_a_command_stays_one(platform: str):
    chat = Chat(bot, platform)
    chat.say("/order")
    chat.say("/guess")
    chat.say("1")
    assert chat.last.text == "guessed 1"
    chat.say("1\nAnn\ns")
    assert chat.last.text.startswith("order/7//")


@TYPED
def test_the_numbers_go_on_with_the_next_card_so_that_each_means_one_thing(platform: str):
    chat = Chat(bot, platform)
    chat.say("/order")
    chat.say("/order")
    assert "2. Order tea" in chat.last.text
    for number in (1, 2):
        chat.say(f"{number}\nAnn\ns")
        assert chat.last.text.startswith("order/7//")


@TYPED
def test_the_numbers_begin_again_after_an_hour(platform: str):
    chat = Chat(bot, platform)
    chat.say("/order")
    chat.say("/order")
    chat.advance(hours=1, seconds=1)
    chat.say("/order")
    assert "1. Order tea" in chat.last.text
    chat.say("2\nAnn\ns")
    assert chat.last.text.startswith("heard 2")


def test_the_numbers_begin_again_before_a_card_would_pass_99():
    chat = Chat(bot, "wecom")
    for _ in range(4):
        chat.say("/sizes")  # 21 numbers each
    chat.say("64")
    assert chat.last.text == "size//1/{}"
    chat.say("43")
    assert chat.last.text == "heard 43"
    chat.say("/sizes")
    assert "\n1. Size 1\n" in chat.last.text
    chat.say("64")
    assert chat.last.text == "heard 64"


def test_more_numbers_than_can_be_told_apart_are_an_error():
    writer = Bot()
    menu = Select(id="m", label="M", choices=tuple(Choice(str(number), number) for number in range(50)))
    writer.command("x")(lambda: [Card(selects=(menu,)), Card(selects=(menu,))])
    with pytest.raises(ResultError, match="100 numbered lines"):
        writer.handle(Turn(make_message("m", "/x", platform="wecom", room="")))


def test_a_card_for_another_conversation_cannot_have_numbers():
    there = Destination(platform="wechat", app="demo", user_id="o1")
    turn = Turn(make_message("m", "/x", platform="wechat", room=""))
    writer = Bot()
    writer.command("x")(lambda: Reply(segments=(Card(form=ORDER),), to=there))
    with pytest.raises(ResultError, match="another conversation"):
        writer.handle(turn)


def test_a_conversation_without_numbered_cards_stores_none():
    turn = Turn(make_message("m", "/tea", platform="wechat", room=""))
    bot.handle(turn)
    assert turn.plans.numbers == ()
    assert not turn.plans.is_changed


def test_a_bot_in_a_room_of_wecom_shows_no_numbers_because_it_gets_no_messages_there():
    turn = Turn(make_message("m", "/x", platform="wecom", room=""))
    writer = Bot()
    to = Destination(platform="wecom", app="demo", room_id="chat")
    writer.command("x")(lambda: Reply(segments=(Card(title="T", form=ORDER),), to=to))
    (reply,) = writer.handle(turn)
    assert reply.segments == (Card(title="T", form=ORDER),)


# --- the stored form --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("card", [Card(title="T"), Card(text="x", buttons=(Button(id="a", label="A"),))], ids=str)
def test_elements_that_a_card_has_not_cost_nothing(card: Card):
    body = encode(Reply(segments=(card,)))
    assert not any(name in body for name in (b"fields", b"selects", b"form", b"images", b"mentions"))
    assert decode_reply(body).segments == (card,)


def test_a_card_of_an_older_release_can_be_read():
    stored = b'{"segments": [{"type": "card", "title": "T", "text": "", "image": "", "buttons": [], "mentions": []}]}'
    assert decode_reply(stored) == Reply(segments=(Card(title="T"),))


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("seconds", [0, 8])
def test_all_texts_after_a_press_are_shown_also_those_of_a_slow_handler(platform: str, seconds: float) -> None:
    bot = Bot()

    @bot.command()
    def menu() -> Card:
        """A card"""
        return Card(title="Tea?", buttons=(Button(id="tea", label="Tea"),))

    @bot.action("tea")
    def tea(turn: Turn) -> list[str]:
        chat._world.clock.sleep(seconds)
        turn.say("one")
        return ["two", "three"]

    chat = Chat(bot, platform)
    chat.say("/menu")
    chat.press("tea")
    assert [line for each in chat.replies[1:] for line in each.text.splitlines()] == ["one", "two", "three"]
