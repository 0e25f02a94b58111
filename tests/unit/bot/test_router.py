"""A bot in several files: routers, aliases, the order of handlers, middleware."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from parley.bot import Bot, Router, Turn
from parley.bot.rules import private, room
from parley.model import Action, Command, Context, Message, Reply, plain_text
from parley.model.instant import Choices, Form, Input
from tests.factories import make_message

DIRECT = Context(room_id="p", private=True)


def message(text: str = "", **more: Any) -> Message:
    return make_message("m", text, **more)


def said(bot: Bot, text: str = "", **more: Any) -> list[str]:
    return [plain_text(reply.segments) for reply in bot.handle(Turn(message(text, **more)))]


def first_handler() -> str:
    return "first"


def second_handler() -> str:
    return "second"


def full() -> Router:
    """A router with a handler of each kind."""
    router = Router()
    router.command("go", aliases=("走",))(first_handler)
    router.action("go")(first_handler)
    router.event("go")(first_handler)
    router.pattern("PROJ")(first_handler)
    router.fallback(first_handler)
    router.instant("form")(lambda _message: Form(id="f", title="t", inputs=(Input(id="i", label="l"),)))
    router.completion("go", "text")(lambda typed: [typed])
    return router


MATCHING: dict[str, dict[str, Any]] = {
    "command": {"text": "/go"},
    "alias": {"text": "/走"},
    "parsed command": {"kind": "command", "command": Command(name="go")},
    "action": {"kind": "action", "action": Action(id="go")},
    "event": {"kind": "event", "event": "go"},
    "pattern": {"text": "PROJ"},
    "fallback": {"text": "hello"},
}


@pytest.mark.parametrize("kind", MATCHING)
def test_a_bot_has_the_handlers_of_its_routers(kind: str):
    bot = Bot()
    bot.include(full(), when=private)
    assert said(bot, **MATCHING[kind], context=DIRECT) == ["first"]
    assert said(bot, **MATCHING[kind]) == []


def test_a_bot_has_the_instant_functions_of_its_routers():
    bot = Bot()
    bot.include(full(), when=private)
    typing = Command(name="go", options={"text": "a"}, focused="text")
    assert bot.instantly(message(kind="command", command=typing, context=DIRECT)) == Choices.of(["a"])
    assert bot.instantly(message(kind="command", command=typing)) is None
    assert bot.instantly(message(kind="action", action=Action(id="form"), context=DIRECT))
    assert [spec.options for spec in bot.specs()] == [()]


def test_routers_include_routers_and_all_rules_have_to_hold():
    inner, outer, bot = Router(), Router(), Bot()
    inner.fallback(when=private)(first_handler)
    outer.include(inner, when=room("p"))
    bot.include(outer)
    assert said(bot, "x", context=DIRECT) == ["first"]
    assert said(bot, "x", context=Context(room_id="q", private=True)) == []


def test_patterns_run_in_the_order_of_definition_and_inclusion():
    bot, router = Bot(), Router()
    router.pattern("b")(lambda: "router")
    bot.pattern("a")(lambda: "before")
    bot.include(router)
    bot.pattern("c")(lambda: "after")
    assert said(bot, "a b c") == ["before"]
    assert said(bot, "b c") == ["router"]
    assert said(bot, "c") == ["after"]


def test_a_command_goes_before_patterns_and_these_before_the_fallback():
    bot = Bot()
    bot.fallback(lambda: "fallback")
    bot.pattern("go")(lambda: "pattern")
    bot.command("go")(lambda: "command")
    assert said(bot, "/go") == ["command"]
    assert said(bot, "please go") == ["pattern"]
    assert said(bot, "/unknown") == ["fallback"]


def test_fallbacks_run_in_the_order_of_inclusion():
    bot, router = Bot(), Router()
    router.fallback(when=private)(lambda: "router")
    bot.include(router)
    bot.fallback(lambda: "bot")
    assert said(bot, "x", context=DIRECT) == ["router"]
    assert said(bot, "x") == ["bot"]


CLASHES: dict[str, tuple[Callable[[Router], Any], str]] = {
    "command": (lambda router: router.command("go"), "the command /go"),
    "name of an alias": (lambda router: router.command("走"), "the command /走"),
    "alias of a name": (lambda router: router.command("x", aliases=("go",)), "the command /go"),
    "alias of an alias": (lambda router: router.command("x", aliases=("走",)), "the command /走"),
    "action": (lambda router: router.action("go"), "'go'"),
    "event": (lambda router: router.event("go"), "'go'"),
    "fallback": (lambda router: router.fallback(), "fallback"),
}


@pytest.mark.parametrize("kind", CLASHES)
def test_a_clash_across_files_names_both_handlers(kind: str):
    register, what = CLASHES[kind]
    bot, other = Bot(), Router()
    bot.include(full())
    register(other)(second_handler)
    places = r"first_handler, test_router.py:\d+ and second_handler, test_router.py:\d+; give"
    with pytest.raises(ValueError, match=f"two handlers for {what}: {places}"):
        bot.include(other)


def test_two_handlers_of_one_event_are_no_clash_if_the_first_has_a_rule():
    bot, other = Bot(), Router()
    bot.include(full(), when=private)
    other.event("go")(second_handler)
    bot.include(other)
    assert said(bot, kind="event", event="go", context=DIRECT) == ["first"]
    assert said(bot, kind="event", event="go") == ["second"]


def test_a_handler_that_comes_after_the_inclusion_is_an_error():
    bot, router = Bot(), Router()
    bot.include(router)
    registers: list[Any] = [
        router.command(),
        router.action("x"),
        router.event("x"),
        router.pattern("x"),
        router.fallback,
        router.instant("x"),
        router.completion("x", "y"),
        router.middleware,
    ]
    for register in registers:
        with pytest.raises(ValueError, match=r"second_handler, test_router.py:\d+: the router is already included"):
            register(second_handler)


def test_a_router_is_included_once_in_each_bot():
    router = Router()
    router.fallback(first_handler)
    bots = [Bot(), Bot()]
    for bot in bots:
        bot.include(router)
        assert said(bot, "x") == ["first"]
        with pytest.raises(ValueError, match="included twice"):
            bot.include(router)
    with pytest.raises(ValueError, match="included twice"):
        (own := Router()).include(own)


def test_an_alias_is_typed_and_not_registered():
    bot = Bot()

    @bot.command("remind", aliases=("提醒", "提醒 我"), help="Remind me")
    def remind(text: str) -> str:
        return f"remind {text}"

    assert said(bot, "/提醒 喝水") == ["remind 喝水"]
    assert said(bot, "／提醒　我 喝水") == ["remind 喝水"]
    assert said(bot, "/提醒") == ["缺少参数 text (text is missing)\n/remind TEXT"]
    assert [spec.name for spec in bot.specs()] == ["remind"]
    assert bot.help() == "/remind TEXT  Remind me"


def test_a_wrong_alias_says_what_to_write():
    with pytest.raises(TypeError, match=r'write aliases=\("提醒",\)'):
        Bot().command("remind", aliases="提醒")  # pyright: ignore[reportArgumentType]
    with pytest.raises(
        ValueError, match=r"first_handler, test_router.py:\d+: write the name '/提醒' without its slash"
    ):
        Bot().command("remind", aliases=("/提醒",))(first_handler)


def trace(into: list[str], name: str) -> Callable[..., Any]:
    def around(turn: Turn, handle: Callable[[], list[Reply]]) -> list[Reply]:
        into.append(f"{name} {turn.text}")
        replies = handle()
        into.append(f"{name} {len(replies)}")
        return replies

    return around


@pytest.mark.parametrize("kind", MATCHING)
def test_middleware_runs_around_every_handler_in_the_order_of_definition(kind: str):
    seen: list[str] = []
    bot, router = Bot(), full()
    bot.middleware(trace(seen, "one"))
    router.middleware(trace(seen, "three"))
    bot.include(router)
    bot.middleware(trace(seen, "two"))
    assert said(bot, **MATCHING[kind]) == ["first"]
    names = [line.split()[0] for line in seen]
    assert names == ["one", "two", "three", "three", "two", "one"]
    assert seen[-1] == "one 1"


def test_the_middleware_of_a_router_runs_around_its_own_handlers_only():
    seen: list[str] = []
    bot, router = Bot(), Router()
    router.middleware(trace(seen, "router"))
    router.command("go")(first_handler)
    bot.include(router)
    bot.fallback(second_handler)
    assert said(bot, "x") == ["second"]
    assert seen == []
    assert said(bot, "/go") == ["first"]
    assert seen == ["router /go", "router 1"]


@pytest.mark.parametrize("returned", ["instead", ["one", "two"], None])
def test_middleware_may_answer_itself(returned: Any):
    bot = Bot()
    bot.middleware(lambda turn, handle: returned)
    bot.fallback(lambda: str(1 / 0))
    assert said(bot, "x") == ([returned] if isinstance(returned, str) else returned or [])


def test_middleware_gets_the_replies_of_an_asynchronous_handler():
    bot = Bot()

    @bot.middleware
    def loud(turn: Turn, handle: Callable[[], list[Reply]]) -> list[str]:
        return [plain_text(reply.segments).upper() for reply in handle()]

    @bot.fallback
    async def later() -> list[str]:
        await asyncio.sleep(0)
        return ["a", "b"]

    assert said(bot, "x") == ["A", "B"]


def test_middleware_sees_what_the_handler_raises():
    bot = Bot()

    @bot.middleware
    def forgiving(turn: Turn, handle: Callable[[], list[Reply]]) -> list[Reply] | str:
        try:
            return handle()
        except ZeroDivisionError:
            return "no"

    @bot.fallback
    def broken() -> Iterator[str]:
        yield str(1 / 0)

    assert said(bot, "x") == ["no"]


def test_a_refusal_and_a_wrong_argument_run_no_middleware():
    seen: list[str] = []
    bot = Bot()
    bot.middleware(trace(seen, "one"))
    bot.command("purge", admin=True)(lambda: "purged")
    bot.command("echo")(lambda text: text)
    assert said(bot, "/purge") != said(bot, "/echo") != []
    assert seen == []


def test_middleware_is_a_plain_function():
    async def around(turn: Turn, handle: Callable[[], list[Reply]]) -> list[Reply]:
        return handle()

    with pytest.raises(TypeError, match=r"around, .*: write `def`; handle\(\) waits for asynchronous handlers"):
        Bot().middleware(around)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("define", "error"),
    [
        (
            lambda router: router.command(admins=True),
            r"no setting 'admins'; it has admin, aliases, anywhere, help, helps, menu",
        ),
        (
            lambda router: router.command("x", room_only=True),
            "no setting 'room_only'; it has .* rooms_only, tool, when",
        ),
        (lambda router: router.intent("x", exmples=["a"]), r"needs examples: write @bot.intent\(examples=...\)"),
        (
            lambda router: router.intent("x", examples=["a"], zne="UTC"),
            "no setting 'zne'; it has examples, labels, when, zone",
        ),
        (lambda router: router.converse(), r"needs model: write @bot.converse\(model=...\)"),
        (lambda router: router.converse(model=print, sytem="x"), "no setting 'sytem'; it has answer, command"),
        (lambda router: router.command("x", admin="yes"), "admin='yes': write admin=True"),
        (lambda router: router.action("x", rooms_only=1), "rooms_only=1: write rooms_only=True"),
    ],
)
def test_a_setting_that_is_misspelled_or_missing_fails_when_the_bot_loads(define: Callable[[Any], Any], error: str):
    with pytest.raises(TypeError, match=error):
        define(Router())(first_handler)


@pytest.mark.parametrize(("wrong", "kind"), [(Bot(when=private), "Bot"), (Bot(), "Bot"), (print, "builtin_function")])
@pytest.mark.parametrize("outer", [Bot, Router])
def test_only_a_router_is_included(outer: type[Router], wrong: Any, kind: str):
    """The rule, the roles and the quotas of a bot would be lost, and its handlers would be open to everybody."""
    with pytest.raises(TypeError, match=rf"include takes a Router and no {kind}.*: write Router\(\)"):
        outer().include(wrong)
