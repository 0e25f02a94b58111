"""A bot can be tested in memory: what people do, what they see, and what a failing test prints."""

import os
import re
from typing import Any

import boto3
import pytest
from moto import mock_aws

from parley.adapter import Bucket
from parley.bot import Bot, Quotas, Secret, Settings, Turn
from parley.bot.rules import person
from parley.engine import aws, telemetry
from parley.errors import ResultError
from parley.model import Button, Card, Destination, Image, Markdown, Mention, Message, Reply, Select
from parley.model.instant import Choice, Form, Input
from parley.testing import PLATFORMS, Chat
from parley.testing.pytest_plugin import ChatFactory, chat
from playground.sample_image import png
from tests.abilities import APART

__all__ = ["chat"]

ON_EVERY_PLATFORM = pytest.mark.parametrize("platform", PLATFORMS)
bot = Bot()


class Shop(Settings):
    key: Secret


@bot.command()
def echo(text: str) -> str:
    print("echoing")
    return text


@bot.completion("echo", "text")
def words(typed: str) -> list[str]:
    return [word for word in ("beer", "tea") if word.startswith(typed)]


@bot.command()
def count(turn: Turn) -> str:
    turn.state["count"] = turn.state.get("count", 0) + 1
    return str(turn.state["count"])


@bot.command()
def two() -> list[str]:
    return ["one", "two"]


@bot.command()
def deploy() -> Card:
    buttons = (Button(id="go", label="Deploy", value="1.4"), Button(id="stop", label="Not now"))
    return Card(title="Deploy 1.4?", text="3 changes", buttons=buttons)


@bot.action("go", "stop")
def decided(message: Message) -> list[Reply]:
    assert message.action is not None
    done = Reply(op="edit", target=message.action.message_id, segments=(Markdown(text="Decided."),))
    return [done, Reply(segments=(Mention(id=message.sender.id), Markdown(text=" pressed.")))]


@bot.command()
def ask(turn: Turn, room: str) -> Reply:
    buttons = (Button(id="go", label="Approve", value="1"),)
    to = Destination(platform=turn.message.platform, app=turn.message.app, room_id=room)
    return Reply(segments=(Card(title="Approve?", buttons=buttons),), to=to)


@bot.command()
def broken(turn: Turn) -> str:
    turn.state["count"] = 99
    return {}["key"]


@bot.command()
def huge() -> Card:
    return Card(title="t", buttons=(Button(id="b", label="b", value="v" * 200),))


@bot.command()
def when(turn: Turn) -> str:
    return f"{turn.now:.0f}"


@bot.command()
def key() -> str:
    return Shop.load().key.reveal()


@bot.command()
def queues() -> str:
    return str(len(boto3.client("sqs", region_name="eu-west-2").list_queues().get("QueueUrls", ())))


@bot.command()
def hello(turn: Turn) -> str:
    return f"Hello, {turn.message.sender.name}."


@bot.command()
def report() -> str:
    return "Describe it."


@bot.instant("report")
def report_form(_: Message) -> Form:
    how = Input(id="how", label="How bad?", kind="choice", choices=(Choice("A little", "1"), Choice("Very", "2")))
    return Form(id="reported", title="Report", inputs=(Input(id="what", label="What?"), how))


@bot.action("reported")
def reported(message: Message) -> str:
    assert message.action is not None
    return f"Noted: {message.action.form['what']}, {message.action.form['how']}."


@bot.command()
def bad_form() -> str:
    return "no form"


@bot.instant("bad_form")
def bad_form_opened(_: Message) -> Form:
    raise LookupError("no form")


@bot.event("im.chat.member.user.added_v1")
def joined() -> str:
    return "Welcome."


@bot.fallback
def other(turn: Turn) -> str:
    pictures = [part for part in turn.message.content.attachments if isinstance(part, Image)]
    return f"{len(turn.fetch(pictures[0]))} bytes" if pictures else f"You wrote {turn.text}."


def failure(action: Any, *given: Any, **named: Any) -> str:
    with pytest.raises(AssertionError) as raised:
        action(*given, **named)
    return str(raised.value)


# --- what people do and see -------------------------------------------------------------------------------------------


@ON_EVERY_PLATFORM
def test_a_person_says_something_and_reads_the_reply(chat: ChatFactory, platform: str) -> None:
    talk = chat(bot)
    talk.say("/echo hi")
    talk.expect("hi")
    talk.expect_nothing()
    talk.say("/two")
    apart = ["one", "two"] if platform in APART else ["one\ntwo"]
    assert [str(each) for each in talk.replies] == ["hi", *apart]
    assert talk.last.text == apart[-1]


