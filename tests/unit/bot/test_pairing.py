"""Pairing: strangers wait for a code, codes are safe, and pairings last until they are ended or forgotten."""

import re
from typing import Any

import pytest

from parley.bot import Approve, Bot, Pairing, Script, Texts, Turn
from parley.bot.pairing import _ALPHABET, _LENGTH  # pyright: ignore[reportPrivateUsage]
from parley.bot.rules import person, room
from parley.model import Destination, Message
from parley.model.instant import Form, Input
from parley.testing import PLATFORMS, Chat

ON_EVERY_PLATFORM = pytest.mark.parametrize("platform", PLATFORMS)
TEXTS = Texts()


def make(platform: str = "feishu", pairing: Pairing | None = None, **more: Any) -> Chat:
    """A chat with a bot whose administrator is Eve."""
    admins: set[str] = set()
    bot = Bot(
        pairing=pairing or Pairing(), is_admin=lambda m: m.sender.id in admins, texts={"": TEXTS, "zh": TEXTS}, **more
    )

    @bot.command()
    def echo(text: str) -> str:
        return text

    @bot.event("message_recalled")
    def recalled(turn: Turn) -> str:
        return "recalled"

    @bot.command()
    def feedback() -> str:
        return "no form"

    @bot.instant("feedback")
    def form(_message: Message) -> Form:
        return Form(id="f", title="Feedback", inputs=(Input(id="text", label="Text"),))

    chat = Chat(bot, platform)
    chat.say("/echo who am I", by="eve")
    admins.add(chat.received.sender.id)
    return chat


def last(chat: Any) -> str:
    return str(chat.replies[-1])


def new_code(chat: Any) -> str:
    chat.say("/pair", by="eve")
    found = re.search(r"/pair ([A-Z2-9]{4}-[A-Z2-9]{4})$", last(chat))
    assert found, last(chat)
    return found[1]


@ON_EVERY_PLATFORM
def test_a_stranger_is_told_once_a_day_and_paired_with_a_code(platform: str) -> None:
    chat = make(platform)
    shown = len(chat.replies)
    for _ in range(3):
        chat.say("/echo hi")
    assert [str(each) for each in chat.replies[shown:]] == [TEXTS.stranger]
    chat.advance(days=1)
    chat.say("/echo hi")
    assert last(chat) == TEXTS.stranger
    code = new_code(chat)
    chat.say(f"/pair {code}")
    assert last(chat) == TEXTS.paired
    chat.say("/echo hi")
    assert last(chat) == "hi"
    chat.say("/echo hi", by="bob")
    assert last(chat) == TEXTS.stranger


def test_a_code_works_once() -> None:
    chat = make()
    code = new_code(chat)
    chat.say(f"/pair {code}")
    chat.say(f"/pair {code}", by="bob")
    assert last(chat) == TEXTS.wrong_code


@pytest.mark.parametrize("typed", ["{}", "{} ", "lower"])
def test_a_code_may_be_written_in_small_letters_and_without_the_dash(typed: str) -> None:
    chat = make()
    code = new_code(chat)
    chat.say("/pair " + (code.lower().replace("-", "") if typed == "lower" else typed.format(code)))
    assert last(chat) == TEXTS.paired


def test_a_code_expires_after_an_hour() -> None:
    chat = make()
    code = new_code(chat)
    chat.advance(hours=1)
    chat.say(f"/pair {code}")
    assert last(chat) == TEXTS.wrong_code


def test_tries_are_limited_also_for_the_right_code() -> None:
    chat = make()
    for _ in range(5):
        chat.say("/pair AAAA-AAAA")
        assert last(chat) == TEXTS.wrong_code
    code = new_code(chat)
    chat.say(f"/pair {code}")
    assert last(chat) == TEXTS.too_many_codes
    chat.advance(days=1)
    code = new_code(chat)
    chat.say(f"/pair {code}")
    assert last(chat) == TEXTS.paired


def test_many_codes_are_valid_at_a_time_and_the_oldest_makes_place() -> None:
    chat = make()
    codes: list[str] = []
    for _ in range(51):
        codes.append(new_code(chat))
        chat.advance(seconds=1)
    assert len(set(codes)) == 51
    for code, text in ((codes[0], TEXTS.wrong_code), (codes[1], TEXTS.paired)):
        chat.say(f"/pair {code}")
        assert last(chat) == text


def test_codes_are_random_readable_and_stored_as_hashes() -> None:
    chat = make()
    code = new_code(chat)
    assert (len(set(_ALPHABET)), _LENGTH, set("01ILO") & set(_ALPHABET)) == (31, 8, set())
    table = chat._world.aws.dynamodb.items  # pyright: ignore[reportPrivateUsage]
    [shared] = [str(item) for pk, item in table.items() if pk.startswith("shared#")]
    assert code not in shared
    assert code.replace("-", "") not in shared


