"""Discord on the chat page: commands and their options, buttons, selects and forms."""

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

from tests.e2e.page import Page


@pytest.fixture
def discord(page: Page) -> Page:
    """The page on Discord, in the direct chat of this person."""
    page.open("discord")
    page.wait(lambda: page.chips("/count"))
    return page


def test_a_command_without_options_is_one_click(discord: Page):
    discord.click(lambda: discord.chips("/count")[0])
    discord.wait_for_reply("1")


def test_a_command_with_options_asks_for_them_by_type(discord: Page):
    discord.click(lambda: discord.chips("/slow seconds")[0])
    field = discord.wait(lambda: discord.find("dialog input[name='seconds']"))
    assert field.get_attribute("type") == "number"
    field.send_keys("0")
    discord.find("dialog button[type='submit']").click()
    discord.wait_for_reply("That took 0 seconds.")


def test_the_list_shows_the_commands_that_begin_with_the_text(discord: Page):
    discord.find("#message-box").send_keys("/ec")
    shown = discord.read(lambda: [one.text for one in discord.all(".command-list .usage")])
    assert shown == ["/echo text"]
    discord.find("#message-box").send_keys("ho typed")
    assert not discord.find(".command-list").is_displayed()
    discord.write("")
    discord.wait_for_reply("typed")


def test_the_bot_replies_to_a_button(discord: Page):
    discord.click(lambda: discord.chips("/card")[0])
    tea = discord.wait(lambda: discord.buttons("Tea"))
    tea[0].click()
    discord.wait(lambda: discord.replies()[-1] == "You chose tea.")
    assert "pressed" in discord.find(".note").text


def test_plain_text_reaches_the_bot_over_the_gateway(discord: Page):
    discord.write("good morning")
    discord.wait(lambda: any(reply.startswith("You wrote “good morning”") for reply in discord.replies()))


def test_the_trace_shows_the_signature(discord: Page):
    discord.click(lambda: discord.chips("/count")[0])
    discord.wait_for_reply("1")  # the message is drawn again with each change of its delivery
    discord.open_trace(discord.own("/count"))
    assert "X-Signature-Ed25519" in discord.section("wire").text
    assert "@original" in discord.section("calls").find_element(By.XPATH, ".").text


def test_the_bot_completes_an_option_while_the_person_types(discord: Page):
    discord.click(lambda: discord.chips("/order drink")[0])
    field = discord.wait(lambda: discord.find("dialog input[name='drink']"))
    field.send_keys("tea")
    offered = discord.wait(lambda: [one.get_attribute("value") for one in discord.all("dialog datalist option")])
    assert offered == ["Green tea", "Milk tea"]
    field.clear()
    field.send_keys("Milk tea")
    discord.find("dialog button[type='submit']").click()
    discord.wait_for_reply("One Milk tea, coming.")


def test_a_form_opens_and_can_be_submitted(discord: Page):
    discord.click(lambda: discord.chips("/feedback")[0])
    field = discord.wait(lambda: discord.find("dialog[aria-label='Feedback'] input"))
    assert discord.focused() == field
    field.send_keys("very good")
    discord.find("dialog button[type='submit']").click()
    discord.wait_for_reply("Thank you for “very good”.")
    assert discord.all("dialog") == []


def test_a_command_can_be_used_from_the_menu_of_a_message(discord: Page):
    discord.find("#message-box").send_keys("/echo one two three")
    discord.write("")
    discord.wait_for_reply("one two three")
    message = discord.all(".msg:not(.own)")[-1]
    discord.script("document.querySelector('.msg:not(.own) [aria-label=\"Commands for this message\"]').click()")
    choices = discord.wait(lambda: discord.all("dialog .form button"))
    assert [one.text for one in choices] == ["Count words"]
    choices[0].click()
    discord.wait_for_reply("3 words")
    assert message.text.endswith("one two three")
    assert "one two three" in discord.own("Count words").find_element(By.CSS_SELECTOR, ".quoted").text


def test_a_person_can_choose_from_a_select(discord: Page):
    """The bot sends no selects, so the test sends one with the bot's token."""
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
