"""Schedules: a handler that runs at its times in the conversations that the bot names, on every platform."""

import os
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from parley.bot import Ask, Bot, ResultError, Router, Script, Turn
from parley.engine.aws import dynamodb
from parley.engine.timekeeper import Timekeeper
from parley.errors import AuthorError, RetryAfter
from parley.journal.timers import Set, Timers
from parley.model import Destination
from parley.platforms import NAMES
from parley.testing import Chat
from tests.abilities import WRITING_FIRST
from tests.unit.conftest import Clock

TO = Destination(platform="feishu", app="main", room_id="oc_1")


def home(platform: str) -> Destination:
    """The direct chat of Ann. Her ids are the same in every `Chat`."""
    bot = Bot()

    @bot.command()
    def hello() -> None:
        """Nothing."""

    chat = Chat(bot, platform=platform)
    chat.say("/hello")
    message = chat.received
    context = message.context
    return Destination(
        platform=message.platform,
        app=message.app,
        tenant=context.tenant,
        room_id=context.room_id,
        user_id=message.sender.id,
    )


@pytest.mark.parametrize("platform", WRITING_FIRST)
def test_a_schedule_runs_at_its_times(platform: str) -> None:
    bot = Bot()

    @bot.scheduled("0 9 * * *", to=home(platform), zone="Asia/Shanghai")
    def morning(turn: Turn) -> str:
        turn.state["days"] = turn.state.get("days", 0) + 1
        return f"day {turn.state['days']}, {datetime.fromtimestamp(turn.now, UTC):%H:%M}"

    @bot.command()
    def hello() -> None:
        """WeChat lets a bot write to those only who have written lately."""

    chat = Chat(bot, platform=platform)
    for day in (1, 2):
        chat.say("/hello")
        chat.advance(days=1)
        chat.expect(f"day {day}, 01:00")
        chat.expect_nothing()


def schedule(timers: Timers) -> list[str]:
    return [found.timer.message.id for found in timers.due(1e10) if isinstance(found, Set)]


def keeper(bot: Bot | None, clock: Clock) -> Timekeeper:
    def sleep(seconds: float) -> None:
        clock.now += seconds

    timers = Timers(dynamodb(), os.environ["PARLEY_TABLE"])
    return Timekeeper(timers, clock, sleep, bot.timers if bot else lambda _now: None)


def one(cron: str, **more: Any) -> Bot:
    bot = Bot()
    bot.scheduled(cron, to=TO, **more)(lambda: "hi")
    return bot


@pytest.mark.usefixtures("aws")
def test_a_schedule_is_set_once_and_kept_by_a_later_process(clock: Clock) -> None:
    first = keeper(one("* * * * *"), clock)
    first.set_schedules()
    [id_] = schedule(first.timers)
    sent = first(clock.now + 60)
    assert sent == 1
    keeper(one("* * * * *"), clock).set_schedules()
    assert schedule(first.timers) == [id_]


@pytest.mark.usefixtures("aws")
def test_a_schedule_that_the_bot_no_longer_has_is_not_sent(clock: Clock) -> None:
    keeper(one("* * * * *"), clock).set_schedules()
    changed = keeper(one("*/2 * * * *"), clock)
    clock.now += 600
    assert changed(clock.now + 120) == 1
    assert len(schedule(changed.timers)) == 1


@pytest.mark.usefixtures("aws")
def test_a_schedule_of_a_newer_version_is_sent_by_a_process_that_still_runs(clock: Clock) -> None:
    old, new = keeper(Bot(), clock), keeper(one("* * * * *"), clock)
    old.set_schedules()
    clock.now += 10
    new.set_schedules()
    assert old(clock.now + 60) == 1
    assert len(schedule(new.timers)) == 1
    assert keeper(Bot(), clock)(clock.now + 60) == 0
    assert schedule(new.timers) == []


