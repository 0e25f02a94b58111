"""Companies install an app of a provider on the chat page, talk to one bot, and remove it."""

import json

import pytest
from selenium.webdriver.support.ui import Select

from tests.e2e.page import Page

APP = "suite"


@pytest.fixture
def provider(page: Page) -> Page:
    """The page on the app of a provider, which no company has chosen yet."""
    page.browser.get(f"{page.stack.facts['playground']}/healthz")
    place = json.dumps(["wecom", APP, "lin", ""])
    page.browser.execute_script("localStorage.clear(); localStorage.setItem('parley.place', arguments[0])", place)
    page.browser.set_window_size(1440, 900)
    page.browser.get(page.stack.facts["playground"])
    return page


def companies(page: Page) -> list[str]:
    return page.texts("[data-row^='c-'] small")


def press(page: Page, text: str) -> None:
    page.click(lambda: next(one for one in page.all(".acts button") if one.text == text))


def choose(page: Page, number: int) -> None:
    page.click(lambda: page.all("[data-row^='c-']")[number])
    page.wait(lambda: page.all("[data-row^='c-']")[number].get_attribute("aria-selected") == "true")


def test_companies_install_the_app_talk_to_the_bot_and_remove_it(provider: Page) -> None:
    page = provider
    page.wait(lambda: page.all(".acts button"))
    before = len(companies(page))
    for number in (before, before + 1):
        press(page, "Install in a new company")
        page.wait(lambda number=number: len(companies(page)) == number + 1)
    for number in (before, before + 1):
        choose(page, number)
        page.write(f"/echo company {number}")
        page.wait_for_reply(f"company {number}")
        page.write("/count")
        page.wait_for_reply("1")
    press(page, "Change who sees it")
    page.wait(lambda: companies(page)[before + 1] == "installed, 1 people see it")
    press(page, "Remove")
    page.wait(lambda: companies(page)[before + 1] == "removed")
    choose(page, before)
    page.write("/count")
    page.wait_for_reply("2")
    name = Select(page.find("select[aria-label='App']")).first_selected_option.text
    assert name.startswith(f"{APP}@wp")
