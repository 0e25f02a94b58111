"""Requests from the first question to the end. `make test-bot BOT=examples/helpdesk` runs this."""

import pytest

from bot import bot
from parley.testing import PLATFORMS, Chat, Room

# A smart bot of WeCom only answers: it cannot write to others.
EVERYWHERE = pytest.mark.parametrize("platform", sorted({*PLATFORMS} - {"wecom_bot"}))
WITH_PICTURES = pytest.mark.parametrize("platform", ["feishu", "wechat", "wecom"])
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(20)


class Office:
    """Ann asks, and Lin is of the team. On platforms whose groups a bot does not hear, Lin alone is the team."""

    def __init__(self, platform: str) -> None:
        self.platform = platform
        self.chat = Chat(bot, platform, config={"names": True} if platform in ("feishu", "wecom") else None)
        has_rooms = platform in ("discord", "feishu", "http")
        self.team: Chat | Room = self.chat.room("team") if has_rooms else self.chat
        self.lin, self.ann = ("" if has_rooms else "lin"), ("" if has_rooms else "ann")
        if platform == "wechat":  # a bot may write to those who have written lately
            self.chat.say("hello", by="lin")
            self.chat.expect("Send /ask to ask the help desk.")

    def answer(self, text: str) -> None:
        """Ann answers a question: as text, or in the form of Discord."""
        if self.platform == "discord":
            self.chat.press("Answer")
            self.chat.expect(contains="Answer")
            self.chat.submit({"answer": text})
        else:
            self.chat.say(text)

    def ask(self) -> None:
        """Ann sends a request."""
        self.chat.say("/ask")
        self.chat.expect(contains="What is it about?")
        self.chat.press("Computer")
        self.chat.expect(contains="What has happened?")
        self.answer("It is on fire")
        if self.platform != "discord":
            self.chat.expect(contains="Send a picture")
            self.chat.press("Skip")

    def asked(self, number: int = 1) -> None:
        """The request of Ann is in the team's room."""
        self.ask()
        card = self.team.expect(contains=f"🆕 Request {number}", by=self.lin)
        assert "Computer: It is on fire" in card.text
        self.chat.expect(contains=f"has the number {number}", by=self.ann)

    def taken(self) -> None:
        """Lin has taken the request."""
        self.asked()
        self.team.press("Take it", by="lin")
        if self.platform == "wecom":  # an edit there changes the button, and the rest follows as a message
            assert self.team.expect(by=self.lin).kind == "edit"
        self.team.expect(contains="👀 Request 1", by=self.lin)

    def decide(self, button: str) -> None:
        """Ann says whether her request is solved. Lin's client on Discord is Chinese, and so are the buttons."""
        chinese = {"Approve": "同意", "Reject": "拒绝"}
        self.chat.press(chinese[button] if self.platform == "discord" else button, by="ann")


@EVERYWHERE
def test_a_request_is_taken_answered_and_closed(platform: str) -> None:
    office = Office(platform)
    office.taken()
    office.team.say("/answer 1 Use the extinguisher", by="lin")
    assert office.chat.expect(contains="on your request 1", by="ann").text.endswith("Use the extinguisher")
    office.team.expect("Sent.", by=office.lin)
    office.team.say("/close 1", by="lin")
    office.chat.expect(contains="May it be closed?", by="ann")
    office.decide("Approve")
    assert any("✅ Request 1" in each.text for each in office.team.replies)
    assert any(each.text == "Your request 1 is closed." for each in office.chat.replies)
    assert office.chat.shared == {"last": 1, "tickets": {}}


@EVERYWHERE
def test_a_request_that_is_not_solved_stays_open(platform: str) -> None:
    office = Office(platform)
    office.taken()
    office.team.say("/close 1", by="lin")
    office.chat.expect(contains="May it be closed?", by="ann")
    office.decide("Reject")
    assert office.team.replies[-1].text == "Request 1 stays open: it is not solved."
    assert list(office.chat.shared["tickets"]) == ["1"]


