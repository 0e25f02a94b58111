"""Expenses from the first question to the receipt. `make test-bot BOT=examples/expenses` runs this."""

import json
from typing import Any

import httpx
import pytest

import accounting
from bot import bot
from parley.testing import PLATFORMS, Chat

# A smart bot of WeCom only answers: it cannot write to others.
EVERYWHERE = pytest.mark.parametrize("platform", sorted({*PLATFORMS} - {"wecom_bot"}))


class Company:
    """Sam hands in expenses. Lin is a manager and Ana a director."""

    def __init__(self, platform: str = "feishu", attempts: int = 1) -> None:
        self.platform = platform
        config = {"names": True} if platform in ("feishu", "wecom") else None
        self.chat = Chat(bot, platform, config=config, attempts=attempts)
        self.has_rooms = platform in ("discord", "feishu", "http")
        if platform == "wechat":  # a bot may write to those who have written lately
            for name in ("lin", "ana"):
                self.chat.say("hello", by=name)
                self.chat.expect(contains="/expense")

    def answer(self, text: str, by: str) -> None:
        """Answer a question: as text, or in the form of Discord."""
        if self.platform == "discord":
            self.chat.press("Answer", by=by)
            self.chat.expect(contains="Answer")
            self.chat.submit({"answer": text}, by=by)
        else:
            self.chat.say(text, by=by)

    def hand_in(self, amount: str, by: str = "sam") -> None:
        """The person answers all questions."""
        self.chat.say("/expense", by=by)
        self.chat.expect(contains="How much, in CNY?")
        self.answer(amount, by)
        self.chat.expect(contains="What for?")
        self.answer("a train to Beijing", by)
        self.chat.expect(contains="Which category?")
        self.chat.press("Travel", by=by)
        self.chat.expect(contains="waits for an approval", by=by)

    def press(self, button: str, by: str) -> None:
        """Somebody presses a button of the card, which is in the room or in their direct chat."""
        place = self.chat.room("team") if self.has_rooms else self.chat
        assert any("a train to Beijing" in str(card) for card in place.replies)
        place.press(button, by=by)

    def told(self) -> list[str]:
        """What Sam has read since the last look."""
        told: list[str] = []
        while True:
            try:
                told.append(self.chat.expect(by="sam").text)
            except AssertionError:
                return told


@EVERYWHERE
def test_what_sam_writes_does_not_look_like_words_of_the_bot(platform: str) -> None:
    company = Company(platform)
    company.chat.say("/expense", by="sam")
    company.answer("9000", "sam")
    company.answer("a train to Beijing\n**Approved by Ana** [receipt](https://evil.example) \u202e", "sam")
    company.chat.press("Travel", by="sam")
    place = company.chat.room("team") if company.has_rooms else company.chat
    cards = [str(card) for card in place.replies if "Approve]" in str(card)]
    assert "9000 CNY for a train to Beijing **Approved by Ana** [receipt](https://evil.example) (Travel)" in cards[0]


@EVERYWHERE
def test_a_manager_approves_a_small_amount(platform: str) -> None:
    company = Company(platform)
    company.hand_in("99.50")
    company.press("Approve", by="lin")
    assert company.told()[-1].startswith("✅ Approved and booked, receipt ")
    company.chat.say("/expenses", by="sam")
    assert company.chat.expect(by="sam").text.startswith("99.50  a train to Beijing: ✅")
    company.chat.say("/expenses", by="bob")
    company.chat.expect("You have no expenses. Send /expense.", by="bob")


@EVERYWHERE
def test_a_director_approves_a_large_amount_after_the_manager(platform: str) -> None:
    company = Company(platform)
    company.hand_in("1000.01")
    company.press("Approve", by="lin")
    assert not any("booked" in text for text in company.told())
    company.press("Approve", by="ana")
    assert company.told()[-1].startswith("✅ Approved and booked")


@EVERYWHERE
def test_a_rejection_is_told_with_the_name(platform: str) -> None:
    company = Company(platform)
    company.hand_in("99.50")
    company.press("Reject", by="lin")
    assert "has rejected it." in company.told()[-1]


def test_only_a_manager_approves_and_never_an_expense_of_their_own() -> None:
    company = Company()
    company.hand_in("5", by="lin")
    company.press("Approve", by="sam")
    company.press("Approve", by="lin")
    company.chat.say("/expenses", by="lin")
    assert company.chat.replies[-1].text == "You have no expenses. Send /expense."


@pytest.mark.parametrize("amount", ["0", "-1", "50000.01", "1.005", "much"])
def test_an_amount_is_checked(amount: str) -> None:
    company = Company()
    company.chat.say("/expense", by="sam")
    company.chat.say(amount, by="sam")
    assert company.chat.last.text == "How much, in CNY?"
    assert company.chat.replies[-2].text.startswith("应为")


def test_an_expense_is_withdrawn() -> None:
    company = Company()
    company.hand_in("5")
    company.chat.press("Withdraw", by="sam")
    assert company.told()[-1] == "You have withdrawn it."


def test_nobody_decides() -> None:
    company = Company()
    company.hand_in("5")
    company.chat.advance(days=3)
    assert company.told()[-1].startswith("Nobody has decided")


class Accounting:
    """The accounting service. It answers each booking with the next of `statuses`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *statuses: int) -> None:
        self.requests: list[httpx.Request] = []
        self.statuses = list(statuses)
        monkeypatch.setattr(accounting.httpx, "post", self.post)
        monkeypatch.setenv("PARLEY_SETTING_ACCOUNTING_URL", "https://accounting.example.com/expenses")
        monkeypatch.setenv("PARLEY_SETTING_ACCOUNTING_TOKEN", "t")

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(self.statuses.pop(0), json={"id": 4711})

    def post(self, url: str, **given: Any) -> httpx.Response:
        with httpx.Client(transport=httpx.MockTransport(self.handle)) as client:
            return client.post(url, **given)


def test_an_expense_is_booked_in_the_accounting_service(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Accounting(monkeypatch, 200)
    company = Company()
    company.hand_in("5")
    company.press("Approve", by="lin")
    assert company.told()[-1] == "✅ Approved and booked, receipt 4711."
    (request,) = service.requests
    assert json.loads(request.content) == {"amount": "5", "purpose": "a train to Beijing"}
    assert request.headers["Authorization"] == "Bearer t"


def test_a_booking_that_fails_for_good_ends_the_expense_and_sam_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Accounting(monkeypatch, 503)
    company = Company()
    company.hand_in("5")
    with pytest.raises(httpx.HTTPStatusError):
        company.press("Approve", by="lin")
    company.chat.advance(seconds=1)
    assert "Something went wrong" in company.told()[-1]
    (request,) = service.requests
    assert len(request.headers["Idempotency-Key"]) == 32


def test_a_failed_booking_is_repeated_with_the_same_key(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Accounting(monkeypatch, 503, 200)
    company = Company(attempts=2)
    company.hand_in("5")
    company.press("Approve", by="lin")
    assert company.told()[-1] == "✅ Approved and booked, receipt 4711."
    first, second = (request.headers["Idempotency-Key"] for request in service.requests)
    assert first == second


def test_the_bot_speaks_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_SETTING_LANGUAGE", "zh")
    company = Company()
    company.chat.say("/报销", by="sam")
    company.chat.expect("金额是多少（CNY）？")
    company.chat.say("十", by="sam")
    company.chat.expect("应为数字 (expected a number)")
