"""The states of a turn: loaded when they are used, as dictionaries or as pydantic models with versions."""

from typing import Any, ClassVar, cast

import pytest
from pydantic import BaseModel, Field, computed_field, model_validator
from pydantic.alias_generators import to_camel

from parley.bot import Bot, ResultError, Router, StateError, Turn
from parley.bot.definitions import check
from parley.bot.texts import BOTH
from parley.errors import LimitError
from parley.model import Reply
from parley.model.state import Scope, State
from parley.testing import Chat
from tests.factories import make_message


class Cart(BaseModel):
    items: list[str] = []
    coupon: str = ""


class NewCart(BaseModel):
    """`items` had names only in the first form, and has quantities now."""

    state_version: ClassVar[int] = 2
    items: dict[str, int] = {}

    @classmethod
    def migrate(cls, stored: State, version: int) -> State:
        assert version == 1
        return {"items": dict.fromkeys(stored["items"], 1)}


class Profile(BaseModel):
    language: str = "en"


def stored(turn: Turn[Any, Any, Any], before: State, scope: Scope = "state") -> State:
    return turn.states[scope].stored(before)


def test_a_model_starts_with_its_defaults_and_is_stored_as_json() -> None:
    bot = Bot()

    @bot.command()
    def add(turn: Turn[Cart], item: str) -> str:
        turn.state.items.append(item)
        return ", ".join(turn.state.items)

    turn = Turn(make_message(text="/add tea"))
    assert [str(reply.segments[0]) for reply in bot.handle(turn)]
    assert stored(turn, {}) == {"items": ["tea"], "coupon": ""}


def test_a_model_is_read_from_the_stored_state() -> None:
    turn = Turn[Cart](make_message(), {"items": ["tea"]})
    turn.declare((Cart,))
    assert turn.state == Cart(items=["tea"])


def test_a_state_that_the_handler_leaves_as_it_is_is_not_stored_again() -> None:
    """A default that was added to the model is no change."""
    before = {"items": ["tea"]}
    turn = Turn[Cart](make_message(), load=lambda _: dict(before))
    turn.declare((Cart,))
    assert turn.state.coupon == ""
    assert stored(turn, before) is before


def test_a_change_before_the_model_is_known_is_stored() -> None:
    """A rule has made it, for example."""
    before = {"items": ["tea"]}
    turn = Turn[Cart](make_message(), load=lambda _: {"items": ["tea"]})
    turn.states["state"].get()["items"].append("milk")
    turn.declare((Cart,))
    assert stored(turn, before) == {"items": ["tea", "milk"], "coupon": ""}


def test_each_scope_has_its_own_model() -> None:
    turn = Turn[Cart, Profile, dict[str, Any]](make_message(), user={"language": "zh"}, shared={"open": True})
    turn.declare((Cart, Profile, dict[str, Any]))
    turn.state.items.append("tea")
    turn.user.language += "-CN"
    turn.shared["open"] = False
    assert stored(turn, {})["items"] == ["tea"]
    assert stored(turn, {}, "user") == {"language": "zh-CN"}
    assert stored(turn, {}, "shared") == {"open": False}


def test_an_older_form_is_migrated_and_stored_with_its_version() -> None:
    turn = Turn[NewCart](make_message(), {"items": ["tea"]})
    turn.declare((NewCart,))
    turn.state.items["tea"] += 1
    after = stored(turn, {})
    assert after == {"items": {"tea": 2}, "$version": 2}
    later = Turn[NewCart](make_message(), after)
    later.declare((NewCart,))
    assert later.state.items == {"tea": 2}


class NeedsMigration(BaseModel):
    state_version: ClassVar[int] = 3
    n: int = 0


@pytest.mark.parametrize(
    ("model", "state", "message"),
    [
        (Cart, {"items": "secret", "coupon": 5}, r"^the stored state is no Cart: items \(list_type\), coupon \(string"),
        (NewCart, {"$version": 3}, r"^the stored state has version 3; NewCart of this bot has version 2$"),
        (NeedsMigration, {"n": 1}, r"^the stored state has version 1: NeedsMigration needs a class method `migrate`$"),
    ],
)
def test_a_stored_state_of_another_form_is_an_error_without_its_values(
    model: type[BaseModel], state: State, message: str
) -> None:
    turn = Turn[Any](make_message(), load=lambda _: state)
    turn.declare((model,))
    with pytest.raises(StateError, match=message) as raised:
        _ = turn.state
    assert "secret" not in str(raised.value)


