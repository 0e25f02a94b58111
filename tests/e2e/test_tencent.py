"""WeCom, its smart bots and WeChat on the chat page: buttons, and traces of replies by the API and in responses."""

import pytest

from tests.e2e.page import Page

ALL = [("wecom", "demo"), ("wechat", "demo"), ("wechat", "passive"), ("wecom_bot", "demo")]


@pytest.fixture
def chat(page: Page, request: pytest.FixtureRequest) -> Page:
    """The page on that platform, in the chat of this person with that app."""
    page.open(*request.param)
    return page


@pytest.mark.parametrize("chat", ALL, indirect=True, ids=map("-".join, ALL))
def test_the_bot_replies_to_a_button(chat: Page):
    chat.write("/card")
    tea = chat.wait(lambda: chat.buttons("Tea"))
    tea[0].click()
    chat.wait_for_reply("You chose tea.")


@pytest.mark.parametrize("chat", ALL[:2], indirect=True, ids=map("-".join, ALL[:2]))
def test_the_trace_shows_the_decrypted_message_and_the_call_with_the_reply(chat: Page):
    chat.write("/echo trace")
    chat.wait_for_reply("trace")
    chat.open_trace(chat.own("/echo trace"))
    assert "<![CDATA[/echo trace]]>" in chat.section("plain").text
    assert "/echo trace" not in chat.section("wire").text
    assert "/cgi-bin/message/" in chat.section("calls").text


@pytest.mark.parametrize("chat", ALL[2:], indirect=True, ids=map("-".join, ALL[2:]))
def test_the_trace_of_a_passive_reply_says_that_it_is_in_the_response(chat: Page):
    chat.write("/echo back")
    chat.wait_for_reply("back")
    chat.open_trace(chat.own("/echo back"))
    assert "in the callback's response" in chat.section("calls").text
    assert "with the callback" in chat.section("journal").text
