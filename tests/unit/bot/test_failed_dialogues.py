"""A dialogue that cannot go on ends, and its person is told: its handler fails for good, or its card is refused."""

from datetime import timedelta
from typing import Any

import pytest

from parley.bot import Ask, Bot, Script, Texts, Turn
from parley.bot.reminders import Reminders
from parley.bot.texts import ENGLISH
from parley.model import Context, Destination, Reply
from parley.model.agenda import Agenda, Answer, Failure, OpenDialogue, ending
from parley.testing import Chat
from tests.factories import NOW, make_message
from tests.unit.bot.test_approvals import ANYWHERE, BrokenError, Team, changed, kinds

GONE = {
    "discord": Destination(platform="discord", app="demo", room_id="999999999999999999"),
    "feishu": Destination(platform="feishu", app="demo", room_id="oc_gone"),
    "wecom": Destination(platform="wecom", app="demo", user_id="nobody"),
    "wechat": Destination(platform="wechat", app="demo", user_id="nobody"),
}
"""Where each platform refuses a message for good."""


def settled(team: Team) -> list[tuple[str, str]]:
    """What the bot shows after a failure."""
    team.chat.advance(seconds=1)
    return team.shown()


@ANYWHERE
def test_a_handler_that_fails_after_an_approval_ends_it_and_the_person_is_told(platform: str) -> None:
    team = Team(platform, timeout=timedelta(hours=2))
    team.ask()
    team.is_broken = True
    with pytest.raises(BrokenError):
        team.chat.press("Approve", by="bob")
    shown = settled(team)
    assert kinds(shown, "Something went wrong") == ["message"]
    assert kinds(shown, "Could not be done") == changed(platform)
    team.is_broken = False
    team.chat.advance(hours=3)
    assert team.shown() == []


@ANYWHERE
def test_a_handler_that_fails_when_the_time_is_over_ends_it_too(platform: str) -> None:
    team = Team(platform, timeout=timedelta(hours=2))
    team.ask()
    team.is_broken = True
    with pytest.raises(BrokenError):
        team.chat.advance(hours=3)
    shown = settled(team)
    assert kinds(shown, "Something went wrong") == ["message"]
    assert kinds(shown, "Could not be done") == changed(platform)


@ANYWHERE
def test_a_withdrawal_that_fails_closes_both_cards(platform: str) -> None:
    team = Team(platform)
    team.ask()
    team.is_broken = True
    with pytest.raises(BrokenError):
        team.chat.press("Withdraw")
    assert kinds(settled(team), "Could not be done") == changed(platform)


@ANYWHERE
def test_the_person_asks_again_after_a_failure(platform: str) -> None:
    team = Team(platform)
    team.ask()
    team.is_broken = True
    with pytest.raises(BrokenError):
        team.chat.press("Approve", by="bob")
    settled(team)
    team.is_broken = False
    team.ask("1.5")
    team.chat.press("Approve", by="bob")
    assert kinds(team.shown(), "deployed 1.5") == ["message"]


@pytest.mark.parametrize("platform", sorted(GONE))
def test_an_approval_whose_card_is_refused_for_good_ends_at_once(platform: str) -> None:
    team = Team(platform, room=GONE[platform])
    team.chat.say("/deploy 1.4")
    team.chat.advance(hours=2)
    shown = team.shown()
    assert kinds(shown, "could not be shown to those who decide") == ["message"]
    assert kinds(shown, "Could not be done") == [changed(platform)[0]]
    team.chat.advance(days=3)
    assert team.shown() == []


@ANYWHERE
def test_a_question_that_cannot_be_asked_again_ends(platform: str) -> None:
    bot, runs = Bot(), list[int]()

    @bot.command()
    def trip() -> Script:
        runs.append(1)
        if len(runs) == 2:
            raise BrokenError
        yield Ask("On which day?")

    @bot.fallback
    def other() -> str:
        return "what?"

    chat = Chat(bot, platform)
    chat.say("/trip")
    chat.expect(contains="On which day?")
    with pytest.raises(BrokenError):
        chat.advance(minutes=31)
    chat.advance(seconds=1)
    chat.expect(contains="Something went wrong")
    chat.advance(hours=3)
    chat.expect_nothing()
    if platform != "discord":  # it delivers no plain text
        chat.say("Monday")
        chat.expect("what?")


def ended(dialogue: OpenDialogue, failure: Failure, bot: Bot, locale: str = "en-US") -> list[Reply]:
    """The replies to the message that ends a dialogue, if `dialogue` is open."""
    message = make_message(context=Context(room_id="room", locale=locale))
    turn = Turn(ending(message, "m1", failure, NOW), now=NOW)
    turn.plans = Reminders(turn.message, NOW, Agenda(dialogues={dialogue.id: dialogue}))
    return bot.handle(turn)


def approval(**more: Any) -> OpenDialogue:
    fields: dict[str, Any] = {"by_press": True, "text": "Deploy?", "cards": ("reply:one",)}
    return OpenDialogue(id="d", handler="bot:deploy", given="", message=make_message(), started=NOW, **fields | more)


@pytest.mark.parametrize(("locale", "text"), [("en-US", "over"), ("zh-CN", "结束"), ("", "?")])
def test_the_text_is_in_the_language_of_the_person_and_can_be_replaced(locale: str, text: str) -> None:
    bot = Bot(texts={"en": Texts(failed="over"), "zh": Texts(failed="结束"), "": Texts(failed="?")})
    *_, told = ended(approval(), Failure(place="d.0"), bot, locale)
    assert told == Reply.of(f"Deploy?\n{text}")


def test_an_empty_text_is_not_sent() -> None:
    silent = Bot(texts={"en": Texts(failed="")})
    assert [reply.op for reply in ended(approval(), Failure(place="d.0"), silent)] == ["edit"]


def test_a_dialogue_that_has_gone_on_meanwhile_stays() -> None:
    later = approval(answers=(Answer(question="q", message=make_message(), now=NOW),))
    assert ended(later, Failure(place="d.0"), Bot()) == []


def test_an_approval_of_an_earlier_version_ends_without_its_question() -> None:
    edit, told = ended(approval(text=""), Failure(place="d.0"), Bot())
    assert edit.op == "edit"
    assert told == Reply.of(ENGLISH.failed)