def test_a_state_can_be_replaced() -> None:
    turn = Turn[Cart](make_message(), {"items": ["tea"]})
    turn.declare((Cart,))
    turn.state = Cart(coupon="ten")
    assert stored(turn, {}) == {"items": [], "coupon": "ten"}


def test_a_state_that_is_not_used_is_not_loaded() -> None:
    loaded: list[Scope] = []

    def load(scope: Scope) -> State:
        loaded.append(scope)
        return {}

    bot = Bot()

    @bot.fallback
    def greet(turn: Turn) -> str:
        return str(turn.user.get("name"))

    bot.handle(Turn(make_message(), load=load))
    assert loaded == ["user"]


@pytest.mark.parametrize(("scope", "whose"), [("user", "the person's"), ("shared", "the app's")])
def test_every_state_has_its_limit(scope: str, whose: str, caplog: pytest.LogCaptureFixture) -> None:
    """The person reads so, and nothing is stored. A message of no person fails."""
    bot = Bot()

    @bot.event("x")
    @bot.fallback
    def fill(turn: Turn) -> None:
        getattr(turn, scope)["all"] = "x" * 350_000

    message = f"{whose} state is 350010 bytes of JSON; at most 350000 can be stored"
    turn = Turn(make_message())
    assert bot.handle(turn) == [Reply.of(BOTH.too_much)]
    assert getattr(turn, scope) == {}
    assert message in caplog.text
    with pytest.raises(LimitError, match=f"^{message}$"):
        bot.handle(Turn(make_message(kind="event", event="x")))


@pytest.mark.parametrize("value", [5, "text", {"a": {1, 2}}, None])
def test_what_is_no_json_is_an_error(value: Any) -> None:
    bot = Bot()

    @bot.fallback
    def replace(turn: Turn) -> None:
        turn.user = value

    with pytest.raises(ResultError, match=r"^(turn\.)?user"):
        bot.handle(Turn(make_message()))


class Required(BaseModel):
    a: int


class Refused(BaseModel):
    a: int = 0

    @model_validator(mode="after")
    def refuse(self) -> "Refused":
        raise ValueError("never")


class Instance(BaseModel):
    state_version: ClassVar[int] = 2
    a: int = 0

    def migrate(self, stored: State, version: int) -> State:
        return stored if version else {}


class Versioned(BaseModel):
    state_version: int = 2
    a: int = 0


class Alone(BaseModel):
    state_version: ClassVar[int] = 2
    a: int = 0


class OneArgument(BaseModel):
    state_version: ClassVar[int] = 2
    a: int = 0

    @classmethod
    def migrate(cls, stored: State) -> State:
        return stored


class Waiting(BaseModel):
    state_version: ClassVar[int] = 2
    a: int = 0

    @classmethod
    async def migrate(cls, stored: State, version: int) -> State:
        return stored if version else {}


class NeverCalled(BaseModel):
    a: int = 0

    @classmethod
    def migrate(cls, stored: State, version: int) -> State:
        return stored if version else {}


class TextVersion(BaseModel):
    state_version: ClassVar[str] = "2"
    a: int = 0


class ReadUnderAnotherName(BaseModel):
    cups: int = Field(default=0, validation_alias="Cups")


class Computed(BaseModel, extra="forbid"):
    cups: int = 0

    @computed_field
    def twice(self) -> int:
        return 2 * self.cups


class Aliases(BaseModel, alias_generator=to_camel):
    cups_of_tea: int = 0


class Changeable(BaseModel):
    cups: int = 0
    names: list[str] = []


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Required, "cannot be of the type Required: it is empty at first: write a default for a"),
        (Refused, "write a default for each field"),
        (Instance, "`migrate` is no class method: write `@classmethod`"),
        (Versioned, r"state_version is a field of it: write `state_version: ClassVar\[int\] = 2`"),
        (Alone, "its state_version is 2, and it has no `migrate`"),
        (OneArgument, "`migrate` gets the stored state and its version"),
        (Waiting, "`migrate` is an `async def`"),
        (NeverCalled, "`migrate` is never called: write `state_version"),
        (TextVersion, "state_version is '2'"),
        (ReadUnderAnotherName, "its field `cups` is stored under another name than it is read: write alias="),
        (Computed, "it cannot read what is stored of it: leave out what it refuses in twice"),
        (int, "turn.user cannot be of the type int: write dict, or a pydantic model"),
    ],
)
def test_a_model_that_cannot_hold_a_state_is_an_error_of_the_definition(model: Any, message: str) -> None:
    bot = Bot()

    @bot.command()
    def x(turn: Turn[dict[str, Any], model]) -> None:  # pyright: ignore[reportInvalidTypeForm]
        """Nothing."""

    with pytest.raises(TypeError, match=rf"x, test_states\.py:\d+: .*{message}"):
        check(bot)


