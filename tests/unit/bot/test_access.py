"""Who may use a command, an action or a form, and where: the same rule on every platform."""

from typing import Any

import pytest

from parley.bot import Bot, Turn
from parley.bot.texts import BOTH
from parley.model import Action, Command, Content, Context, Message, Sender, plain_text
from parley.model.instant import Choices, Form, Input
from parley.platforms import NAMES

ADMINS = {("feishu", "ann"), ("wechat", "ann")}
ROOM, DIRECT, NO_ROOM = Context(room_id="room"), Context(room_id="p2p", private=True), Context()


def named(message: Message) -> bool:
    return (message.platform, message.sender.id) in ADMINS


def message(text: str = "", sender: str | Sender = "bob", **changed: Any) -> Message:
    fields: dict[str, Any] = {
        "id": "m1",
        "platform": "feishu",
        "app": "demo",
        "kind": "message",
        "sender": Sender(id=sender) if isinstance(sender, str) else sender,
        "content": Content(text=text),
        "timestamp": 1_800_000_000,
        "context": ROOM,
    }
    return Message(**(fields | changed))


def said(bot: Bot, *args: Any, **changed: Any) -> list[str]:
    return [plain_text(reply.segments) for reply in bot.handle(Turn(message(*args, **changed)))]


@pytest.fixture(params=[None, named])
def bot(request: pytest.FixtureRequest) -> Bot:
    made = Bot(is_admin=request.param)
    made.command("purge", admin=True)(lambda text="all": f"purged {text}")
    made.command("standup", rooms_only=True)(lambda: "notes")
    made.command("Purge this", admin=True, menu="message")(lambda: "purged it")
    made.command("echo")(lambda text: text)
    made.action("go", admin=True)(lambda: "going")
    made.action("vote", rooms_only=True)(lambda: "voted")

    @made.fallback
    def anything(turn: Turn) -> str:
        return f"fallback {turn.text}"

    return made


@pytest.mark.parametrize("platform", NAMES)
@pytest.mark.parametrize("typed", ["/purge", "／purge x", " /purge\nx"])
def test_a_typed_admin_command_is_refused_on_every_platform(bot: Bot, platform: str, typed: str):
    assert said(bot, typed, platform=platform) == [BOTH.not_admin]


@pytest.mark.parametrize("platform", NAMES)
def test_a_parsed_admin_command_is_refused_on_every_platform(bot: Bot, platform: str):
    for command in (Command(name="purge"), Command(name="Purge this", options={"target": "1"}, menu="message")):
        assert said(bot, kind="command", command=command, platform=platform) == [BOTH.not_admin]


def test_the_platform_or_the_team_names_the_administrators(bot: Bot):
    assert said(bot, "/purge x", sender=Sender(id="bob", admin=True)) == ["purged x"]
    expected = ["purged x"] if bot.is_admin else [BOTH.not_admin]
    assert said(bot, "/purge x", "ann") == expected
    assert said(bot, "/purge x", "ann", platform="wecom") == [BOTH.not_admin]


def test_an_action_of_administrators_is_refused_for_others(bot: Bot):
    assert said(bot, kind="action", action=Action(id="go")) == [BOTH.not_admin]
    assert said(bot, kind="action", action=Action(id="go"), sender=Sender(id="x", admin=True)) == ["going"]


@pytest.mark.parametrize("context", [DIRECT, NO_ROOM])
def test_a_command_of_rooms_is_refused_in_a_direct_chat(bot: Bot, context: Context):
    assert said(bot, "/standup", context=context) == [BOTH.rooms_only]
    assert said(bot, kind="command", command=Command(name="standup"), context=context) == [BOTH.rooms_only]
    assert said(bot, kind="action", action=Action(id="vote"), context=context) == [BOTH.rooms_only]
    assert said(bot, "/standup") == ["notes"]
    assert said(bot, kind="action", action=Action(id="vote")) == ["voted"]


def test_a_predicate_that_raises_lets_nobody_in():
    bot = Bot(is_admin=lambda message: 1 / 0 > 0)
    bot.command("purge", admin=True)(lambda: "purged")
    with pytest.raises(ZeroDivisionError):
        said(bot, "/purge")


def test_forms_and_completions_of_a_refused_command_are_not_shown(bot: Bot):
    form = Form(id="f", title="t", inputs=(Input(id="i", label="l"),))
    bot.instant("purge", "go", "standup")(lambda _message: form)
    bot.completion("purge", "text")(lambda _typed: ["secret"])
    admin = Sender(id="x", admin=True)
    typing = Command(name="purge", options={"text": ""}, focused="text")
    cases: list[dict[str, Any]] = [{"command": Command(name="purge")}, {"command": typing}, {"action": Action(id="go")}]
    for changed in cases:
        assert bot.instantly(message(kind="command", **changed)) is None
    assert bot.instantly(message(kind="command", command=Command(name="standup"), context=DIRECT)) is None
    assert bot.instantly(message(kind="command", command=Command(name="purge"), sender=admin)) == form
    assert bot.instantly(message(kind="command", command=typing, sender=admin)) == Choices.of(["secret"])


@pytest.mark.parametrize("menu", ["", "message", "user"])
@pytest.mark.parametrize("text", ["/echo hacked", "／purge", "/Gone @Kai", "PROJ-7"])
def test_a_menu_entry_that_the_bot_no_longer_has_runs_nothing_of_the_message(bot: Bot, menu: Any, text: str):
    """The text of a menu entry is another person's message."""
    bot.pattern("PROJ")(lambda: "pattern")
    bot.command("Gone")(lambda text="": "ran")
    command = Command(name="Old entry", options={"target": "1"}, menu=menu)
    assert said(bot, text, kind="command", command=command, reply_to="1") == [f"fallback {text}"]


def test_a_menu_entry_never_calls_a_slash_command_of_the_same_name():
    bot = Bot()
    bot.command("greet")(lambda target: f"slash {target}")
    menu = Command(name="greet", options={"target": "1"}, menu="user")
    assert said(bot, "/greet @Kai", kind="command", command=menu) == []
    assert said(bot, kind="command", command=Command(name="greet", options={"target": "1"})) == ["slash 1"]


def test_a_menu_entry_of_an_earlier_version_in_the_queue_still_runs(bot: Bot):
    command = Command(name="Purge this", options={"target": "1"})
    assert said(bot, kind="command", command=command, sender=Sender(id="x", admin=True)) == ["purged it"]


@pytest.mark.parametrize("platform", NAMES)
@pytest.mark.parametrize("returned", ["administrator", b"admin", None, 5, {"ops": True}, [5]])
def test_what_is_no_set_of_roles_gives_nobody_a_role(platform: str, returned: Any):
    bot = Bot(roles=lambda _message: returned)
    bot.command("purge", admin=True)(lambda: "purged")
    with pytest.raises(TypeError, match=r'Bot\(roles=...\) returned .*: return a set of texts, such as {"ops"}'):
        said(bot, "/purge", platform=platform)


@pytest.mark.parametrize("returned", [{"admin"}, ["ops", "admin"], ("admin",), iter(["admin"])])
def test_roles_are_a_list_or_a_set_of_texts(returned: Any):
    bot = Bot(roles=lambda _message: returned)
    bot.command("purge", admin=True)(lambda: "purged")
    assert said(bot, "/purge") == ["purged"]