def test_the_fixture_makes_a_chat_on_feishu_if_the_test_names_no_platform(chat: ChatFactory) -> None:
    assert repr(chat(bot)) == "the direct chats on feishu"


@ON_EVERY_PLATFORM
@pytest.mark.parametrize("button", ["Deploy", "go"])
def test_a_button_is_pressed_by_its_label_or_its_id(platform: str, button: str) -> None:
    talk = Chat(bot, platform)
    talk.say("/deploy")
    talk.expect(contains="Deploy 1.4?")
    talk.press(button)
    talk.expect(contains="Decided.")
    talk.expect(re.compile(r"pressed\.$"))


def test_each_person_has_a_direct_chat_and_a_room_is_for_all() -> None:
    talk = Chat(bot)
    team = talk.room("team")
    for name in ("ann", "bob"):
        talk.say("/count", by=name)
        talk.expect("1")
        team.say("/count", by=name)
    assert [str(each) for each in team.replies] == ["1", "2"]
    assert (talk.state, team.state) == ({"count": 1}, {"count": 2})
    assert talk.room("team") is team


def test_in_a_room_the_bot_gets_only_what_mentions_it() -> None:
    team = Chat(bot).room("team")
    team.say("/count", mention=False)
    team.expect_nothing()


@pytest.mark.parametrize("platform", ["discord", "feishu"])
def test_a_card_in_another_room_is_pressed_there(platform: str) -> None:
    talk = Chat(bot, platform)
    ops = talk.room("ops")
    talk.say(f"/ask {ops.id}")
    talk.expect_nothing()
    ops.expect("Approve?")
    ops.press("Approve", by="boss")
    ops.expect("Decided.")
    ops.expect("@boss pressed.")
    assert ops.received.context.room_id == ops.id


def test_a_room_of_wecom_only_reads_what_the_bot_writes() -> None:
    talk = Chat(bot, "wecom")
    ops = talk.room("ops")
    talk.say(f"/ask {ops.id}")
    ops.expect(contains="Approve?")


@pytest.mark.parametrize("platform", ["discord", "feishu", "wecom"])
def test_the_bot_gets_the_names_of_people_if_the_app_says_so(platform: str) -> None:
    named = {} if platform == "discord" else {"names": True}
    talk = Chat(bot, platform, config=named)
    talk.say("/hello", by="ann")
    talk.expect("Hello, ann.")


def test_a_form_is_filled_in_and_submitted_on_discord() -> None:
    talk = Chat(bot, "discord")
    talk.say("/report")
    assert talk.shown() == "(form) # Report\nWhat?: [what]\nHow bad?: [how]"
    talk.submit({"what": "It broke", "how": "2"})
    talk.expect(contains="Report")
    talk.expect("Noted: It broke, 2.")


def test_the_choices_of_a_command_are_offered_on_discord() -> None:
    assert Chat(bot, "discord").complete("echo", "text", "b") == ["beer"]
    assert failure(Chat(bot).complete, "echo", "text") == "Feishu has no event 'complete'"


def test_where_there_are_no_forms_the_handler_replies() -> None:
    talk = Chat(bot)
    talk.say("/report")
    talk.expect("Describe it.")


def test_an_event_and_a_picture_reach_the_bot() -> None:
    team = Chat(bot).room("team")
    team.event("member_added", person="eve")
    team.expect("Welcome.")
    picture = png(8, 8)
    team.say("here", image=picture)
    team.expect(f"{len(picture)} bytes")


def test_a_passive_account_replies_within_the_callback() -> None:
    talk = Chat(bot, "wechat passive")
    talk.say("/two")
    talk.expect("one\ntwo")


SHOWN = {
    "discord": "# Deploy 1.4?\n3 changes\n[Deploy] [Not now]",
    "feishu": "# Deploy 1.4?\n3 changes\n[Deploy] [Not now]",
    "wechat": "Deploy 1.4?\n3 changes\n[Deploy] [Not now]",
    "wecom": "# Deploy 1.4?\n3 changes\n[Deploy] [Not now]",
}


@pytest.mark.parametrize("platform", SHOWN)
def test_a_snapshot_has_the_form_of_the_platform(platform: str) -> None:
    talk = Chat(bot, platform)
    talk.say("/echo before")
    talk.say("/deploy")
    assert talk.shown() == SHOWN[platform]
    assert talk.last.buttons == ("Deploy", "Not now")


# --- time -------------------------------------------------------------------------------------------------------------


