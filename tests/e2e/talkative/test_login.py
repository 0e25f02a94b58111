"""A person logs in from a card, and the bot reads their calendar."""

import pytest
from selenium.webdriver.common.by import By


@pytest.fixture
def opened(page, browser):
    """The page, whose further tabs are closed at the end."""
    first = browser.current_window_handle
    yield page
    for handle in browser.window_handles:
        if handle != first:
            browser.switch_to.window(handle)
            browser.close()
    browser.switch_to.window(first)


def log_in(page, browser, choice):
    """Press the button of the card, and choose on the page of the platform. Returns the heading of the last page."""
    first = browser.current_window_handle
    page.click(lambda: page.wait(lambda: [one for one in page.all(".bubble a.press") if "Log in" in one.text])[-1])
    page.wait(lambda: len(browser.window_handles) > 1)
    browser.switch_to.window(next(each for each in browser.window_handles if each != first))
    line = f"//p[starts-with(., '{page.person}:')]/a[text()='{choice}']"
    page.click(lambda: browser.find_element(By.XPATH, line))
    heading = page.wait(lambda: browser.find_element(By.CSS_SELECTOR, "main h1").text)
    browser.close()
    browser.switch_to.window(first)
    return heading


def test_a_person_logs_in_with_a_button_and_the_bot_reads_their_calendar(opened, browser):
    opened.write("/calendar")
    assert log_in(opened, browser, "Agree") == "You are logged in"
    opened.wait_for_reply(f"Planning ({opened.person})\nReview ({opened.person})")
    opened.write("/calendar")
    opened.wait(lambda: len([each for each in opened.replies() if each.startswith("Planning")]) == 2)
    opened.write("/logout")
    opened.wait_for_reply("I have forgotten your login.")


def test_a_person_refuses_on_the_page_of_the_platform(opened, browser):
    """Anybody with the link can do that. So the question stays open until its person ends it in the chat."""
    opened.write("/calendar")
    assert log_in(opened, browser, "Refuse") == "You are not logged in"
    opened.click(
        lambda: opened.wait(lambda: [one for one in opened.all(".bubble button") if "Not now" in one.text])[-1]
    )
    opened.wait_for_reply("Without your login, I cannot read your calendar.")
