"""Forms of cards, and reactions, on the page."""

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.select import Select

from tests.e2e.page import Page


def fill(page: Page, form: WebElement) -> None:
    """Fill in the form of /survey. A date field takes its value from a script: its keys depend on the language."""
    form.find_element(By.CSS_SELECTOR, "[name=name]").send_keys("Lin")
    day = form.find_element(By.CSS_SELECTOR, "[name=day]")
    if day.get_attribute("type") == "date":
        page.browser.execute_script("arguments[0].value = '2026-12-31'", day)
    else:
        day.send_keys("2026-12-31")
    Select(form.find_element(By.CSS_SELECTOR, "[name=dish]")).select_by_visible_text("Rice")


def test_a_form_in_a_card_is_filled_in_and_submitted(page: Page) -> None:
    page.write("/survey")
    form = page.wait(lambda: page.find(".bubble form"))
    assert [each.text.split("\n")[0] for each in form.find_elements(By.CSS_SELECTOR, "label")] == [
        "Name",
        "Wishes",
        "Day",
        "Dish",
    ]
    fill(page, form)
    form.find_element(By.CSS_SELECTOR, "[type=submit]").click()
    page.wait(lambda: page.replies()[-1].endswith("\nLin, 2026-12-31, r"))  # after the quoted card
    assert "pressed" in page.find(".note").text


def test_a_form_is_not_sent_before_its_required_fields_are_filled_in(page: Page) -> None:
    page.write("/survey")
    form = page.wait(lambda: page.find(".bubble form"))
    form.find_element(By.CSS_SELECTOR, "[type=submit]").click()
    assert page.script("document.querySelector('.bubble form [name=name]').matches(':invalid')")
    assert page.all(".note") == []


def test_discord_opens_the_form_of_a_card_in_a_dialog(page: Page) -> None:
    page.open("discord")
    page.click(lambda: page.wait(lambda: page.chips("/survey"))[0])
    page.click(lambda: page.wait(lambda: page.buttons("Lunch"))[0])
    form = page.wait(lambda: page.find("dialog[aria-label='Lunch']"))
    fill(page, form)
    form.find_element(By.CSS_SELECTOR, "[type=submit]").click()
    page.wait_for_reply("Lin, 2026-12-31, r")
    assert page.all("dialog") == []


@pytest.mark.parametrize(("platform", "own"), [("feishu", ["👍"]), ("discord", [])])
def test_the_reactions_of_the_bot_are_below_the_messages(page: Page, platform: str, own: list[str]) -> None:
    page.open(platform)
    page.click(lambda: page.wait(lambda: page.chips("/like"))[0])
    page.wait_for_reply("liked")
    page.wait(lambda: page.texts(".msg:not(.own) .marks .react") == ["🎉"])
    assert page.texts(".msg.own .marks .react") == own
