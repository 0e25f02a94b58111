"""The bot that the tests, the demo and the benchmarks talk to: tests/bots/sample/bot.py."""

import time

import pytest

from parley.model import Action, Card, Command, Content, File, Image, Sender, Text, plain_text
from parley.model.instant import Choices, Form
from tests.template import ROOT
from tests.unit.bot.test_bot import turn
from tools import bot as team

SAMPLE = ROOT / team.SAMPLE / "bot.py"
bot = team.load(SAMPLE)


def said(text: str, state: dict[str, object] | None = None) -> str:
    made = turn(text)
    made.state = {} if state is None else state
    (reply,) = bot.handle(made)
    return plain_text(reply.segments)


def test_it_can_be_read_in_a_minute():
    assert len(SAMPLE.read_text().split()) <= 340


def test_help_names_every_command_with_what_it_does():
    lines = said("/help").splitlines()
    assert [line.split()[0] for line in lines] == [
        "/help",
        "/echo",
        "/hello",
        "/count",
        "/card",
        "/order",
        "/feedback",
        "/remind",
        "/slow",
    ]
    assert all("  " in line for line in lines)


def test_echo_says_it_back():
    assert said("/echo 你好, world") == "你好, world"


def test_hello_has_the_name_of_the_sender_if_it_is_known():
    assert said("/hello") == "Hello!"
    made = turn("/hello", sender=Sender(id="ou_1", name="Lin"))
    (reply,) = bot.handle(made)
    assert plain_text(reply.segments) == "Hello, Lin!"


def test_count_is_kept_by_the_conversation():
    state: dict[str, object] = {}
    assert [said("/count", state) for _ in range(3)] == ["1", "2", "3"]
    assert said("/count", {}) == "1"


def test_card_has_two_buttons_and_each_is_answered():
    (reply,) = bot.handle(turn("/card"))
    (card,) = reply.segments
    assert isinstance(card, Card)
    assert len(card.buttons) == 2
    for button in card.buttons:
        (answer,) = bot.handle(turn(kind="action", action=Action(id=button.id)))
        assert button.id in plain_text(answer.segments)


def test_what_is_ordered_is_completed_while_it_is_typed():
    def completed(typed: str) -> list[str]:
        command = Command(name="order", options={"drink": typed}, focused="drink")
        choices = bot.instantly(turn(kind="command", command=command).message)
        assert isinstance(choices, Choices)
        return [choice.label for choice in choices.choices]

    assert completed("TEA") == ["Green tea", "Milk tea"]
    assert len(completed("")) == 4
    assert said("/order Milk tea") == "One Milk tea, coming."


def test_feedback_opens_a_form_and_thanks_for_what_is_filled_in():
    form = bot.instantly(turn(kind="command", command=Command(name="feedback")).message)
    assert isinstance(form, Form)
    sent = turn("so so", kind="action", action=Action(id=form.id, form={form.inputs[0].id: "so so"}))
    (reply,) = bot.handle(sent)
    assert "so so" in plain_text(reply.segments)
    assert "Just write" in said("/feedback")


def test_words_are_counted_from_the_menu_of_a_message():
    (reply,) = bot.handle(turn("a b c", kind="command", command=Command(name="Count words")))
    assert plain_text(reply.segments) == "3 words"


@pytest.mark.parametrize("after", ["10m", "十分钟"])
def test_remind_sets_a_reminder_with_the_text(after: str):
    made = turn(f"/remind {after} 喝水")
    (reply,) = bot.handle(made)
    assert plain_text(reply.segments) == "I will remind you."
    assert [(each.text, each.at) for each in made.reminders] == [("喝水", made.now + 600)]


@pytest.mark.parametrize(("typed", "waited"), [("/slow 0.5", 0.5), ("/slow 1000", 20.0), ("/slow -3", 0.0)])
def test_slow_waits_as_long_as_it_is_told_within_reason(typed: str, waited: float, monkeypatch: pytest.MonkeyPatch):
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    assert said(typed) == f"That took {waited:g} seconds."
    assert waits == [waited]


def test_slow_wants_a_number():
    assert said("/slow ages").endswith("/slow SECONDS")


def test_any_other_text_is_answered_with_the_way_to_help():
    assert "good morning" in said("good morning")
    assert "/help" in said("good morning")


@pytest.mark.parametrize(("media", "word"), [(Image(key="k"), "image"), (File(key="k", name="a.pdf"), "file")])
def test_media_are_acknowledged_by_their_kind(media: Image | File, word: str):
    made = turn(content=Content(attachments=(media,)), segments=(media,))
    (reply,) = bot.handle(made)
    assert word in plain_text(reply.segments)


def test_words_before_a_picture_do_not_hide_the_picture():
    media = Image(key="k")
    made = turn(content=Content(text="look", attachments=(media,)), segments=(Text(text="look"), media))
    (reply,) = bot.handle(made)
    assert "image" in plain_text(reply.segments)