@pytest.mark.usefixtures("aws")
def test_a_bot_that_cannot_be_loaded_keeps_its_schedules(clock: Clock) -> None:
    keeper(one("* * * * *"), clock).set_schedules()
    clock.now += 600
    assert keeper(None, clock)(clock.now) == 1


@pytest.mark.parametrize(
    ("cron", "more", "message"),
    [
        ("soon", {}, "no cron expression"),
        ("0 9 * * *", {"zone": "Mars"}, "no time zone"),
        ("0 9 * * *", {"to": Destination(platform="feishu", app="main", webhook="ops")}, "is no conversation"),
        ("0 9 * * *", {"to": Destination(platform="feishu", app="main")}, "needs a platform"),
        ("0 9 * * *", {"to": Destination(platform="slack", app="main", room_id="1")}, "needs a platform"),
        ("0 9 * * *", {"to": [TO, TO]}, "same schedule twice"),
    ],
)
def test_a_wrong_schedule_fails_when_the_bot_loads(cron: str, more: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Bot().scheduled(cron, **{"to": TO, **more})(lambda: "hi")


def test_a_schedule_of_a_router_runs_with_its_middleware() -> None:
    router, bot = Router(), Bot()
    router.scheduled("0 9 * * *", to=TO)(lambda: "hi")

    @router.middleware
    def around(_turn: Turn, handle: Any) -> list[str]:
        return [*("around",), *handle()]

    bot.include(router)
    [timer] = bot.timers(0)
    replies = bot.handle(Turn(timer.due))
    assert [str(reply.segments[0].text) for reply in replies] == ["around", "hi"]  # type: ignore[union-attr]


@pytest.mark.parametrize("platform", NAMES)
def test_a_schedule_is_for_a_platform_on_which_a_bot_writes_first(platform: str) -> None:
    bot = Bot()
    register = bot.scheduled("0 9 * * *", to=replace(TO, platform=platform))
    if platform in WRITING_FIRST:
        register(lambda: "hi")
    else:
        with pytest.raises(ValueError, match=f"test_schedules.py:.* a bot cannot write first on {platform}"):
            register(lambda: "hi")
    assert len(bot.timers(0)) == (platform in WRITING_FIRST)


@pytest.mark.parametrize("platform", WRITING_FIRST)
def test_a_schedule_that_asks_a_person_names_the_place_of_the_answer(platform: str) -> None:
    """On Feishu and Discord, a direct chat is a room of its own."""

    def ask() -> Script:
        yield Ask("Who?")

    person = Destination(platform=platform, app="main", user_id="lin")
    if platform in ("feishu", "discord"):
        with pytest.raises(ValueError, match=f"ask, test_schedules.py:.*on {platform} answers .* write room_id"):
            Bot().scheduled("0 9 * * *", to=person)(ask)
        person = replace(person, room_id="chat")
    bot = Bot()
    bot.scheduled("0 9 * * *", to=person)(ask)
    assert len(bot.timers(0)) == 1


def test_a_schedule_of_a_room_has_nobody_to_ask() -> None:
    bot = Bot()

    @bot.scheduled("0 9 * * *", to=TO)
    def ask() -> Script:
        yield Ask("Who?")

    with pytest.raises(ResultError, match="nobody to ask"):
        bot.handle(Turn(bot.timers(0)[0].due))


def test_a_schedule_that_the_bot_does_not_know_waits_for_a_newer_version_and_then_is_an_error() -> None:
    due = one("0 9 * * *").timers(0)[0].due
    with pytest.raises(RetryAfter):
        Bot().handle(Turn(due, now=due.timestamp + 300))
    with pytest.raises(AuthorError, match="does not have this schedule"):
        Bot().handle(Turn(due, now=due.timestamp + 3600))


@pytest.mark.usefixtures("aws")
def test_schedules_are_set_when_the_bot_can_be_loaded_again(clock: Clock) -> None:
    found = keeper(None, clock)
    found(clock.now)
    assert schedule(found.timers) == []
    found.schedules = one("* * * * *").timers
    found(clock.now)
    assert len(schedule(found.timers)) == 1
