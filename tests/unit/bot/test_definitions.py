"""Wrong definitions of a bot fail when it loads, or when it is checked, and say what to write instead."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum, Flag
from functools import partial
from typing import Annotated, Any, Literal, TypedDict
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from pydantic import BaseModel, Field

from parley.bot import Approve, Ask, Bot, Option, ResultError, Router, Texts, Turn
from parley.bot.conversions import _adapters, adapter_of  # pyright: ignore[reportPrivateUsage]
from parley.bot.definitions import check
from parley.bot.rules import private, rule
from parley.model import Action, Destination, File, Image, Mention, Message, plain_text
from parley.model.instant import Form, Input
from parley.testing import PLATFORMS, Chat
from tests.factories import make_message
from tools import bot as tool

ANYTHING: Any = Bot
"""The class, for arguments that its types forbid."""
TO = Destination(platform="feishu", app="main", room_id="oc_1")


WITH_NONE: Any = Literal["a", None]  # noqa: PYI061  # this is the mistake


class Plain:
    """A class that pydantic does not know."""


class Model(BaseModel):
    x: int


@dataclass
class Data:
    x: int


class Typed(TypedDict):
    x: int


class Permission(Flag):
    READ = 1


class Named(Enum):
    A = "a"


def taking(annotation: Any) -> Callable[..., str]:
    def show(value: Any) -> str:
        return f"{value}"

    show.__annotations__["value"] = annotation
    return show


def nothing(text: str) -> str:
    return text


def said(bot: Bot, text: str = "", **more: Any) -> list[str]:
    return [plain_text(reply.segments) for reply in bot.handle(Turn(make_message("m", text, **more)))]


# --- when the bot loads -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "annotation",
    [
        dict,
        dict[str, int],
        set[int],
        frozenset[str],
        tuple[int, int],
        Mapping[str, int],
        deque[int],
        Typed,
        list[list[int]],
        Annotated[set[int], Option(help="h")],
        dict[str, int] | None,
        int | tuple[int, int],
        list[dict[str, int]],
    ],
    ids=str,
)
def test_an_argument_that_nobody_can_type_fails_when_the_bot_loads(annotation: Any):
    with pytest.raises(
        TypeError, match=r"show: `value` is a \w+, which nobody can type: write list\[str\] or list\[int\]"
    ):
        Bot().command("do")(taking(annotation))


@pytest.mark.parametrize("annotation", [Turn | None, Message | None, Annotated[Turn, "x"], Turn[Model] | None], ids=str)
def test_an_injected_value_is_never_missing(annotation: Any):
    with pytest.raises(TypeError, match="show: `value` is always there: write its type without None"):
        Bot().command("do")(taking(annotation))


@pytest.mark.parametrize(
    ("define", "way"),
    [
        (lambda bot: bot.action("go"), "read `turn.text`"),
        (lambda bot: bot.event("bot_added"), "read `turn.text`"),
        (lambda bot: bot.reminder("tea"), "read `turn.text`"),
        (lambda bot: bot.fallback(), "read `turn.text`"),
        (lambda bot: bot.incoming("aws.x", "y"), "read `turn.text`"),
        (lambda bot: bot.scheduled("0 9 * * *", to=TO), "read `turn.text`"),
        (lambda bot: bot.pattern("x"), "read `turn.text`"),
        (lambda bot: bot.pattern("(?P<txt>x)"), r"write \(\?P<text>...\) in the pattern"),
    ],
)
def test_an_argument_that_nothing_fills_fails_when_the_bot_loads(define: Callable[[Router], Any], way: str):
    with pytest.raises(
        TypeError, match=rf"nothing, test_definitions.py:\d+: nothing fills 'text'; {way}.*or give it a default"
    ):
        define(Router())(nothing)
    define(Router())(lambda text="": text)


@pytest.mark.parametrize(
    "define", [lambda bot: bot.action("go"), lambda bot: bot.event("x"), lambda bot: bot.reminder("x")]
)
def test_only_a_text_fills_a_mentioned_person(define: Callable[[Router], Any]):
    with pytest.raises(TypeError, match="nothing fills 'value'"):
        define(Router())(taking(Mention))
    Router().pattern("x")(taking(Mention))
    Router().fallback(taking(list[Mention]))


@pytest.mark.parametrize("alias", ["", " ", "a b c d", "a  b", "a ", " a", "a\nb", "提　醒", "a，b", "提醒。"])
def test_a_name_that_nobody_can_type_fails_when_the_bot_loads(alias: str):
    with pytest.raises(ValueError, match=r"nothing, test_definitions.py:\d+: nobody can type the name"):
        Bot().command("note", aliases=(alias,))(nothing)
    if alias:
        with pytest.raises(ValueError, match="nobody can type the name"):
            Bot().command(alias)(nothing)


def test_a_router_that_is_included_later_is_not_lost():
    bot, outer, inner = Bot(), Router(), Router()
    bot.include(outer)
    with pytest.raises(ValueError, match="this router is already included; include others in it before that"):
        outer.include(inner)


def test_routers_that_include_each_other_fail_when_the_bot_loads():
    one, two = Router(), Router()
    one.include(two)
    with pytest.raises(ValueError, match="already included"):
        two.include(one)


def test_one_schedule_in_two_routers_fails_when_the_bot_loads():
    def morning() -> str:
        return "hi"

    bot, routers = Bot(), (Router(), Router())
    for router in routers:
        router.scheduled("0 9 * * *", to=TO)(morning)
    bot.include(routers[0])
    with pytest.raises(ValueError, match=r"morning, test_definitions.py:\d+: the same schedule twice"):
        bot.include(routers[1])


@pytest.mark.parametrize(
    ("define", "error", "message"),
    [
        (lambda: ANYTHING(texts=Texts()), TypeError, r'write texts={"en": Texts\(...\)}'),
        (lambda: ANYTHING(texts={"zh-CN": Texts()}), ValueError, r"texts\['zh-CN'\]: write a language such as"),
        (lambda: ANYTHING(texts={"english": Texts()}), ValueError, "write a language such as"),
        (lambda: ANYTHING(texts={"ZH": Texts()}), ValueError, "write a language such as"),
        (
            lambda: ANYTHING(roles={}),
            TypeError,
            r"Bot\(roles=...\) is no function but dict: write `def name\(message\)`",
        ),
        (lambda: ANYTHING(roles=lambda: ()), TypeError, r"Bot\(roles=...\) gets message: write `def name\(message\)`"),
        (lambda: ANYTHING(is_admin=True), TypeError, r"Bot\(is_admin=...\) is no function but bool"),
        (lambda: ANYTHING(refusal="no"), ValueError, r"write Bot\(when=..., refusal=...\)"),
        (lambda: ANYTHING().command(refusal="no")(nothing), ValueError, "nothing.*write when=... beside it"),
        (lambda: ANYTHING().action("x", refusal="no")(lambda: ""), ValueError, "write when=... beside it"),
        (
            lambda: ANYTHING().middleware(lambda: None),
            TypeError,
            r"gets turn and handle: write `def name\(turn, handle\)`",
        ),
        (lambda: ANYTHING().middleware("x"), TypeError, "a middleware is no function but str"),
        (
            lambda: ANYTHING().fallback(private),
            TypeError,
            "a handler is a function, and no Rule; a rule is written when=",
        ),
        (lambda: ANYTHING().command()(partial(nothing, "x")), TypeError, "has no name: write a function with `def`"),
        (lambda: ANYTHING().action("x")(partial(nothing, "x")), TypeError, "has no name: write a function with `def`"),
        (lambda: ANYTHING().instant("x")(lambda: None), TypeError, r"gets message: write `def name\(message\)`"),
        (lambda: ANYTHING().instant(), TypeError, r'needs a name: write @bot.instant\("..."\)'),
        (lambda: ANYTHING().instant(nothing), TypeError, r"write @bot.instant\(...\), with parentheses"),
        (lambda: ANYTHING().completion("x", "y")(lambda: None), TypeError, r"gets typed: write `def name\(typed\)`"),
    ],
)
def test_a_wrong_argument_of_the_bot_fails_when_it_loads(
    define: Callable[[], Any], error: type[Exception], message: str
):
    with pytest.raises(error, match=message):
        define()


@pytest.mark.parametrize("admin", [True, False])
def test_an_empty_text_for_a_refused_person_lets_nobody_in(admin: bool):
    """It also keeps the message from the next handler."""
    bot = Bot(texts={"": Texts(not_admin="", rooms_only="")}, is_admin=lambda _message: admin)
    bot.command("purge", admin=True)(lambda: "purged")
    bot.action("purge", admin=True)(lambda: "purged")
    bot.fallback(lambda: "fallback")
    assert said(bot, "/purge") == (["purged"] if admin else [])
    assert said(bot, kind="action", action=Action(id="purge")) == (["purged"] if admin else [])


# --- when the bot is checked ------------------------------------------------------------------------------------------


def wrong_bot() -> Bot:
    bot = Bot()
    bot.command("do")(taking(Plain))
    return bot


@pytest.mark.parametrize(
    ("annotation", "way"),
    [
        (Plain, "write a type such as str, int or date"),
        (Plain | None, "write a type such as str, int or date"),
        (list[Plain], "write a type such as str, int or date"),
        (int | Plain, "write a type such as str, int or date"),
        (Model, "write one argument for each of its values"),
        (Model | None, "write one argument for each of its values"),
        (Data, "write one argument for each of its values"),
        (Callable[[], int], "write one argument for each of its values"),
        (Iterable[int], "write one argument for each of its values"),
        (Annotated[int, Field(gt="a")], "correct its Field: .*'gt' must be"),  # pyright: ignore[reportArgumentType]
        (Annotated[str, Field(pattern="(")], "correct its Field: .*unclosed group"),
        (Annotated[str, Field(gt=1)], r"Field\(gt=...\) is not for str"),
        (Annotated[int, Field(max_length=2)], r"Field\(max_length=...\) is not for int"),
        (Annotated[date, Field(pattern="x")], r"Field\(pattern=...\) is not for date"),
        (Annotated[list[int], Field(ge=2)], r"Field\(ge=...\) is not for list"),
    ],
    ids=str,
)
def test_an_argument_that_no_text_can_be_read_as_fails_when_the_bot_is_checked(annotation: Any, way: str):
    bot = Bot()
    bot.command("do")(taking(annotation))
    place = r"show, test_definitions.py:\d+: no text can be read as `value`"
    with pytest.raises(TypeError, match=f"{place}: .*{way}"):
        check(bot)


@pytest.mark.parametrize(
    "annotation",
    [
        *(int, int | None, UUID, Permission, Named, Literal["a"], Mention, list[Mention], list[int], list, str, bytes),
        *(Annotated[list[int], Field(max_length=2)], Annotated[str, Option(help="h")], int | str, list[int] | None),
    ],
    ids=str,
)
def test_every_other_argument_passes_the_check(annotation: Any):
    bot = Bot()
    bot.command("do")(taking(annotation))
    check(bot)


@pytest.mark.parametrize(
    ("define", "error"),
    [
        (lambda bot: bot.completion("note", "txt")(lambda typed: [typed]), "/note has no argument 'txt'; it has text"),
        (lambda bot: bot.completion("nte", "text")(lambda typed: [typed]), "there is no command /nte"),
        (lambda bot: bot.instant("nte")(lambda message: None), "there is no command and no action 'nte'"),
        (
            lambda bot: bot.form(Form(id="nte", title="t", inputs=(Input(id="i", label="l"),))),
            r"there is no command and no action 'nte'; write @bot.action\('nte'\)",
        ),
    ],
)
def test_what_belongs_to_no_handler_fails_when_the_bot_is_checked(define: Callable[[Bot], Any], error: str):
    bot = Bot()
    bot.command("note")(nothing)
    bot.completion("note", "text")(lambda typed: [typed])
    bot.instant("note")(lambda message: None)
    check(bot)
    define(bot)
    with pytest.raises(ValueError, match=error):
        check(bot)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_test_of_a_bot_checks_it(platform: str):
    with pytest.raises(TypeError, match="no text can be read as `value`"):
        Chat(wrong_bot(), platform)


def test_the_tools_check_a_bot(tmp_path: Any):
    file = tmp_path / "bot_with_a_typo.py"
    file.write_text("from parley.bot import Bot\nbot = Bot()\nbot.instant('typo')(lambda message: None)\n")
    with pytest.raises(ValueError, match="no command and no action 'typo'"):
        tool.load(file)


# --- the types of arguments -------------------------------------------------------------------------------------------


def test_equal_annotations_share_what_reads_them():
    def make() -> Any:
        return Annotated[int, Field(ge=1, le=9)]

    assert adapter_of(make()) is adapter_of(make())
    assert adapter_of(make()) is not adapter_of(Annotated[int, Field(ge=1, le=8)])
    assert adapter_of(Literal[1]) is not adapter_of(Literal["1"])


def test_classes_of_one_name_do_not_share_what_reads_them():
    one, two = (Enum("Same", {"A": value}) for value in ("a", "b"))
    assert adapter_of(one | None) is not adapter_of(two | None)


def test_what_reads_arguments_is_bounded():
    for number in range(400):
        adapter_of(Annotated[int, Field(ge=number)])
    assert len(_adapters) == 256
    assert adapter_of(Annotated[int, Field(ge=399)]).validate_python("400") == 400


# --- schedules --------------------------------------------------------------------------------------------------------


def test_a_schedule_runs_where_its_rule_holds():
    bot = Bot()
    open_ = [False, True]

    @rule
    def is_open(_message: Message) -> bool:
        return open_.pop(0)

    bot.scheduled("0 9 * * *", to=TO, when=is_open)(lambda: "hi")
    [timer] = bot.timers(0)
    runs = [bot.handle(Turn(timer.due)) for _ in range(2)]
    assert [len(replies) for replies in runs] == [0, 1]


# --- what people type -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("platform", [name for name in PLATFORMS if name != "discord"])
@pytest.mark.parametrize(
    "typed", ["/order tea", "／ｏｒｄｅｒ　tea", "/Order tea", "/ORDER，tea", "/点单、tea", "／Ｏrder。tea"]
)
def test_a_command_is_typed_in_any_case_and_width(platform: str, typed: str):
    bot = Bot()
    bot.command("order", aliases=("点单",))(lambda text="": f"order {text}")
    bot.fallback(lambda: "fallback")
    chat = Chat(bot, platform)
    chat.say(typed)
    chat.expect("order tea")


def test_an_exact_name_goes_before_one_in_another_case():
    bot = Bot()
    bot.command("order")(lambda text="": f"small {text}".strip())
    bot.command("Order")(lambda text="": f"large {text}".strip())
    bot.command("ORDER this", menu="message")(lambda: "menu")
    assert [said(bot, text) for text in ("/order", "/Order", "/ORDER", "/order this")] == [
        ["small"],
        ["large"],
        ["small"],
        ["small this"],
    ]


@pytest.mark.parametrize("typed", ["/echo 。。。", "/echo， a  b，c ", "/echo 你好，世界"])
def test_the_text_after_the_name_of_a_command_is_kept(typed: str):
    bot = Bot()
    bot.command("echo")(lambda text: f"[{text}]")
    assert said(bot, typed) == [f"[{typed[5:].removeprefix('，').strip()}]"]


def test_each_message_gets_a_list_of_its_own():
    bot = Bot()

    @bot.command()
    def add(items: list[str] = []) -> str:  # noqa: B006  # what is tested
        items.append("x")
        return ",".join(items)

    assert [said(bot, "/add"), said(bot, "/add")] == [["x"], ["x"]]


@pytest.mark.parametrize("returned", [[["a"]], [("a",)], ["a", ["b"]]])
def test_a_list_inside_a_list_is_named(returned: Any):
    bot = Bot()
    bot.command("do")(lambda: returned)
    with pytest.raises(ResultError, match="a handler returned a list inside a list; possible are"):
        said(bot, "/do")


# --- defaults and the types of answers --------------------------------------------------------------------------------


def with_default(annotation: Any, default: Any) -> Bot:
    def show(value: Any = default) -> str:
        return f"{value}"

    show.__annotations__["value"] = annotation
    bot = Bot()
    bot.command("do")(show)
    return bot


@pytest.mark.parametrize(
    ("annotation", "default", "way"),
    [
        (int, "3", "the default '3' is a str: write a default of the type int"),
        (int, None, "the default is None: annotate it with `int | None`, or write a default of the type int"),
        (str, 3, "is a int: write a default of the type str"),
        (str, None, "annotate it with `str | None`"),
        (int, 3.5, "write a default of the type int"),
        (int, True, "write a default of the type int"),
        (bool, 1, "write a default of the type bool"),
        (date, "2026-12-31", "write a default of the type date"),
        (timedelta, 10, "write a default of the type timedelta"),
        (Named, "a", "write a default of the type Named"),
        (Literal[1, 2], "1", "write a default of the type typing.Literal"),
        (Literal["a", "b"], "c", "write a default of the type typing.Literal"),
        (list[int], ["1"], "write a default of the type list"),
        (list[int], (), "write a default of the type list"),
        (int | None, "x", "write a default of the type int"),
        (int | date, "x", r"write a default of the type int \| datetime.date"),
        (Annotated[int, Field(ge=1)], "1", "write a default of the type int"),
        (Mention, "ou_1", "write a default of the type Mention"),
    ],
    ids=str,
)
def test_a_default_of_another_type_fails_when_the_bot_is_checked(annotation: Any, default: Any, way: str):
    with pytest.raises(TypeError, match=rf"show, test_definitions.py:\d+: `value`: .*{way}"):
        check(with_default(annotation, default))


@pytest.mark.parametrize(
    ("annotation", "default"),
    [
        *((int, 3), (float, 3), (float, 3.5), (int | None, None), (str, ""), (bool, False)),
        *((date, date(2026, 1, 1)), (Named, Named.A), (Literal[1, 2], 1), (list[int], []), (list[int], [1])),
        *((list, ["a"]), (int | date, date(2026, 1, 1)), (Annotated[int, Field(ge=1)], 0), (UUID, UUID(int=1))),
        *((Mention | None, None), (list[Mention], []), (list[int] | None, None), (bytes, b"a")),
        *((Annotated[int | None, Option(help="h")], None), (Annotated[str | None, Field(max_length=3)], "a")),
        ((Literal["a"] | None), None),
    ],
    ids=str,
)
def test_a_default_of_its_type_passes_the_check(annotation: Any, default: Any):
    check(with_default(annotation, default))


@pytest.mark.parametrize(
    ("annotation", "way"),
    [
        (dict, "is a dict, which nobody can type: write list"),
        (dict[str, int], "is a dict, which nobody can type"),
        (set[int], "is a set, which nobody can type"),
        (list[list[int]], "is a list, which nobody can type"),
        (Plain, "no text can be read as an answer: write a type such as str, int or date"),
        (Image | None, "write type=Image, with optional=True"),
        (Model, "ask a question for each of its values"),
        (Data, "ask a question for each of its values"),
        (Annotated[str, Field(gt=1)], r"Field\(gt=...\) is not for str"),
        (Annotated[int, Field(max_length=2)], r"Field\(max_length=...\) is not for int"),
        (Annotated[str, Field(pattern="(")], "correct its Field: .*unclosed group"),
        (["a", "b"], r"write choices=\(...\) for the possible answers"),
        (("a", "b"), r"write choices=\(...\) for the possible answers"),
        ("int", "write a type such as str, int or date"),
        (7, "write a type such as str, int or date"),
    ],
    ids=str,
)
def test_a_question_with_a_type_that_no_answer_has_fails_when_it_is_asked(annotation: Any, way: str):
    with pytest.raises(TypeError, match=rf"Ask\(type=.*{way}"):
        Ask("What?", type=annotation)


@pytest.mark.parametrize(
    "annotation",
    [
        *(str, int, float, bool, date, timedelta, Decimal, UUID, Named, Literal["a", 1], list[int], list[str], list),
        *(int | None, int | date, Annotated[int, Field(ge=1)], Annotated[list[int], Field(max_length=2)], Image, File),
    ],
    ids=str,
)
def test_a_question_with_every_other_type_can_be_asked(annotation: Any):
    Ask("What?", type=annotation)


def wrong(value: Any) -> Any:
    """A value that its type forbids."""
    return value


def once(key: Any) -> object:
    return Turn(make_message("m", "x")).once(key, lambda _key: 1)


def remind(**when: Any) -> object:
    return Turn(make_message("m", "x"), now=1).remind("tea", **when)


def take(value: date) -> str:
    return f"{value}"


@pytest.mark.parametrize(
    ("define", "message"),
    [
        (lambda: Bot().scheduled("0 9 * * *", to=wrong("oc_1")), r"to='oc_1': write to=Destination\("),
        (lambda: Bot().scheduled("0 9 * * *", to=wrong(None)), r"to=None: write to=Destination\("),
        (lambda: Bot().scheduled("0 9 * * *", to=wrong([TO, "oc_2"])), r"to='oc_2': write to=Destination\("),
        (lambda: Bot().scheduled(wrong(5), to=TO), "cron=5: write a cron expression"),
        (lambda: Bot().scheduled("0 9 * * *", to=TO, zone=wrong(8)), "zone=8: write the name of a time zone"),
        (lambda: Bot(zone=wrong(8)), "zone=8: write the name of a time zone"),
        (lambda: remind(cron=5), "cron=5: write a cron expression"),
        (lambda: remind(cron="0 9 * * *", zone=8), "zone=8: write the name of a time zone"),
        (lambda: remind(cron="0 9 * * *", zone=None), "zone=None: write the name of a time zone"),
        (lambda: once(5), r"once\(5, \.\.\.\): write a text as the key"),
        (lambda: Ask("Size?", key=wrong(3)), "key=3: write a text"),
        (lambda: Approve("Go?", key=wrong(3)), "key=3: write a text"),
        (lambda: Ask("Size?", choices=wrong(None)), "choices=None: write the texts in their order"),
        (lambda: Ask("Size?", choices=wrong({"a", "b"})), "choices={.*}: write the texts in their order"),
        (lambda: Ask("Size?", choices=wrong("yes")), "choices='yes': write the texts in their order"),
        (lambda: Ask("Size?", choices=wrong(each for each in "ab")), "choices=<generator.*: write the texts"),
        (lambda: Ask("Photo?", type=Image | File), "write type=Image, with optional=True"),
        (lambda: Ask("Photos?", type=list[Image]), "write type=Image, with optional=True"),
        (lambda: Ask("Size?", type=WITH_NONE), 'None is no choice: write Literal\\["a", "b"\\], and optional'),
        (lambda: Ask("When?", type=take), "take is a function: write a type such as str, int or date"),
        (lambda: Ask("When?", type=None), r"Ask\(type=None\): write a type such as str, int or date"),
    ],
)
def test_a_value_of_another_type_is_an_error_that_says_what_to_write(
    define: Callable[[], object], message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        define()


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        (WITH_NONE, r"None is no choice: write Literal\[.*\] \| None"),
        (list[WITH_NONE], "None is no choice"),
        (take, "take is a function: write a type"),
    ],
)
def test_an_argument_of_no_type_is_an_error_that_says_what_to_write(annotation: Any, message: str) -> None:
    bot = Bot()
    bot.command()(taking(annotation))
    with pytest.raises(TypeError, match=message):
        check(bot)


def test_a_time_zone_may_be_an_object() -> None:
    shanghai: Any = ZoneInfo("Asia/Shanghai")
    turn = Turn(make_message("m", "x"), now=1)
    reminder = turn.remind("tea", cron="0 9 * * *", zone=shanghai)
    changed = turn.change(reminder.id, cron="0 9 * * *", zone=shanghai)
    assert [reminder.zone, changed and changed.zone] == ["Asia/Shanghai"] * 2
    bots = [Bot(), Bot()]
    for bot, zone in zip(bots, (shanghai, "Asia/Shanghai"), strict=True):
        bot.scheduled("0 9 * * *", to=TO, zone=zone)(taking_nothing)
    assert bots[0].timers(0) == bots[1].timers(0) != []
    assert Bot(zone=shanghai).zone == "Asia/Shanghai"
    assert turn.today(shanghai) == turn.today("Asia/Shanghai")


def taking_nothing() -> str:
    return ""
