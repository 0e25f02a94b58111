"""Rules: which handler gets a message."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.bot import Approve, Bot, Pairing, ResultError, Router, Rule, Script, Turn, rules
from parley.bot.definitions import check
from parley.bot.rules import (
    addressed,
    anything,
    department,
    from_bot,
    in_room,
    mentioned,
    person,
    platform,
    private,
    role,
    room,
    rule,
)
from parley.model import Action, Button, Card, Command, Context, Destination, Mention, Message, Sender, plain_text
from parley.model.instant import Choices, Form, Input
from parley.platforms import NAMES
from parley.testing import PLATFORMS, Chat
from tests.factories import make_message

GROUP, DIRECT, NO_ROOM = Context(room_id="oc_1"), Context(room_id="p2p", private=True), Context()
BOT = Sender(id="other", kind="bot")
HELPER = Mention(id="ou_bot", name="Helper", bot=True)


def message(text: str = "hello", *, context: Context = GROUP, **more: Any) -> Message:
    return make_message("m", text, context=context, **more)


def said(bot: Bot, text: str = "hello", **more: Any) -> list[str]:
    return [plain_text(reply.segments) for reply in bot.handle(Turn(message(text, **more)))]


def holds(tested: Rule, has_roles: tuple[str, ...] = (), **more: Any) -> bool:
    return tested.holds(Turn(message(**more)), lambda _message, name: name in has_roles)


@pytest.mark.parametrize(
    ("tested", "yes", "no"),
    [
        (private, {"context": DIRECT}, {}),
        (private, {"context": NO_ROOM}, {}),
        (in_room, {}, {"context": DIRECT}),
        (mentioned, {"mentions": (HELPER,)}, {}),
        (mentioned, {"mentions": (HELPER,)}, {"mentions": (HELPER,), "context": Context(room_id="r", mentioned=False)}),
        (mentioned, {"mentions": (HELPER,), "context": DIRECT}, {"mentions": (Mention(id="ann"),)}),
        (addressed, {}, {"context": Context(room_id="r", mentioned=False)}),
        (from_bot, {"sender": BOT}, {}),
        (room("oc_1", "oc_2"), {}, {"context": DIRECT}),
        (person("ann", "bob"), {"sender": Sender(id="bob")}, {"sender": Sender(id="carl")}),
        (
            person("LinDan"),
            {"sender": Sender(id="lindan"), "platform": "wecom"},
            {"sender": Sender(id="lindan"), "platform": "feishu"},
        ),
        (platform("wecom"), {"platform": "wecom"}, {}),
        (role("ops"), {"has_roles": ("ops",)}, {"has_roles": ("dev",)}),
        (rule(lambda message: message.content.text == "x"), {"text": "x"}, {}),
        (~private, {}, {"context": DIRECT}),
        (private & person("person"), {"context": DIRECT}, {}),
        (private | person("person"), {}, {"sender": Sender(id="carl")}),
    ],
)
def test_a_rule_holds_for_its_messages_only(tested: Rule, yes: dict[str, Any], no: dict[str, Any]):
    assert holds(tested, **yes)
    assert not holds(tested, **no)
    assert holds(anything, **yes)


def test_rules_combine_as_in_logic():
    yes, no = anything, ~anything

    @given(st.recursive(st.sampled_from(["yes", "no"]), lambda inner: st.tuples(st.sampled_from("&|~"), inner, inner)))
    def check(tree: Any) -> None:
        expected, combined = evaluate(tree)
        assert holds(combined) == expected

    def evaluate(tree: Any) -> tuple[bool, Rule]:
        if isinstance(tree, str):
            return tree == "yes", yes if tree == "yes" else no
        sign, (one, first), (two, second) = tree[0], evaluate(tree[1]), evaluate(tree[2])
        if sign == "~":
            return not one, ~first
        return (one and two, first & second) if sign == "&" else (one or two, first | second)

    check()


def test_a_function_gets_the_message_or_the_turn():
    @rule
    def counted(turn: Turn) -> bool:
        return turn.state.get("count", 0) > 1

    @rule
    async def slow(message: Message) -> bool:
        await asyncio.sleep(0)
        return message.content.text == "slow"

    turn = Turn(message("slow"), state={"count": 2})
    assert (counted & slow).holds(turn, lambda *_: False)
    assert not counted.holds(Turn(message()), lambda *_: False)
    assert not slow.holds(Turn(message()), lambda *_: False)


def _named(message: Message) -> bool:
    return bool(message)


_named.__name__ = "named"
NAMED: Any = _named
"""A function, as an author may pass it instead of a rule."""
UNNAMED: Any = role


@pytest.mark.parametrize("made", [role, person, room, department])
@pytest.mark.parametrize("name", [" ou_1", "ou_1 ", "ou_1\n", "\u3000ou_1"])
def test_white_space_around_a_name_is_an_error(made: Callable[[str], Any], name: str) -> None:
    """Such a rule holds for nobody, and its opposite for everybody."""
    with pytest.raises(
        ValueError, match=rf"the rule `{made.__name__}` has white space .* write {made.__name__}\('ou_1'\)"
    ):
        made(name)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: Bot().fallback(when=NAMED), r"named is a function and no rule: write rule\(named\)"),
        (lambda: Bot().command("x", when=UNNAMED)(lambda: "x"), r'the rule `role` needs names: write role\("..."\)'),
        (lambda: private & NAMED, r"write rule\(named\)"),
        (lambda: NAMED | private, r"write rule\(named\)"),
        (lambda: private & cast("Any", "feishu"), "'feishu' is no rule: use those of parley.bot.rules, or rule"),
        (lambda: private and in_room, "combine rules with &, | and ~ instead of"),
        (lambda: not private, "combine rules with &"),
        (room, r'the rule `room` takes texts that are not empty: write room\("...", "..."\)'),
        (lambda: role(""), r'the rule `role` takes texts that are not empty: write role\("..."\)$'),
        (lambda: role(cast("Any", ["ops"])), "the rule `role` takes texts"),
        (lambda: room("oc_1", ""), "the rule `room` takes texts that are not empty"),
        (lambda: person(cast("Any", ["ann"])), "the rule `person` takes texts"),
        (lambda: rule(cast("Any", private)), "this is a rule already"),
        (lambda: Bot(when=NAMED), r"write rule\(named\)"),
        (lambda: Bot().include(Router(), when=NAMED), r"write rule\(named\)"),
    ],
)
def test_a_wrong_rule_says_what_to_write(wrong: Callable[[], Any], says: str):
    def attempt() -> None:
        made = wrong()
        if callable(made):
            made(lambda: "x")

    with pytest.raises(TypeError, match=says):
        attempt()


REGISTER: dict[str, tuple[Callable[[Bot], Any], dict[str, Any]]] = {
    "command": (lambda bot: bot.command("go", when=private), {"text": "/go"}),
    "parsed command": (
        lambda bot: bot.command("go", when=private),
        {"kind": "command", "command": Command(name="go"), "text": ""},
    ),
    "action": (lambda bot: bot.action("go", when=private), {"kind": "action", "action": Action(id="go")}),
    "event": (lambda bot: bot.event("go", when=private), {"kind": "event", "event": "go"}),
    "pattern": (lambda bot: bot.pattern("go", when=private), {"text": "go"}),
    "fallback": (lambda bot: bot.fallback(when=private), {}),
}


@pytest.mark.parametrize("kind", REGISTER)
def test_every_handler_takes_a_rule_and_is_passed_over_if_it_does_not_hold(kind: str):
    register, matching = REGISTER[kind]
    bot = Bot()
    register(bot)(lambda: "ruled")
    if kind in ("action", "event"):
        getattr(bot, kind)("go")(lambda: "next")
    else:
        bot.fallback(lambda: "next")
    assert said(bot, **{"text": "hello", **matching}, context=DIRECT) == ["ruled"]
    assert said(bot, **{"text": "hello", **matching}, context=GROUP) == ["next"]


def test_instant_functions_and_completions_take_a_rule():
    form = Form(id="f", title="t", inputs=(Input(id="i", label="l"),))
    bot = Bot()
    bot.instant("go", when=private)(lambda _message: form)
    bot.completion("go", "text", when=private)(lambda _typed: ["a"])
    typing = Command(name="go", options={"text": ""}, focused="text")
    going = Command(name="go")
    assert bot.instantly(message(kind="command", command=going, context=DIRECT)) == form
    assert bot.instantly(message(kind="command", command=going)) is None
    assert bot.instantly(message(kind="command", command=typing, context=DIRECT)) == Choices.of(["a"])
    assert bot.instantly(message(kind="command", command=typing)) is None


def test_no_form_opens_for_a_command_whose_rule_does_not_hold():
    form = Form(id="f", title="t", inputs=(Input(id="i", label="l"),))
    bot = Bot()
    bot.command("go", when=private)(lambda: "x")
    bot.instant("go")(lambda _message: form)
    assert bot.instantly(message(kind="command", command=Command(name="go"))) is None
    assert bot.instantly(message(kind="command", command=Command(name="go"), context=DIRECT)) == form


@pytest.mark.parametrize(
    ("when", "answers"),
    [
        (None, False),
        (anything, False),
        (~from_bot, False),
        (private | ~from_bot, False),
        (from_bot, True),
        (from_bot & in_room, True),
        (~from_bot | from_bot, True),
        (~(~from_bot), True),
        (~(~from_bot & in_room), True),
    ],
)
def test_only_a_handler_whose_rule_names_bots_gets_their_messages(when: Rule | None, answers: bool):
    bot = Bot()
    bot.fallback(when=when)(lambda: "hello bot")
    assert said(bot, sender=BOT) == (["hello bot"] if answers else [])


def test_a_message_of_a_bot_passes_over_the_handlers_for_persons():
    bot = Bot()
    bot.command("go")(lambda: "person")
    bot.pattern("go", when=from_bot)(lambda: "bot")
    assert said(bot, "/go", sender=BOT) == ["bot"]
    assert said(bot, "/go") == ["person"]


def test_roles_are_those_that_the_team_and_the_platform_name():
    async def roles(message: Message) -> set[str]:
        await asyncio.sleep(0)
        return {"ann": {"ops"}, "bob": {"admin"}}.get(message.sender.id, set())

    bot = Bot(roles=roles, is_admin=lambda message: message.sender.id == "carl")
    bot.command("deploy", when=role("ops"))(lambda: "deployed")
    bot.command("purge", when=role("admin"))(lambda: "purged")
    bot.command("drop", admin=True)(lambda: "dropped")
    assert said(bot, "/deploy", sender=Sender(id="ann")) == ["deployed"]
    assert said(bot, "/deploy", sender=Sender(id="bob")) == []
    for admin in (Sender(id="bob"), Sender(id="carl"), Sender(id="dan", admin=True)):
        assert said(bot, "/purge", sender=admin) == ["purged"]
        assert said(bot, "/drop", sender=admin) == ["dropped"]
    assert said(bot, "/purge", sender=Sender(id="ann")) == []


def allowed(refusal: str = "Ask ann.") -> Bot:
    bot = Bot(when=person("ann") | room("oc_9"), refusal=refusal)
    bot.command("go", admin=True)(lambda: "gone")
    bot.action("go")(lambda: "pressed")
    bot.event("joined")(lambda: "welcome")
    bot.fallback(lambda: "hello")
    return bot


def test_a_bot_with_a_rule_refuses_everybody_else():
    assert said(allowed(), sender=Sender(id="ann")) == ["hello"]
    assert said(allowed(), context=Context(room_id="oc_9")) == ["hello"]
    for more in ({}, {"text": "/go"}, {"kind": "action", "action": Action(id="go")}):
        assert said(allowed(), **more) == ["Ask ann."]
        assert said(allowed(""), **more) == []


def test_nobody_reads_a_refusal_for_what_was_not_said_to_the_bot():
    assert said(allowed(), context=Context(room_id="oc_1", mentioned=False)) == []
    assert said(allowed(), kind="event", event="joined", context=DIRECT) == []
    assert said(allowed(), sender=BOT) == []


def test_no_form_opens_for_a_person_whom_the_bot_refuses():
    bot = allowed()
    bot.instant("open")(lambda _message: Choices(()))
    opened = message(kind="command", command=Command(name="open"), sender=Sender(id="ann"))
    assert bot.instantly(opened) == Choices(())
    assert bot.instantly(message(kind="command", command=Command(name="open"))) is None


def test_the_rules_are_those_of_the_guide():
    names = {name for name, value in vars(rules).items() if isinstance(value, Rule)}
    assert names == {"addressed", "anything", "from_bot", "in_room", "mentioned", "private"}


def guarded() -> Bot:
    bot = Bot(roles=lambda message: {"ops"} if message.sender.id == "ann" else set())

    @bot.command(when=role("ops"), refusal="Only operations may do this.")
    def deploy() -> str:
        return "deployed"

    @bot.action("stop", when=role("ops"), refusal="You cannot stop it.")
    def stop() -> str:
        return "stopped"

    @bot.action("go", when=role("ops"))
    def go() -> str:
        return "gone"

    @bot.fallback
    def other() -> str:
        return "what?"

    return bot


def pressed(id_: str, person_id: str) -> list[str]:
    return said(guarded(), "", kind="action", action=Action(id=id_), sender=Sender(id=person_id))


def test_a_refusal_beside_a_rule_is_for_those_for_whom_it_does_not_hold() -> None:
    assert said(guarded(), "/deploy", sender=Sender(id="ann")) == ["deployed"]
    assert said(guarded(), "/deploy", sender=Sender(id="bob")) == ["Only operations may do this."]
    assert said(guarded(), "hello", sender=Sender(id="bob")) == ["what?"]
    assert pressed("stop", "ann") == ["stopped"]
    assert pressed("stop", "bob") == ["You cannot stop it."]
    assert pressed("go", "bob") == []


def test_a_bot_reads_no_refusal() -> None:
    assert said(guarded(), "/deploy", sender=Sender(id="bob", kind="bot")) == []


def test_a_refusal_holds_in_a_router_and_for_its_rule() -> None:
    inner, bot = Router(), Bot()

    @inner.command(when=person("ann"), refusal="Not you.")
    def deploy() -> str:
        return "deployed"

    outer = Router()
    outer.include(inner, when=private)
    bot.include(outer)
    bot.fallback(lambda: "what?")
    assert said(bot, "/deploy", context=DIRECT, sender=Sender(id="ann")) == ["deployed"]
    assert said(bot, "/deploy", context=DIRECT, sender=Sender(id="bob")) == ["Not you."]
    assert said(bot, "/deploy", sender=Sender(id="bob")) == ["what?"]


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_refusal_does_not_keep_a_message_from_the_router_of_another_platform(name: str) -> None:
    mine, others, bot = Router(), Router(), Bot(roles=lambda _message: set[str]())
    bot.command("card")(lambda: Card(title="c", buttons=(Button(id="go", label="Go"),)))
    others.action("go", when=role("ops"), refusal="Only operations may do this.")(lambda: "other platforms")
    mine.action("go")(lambda: "this platform")
    bot.include(others, when=~platform(name))
    bot.include(mine, when=platform(name))
    chat = Chat(bot, name)
    chat.say("/card")
    chat.press("Go")
    assert chat.last.text == "this platform"


@pytest.mark.parametrize("platform_", PLATFORMS)
def test_a_refusal_on_every_platform(platform_: str) -> None:
    chat = Chat(guarded(), platform_)
    chat.say("/deploy", by="bob")
    chat.expect("Only operations may do this.")


@pytest.mark.parametrize("name", [*NAMES, "aws"])
def test_a_misspelled_platform_is_an_error(name: str):
    assert platform(name) is not None
    with pytest.raises(ValueError, match=f"no platform '{name}x'; there are .*{name}"):
        platform("feishu", f"{name}x")


NOBODY = r"the bot names no roles, so nobody has role\('ops'\): write Bot\(roles=\.\.\.\)"


WITH_ROLE: dict[str, Callable[[Bot], Any]] = {
    "command": lambda bot: bot.command("x", when=role("ops"))(lambda: ""),
    "not": lambda bot: bot.command("x", when=~role("ops"))(lambda: ""),
    "or": lambda bot: bot.fallback(when=person("ann") | role("ops"))(lambda: ""),
    "action": lambda bot: bot.action("x", when=private & role("ops"))(lambda: ""),
    "instant": lambda bot: bot.action("x")(lambda: "") and bot.instant("x", when=role("ops"))(lambda _message: None),
    "tool": lambda bot: bot.command("x", tool=Approve("Go?", by=role("ops")))(lambda: ""),
    "converse": lambda bot: bot.converse(model=lambda: pytest.fail("no model"), when=role("ops"))(lambda _turn: ""),
}


@pytest.mark.parametrize("way", WITH_ROLE)
def test_a_role_in_a_bot_without_roles_is_an_error_of_the_definition(way: str) -> None:
    bot = Bot()
    WITH_ROLE[way](bot)
    with pytest.raises(ValueError, match=NOBODY):
        check(bot)
    bot.roles = lambda _message: {"ops"}
    check(bot)


def test_a_role_in_the_rule_of_a_bot_or_a_router_without_roles_is_an_error_of_the_definition() -> None:
    router, bot = Router(), Bot()
    router.command("x")(lambda: "")
    bot.include(router, when=role("ops"))
    for wrong in (bot, Bot(when=role("ops")), Bot(pairing=Pairing(besides=role("ops")))):
        with pytest.raises(ValueError, match=NOBODY):
            check(wrong)


def test_an_administrator_needs_no_roles() -> None:
    bot = Bot()
    bot.command("x", when=role("admin"))(lambda: "")
    check(bot)


@pytest.mark.parametrize("by", [role("ops"), role("ops") & in_room])
def test_an_approval_by_a_role_in_a_bot_without_roles_is_an_error_when_it_is_asked(by: Rule) -> None:
    def asking(**settings: Any) -> Chat:
        bot = Bot(**settings)

        @bot.command()
        def x(turn: Turn) -> Script:
            yield Approve("Go?", by=by, room=Destination(platform="feishu", app="demo", room_id="oc_1"))

        return Chat(bot, "feishu")

    with pytest.raises(ResultError, match=NOBODY):
        asking().say("/x")
    chat = asking(roles=lambda _message: set[str]())
    chat.say("/x")
    assert chat.replies