def test_the_time_stands_still_until_the_test_advances_it() -> None:
    talk = Chat(bot)
    talk.say("/when")
    talk.advance(hours=1, minutes=10)
    talk.say("/when")
    first, second = (int(str(each)) for each in talk.replies)
    assert second - first == 4200
    assert talk.now == 1_800_004_200


def test_what_has_to_wait_comes_at_its_time() -> None:
    talk = Chat(bot)
    talk.say("/count")
    talk.expect("1")
    [room] = {each.place for each in talk.replies}
    with talk._world.active():
        limiter = talk._world.processes.current.rate_limiter
        limiter.pause(Bucket(f"feishu#chat#{room}", 5, 1), talk.now + 600)
    talk.say("/count")
    assert failure(talk.expect, "2").startswith(
        "expected '2' in the direct chats on feishu\nthe bot showed nothing more"
    )
    talk.advance(minutes=9)
    talk.expect_nothing()
    talk.advance(minutes=2)
    talk.expect("2")


def test_two_chats_are_the_same_in_every_detail() -> None:
    def received() -> Message:
        talk = Chat(bot, "discord")
        talk.say("/deploy")
        talk.press("Deploy")
        return talk.received

    assert received() == received()


# --- failures ---------------------------------------------------------------------------------------------------------


def test_a_failing_expectation_shows_what_came_instead() -> None:
    talk = Chat(bot)
    talk.say("/deploy")
    talk.say("/echo hi")
    assert failure(talk.expect, "bye") == (
        "expected 'bye' in the direct chats on feishu\n"
        "the bot showed, in this order:\n"
        "  1. # Deploy 1.4?\n"
        "     3 changes\n"
        "     [Deploy] [Not now]\n"
        "  2. hi"
    )
    assert failure(talk.expect, re.compile("^x")).startswith("expected '^x' in")
    assert failure(talk.expect, contains="x").startswith("expected containing 'x' in")
    assert failure(talk.expect_nothing).startswith("expected no further reply in the direct chats on feishu\n")


def test_a_failing_expectation_says_what_the_platform_has_refused() -> None:
    talk = Chat(bot)
    talk.say("/ask oc_nowhere")
    message = failure(talk.room("ops").expect)
    assert message.startswith("expected a reply in the room 'ops' on feishu\nthe bot showed nothing more\n")
    assert re.search(r"not delivered: 'Approve\?.*': FAILED, \S", message)


def test_the_exception_of_a_handler_is_that_of_the_test() -> None:
    talk = Chat(bot)
    talk.say("/count")
    with pytest.raises(KeyError, match="key") as raised:
        talk.say("/broken")
    shown = [entry.name for entry in raised.traceback if not entry.ishidden(raised)]
    assert shown == ["test_the_exception_of_a_handler_is_that_of_the_test", "broken"]
    assert talk.state == {"count": 1}
    talk.say("/count")
    assert [str(each) for each in talk.replies] == ["1", "2"]


def test_a_reply_beyond_a_limit_is_an_error_and_so_is_a_form_that_fails() -> None:
    with pytest.raises(ResultError, match="100"):
        Chat(bot, "discord").say("/huge")
    with pytest.raises(LookupError, match="no form"):
        Chat(bot, "discord").say("/bad_form")


def test_a_state_that_cannot_be_stored_is_an_error() -> None:
    large = Bot()

    @large.fallback
    def fill(turn: Turn) -> list[str]:
        return ["x"] * 200

    with pytest.raises((AssertionError, ResultError), match="200 replies"):
        Chat(large).say("hi")


def test_an_unknown_platform_names_those_that_there_are() -> None:
    with pytest.raises(ValueError, match=f"^no platform 'irc'; there are {', '.join(PLATFORMS)}$"):
        Chat(bot, "irc")


@ON_EVERY_PLATFORM
def test_a_button_is_pressed_whose_label_is_a_number(platform: str) -> None:
    counting = Bot()
    buttons = tuple(Button(id=f"b{number}", label=str(number)) for number in (1, 2, 3))
    counting.command("count")(lambda: Card(title="How many?", buttons=buttons))

    @counting.action("b1", "b2", "b3")
    def pressed(turn: Turn) -> str:
        return turn.message.action.id if turn.message.action else ""

    talk = Chat(counting, platform)
    talk.say("/count")
    talk.expect(contains="How many?")
    talk.press("2")
    talk.expect("b2")


def test_the_whole_label_of_a_button_comes_before_a_word_of_another() -> None:
    bot = Bot()
    bot.command("ask")(lambda: Card(title="?", buttons=(Button(id="n", label="Not now"), Button(id="y", label="now"))))
    bot.action("n")(lambda: "not now")
    bot.action("y")(lambda: "now")
    chat = Chat(bot, "feishu")
    chat.say("/ask")
    chat.press("now")
    assert chat.last.text == "now"


