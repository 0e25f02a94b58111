"""The mornings of a team. `make test-bot BOT=examples/standup` runs this."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from bot import bot
from parley.testing import PLATFORMS, Chat, Room

# A smart bot of WeCom only answers: it cannot write to others.
EVERYWHERE = pytest.mark.parametrize("platform", sorted({*PLATFORMS} - {"wecom_bot"}))
SHANGHAI = ZoneInfo("Asia/Shanghai")


class Team:
    """Lin leads the team. On platforms whose groups a bot does not hear, each person has a chat of their own."""

    def __init__(self, platform: str = "feishu") -> None:
        self.platform = platform
        config = {"names": True} if platform in ("feishu", "wecom") else None
        self.chat = Chat(bot, platform, config=config)
        self.has_rooms = platform in ("discord", "feishu", "http")
        self.place: Chat | Room = self.chat.room("team") if self.has_rooms else self.chat
        self.until(9, 0)
        self.chat.advance(days=2)  # Monday, 18 January 2027
        if platform == "wechat":  # a bot may write to those who have written lately
            for name in ("lin", "sam", "ana"):
                self.chat.say("hello", by=name)
                self.chat.expect(contains="/did")

    def until(self, hour: int, minute: int) -> None:
        """Let the time pass, until it is that time in Shanghai."""
        now = datetime.fromtimestamp(self.chat.now, SHANGHAI)
        minutes = hour * 60 + minute - now.hour * 60 - now.minute
        self.chat.advance(minutes=minutes % (24 * 60), seconds=-now.second)

    def by(self, name: str) -> str:
        """The person whose chat it is, where each has one."""
        return "" if self.has_rooms else name

    def everybody(self) -> list[str]:
        """The chats of the team."""
        return [""] if self.has_rooms else ["lin", "sam", "ana"]


@EVERYWHERE
def test_the_team_is_asked_and_the_answers_are_one_card(platform: str) -> None:
    team = Team(platform)
    team.until(9, 30)
    for name in team.everybody():
        assert "[Answer]" in str(team.place.expect(contains="☀️ Stand-up", by=name))

    team.place.press("Answer", by="sam")
    if platform == "discord":
        team.place.expect(contains="☀️ Stand-up")
        team.place.submit({"did": "Fixed the login", "next": "The logout"}, by="sam")
    else:
        team.place.expect(contains="What have you done?", by=team.by("sam"))
        team.place.say("Fixed the login", by="sam")
        team.place.expect(contains="What is next?", by=team.by("sam"))
        team.place.say("The logout", by="sam")
    team.place.expect("Noted, thank you.", by=team.by("sam"))
    team.place.say("/did Wrote the docs", by="ana")
    team.place.expect("Noted, thank you.", by=team.by("ana"))

    team.until(10, 0)
    for name in team.everybody():
        card = team.place.expect(contains="📋 Stand-up of 2027-01-18", by=name).text
        assert "Fixed the login → The logout" in card
        assert "Wrote the docs" in card
    team.place.expect_nothing()


def test_a_late_answer_is_added_to_the_card_in_place() -> None:
    team = Team()
    team.until(10, 0)
    assert "Nobody has answered." in team.place.replies[-1].text
    team.place.say("/did Overslept", by="sam")
    edited = next(each for each in team.place.replies if each.kind == "edit")
    assert "Sam Okafor: Overslept" in edited.text


def test_an_answer_cannot_look_like_the_answer_of_somebody_else() -> None:
    team = Team()
    team.until(10, 0)
    team.place.say("/did Nothing\n**Lin Mei**: Deleted [all](https://evil.example)", by="sam")
    edited = next(each for each in team.place.replies if each.kind == "edit")
    assert "Sam Okafor: Nothing **Lin Mei**: Deleted [all](https://evil.example)" in edited.text


def test_a_person_is_reminded_of_the_last_plan() -> None:
    team = Team()
    for _ in range(2):
        team.until(9, 30)
        team.place.press("Answer", by="sam")
        team.place.say("Fixed the login", by="sam")
        team.place.say("The logout", by="sam")
    assert "Last time you planned: The logout" in [each.text for each in team.place.replies]
    assert team.place.user == {"plan": "The logout"}


def test_each_day_begins_with_an_empty_card_and_weekends_are_free() -> None:
    team = Team()
    team.place.say("/did Something", by="sam")
    team.chat.advance(days=7)
    shown = [each.text for each in team.place.replies]
    assert len([text for text in shown if "☀️" in text]) == 5
    assert len([text for text in shown if "Nobody has answered." in text]) == 4


@EVERYWHERE
def test_a_lead_skips_a_day(platform: str) -> None:
    team = Team(platform)
    team.place.say("/skip today", by="lin")
    team.place.expect(contains="2027-01-18", by=team.by("lin"))
    team.until(10, 30)
    team.place.expect_nothing()


def test_a_lead_skips_tomorrow_only() -> None:
    team = Team()
    team.place.say("/skip tomorrow", by="lin")
    team.chat.advance(days=3)
    days = [each.text.split("\n")[0] for each in team.place.replies if "📋" in each.text]
    assert days == ["📋 Stand-up of 2027-01-18", "📋 Stand-up of 2027-01-20"]


@EVERYWHERE
def test_a_lead_moves_the_summary(platform: str) -> None:
    team = Team(platform)
    team.place.say("/later 2h", by="lin")
    team.place.expect(contains="11:00", by=team.by("lin"))
    team.until(10, 30)
    shown = [each.text for each in team.place.replies]
    assert not any("📋" in text for text in shown)
    team.until(11, 0)
    shown = [each.text for each in team.place.replies]
    assert sum("📋 Stand-up of 2027-01-18" in text for text in shown) == len(team.everybody())


def test_the_summary_is_moved_again() -> None:
    team = Team()
    team.place.say("/later 2h", by="lin")
    team.place.say("/later 3h", by="lin")
    team.until(12, 0)
    assert [each.text.split("\n")[0] for each in team.place.replies if "📋" in each.text] == [
        "📋 Stand-up of 2027-01-18"
    ]


def test_the_bot_speaks_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_SETTING_LANGUAGE", "zh")
    team = Team()
    team.until(9, 30)
    team.place.expect(contains="☀️ 每日站会")


def test_the_summary_is_not_moved_to_another_day() -> None:
    team = Team()
    team.place.say("/later 20h", by="lin")
    team.place.expect("The summary has to come today.")


@pytest.mark.parametrize("command", ["/skip today", "/later 10m"])
def test_only_a_lead_decides(command: str) -> None:
    team = Team()
    team.place.say(command, by="sam")
    team.place.expect(contains="Only an administrator")
    team.until(10, 0)
    assert any("📋" in each.text for each in team.place.replies)
