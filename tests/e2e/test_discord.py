"""Discord on the chat page: commands are picked, their options filled in, buttons pressed."""

import json
from uuid import uuid4

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.select import Select

from tests.e2e.page import Page


@pytest.fixture
def discord(page: Page) -> Page:
    """The page on Discord, in the direct chat of this person."""
    said = page.stack.post(
        "/api/messages", platform="discord", app="demo", room="", sender=page.person, text=uuid4().hex, deliver=False
    )
    place = json.dumps(["discord", "demo", page.person, said["room"]])
    page.browser.execute_script("localStorage.setItem('parley.place', arguments[0])", place)
    page.browser.refresh()
    page.wait(lambda: page.script("document.body.dataset.platform") == "discord" and chips(page, "/count"))
    return page


def chips(page: Page, text: str) -> list[WebElement]:
    return [one for one in page.all(".chip") if one.text == text and one.is_displayed()]


def test_a_command_without_options_is_one_click(discord: Page):
    chips(discord, "/count")[0].click()
    discord.answered("1")


def test_a_command_with_options_asks_for_them_by_type(discord: Page):
    chips(discord, "/slow seconds")[0].click()
    field = discord.wait(lambda: discord.find("dialog input[name='seconds']"))
    assert field.get_attribute("type") == "number"
    field.send_keys("0")
    discord.find("dialog button[type='submit']").click()
    discord.answered("That took 0 seconds.")


def test_what_is_typed_after_a_slash_narrows_the_commands_down(discord: Page):
    discord.find("#words").send_keys("/ec")
    shown = [one.text for one in discord.all(".picker .chip")]
    assert shown == ["/echo text"]
    discord.find("#words").send_keys("ho typed")
    assert not discord.find(".picker").is_displayed()
    discord.write("")
    discord.answered("typed")


def test_a_button_is_pressed_and_answered(discord: Page):
    chips(discord, "/card")[0].click()
    tea = discord.wait(lambda: [one for one in discord.all(".card .press") if one.text == "Tea"])
    tea[0].click()
    discord.wait(lambda: discord.answers()[-1] == "You chose tea.")
    assert "pressed" in discord.find(".note").text


def test_plain_text_is_refused_with_the_reason(discord: Page):
    discord.write("hello")
    discord.wait(lambda: "no plain text" in discord.find("#toasts").text)
    assert discord.find("#words").get_attribute("value") == "hello"
    # The refusal is all that the browser has to report.
    assert ["/api/messages" in entry["message"] for entry in discord.browser.get_log("browser")] == [True]


def test_the_way_shows_the_signature(discord: Page):
    chips(discord, "/count")[0].click()
    discord.answered("1")  # what is on its way is drawn anew at each step
    discord.open_trace(discord.own("/count"))
    assert "X-Signature-Ed25519" in discord.section("wire").text
    assert "@original" in discord.section("calls").find_element(By.XPATH, ".").text


def test_an_option_is_completed_by_the_bot_while_one_types(discord: Page):
    chips(discord, "/order drink")[0].click()
    field = discord.wait(lambda: discord.find("dialog input[name='drink']"))
    field.send_keys("tea")
    offered = discord.wait(lambda: [one.get_attribute("value") for one in discord.all("dialog datalist option")])
    assert offered == ["Green tea", "Milk tea"]
    field.clear()
    field.send_keys("Milk tea")
    discord.find("dialog button[type='submit']").click()
    discord.answered("One Milk tea, coming.")


def test_a_form_opens_and_is_sent_off(discord: Page):
    chips(discord, "/feedback")[0].click()
    field = discord.wait(lambda: discord.find("dialog[aria-label='Feedback'] input"))
    assert discord.focused() == field
    field.send_keys("very good")
    discord.find("dialog button[type='submit']").click()
    discord.answered("Thank you for “very good”.")
    assert discord.all("dialog") == []


def test_a_command_is_called_from_the_menu_of_a_message(discord: Page):
    discord.find("#words").send_keys("/echo one two three")
    discord.write("")
    discord.answered("one two three")
    message = discord.all(".msg:not(.own)")[-1]
    discord.script("document.querySelector('.msg:not(.own) [aria-label=\"Commands for this message\"]').click()")
    choices = discord.wait(lambda: discord.all("dialog .form button"))
    assert [one.text for one in choices] == ["Count words"]
    choices[0].click()
    discord.answered("3 words")
    assert message.text.endswith("one two three")
    assert "one two three" in discord.own("Count words").find_element(By.CSS_SELECTOR, ".quoted").text


def test_a_select_is_a_choice_that_is_pressed(discord: Page):
    """No handler of the bot sends selects, so this one is written by the application itself."""
    stack = discord.stack
    room = stack.get("/api/messages", platform="discord")["messages"][-1]["room"]
    options = [{"label": "Big", "value": "b"}, {"label": "Small", "value": "s"}]
    select = {"type": 3, "custom_id": "size", "placeholder": "Which size?", "options": options}
    app = stack.facts["apps"]["discord"]["demo"]
    stack.http.post(
        f"{app['host']}/channels/{room}/messages",
        headers={"Authorization": f"Bot {app['bot_token']}", "User-Agent": "DiscordBot (https://example.com, 1)"},
        json={"content": "Choose", "components": [{"type": 1, "components": [select]}]},
    ).raise_for_status()
    field = discord.wait(lambda: discord.find(".msg select"))
    Select(field).select_by_visible_text("Small")
    discord.wait(lambda: "pressed “s”" in discord.find(".note").text)