def test_a_button_that_is_not_there_names_those_that_are() -> None:
    talk = Chat(bot)
    assert failure(talk.press, "Deploy").startswith("no message has buttons in the direct chats on feishu")
    talk.say("/deploy")
    assert failure(talk.press, "Later") == "there is no button 'Later'; the last buttons are 'Deploy', 'Not now'"


def test_a_form_that_is_not_open_or_lacks_an_input_is_named() -> None:
    talk = Chat(bot, "discord")
    assert failure(talk.submit, {}) == "no form is open for ann"
    talk.say("/report")
    assert failure(talk.submit, {"who": "x"}) == "the form has no input 'who'; it has what, how"
    assert failure(talk.submit, {"how": "1"}).startswith("the form requires what")
    assert failure(talk.submit, {"what": "x", "how": "3"}) == "how offers 1, 2"


def test_what_a_person_cannot_do_on_a_platform_is_an_error() -> None:
    assert "begin with a slash" in failure(Chat(bot, "discord").say, "hello")
    assert failure(Chat(bot, "discord").say, "/nothing").startswith("no command /nothing is registered there")
    assert failure(Chat(bot, "wecom").room("team").say, "x") == "wecom does not deliver messages of a room to the bot"
    assert failure(lambda: Chat(bot).last) == "the bot has shown nothing in the direct chats on feishu"
    assert failure(lambda: Chat(bot).received) == "the bot got no message from the direct chats on feishu"
    assert Chat(bot).state == {}


# --- the process ------------------------------------------------------------------------------------------------------


def test_between_two_calls_the_process_is_as_it_was() -> None:
    def process() -> tuple[object, ...]:
        return (
            boto3.DEFAULT_SESSION,
            dict(os.environ),
            telemetry._emit,
            telemetry.log.log_level,
            aws.sqs.cache_info()[3],
        )

    before = process()
    one, other = Chat(bot), Chat(bot, "wecom")
    for talk in (one, other, one):
        talk.say("/count")
        assert process() == before
    assert (one.state, other.state) == ({"count": 2}, {"count": 1})


def test_the_bot_has_its_own_clients_settings_and_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PARLEY_SETTING_KEY", "hunter2")
    talk = Chat(bot)
    talk.say("/key")
    talk.expect("hunter2")
    with mock_aws(config={"core": {"reset_boto3_session": False}}):
        boto3.client("sqs", region_name="eu-west-2").create_queue(QueueName="theirs")
        talk.say("/queues")
        talk.expect("1")
    talk.say("/echo hi")
    assert capsys.readouterr().out == "echoing\n"


@ON_EVERY_PLATFORM
def test_a_press_that_nobody_handles_fails_the_test(platform: str) -> None:
    bot = Bot()
    bot.command("card")(lambda: Card(title="Go?", buttons=(Button(id="go", label="Go"),)))
    talk = Chat(bot, platform)
    talk.say("/card")
    assert "write @bot.action('go')" in failure(talk.press, "Go")


@ON_EVERY_PLATFORM
def test_a_press_that_a_quota_holds_back_is_no_failure(platform: str) -> None:
    bot = Bot(quotas=Quotas(person_a_day=3))
    bot.command("card")(lambda: Card(title="Go?", buttons=(Button(id="go", label="Go"),)))
    bot.action("go")(lambda: "gone")
    talk = Chat(bot, platform)
    for _ in range(3):
        talk.say("/card")
        talk.expect(contains="Go?")
    talk.say("/card")
    talk.expect(contains="3")
    talk.press("Go")
    talk.expect_nothing()


@ON_EVERY_PLATFORM
def test_a_press_for_which_no_rule_holds_is_no_failure(platform: str) -> None:
    bot = Bot()
    bot.command("card")(lambda: Card(title="Go?", buttons=(Button(id="go", label="Go"),)))
    bot.action("go", when=person("nobody"))(lambda: "gone")
    talk = Chat(bot, platform)
    talk.say("/card")
    talk.expect(contains="Go?")
    talk.press("Go")
    talk.expect_nothing()


@ON_EVERY_PLATFORM
def test_the_replies_to_one_person_are_read_apart(platform: str) -> None:
    talk = Chat(bot, platform)
    talk.say("/echo one", by="ann")
    talk.say("/echo two", by="bob")
    talk.expect("two", by="bob")
    talk.expect("one", by="ann")
    talk.expect_nothing()


