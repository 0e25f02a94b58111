"""`Bot(merge=...)`: texts that a person sends within seconds are one turn of the bot."""

import math
from datetime import timedelta
from typing import Any

import pytest

from parley.bot import Ask, Bot, Quotas, Script, Turn
from parley.engine.merging import MOST
from parley.errors import RetryAfter
from parley.model import Card, Destination, Message, Reply, Text, message_key
from parley.model.instant import Form, Input
from parley.testing import Chat
from playground.sample_image import png
from tools.faults.bot import make_bot as faults_bot

PLACES = ("feishu", "wecom", "wechat", "wechat passive")
"""The platforms that deliver plain texts."""


class TestBot(Bot):
    """A bot that repeats what it gets, and records its turns."""

    __test__ = False
    turns: list[list[str]]
    messages: list[Message]


def make_bot(**settings: Any) -> TestBot:
    bot = TestBot(**{"merge": 1.5, **settings})
    bot.turns, bot.messages = [], []

    @bot.fallback
    def answer(turn: Turn) -> str:
        bot.turns.append([each.content.text for each in turn.messages])
        bot.messages.append(turn.message)
        return f"got {turn.text}"

    @bot.command()
    def ping() -> str:
        return "pong"

    @bot.command()
    def order() -> Script:
        drink = yield Ask("Drink?")
        size = yield Ask("Size?")
        return f"{size} {drink}"

    @bot.command()
    def form() -> Card:
        return Card(title="form", form=Form(id="fill", title="Fill in", inputs=(Input(id="drink", label="Drink"),)))

    @bot.action("fill")
    def filled(turn: Turn) -> str:
        return f"filled {turn.message.action.form['drink']}" if turn.message.action else ""

    return bot


def texts(place: Any) -> list[str]:
    return [str(each) for each in place.replies]


def say(place: Any, *lines: str, **more: Any) -> None:
    """People send `lines` at the same time."""
    with place.at_once():
        for line in lines:
            place.say(line, **more)


def rows(chat: Chat, kind: str) -> list[str]:
    return [pk for pk in chat._world.aws.dynamodb.items if pk.startswith(f"{kind}#")]


@pytest.mark.parametrize("platform", PLACES)
def test_texts_within_seconds_are_one_turn_with_one_answer(platform: str) -> None:
    bot = make_bot()
    chat = Chat(bot, platform)
    say(chat, "hello", "can you", "send me the report")
    assert texts(chat) == ["got hello\ncan you\nsend me the report"]
    assert bot.turns == [["hello", "can you", "send me the report"]]
    say(chat, "thanks")
    assert texts(chat)[1:] == ["got thanks"]
    assert rows(chat, "merge") == []


def test_each_text_extends_the_time() -> None:
    bot = make_bot()
    chat = Chat(bot)
    with chat.at_once():
        for line in ("a", "b", "c"):
            chat.say(line)
            chat.advance(seconds=1.2)
    assert bot.turns == [["a", "b", "c"]]


def test_texts_that_are_further_apart_are_turns_of_their_own() -> None:
    bot = make_bot()
    chat = Chat(bot)
    with chat.at_once():
        chat.say("a")
        chat.advance(seconds=1.7)  # the first one is still hidden: SQS counts whole seconds
        chat.say("b")
    chat.say("c")
    assert bot.turns == [["a"], ["b"], ["c"]]


def test_texts_of_a_busy_conversation_that_were_written_apart_stay_apart() -> None:
    bot = make_bot()
    waits = [20.0, 0.0]

    @bot.command()
    def slow() -> str:
        if wait := waits.pop(0):
            raise RetryAfter(wait)
        return "done"

    chat = Chat(bot, attempts=5)
    with chat.at_once():
        chat.say("/slow")
        chat.say("a")
        chat.advance(seconds=5)
        chat.say("b")
        chat.say("c")
    assert bot.turns == [["a"], ["b", "c"]]


def test_a_command_ends_the_waiting_and_keeps_its_place() -> None:
    bot = make_bot()
    chat = Chat(bot)
    say(chat, "a", "b", "/ping", "c", "d")
    assert texts(chat) == ["got a\nb", "pong", "got c\nd"]


@pytest.mark.parametrize("line", ["/stop", "／停", "停", "/unknown", "  /ping"])
def test_what_looks_like_a_command_is_a_turn_of_its_own(line: str) -> None:
    bot = make_bot()
    chat = Chat(bot)
    say(chat, "a", line, "b")
    assert bot.turns[0] == ["a"]
    assert bot.turns[-1] == ["b"]
    assert all(line not in turn or turn == [line] for turn in bot.turns)


def test_a_command_waits_for_nothing() -> None:
    chat = Chat(make_bot())
    before = chat.now
    chat.say("/ping")
    assert chat.now == before
    chat.say("a")
    assert 1.5 <= chat.now - before <= 2.5


