"""Quotas: exact under redelivery, by person, room and day, and said once a day."""

from typing import Any

import pytest
from pydantic import BaseModel

from parley.bot import Bot, Quotas, Texts, Turn
from parley.model.state import PRIVATE
from parley.testing import PLATFORMS, Chat

ON_EVERY_PLATFORM = pytest.mark.parametrize("platform", PLATFORMS)


class Profile(BaseModel):
    seen: int = 0


def make(quotas: Quotas | None, **more: Any) -> Bot:
    bot = Bot(quotas=quotas, **more)

    @bot.command()
    def echo(text: str) -> str:
        return text

    @bot.command()
    def states(turn: Turn[dict[str, Any], Profile]) -> str:
        turn.state["seen"] = turn.state.get("seen", 0) + 1
        turn.user.seen += 1
        return f"{sorted(turn.state)} {turn.user.seen}"

    return bot


def said(place: Any) -> list[str]:
    return [str(each) for each in place.replies]


@ON_EVERY_PLATFORM
def test_a_person_gets_so_many_answers_a_day_and_is_told_once(platform: str) -> None:
    chat = Chat(make(Quotas(person_a_day=2)), platform)
    for number in range(5):
        chat.say(f"/echo {number}")
    assert said(chat)[:2] == ["0", "1"]
    assert "2" in said(chat)[2]
    assert "limit" in said(chat)[2] or "上限" in said(chat)[2]
    assert len(said(chat)) == 3
    chat.say("/echo another person", by="bob")
    assert said(chat)[3:] == ["another person"]
    chat.advance(days=1)
    chat.say("/echo next day")
    assert said(chat)[4:] == ["next day"]


@ON_EVERY_PLATFORM
def test_a_message_that_comes_again_counts_once(platform: str) -> None:
    chat = Chat(make(Quotas(person_a_day=2)), platform)
    chat.say("/echo one")
    world = chat._world  # pyright: ignore[reportPrivateUsage]
    with world.active():
        [delivery] = [each for each in world.platform.deliveries.values() if each.journal_id == chat.received.id]
        for _ in range(3):
            world.deliver(platform, delivery)
            world.work()
    chat.say("/echo two")
    assert said(chat) == ["one", "two"]


@pytest.mark.parametrize("platform", ["feishu", "discord"])
def test_a_room_has_a_limit_of_its_own_and_direct_chats_have_none(platform: str) -> None:
    chat = Chat(make(Quotas(room_a_day=2)), platform)
    team, lab = chat.room("team"), chat.room("lab")
    for person in ("ann", "bob", "cleo", "dan"):
        team.say("/echo hi", by=person)
        chat.say("/echo hi", by=person)
    lab.say("/echo hi")
    assert [len(said(place)) for place in (team, lab)] == [3, 1]
    assert [said(chat), said(team)[:2]] == [["hi"] * 4, ["hi"] * 2]


def test_a_person_is_counted_in_all_rooms() -> None:
    chat = Chat(make(Quotas(person_a_day=3, room_a_day=10)), "feishu")
    for place in (chat, chat.room("team"), chat.room("lab"), chat.room("new")):
        place.say("/echo hi")
    assert said(chat.room("lab")) == ["hi"]
    assert "3" in said(chat.room("new"))[0]


def test_what_is_not_for_the_bot_does_not_count() -> None:
    chat = Chat(make(Quotas(person_a_day=1)), "feishu")
    room = chat.room("team")
    room.say("hello Bob", mention=False)
    room.event("member_added")
    room.say("/echo hi")
    assert said(room) == ["hi"]


def test_the_day_is_that_of_the_time_zone() -> None:
    chat = Chat(make(Quotas(person_a_day=1, zone="Asia/Shanghai")), "feishu")
    chat.say("/echo 16:00 in Shanghai")  # the time of a chat begins at 08:00 UTC
    chat.advance(hours=7, minutes=59)
    chat.say("/echo 23:59")
    chat.advance(minutes=1)
    chat.say("/echo midnight")
    assert [said(chat)[0], said(chat)[2]] == ["16:00 in Shanghai", "midnight"]


def test_a_failed_handler_counts_nothing() -> None:
    bot = make(Quotas(person_a_day=1))

    @bot.command()
    def broken() -> str:
        raise RuntimeError("no")

    chat = Chat(bot, "feishu")
    with pytest.raises(RuntimeError):
        chat.say("/broken")
    chat.say("/echo hi")
    assert said(chat) == ["hi"]


def test_handlers_do_not_see_the_count_and_cannot_lose_it() -> None:
    chat = Chat(make(Quotas(person_a_day=3, room_a_day=9)), "feishu")
    room = chat.room("team")
    for _ in range(4):
        room.say("/states")
    assert said(room)[:3] == ["['seen'] 1", "['seen'] 2", "['seen'] 3"]
    assert "3" in said(room)[3]
    assert room.state == {"seen": 3}


def test_the_text_is_in_the_language_of_the_person_and_can_be_replaced() -> None:
    chat = Chat(make(Quotas(person_a_day=1), texts={"": Texts(person_quota="{limit} is enough")}), "feishu")
    for _ in range(3):
        chat.say("/echo hi")
    assert said(chat) == ["hi", "1 is enough"]


def test_a_bot_without_quotas_stores_nothing_and_one_with_quotas_nothing_for_ever() -> None:
    for quotas, kinds in ((None, 0), (Quotas(person_a_day=5, room_a_day=5), 2)):
        chat = Chat(make(quotas), "feishu")
        chat.room("team").say("/echo hi")
        table = chat._world.aws.dynamodb.items  # pyright: ignore[reportPrivateUsage]
        rows = [item for pk, item in table.items() if pk.startswith(("user#", "conv#"))]
        assert len(rows) == kinds
        assert all(PRIVATE in row["memory"]["S"] and "ttl" in row for row in rows)


@pytest.mark.parametrize(
    ("make_it", "text"),
    [
        (Quotas, "write Quotas"),
        (lambda: Quotas(person_a_day=-1), "person_a_day=100"),
        (lambda: Quotas(room_a_day=True), "room_a_day=100"),
        (lambda: Quotas(person_a_day=1, zone="Mars"), "Asia/Shanghai"),
        (lambda: Bot(quotas=100), "Quotas"),  # type: ignore[arg-type]
        (lambda: Bot(texts={"en": Texts(person_quota="{count}")}), "limit"),
    ],
)
def test_a_wrong_definition_says_what_to_write(make_it: Any, text: str) -> None:
    with pytest.raises((ValueError, TypeError), match=text):
        make_it()