def test_the_states_of_the_person_and_of_the_app_are_there() -> None:
    bot = Bot()

    @bot.command()
    def add(turn: Turn) -> str:
        turn.user["n"] = turn.shared["n"] = 1
        return "added"

    talk = Chat(bot)
    talk.say("/add")
    assert (talk.state, talk.user, talk.shared) == ({}, {"n": 1}, {"n": 1})


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_handler_that_fails_is_started_again_and_raises_after_the_last_attempt(platform: str) -> None:
    bot, started = Bot(), list[str]()

    @bot.command("try")
    def once_more(turn: Turn, failures: int) -> str:
        started.append(turn.text)
        if len(started) <= failures:
            raise ValueError(f"failure {len(started)}")
        return "done"

    chat = Chat(bot, platform, attempts=3)
    chat.say("/try 2")
    chat.expect("done")
    assert len(started) == 3
    started.clear()
    with pytest.raises(ValueError, match="failure 3"):
        chat.say("/try 3")
    assert len(started) == 3


SIZES = (Choice("Small", "s"), Choice("Large", "l"))
ORDER = Form(
    id="order",
    title="Order",
    inputs=(
        Input(id="size", label="Size", kind="choice", choices=SIZES),
        Input(id="note", label="Note", required=False),
    ),
)


@pytest.fixture
def shop() -> Bot:
    """A bot whose cards have the same menus, buttons and forms again and again."""
    shop = Bot()
    shop.form(ORDER)

    @shop.command()
    def cup(name: str) -> Card:
        menus = (Select(id="size", label="Size", choices=SIZES), Select(id="lid", label="Lid", choices=SIZES))
        selects = tuple(Select(id=each.id, label=each.label, choices=SIZES, value=name) for each in menus)
        return Card(title=f"Cup {name}", selects=selects, buttons=(Button(id="buy", label="Buy", value=name),))

    @shop.command()
    def buttons(name: str) -> Card:
        text = f"a cup {name} " * (300 if name == "blue" else 1)
        return Card(title=f"Cup {name}", text=text, buttons=(Button(id="buy", label="Buy", value=name),))

    @shop.command()
    def form() -> Card:
        return Card(title="Order", form=ORDER)

    @shop.action("size", "lid", "buy", "order")
    def done(turn: Turn) -> str:
        action = turn.action
        return f"{action.id}/{action.value}/{','.join(action.options)}/{','.join(action.form.values())}"

    return shop


ANYWHERE = pytest.mark.parametrize("platform", [*PLATFORMS, "wechat passive"])


@ANYWHERE
def test_a_button_of_an_older_card_is_pressed(shop: Bot, platform: str) -> None:
    chat = Chat(shop, platform)
    for name in ("red", "blue", "green"):
        chat.say(f"/buttons {name}")
    chat.press("Buy", on="a cup blue")
    assert chat.last.text == "buy/blue//"
    chat.press("Buy", on="Cup red")
    assert chat.last.text == "buy/red//"
    chat.press("buy")
    assert chat.last.text == "buy/green//"
    with pytest.raises(AssertionError, match="no message"):
        chat.press("Buy", on="Cup black")


@ANYWHERE
@pytest.mark.parametrize(("menu", "id_"), [("Size", "size"), ("size", "size"), ("Lid", "lid"), ("lid", "lid")])
def test_a_choice_belongs_to_its_menu(shop: Bot, platform: str, menu: str, id_: str) -> None:
    chat = Chat(shop, platform)
    chat.say("/cup red")
    chat.choose(menu, "Large")
    assert chat.last.text == f"{id_}/red/l/"
    chat.choose(menu, "s")
    assert chat.last.text == f"{id_}/red/s/"


@ANYWHERE
def test_a_menu_and_a_choice_that_are_not_there_are_named(shop: Bot, platform: str) -> None:
    chat = Chat(shop, platform)
    chat.say("/cup red")
    with pytest.raises(AssertionError, match="there is no menu 'Colour'"):
        chat.choose("Colour", "Large")
    with pytest.raises(AssertionError, match=r"there is no (choice 'Huge'|menu 'Size')"):
        chat.choose("Size", "Huge")
    with pytest.raises(AssertionError, match=r"there is no (choice 'Buy'|menu 'Size')"):
        chat.choose("Size", "Buy")


@ANYWHERE
@pytest.mark.parametrize("size", ["l", "Large"])
def test_a_choice_in_a_form_is_its_label_or_its_value(shop: Bot, platform: str, size: str) -> None:
    chat = Chat(shop, platform)
    chat.say("/form")
    chat.submit({"size": size, "note": "hot"})
    assert chat.last.text == "order///l,hot"
