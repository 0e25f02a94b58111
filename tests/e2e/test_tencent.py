"""WeCom and WeChat on the chat page: buttons, and the trace of a message, answered by the API or in the callback."""

import json
from uuid import uuid4

import pytest

from tests.e2e.page import Page

ALL = [("wecom", "demo"), ("wechat", "demo"), ("wechat", "passive")]


@pytest.fixture
def chat(page: Page, request: pytest.FixtureRequest) -> Page:
    """The page on that platform, in the chat of this person with that app."""
    platform, app = request.param
    said = page.stack.post(
        "/api/messages", platform=platform, app=app, room="", sender=page.person, text=uuid4().hex, deliver=False
    )
    place = json.dumps([platform, app, page.person, said["room"]])
    page.browser.execute_script("localStorage.setItem('parley.place', arguments[0])", place)
    page.browser.refresh()
    page.wait(lambda: page.script("document.body.dataset.platform") == platform and page.all(".msg.own"))
    return page


@pytest.mark.parametrize("chat", ALL, indirect=True, ids=map("-".join, ALL))
def test_a_button_is_pressed_and_answered(chat: Page):
    chat.write("/card")
    tea = chat.wait(lambda: [one for one in chat.all(".bubble .press") if one.text == "Tea"])
    tea[0].click()
    chat.answered("You chose tea.")


@pytest.mark.parametrize("chat", ALL[:2], indirect=True, ids=map("-".join, ALL[:2]))
def test_the_way_shows_what_was_decrypted_and_the_call_that_answered(chat: Page):
    chat.write("/echo trace")
    chat.answered("trace")
    chat.open_trace(chat.own("/echo trace"))
    assert "<![CDATA[/echo trace]]>" in chat.section("plain").text
    assert "/echo trace" not in chat.section("wire").text
    assert "/cgi-bin/message/" in chat.section("calls").text


@pytest.mark.parametrize("chat", ALL[2:], indirect=True, ids=map("-".join, ALL[2:]))
def test_the_way_says_that_the_answer_went_back_with_the_callback(chat: Page):
    chat.write("/echo back")
    chat.answered("back")
    chat.open_trace(chat.own("/echo back"))
    assert "went back with the callback" in chat.section("calls").text
    assert "with the callback" in chat.section("journal").text