def test_pictures_and_quotes_are_turns_of_their_own() -> None:
    bot = make_bot()
    chat = Chat(bot)
    with chat.at_once():
        chat.say("a")
        chat.say(image=png(8, 8))
        chat.say("b")
        chat.say("c", quote="earlier")
        chat.say("d")
    assert [turn for turn in bot.turns if turn != [""]] == [["a"], ["b"], ["c"], ["d"]]
    assert len(bot.turns) == 5


def test_texts_of_two_persons_in_a_room_are_not_mixed() -> None:
    bot = make_bot()
    room = Chat(bot).room("team")
    with room.at_once():
        room.say("a", by="ann")
        room.say("b", by="ann")
        room.say("c", by="bob")
        room.say("d", by="ann")
    assert bot.turns == [["a", "b"], ["c"], ["d"]]


def test_a_text_that_is_not_for_the_bot_ends_the_waiting() -> None:
    bot = make_bot(hear=5)
    room = Chat(bot).room("team")
    with room.at_once():
        room.say("a")
        room.say("aside", mention=False)
        room.say("b")
    assert bot.turns == [["a"], ["b"]]


def test_two_rooms_do_not_wait_for_each_other() -> None:
    bot = make_bot()
    chat = Chat(bot)
    one, other = chat.room("one"), chat.room("other")
    with one.at_once(), other.at_once():
        one.say("a")
        other.say("b")
        one.say("c")
    assert sorted(bot.turns) == [["a", "c"], ["b"]]


def test_answers_in_a_dialogue_are_not_merged_and_wait_for_nothing() -> None:
    bot = make_bot()
    chat = Chat(bot)
    chat.say("/order")
    before = chat.now
    say(chat, "tea", "large")
    assert texts(chat)[-1] == "large tea"
    assert chat.now < before + 1
    assert bot.turns == []


def test_a_number_on_a_card_is_a_press() -> None:
    bot = make_bot()
    chat = Chat(bot, "wecom")
    chat.say("/form")
    say(chat, "1 tea", "a", "b")
    assert texts(chat)[1:] == ["filled tea", "got a\nb"]


def test_no_more_than_ten_are_one_turn() -> None:
    bot = make_bot()
    say(Chat(bot), *map(str, range(MOST + 2)))
    assert bot.turns == [[str(number) for number in range(MOST)], ["10", "11"]]


def test_long_texts_are_not_merged_beyond_what_the_journal_stores() -> None:
    bot = make_bot()
    say(Chat(bot), "x" * 4_000, "y" * 4_000, "z")
    assert [len(turn) for turn in bot.turns] == [1, 2]


def test_the_message_is_the_last_one_with_the_texts_of_all() -> None:
    bot = make_bot()

    @bot.pattern("report")
    def quoting(turn: Turn) -> Reply:
        bot.messages.append(turn.message)
        return Reply(segments=(Text(text=str(len(turn.message.mentions))),), quote=True)

    chat = Chat(bot, config={"names": True})
    room = chat.room("team")
    say(room, "hello", "the report", by="ann")
    [message] = bot.messages
    assert message.parts[-1].id == message.id
    assert len({part.id for part in message.parts}) == 2
    assert message.content.text == "hello\nthe report"
    assert {part.sender.name for part in Turn(message).messages} == {"ann"}
    assert str(room.last).endswith("1")  # the bot itself, which both texts mention


def test_each_message_has_a_decision_and_the_last_one_has_the_replies() -> None:
    bot = make_bot()
    chat = Chat(bot)
    say(chat, "a", "b", "c")
    items = chat._world.aws.dynamodb.items
    decided = {pk: items[pk] for pk in rows(chat, "in")}
    assert sorted((row["state"]["S"], row["replies"]["N"]) for row in decided.values()) == [
        ("DECIDED", "0"),
        ("DECIDED", "0"),
        ("DECIDED", "1"),
    ]
    assert decided[f"in#{message_key(bot.messages[0])}"]["replies"]["N"] == "1"


def test_a_merged_turn_counts_as_one_message() -> None:
    chat = Chat(make_bot(quotas=Quotas(person_a_day=2)))
    say(chat, "a", "b", "c")
    say(chat, "d", "e")
    say(chat, "f")
    assert texts(chat)[:2] == ["got a\nb\nc", "got d\ne"]
    assert "got" not in texts(chat)[2]


def test_a_reminder_that_falls_due_ends_the_waiting() -> None:
    bot = make_bot()

    @bot.command()
    def later(turn: Turn) -> str:
        turn.remind("tea", after=timedelta(seconds=61))
        return "set"

    chat = Chat(bot)
    chat.say("/later")
    chat.advance(seconds=60)
    with chat.at_once():
        chat.say("a")
        chat.advance(seconds=1.2)
        chat.say("b")
    assert texts(chat)[1:] == ["got a", "tea", "got b"]


def test_a_recall_does_not_undo_what_waits() -> None:
    bot = make_bot()

    @bot.event("recalled")
    def recalled() -> str:
        return "recalled"

    chat = Chat(bot)
    with chat.at_once():
        chat.say("a")
        chat.event("recall")
        chat.say("b")
    assert texts(chat)[0] == "got a"
    assert bot.turns == [["a"], ["b"]]


