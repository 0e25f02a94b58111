"""Conversations with a language model on the page: approvals, answers that grow, and people who stop them."""

from datetime import UTC, datetime, timedelta

import pytest
from selenium.webdriver.remote.webelement import WebElement

from parley.bot.texts import ENGLISH
from tests.e2e.page import Page
from tests.stack import Stack

DAY = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
LONG = "word " * 80
"""The slow model repeats it in 30 pieces and more, one each half second."""


def approving(page: Page) -> list[WebElement]:
    """The buttons that approve. Where the platform names no language, they say it in both."""
    return [button for button in page.all(".bubble .press") if ENGLISH.approve in button.text]


def last(page: Page) -> str:
    """The text of the bot's last message; empty without one."""
    return next(iter(page.replies()[-1:]), "")


@pytest.mark.parametrize("platform", ["feishu", "discord", "wecom_bot"])
def test_a_tool_is_called_after_the_person_has_approved_it(page: Page, platform: str) -> None:
    page.open(platform)
    hour = 8 + ["feishu", "discord", "wecom_bot"].index(platform)
    page.write(f"/ask book Panda {DAY} {hour}")
    page.wait(lambda: f'/book room="Panda" day="{DAY}" hour={hour}' in last(page))
    assert f"✅ Panda, {DAY}" not in str(page.replies())
    page.click(lambda: page.wait(lambda: approving(page))[0])
    page.wait(lambda: f"I have done it: ✅ Panda, {DAY} at {hour}:00" in last(page))
    page.wait(lambda: approving(page) == [])


@pytest.mark.parametrize(("platform", "word"), [("wecom", "停"), ("wechat", "/stop"), ("http", "停")])
def test_where_no_answer_grows_a_tool_is_approved_and_a_run_is_stopped(
    page: Page, stack: Stack, platform: str, word: str
) -> None:
    def is_delivered(text: str) -> bool:
        sent = stack.get("/api/messages", platform=platform)["messages"]
        return any(text in each["text"] and each["delivery"] == "delivered" for each in sent)

    page.open(platform)
    hour = 12 + ["wecom", "wechat", "http"].index(platform)
    page.write(f"/ask book Bamboo {DAY} {hour}")
    page.click(lambda: page.wait(lambda: approving(page))[0])
    page.wait(lambda: f"I have done it: ✅ Bamboo, {DAY} at {hour}:00" in last(page))
    page.write(f"/ask !slow {LONG}")
    page.wait(lambda: is_delivered("!slow"))
    page.write(word)
    page.wait(lambda: ENGLISH.stopped in last(page))
    assert "word word word" not in str(page.replies())


@pytest.mark.parametrize("platform", ["feishu", "discord", "wecom_bot"])
@pytest.mark.parametrize("word", ["/stop", "停"])
def test_an_answer_grows_until_the_person_stops_it(page: Page, stack: Stack, platform: str, word: str) -> None:
    if platform == "discord" and word != "/stop":
        pytest.skip("Discord delivers commands, and no other text")
    page.open(platform)
    page.write(f"/ask !slow {LONG}")
    first = page.wait(lambda: last(page) if "You said" in last(page) else "")
    page.wait(lambda: len(last(page)) > len(first))
    assert len(page.replies()) == 1
    page.write(word)
    page.wait(lambda: ENGLISH.stopped in str(page.replies()))
    page.wait(lambda: "word word word" not in str(page.replies()))
    assert "generating" not in str(stack.get("/api/messages", platform=platform))
    page.write("/ask and now")
    page.wait(lambda: "You said: and now" in last(page))