def test_pairings_are_listed_and_ended_by_administrators_only() -> None:
    chat = make()
    chat.say("/paired", by="eve")
    assert last(chat) == TEXTS.nobody_paired
    code = new_code(chat)
    chat.say(f"/pair {code}")
    ann = chat.received.sender.id
    for command in ("/paired", f"/unpair {ann}", "/pair"):
        chat.say(command)
        assert last(chat) == TEXTS.not_admin
    chat.say("/paired", by="eve")
    assert last(chat) == ann
    for text in (TEXTS.unpaired, TEXTS.not_paired):
        chat.say(f"/unpair {ann}", by="eve")
        assert last(chat) == text
    shown = len(chat.replies)
    chat.say("/echo hi")
    assert [str(each) for each in chat.replies[shown:]] in ([], [TEXTS.stranger])


def test_a_stranger_cannot_change_the_state_of_the_app() -> None:
    chat = make()
    table = chat._world.aws.dynamodb.items  # pyright: ignore[reportPrivateUsage]
    chat.say("/echo hi")
    chat.say("/pair AAAA-AAAA")
    assert [pk for pk in table if pk.startswith("shared#")] == []


def test_persons_and_rooms_of_the_rule_need_no_code() -> None:
    chat = make()
    chat.say("/echo hi", by="ann")
    ann, team = chat.received.sender.id, chat.room("team")
    chat = make(pairing=Pairing(besides=person(ann) | room(team.id)))
    chat.say("/echo hi", by="ann")
    chat.room("team").say("/echo hi", by="bob")
    chat.say("/echo hi", by="bob")
    assert [str(each) for each in (*chat.replies[-2:], *chat.room("team").replies)] == ["hi", TEXTS.stranger, "hi"]


def test_a_press_in_a_room_of_the_rule_decides_for_another_conversation() -> None:
    team = make().room("team").id
    chat = make(pairing=Pairing(besides=room(team)))
    bot = chat._world.bot._bot  # pyright: ignore[reportPrivateUsage]

    @bot.command()
    def deploy(turn: Turn) -> Script:
        ops = Destination(platform="feishu", app=turn.message.app, room_id=team)
        approval = yield Approve("Deploy?", room=ops)
        return approval.outcome

    chat.say("/deploy", by="eve")
    chat.room("team").press("Approve", by="bob")
    assert last(chat) == "approved"


def test_events_and_talk_among_strangers_get_no_answer() -> None:
    chat = make()
    room = chat.room("team")
    room.say("hello Bob", mention=False)
    room.event("member_added")
    assert room.replies == []


def test_no_form_opens_for_a_person_who_is_not_known_at_once() -> None:
    chat = make("discord")
    chat.say("/feedback")
    assert last(chat) == TEXTS.stranger
    chat.say("/feedback", by="eve")
    assert str(chat.replies[-1]) != "no form"


@pytest.mark.parametrize(
    ("make_it", "text"),
    [
        (lambda: Bot(pairing=True), "Pairing"),  # type: ignore[arg-type]
        (lambda: Pairing(besides=person), "person"),  # type: ignore[arg-type]
    ],
)
def test_a_wrong_definition_says_what_to_write(make_it: Any, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        make_it()


def test_a_command_of_the_bot_with_the_same_name_is_refused() -> None:
    bot = Bot(pairing=Pairing())
    with pytest.raises(ValueError, match="pair"):

        @bot.command()
        def pair() -> str:
            return ""


@pytest.mark.parametrize("text", ["/PAIR x", "/Pair 1234-5678", "／PAIR x"])
def test_a_text_that_only_looks_like_the_command_lets_no_stranger_in(text: str) -> None:
    bot, seen = Bot(pairing=Pairing(), texts={"": TEXTS, "zh": TEXTS}), list[str]()

    @bot.fallback
    def other(turn: Turn) -> None:
        seen.append(turn.text)

    chat = Chat(bot)
    chat.say(text, by="eve")
    assert seen == []


@ON_EVERY_PLATFORM
def test_a_pairing_ends_by_the_id_in_another_case_on_wecom_only(platform: str) -> None:
    chat = make(platform)
    chat.say(f"/pair {new_code(chat)}")
    person_id = chat.received.sender.id
    chat.say(f"/unpair {person_id.swapcase()}", by="eve")
    changes = person_id.swapcase() == person_id
    assert last(chat) == (TEXTS.unpaired if changes or platform == "wecom" else TEXTS.not_paired)


@pytest.mark.parametrize("command", ["/Pair", "／ｐａｉｒ"])
def test_a_stranger_types_the_code_in_any_case_and_width(command: str) -> None:
    chat = make()
    code = new_code(chat)
    chat.say(f"{command} {code}")
    assert last(chat) == TEXTS.paired