def test_the_person_can_stop_and_everything_before_is_answered_first() -> None:
    chat = Chat(make_bot())
    say(chat, "a", "b", "/stop")
    assert texts(chat)[0] == "got a\nb"
    assert len(texts(chat)) == 2


def test_a_bot_that_fails_gets_the_same_texts_again_and_pays_once() -> None:
    bot, paid = make_bot(), list[str]()

    @bot.pattern("pay")
    def pay(turn: Turn) -> str:
        turn.once("pay", lambda key: paid.append(key) or len(paid))
        bot.turns.append([each.content.text for each in turn.messages])
        if len(bot.turns) < 3:
            raise OSError
        return "paid"

    chat = Chat(bot, attempts=5)
    say(chat, "please", "pay", "/ping")
    assert bot.turns == [["please", "pay"]] * 3
    assert len(paid) == 1
    assert texts(chat) == ["paid", "pong"]


@pytest.mark.parametrize("behind", ["/ping", ""])
def test_a_dead_letter_holds_all_texts_and_those_behind_it_go_on(behind: str) -> None:
    bot = make_bot()
    broken = True

    @bot.pattern("fail")
    def fail(turn: Turn) -> str:
        if broken:
            raise OSError
        return f"done {turn.text}"

    chat = Chat(bot, attempts=2)
    world = chat._world
    world._check = lambda: None  # type: ignore[method-assign]  # the failure is what is tested
    say(chat, "please", "fail", *filter(None, [behind]))
    assert texts(chat) == (["pong"] if behind else [])
    assert len(world.dead["inbound"]) == 1
    say(chat, "x", "y")
    broken = False
    with world.active():
        world.redrive()
        world.work()
    assert texts(chat)[-2:] == ["got x\ny", "done please\nfail"]
    assert rows(chat, "merge") == []


def test_a_platform_that_repeats_the_last_message_after_the_dead_letter_repeats_all() -> None:
    bot = make_bot()
    broken = True

    @bot.pattern("fail")
    def fail(turn: Turn) -> str:
        if broken:
            raise OSError
        return f"done {turn.text}"

    chat = Chat(bot, attempts=2)
    world = chat._world
    world._check = lambda: None  # type: ignore[method-assign]  # the failure is what is tested
    say(chat, "please", "fail")
    broken = False
    with world.active():
        world.clock.now += 400  # SQS has forgotten the message
        for delivery in list(world.platform.deliveries.values()):
            world.deliver(world.platform.name, delivery)
        world.work()
        assert texts(chat) == ["done please\nfail"]
        world.redrive()
        world.work()
    assert texts(chat) == ["done please\nfail"]


def test_what_waits_is_handled_by_a_version_without_merge() -> None:
    bot = make_bot()
    chat = Chat(bot)
    with chat.at_once():
        chat.say("a")
        chat.say("b")
        chat.advance(seconds=1.2)
        chat.say("c")
        chat.advance(seconds=0.9)  # the first two wait in the journal, or the third one does
        bot.merge = 0
    assert [text for turn in bot.turns for text in turn] == ["a", "b", "c"]
    assert rows(chat, "merge") == []


def test_without_merge_each_text_is_a_turn_and_nothing_waits() -> None:
    bot = make_bot(merge=0)
    chat = Chat(bot)
    before = chat.now
    say(chat, "a", "b")
    assert bot.turns == [["a"], ["b"]]
    assert chat.now < before + 1
    assert all(message.parts == (message,) for message in bot.messages)


@pytest.mark.parametrize("merge", [-1, 11, math.nan, math.inf, True, "1.5", None])
def test_a_wrong_time_is_refused_when_the_bot_loads(merge: Any) -> None:
    with pytest.raises(ValueError, match=r"write seconds from 0 to 10, such as merge=1\.5"):
        Bot(merge=merge)


def test_a_passive_reply_goes_with_the_last_callback() -> None:
    chat = Chat(make_bot(), "wechat passive")
    say(chat, "a", "b")
    first, last = chat._world.platform.deliveries.values()
    assert (first.state, last.state) == ("delivered", "delivered")
    assert not first.result.get("passive")
    assert last.result.get("passive")


def test_a_press_keeps_its_place() -> None:
    bot = faults_bot()
    bot.merge = 1.5
    chat = Chat(bot)
    chat.say("/card m0")
    with chat.at_once():
        chat.say("m1")
        chat.press("Press")
        chat.say("m2")
    assert [text.partition(" ")[0] for text in texts(chat)[1:]] == ["received", "pressed", "received"]


def test_a_turn_can_push_to_where_the_last_message_came_from() -> None:
    bot = make_bot()
    chat = Chat(bot)
    say(chat, "a", "b")
    assert Destination.answering(bot.messages[0]).message_id == bot.messages[0].parts[-1].id
