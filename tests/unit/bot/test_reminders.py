"""Reminders: set, listed, changed, cancelled, said at their time in their conversation, once."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from parley.bot import Ask, Bot, ResultError, Script, Texts, Turn
from parley.bot.reminders import Reminders
from parley.bot.texts import BOTH, ENGLISH
from parley.errors import LimitError
from parley.model import Message, Reply, Sender, Text
from parley.model.agenda import Agenda, Numbered, OpenDialogue, Reminder, occurrence, timer_of
from parley.testing import Chat
from tests.factories import NOW, make_message

PLATFORMS = pytest.mark.parametrize("platform", ["feishu", "wecom", "wechat", "discord"])
ANYWHERE = pytest.mark.parametrize("platform", ["feishu", "wecom", "wecom_bot", "wechat", "wechat passive", "discord"])
bot = Bot()


@bot.command()
def remind(turn: Turn, minutes: int, text: str) -> str:
    turn.remind(text, after=timedelta(minutes=minutes))
    return "planned"


@bot.command()
def every(turn: Turn, minutes: int, text: str) -> str:
    turn.remind(text, cron=f"*/{minutes} * * * *", handler="tick")
    return "planned"


@bot.command("list")
def list_(turn: Turn) -> str:
    return ", ".join(f"{each.text} in {each.at - turn.now:.0f}" for each in turn.reminders) or "nothing"


@bot.command()
def cancel(turn: Turn) -> str:
    return f"{sum(turn.cancel(each.id) for each in turn.reminders)} cancelled"


@bot.command()
def later(turn: Turn, minutes: int) -> str:
    changed = [turn.change(each.id, after=timedelta(minutes=minutes)) for each in turn.reminders]
    return f"{len(changed)} changed"


@bot.reminder("tick")
def tick(turn: Turn) -> str:
    turn.state["ticks"] = turn.state.get("ticks", 0) + 1
    return f"{turn.text} {turn.state['ticks']}"


@bot.fallback
def echo(turn: Turn) -> str:
    return turn.text


@ANYWHERE
def test_a_reminder_is_said_at_its_time(platform: str) -> None:
    chat = Chat(bot, platform=platform)
    chat.say("/remind 10 drink water")
    chat.expect("planned")
    chat.say("/list")
    chat.expect(contains="drink water in ")
    chat.advance(minutes=9)
    chat.expect_nothing()
    chat.advance(minutes=2)
    if platform == "wechat passive":
        chat.say("/list")  # an account that may not call: the reminder goes out with the next passive reply
        chat.expect(contains="drink water")
        return
    chat.expect("drink water")
    chat.say("/list")
    chat.expect("nothing")
    chat.advance(minutes=30)
    chat.expect_nothing()


@pytest.mark.parametrize("command", ["remind 60 tea", "remind 600 tea", "every 10 tea", "later 60"])
def test_where_a_bot_only_answers_a_reminder_can_come_once_and_within_the_hour(
    command: str, caplog: pytest.LogCaptureFixture
) -> None:
    chat = Chat(bot, platform="wecom_bot")
    chat.say("/remind 50 drink water")
    chat.expect("planned")
    chat.say(f"/{command}")
    chat.expect(BOTH.far_reminder)
    assert (
        "a bot cannot write first on wecom_bot: a reminder can come once, within an hour of the message" in caplog.text
    )
    chat.advance(minutes=51)
    chat.expect("drink water")
    chat.advance(hours=3)
    chat.expect_nothing()


def test_a_reminder_can_be_changed_and_cancelled() -> None:
    chat = Chat(bot, platform="feishu")
    chat.say("/remind 10 tea")
    chat.say("/later 20")
    chat.expect("planned")
    chat.expect("1 changed")
    chat.advance(minutes=11)
    chat.expect_nothing()
    chat.advance(minutes=10)
    chat.expect("tea")
    chat.say("/remind 10 coffee")
    chat.say("/cancel")
    chat.expect("planned")
    chat.expect("1 cancelled")
    chat.advance(minutes=11)
    chat.expect_nothing()


def test_a_repeated_reminder_comes_until_it_is_cancelled() -> None:
    chat = Chat(bot, platform="feishu")
    chat.say("/every 10 stretch")
    chat.expect("planned")
    chat.advance(minutes=31)
    for number in range(1, 4):
        chat.expect(f"stretch {number}")
    chat.say("/cancel")
    chat.expect("1 cancelled")
    chat.advance(hours=1)
    chat.expect_nothing()


planner = Bot()


@planner.command("remind")
def remind_after(turn: Turn, after: timedelta, text: str) -> str:
    turn.state["reminders"] = turn.state.get("reminders", 0) + 1
    turn.remind(text, after=after)
    return "planned"


@planner.command("on")
def remind_on(turn: Turn, day: date, text: str) -> str:
    turn.remind(text, at=datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("Asia/Shanghai")))
    return "planned"


@planner.command("in-years")
def remind_in_years(turn: Turn, years: int) -> str:
    turn.remind("tea", after=timedelta(days=365 * years))
    return "planned"


@planner.command("cancel-all")
def cancel_all(turn: Turn) -> str:
    return f"{sum(turn.cancel(each.id) for each in turn.reminders)} cancelled"


@planner.command()
def note(turn: Turn) -> Script:
    text = yield Ask("Which note?")
    turn.remind(text, after=timedelta(days=1))
    return "planned"


def texts_on(platform: str) -> Texts:
    """The texts for a person there: only Discord sends a locale."""
    return ENGLISH if platform == "discord" else BOTH


@PLATFORMS
@pytest.mark.parametrize("command", ["remind 999999999d", "remind -999999999d", "on 9999-12-31", "on 99999-01-01"])
def test_a_time_that_is_out_of_range_is_a_wrong_argument(platform: str, command: str) -> None:
    chat = Chat(planner, platform)
    chat.say(f"/{command} tea")
    assert "expected" in chat.last.text
    assert f"/{command.split(maxsplit=1)[0]} " in chat.last.text
    chat.say("/remind 365000d tea")
    chat.expect(contains="expected")
    chat.expect("planned")


@PLATFORMS
def test_a_person_reads_that_a_reminder_is_beyond_a_limit_and_nothing_is_stored(platform: str) -> None:
    chat, texts = Chat(planner, platform), texts_on(platform)
    chat.say(f"/remind 10m {'长' * 4_000}")
    chat.expect(texts.long_reminder)
    chat.say("/in-years 9000")
    chat.expect(texts.far_reminder)
    assert chat.state == {}
    for _ in range(7):
        chat.say("/remind 10d tea")
        chat.expect("planned")
    chat.say("/cancel-all")
    chat.expect(texts.reminders_at_once.format(limit=6))
    for _ in range(93):
        chat.say("/remind 10d tea")
        chat.advance(minutes=0.1)  # WeCom allows 30 messages in a minute
        chat.expect("planned")
    for command in ("/remind 10m tea", "/note"):
        chat.say(command)
        chat.expect(texts.many_reminders.format(limit=100))
    assert chat.state == {"reminders": 100}


@pytest.mark.parametrize("platform", ["feishu", "wecom", "wechat"])
def test_an_answer_that_is_too_long_for_a_reminder_can_be_given_again(platform: str) -> None:
    chat = Chat(planner, platform)
    chat.say("/note")
    chat.expect("Which note?")
    chat.say("长" * 4_000)
    chat.expect(BOTH.long_reminder)
    chat.say("tea")
    chat.expect("planned")


def test_the_answers_of_a_dialogue_fit_beside_the_state() -> None:
    """Feishu sends texts of 150 kilobytes."""
    tested = Bot()

    @tested.command()
    def report() -> Script:
        for number in range(3):
            yield Ask(f"Part {number}?")
        return "done"

    chat = Chat(tested, "feishu")
    chat.say("/report")
    chat.expect("Part 0?")
    chat.say("长" * 20_000)
    chat.expect("Part 1?")
    chat.say("长" * 20_000)
    chat.expect(BOTH.too_much)
    chat.say("short")
    chat.expect("Part 2?")


def test_a_reminder_belongs_to_its_room() -> None:
    chat = Chat(bot, platform="feishu")
    ops = chat.room("ops")
    ops.say("/remind 10 deploy")
    ops.expect("planned")
    chat.say("/list")
    chat.expect("nothing")
    chat.advance(minutes=11)
    ops.expect("deploy")
    chat.expect_nothing()


def reminders(stored: Agenda | None = None, **message: Any) -> Reminders:
    return Reminders(make_message(**message), NOW, stored or Agenda())


def test_a_message_that_is_handled_again_sets_the_same_reminder() -> None:
    first, second = reminders(), reminders()
    for each in (first, second):
        each.add("tea", "", None, timedelta(minutes=1), "", "UTC")
        each.add("tea", "", None, timedelta(minutes=1), "", "UTC")
    assert first.timers == second.timers
    assert len({timer.message.id for timer in first.timers}) == 2


def test_a_reminder_that_was_cancelled_or_changed_while_its_message_was_on_its_way_is_not_said() -> None:
    plans = reminders()
    reminder = plans.add("tea", "", None, timedelta(minutes=1), "", "UTC")
    (timer,) = plans.timers
    changed = Agenda(reminders={reminder.id: replace(reminder, at=reminder.at + 60)})
    for agenda, expected in ((plans.agenda, True), (changed, False), (Agenda(), False)):
        assert bool(Reminders(timer.due, NOW, agenda).take()) is expected
    assert timer.due.id == occurrence(reminder.id, reminder.at)


def test_a_reminder_that_is_changed_and_then_cancelled_in_one_turn_leaves_no_timer() -> None:
    plans = reminders()
    reminder = plans.add("tea", "", None, None, "0 9 * * *", "UTC")
    again = reminders(plans.agenda, id_="m2")
    assert again.change(reminder.id, None, timedelta(minutes=1), "", "UTC")
    assert again.cancel(reminder.id)
    assert (again.timers, again.cancelled, again.agenda) == ([], [reminder.id], Agenda())


def test_a_reminder_that_is_set_and_cancelled_in_one_turn_writes_nothing() -> None:
    plans = reminders()
    reminder = plans.add("tea", "", None, timedelta(minutes=1), "", "UTC")
    assert plans.cancel(reminder.id)
    assert (plans.timers, plans.cancelled) == ([], [])


def test_a_repeated_reminder_that_was_changed_is_not_said_at_a_time_before() -> None:
    """Its message for the old time was on its way."""
    plans = reminders()
    reminder = plans.add("tea", "", None, timedelta(minutes=1), "", "UTC")
    (timer,) = plans.timers
    changed = reminders(plans.agenda, id_="m2")
    assert changed.change(reminder.id, None, None, "0 9 * * *", "UTC")
    assert Reminders(timer.due, NOW + 60, changed.agenda).take() is None
    (repeated,) = changed.timers
    assert Reminders(repeated.due, NOW + 60, changed.agenda).take()


def test_a_timer_whose_reminder_is_gone_is_deleted() -> None:
    """An older version of Parley, which knows no reminders, has stored the conversation without them."""
    plans = reminders()
    plans.add("tea", "", None, None, "0 9 * * *", "UTC")
    (timer,) = plans.timers
    orphan = Reminders(timer.due, NOW, Agenda())
    assert (orphan.take(), orphan.cancelled) == (None, [timer.message.id])


def test_reminders_are_listed_although_a_time_zone_is_gone() -> None:
    reminder = Reminder(id="a", at=NOW - 60, text="tea", cron="0 9 * * *", zone="Mars/Base")
    plans = reminders(Agenda(reminders={"a": reminder}))
    assert plans.all() == [reminder]
    assert plans.cancel("a")


@pytest.mark.parametrize(
    ("text", "count", "told", "message"),
    [
        ("x" * 10_000, 1, BOTH.long_reminder, "a reminder is 1.... bytes of JSON; at most 10000 can be stored"),
        ("x" * 9_000, 6, BOTH.too_much, "the reminders of this conversation are 5.... bytes of JSON; at most 50000"),
        ("tea", 7, BOTH.reminders_at_once.format(limit=6), "7 reminders set or cancelled at once; at most 6 can be"),
    ],
)
def test_the_size_of_reminders_has_limits(
    text: str, count: int, told: str, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Beside the largest state, they fit into one row, and ten of their messages into one request to the queue."""

    def plan(turn: Turn) -> None:
        for _ in range(count):
            turn.remind(text, after=timedelta(1))

    assert handled(plan) == [Reply.of(told)]
    assert re.search(message, caplog.text)
    with pytest.raises(LimitError, match=message):
        handled(plan, make_message(kind="event", event="x"))


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ({}, "one of at, after and cron"),
        ({"after": timedelta(1), "cron": "* * * * *"}, "one of at, after and cron"),
        ({"at": datetime(2027, 1, 1)}, "the time has no zone"),  # noqa: DTZ001
        ({"after": timedelta.max}, "not before the year 9999"),
        ({"at": datetime.max.replace(tzinfo=UTC)}, "not before the year 9999"),
        ({"cron": "daily"}, "no cron expression"),
        ({"cron": "0 9 * * *", "zone": "Mars"}, "no time zone 'Mars'"),
    ],
)
def test_a_time_that_is_none_is_an_error(when: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Turn(make_message(), now=NOW).remind("tea", **when)


def test_a_time_in_a_zone() -> None:
    turn = Turn(make_message(), now=NOW)
    there = datetime(2027, 6, 1, 9, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert turn.remind("tea", at=there).at == datetime(2027, 6, 1, 1, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("when", [{"at": datetime.min.replace(tzinfo=UTC)}, {"after": -timedelta(days=99_999)}])
def test_a_time_long_ago_is_due_at_once(when: dict[str, Any]) -> None:
    assert Turn(make_message(), now=NOW).remind("tea", **when).at == 0


def handled(work: Any, message: Message | None = None) -> list[Reply]:
    tested = Bot()
    tested.fallback(work)
    tested.event("x")(work)
    return tested.handle(Turn(message or make_message(), now=NOW))


def test_a_reminder_without_its_handler_is_refused_when_it_is_set() -> None:
    def plan(turn: Turn) -> None:
        turn.remind("tea", after=timedelta(1), handler="brew")

    with pytest.raises(ResultError, match=r"no reminder handler 'brew': write @bot.reminder\('brew'\)"):
        handled(plan)


def test_the_number_of_reminders_has_limits() -> None:
    full = reminders()
    for number in range(101):
        full.add(str(number), "", None, timedelta(1), "", "UTC")
    with pytest.raises(ResultError, match="101 reminders in this conversation; at most 100 can be set"):
        full.check({})


def test_reminders_that_have_failed_do_not_lock_the_conversation() -> None:
    """They wait in the dead-letter queue for 14 days, after as many in the queue. Then they are gone."""
    failed = {str(n): Reminder(id=str(n), at=NOW - 60 - n, text="tea") for n in range(100)}
    kept = reminders(Agenda(reminders=failed))
    kept.add("tea", "", None, timedelta(1), "", "UTC")
    kept.check({})
    assert len(kept.all()) == 101
    old = {"old": Reminder(id="old", at=NOW - 29 * 86_400), "cron": Reminder(id="cron", at=0, cron="0 9 * * *")}
    assert list(reminders(Agenda(reminders=old)).agenda.reminders) == ["cron"]


@pytest.mark.parametrize("when", [{"after": 5}, {"at": 1_800_000_000}])
def test_a_time_of_another_type_is_an_error_that_says_what_to_write(when: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="write after=timedelta"):
        Turn(make_message("m", "x"), now=1).remind("tea", **when)


@pytest.mark.parametrize("platform", ["feishu", "wecom", "wechat", "discord"])
def test_the_dialogue_of_a_person_is_found_by_the_id_in_another_case_on_wecom_only(platform: str) -> None:
    began = make_message(platform=platform, sender=Sender(id="LinDan"))
    dialogue = OpenDialogue(id="d", handler="bot:ask", given="", message=began, started=NOW)
    answer = make_message("m2", platform=platform, sender=Sender(id="lindan"))
    plans = Reminders(answer, NOW, Agenda(dialogues={"LinDan": dialogue}))
    assert plans.dialogue == (dialogue if platform == "wecom" else None)
    plans.end(dialogue)
    assert plans.agenda.dialogues == ({} if platform == "wecom" else {"LinDan": dialogue})


@pytest.mark.parametrize("text", [5, None, ["tea"], Text(text="tea"), b"tea"])
def test_a_text_of_another_type_is_an_error_that_says_what_to_write(text: Any) -> None:
    with pytest.raises(TypeError, match=r'write a text, remind\("Call Ann"'):
        Turn(make_message("m", "x"), now=1).remind(text, after=timedelta(hours=1))


def test_a_handler_of_another_type_is_an_error_that_says_what_to_write() -> None:
    wrong: Any = 5
    with pytest.raises(TypeError, match=r"handler=5: write the name of @bot\.reminder"):
        Turn(make_message("m", "x"), now=1).remind("tea", after=timedelta(hours=1), handler=wrong)


def test_a_value_that_cannot_be_read_back_is_not_stored() -> None:
    """A row with it would make the conversation unusable for good."""
    wrong: Any = 5
    bot, message = Bot(), make_message("m", "/x")

    @bot.command()
    def x(turn: Turn, kind: str) -> str:
        reminder = Reminder(id="r", at=NOW, text=wrong)
        if kind == "reminder":
            turn.plans.add("tea", "", None, timedelta(hours=1), "", "UTC")
            turn.plans.agenda.reminders["r"] = reminder
        elif kind == "dialogue":
            dialogue = OpenDialogue(id="d", handler="bot:x", given="", message=message, started=NOW, text=wrong)
            turn.plans.wait(dialogue, 60)
        elif kind == "timer":
            turn.plans.send(timer_of(reminder, message))
        else:
            turn.plans.numbers = (Numbered(number=1, at=NOW, id=wrong),)
        return "done"

    for kind in ("reminder", "dialogue", "timer", "numbers"):
        with pytest.raises(ResultError, match="value of a wrong type: Expected `str`, got `int`"):
            bot.handle(Turn(make_message("m", f"/x {kind}"), now=NOW))