@pytest.mark.parametrize("way", ["router", "converse", "event"])
def test_a_second_model_of_a_state_is_an_error_of_the_definition(way: str) -> None:
    """Each would delete the fields of the other one."""
    bot, router = Bot(), Router()

    @bot.command()
    def first(turn: Turn[Cart, Profile]) -> None:
        """Nothing."""

    def second(turn: Turn[Cart, Cart]) -> str:
        return ""

    if way == "router":
        router.command()(second)
        bot.include(router)
    elif way == "event":
        bot.event("member_joined")(second)
    else:
        bot.converse(model=lambda: pytest.fail("no model is asked"), tools=False)(second)
    with pytest.raises(ValueError, match=r"turn\.user is a \w+, and in .* it is a \w+: each would drop") as error:
        check(bot)
    assert all(name in str(error.value) for name in ("Cart", "Profile", "first", "second"))


def test_a_model_and_dictionaries_of_a_state_go_together() -> None:
    bot = Bot()

    @bot.command()
    def first(turn: Turn[NewCart]) -> None:
        """Nothing."""

    @bot.command()
    def second(turn: Turn[dict[str, Any], Profile]) -> None:
        """Nothing."""

    check(bot)


def test_a_migration_that_returns_nothing_is_an_error_that_says_so() -> None:
    class Forgets(BaseModel):
        state_version: ClassVar[int] = 2
        a: int = 0

        @classmethod
        def migrate(cls, stored: State, version: int) -> Any:
            stored["a"] = version

    turn = Turn[Forgets](make_message(), load=lambda _scope: {"a": 1})
    turn.declare((Forgets,))
    with pytest.raises(StateError, match="`migrate` of Forgets returned NoneType: return the stored values"):
        _ = turn.state


def test_a_model_with_aliases_is_stored_as_it_is_read() -> None:
    bot = Bot()

    @bot.command()
    def tea(turn: Turn[Aliases]) -> str:
        turn.state.cups_of_tea += 1
        return f"{turn.state.cups_of_tea}"

    chat = Chat(bot, platform="feishu")
    for count in ("1", "2", "3"):
        chat.say("/tea")
        chat.expect(count)
    assert chat.state == {"cupsOfTea": 3}


@pytest.mark.parametrize("wrong", ["many", None, {"a": 1}])
@pytest.mark.parametrize("replaces", [False, True])
def test_a_value_that_no_later_message_could_read_is_an_error_and_is_not_stored(wrong: Any, replaces: bool) -> None:
    bot = Bot()

    @bot.command()
    def cups(turn: Turn[Changeable], number: int) -> str:
        turn.state.cups += number
        return f"{turn.state.cups}"

    @bot.command()
    def spoil(turn: Turn[Changeable]) -> str:
        turn.state.names.append("Ann")
        if replaces:
            turn.state = cast("Any", {"cups": wrong})
        else:
            turn.state.cups = wrong
        return "spoilt"

    chat = Chat(bot, platform="feishu")
    chat.say("/cups 2")
    chat.expect("2")
    with pytest.raises(ResultError, match=r"turn.state has a value that no later message could read: .*cups") as found:
        chat.say("/spoil")
    assert "many" not in str(found.value)
    chat.say("/cups 3")
    chat.expect("5")
    assert chat.state == {"cups": 5, "names": []}


def test_a_turn_has_three_states() -> None:
    def wrong(turn: Any) -> None:
        """Nothing."""

    wrong.__annotations__["turn"] = cast("Any", Turn)[Changeable, Changeable, Changeable, Changeable]

    with pytest.raises(TypeError, match="wrong: `turn` has 4 models; a turn has three states"):
        Bot().command()(wrong)