def test_a_request_about_which_nobody_answers_is_closed_after_two_days() -> None:
    office = Office("feishu")
    office.taken()
    office.team.say("/close 1", by="lin")
    office.chat.advance(days=2, minutes=1)
    assert office.chat.shared == {"last": 1, "tickets": {}}


def test_a_request_is_closed_once() -> None:
    office = Office("feishu")
    office.taken()
    office.team.say("/close 1", by="lin")
    office.team.say("/close 1", by="lin")
    for _ in range(2):
        office.decide("Approve")
    assert office.chat.shared == {"last": 1, "tickets": {}}


@pytest.mark.parametrize("platform", ["discord", "feishu"])
def test_the_card_is_edited_in_place(platform: str) -> None:
    office = Office(platform)
    office.taken()
    office.team.say("/close 1", by="lin")
    office.decide("Approve")
    shown = [(each.kind, "[Take it]" in str(each)) for each in office.team.replies if "Request 1" in str(each)]
    assert shown == [("message", True), ("edit", False), ("edit", False)]


def test_the_first_of_two_takes_it() -> None:
    office = Office("feishu")
    office.asked()
    with office.team.at_once():
        office.team.press("Take it", by="lin")
        office.team.press("Take it", by="sam")
    office.team.expect(contains="👀 Request 1: Lin Mei")
    office.team.expect(contains="has taken it already")
    office.team.say("/answer 1 Hello", by="sam")
    office.team.expect(contains="somebody else has taken it")
    office.team.say("/close 1", by="sam")
    office.team.expect(contains="somebody else has taken it")


@EVERYWHERE
def test_the_team_is_reminded_of_a_request_that_nobody_takes(platform: str) -> None:
    office = Office(platform)
    office.asked()
    office.chat.advance(minutes=29)
    office.team.expect_nothing()
    office.chat.advance(minutes=1)
    office.team.expect("⏰ Nobody has taken request 1 yet: Computer", by=office.lin)
    office.chat.advance(hours=5)
    office.team.expect_nothing()


def test_nobody_is_reminded_of_a_request_that_is_taken() -> None:
    office = Office("feishu")
    office.taken()
    office.chat.advance(hours=1)
    office.team.expect_nothing()


@WITH_PICTURES
def test_a_picture_goes_to_the_team(platform: str) -> None:
    office = Office(platform)
    office.chat.say("/ask")
    office.chat.say("2")
    office.chat.say("Locked out")
    office.chat.say(image=PICTURE)
    shown = [str(each) for each in office.team.replies]
    assert any("Account: Locked out" in each for each in shown)
    assert any("(image" in each for each in shown)


@WITH_PICTURES
def test_what_a_person_adds_goes_to_the_team(platform: str) -> None:
    office = Office(platform)
    office.taken()
    office.chat.say("The fire is out")
    assert office.team.expect(contains="on request 1", by=office.lin).text.endswith("The fire is out")
    office.chat.expect("The team has it, for your request 1.", by="ann")
    office.chat.say(image=PICTURE)
    assert any("(image" in str(each) for each in office.team.replies)


def test_only_the_team_answers() -> None:
    office = Office("feishu")
    office.taken()
    office.chat.say("/answer 1 Send me your password", by="lin")
    office.chat.expect("Send /ask to ask the help desk.")


def test_requests_are_numbered_and_survive() -> None:
    office = Office("feishu")
    office.asked(1)
    office.asked(2)
    assert [ticket["topic"] for ticket in office.chat.shared["tickets"].values()] == ["Computer", "Computer"]


def test_the_bot_speaks_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_SETTING_LANGUAGE", "zh")
    office = Office("feishu")
    office.chat.say("/求助")
    office.chat.expect("是哪方面的问题？")
    office.chat.press("电脑")
    office.chat.expect("发生了什么？")


def test_an_app_without_a_team_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_SETTING_TEAMS", "[]")
    office = Office("feishu")
    office.chat.say("/ask")
    office.chat.expect(contains="no place of this app")
