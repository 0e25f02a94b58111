"""The chat page on the running stack: everything a person does, from the keyboard to the journal."""

import json
import re

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys


def test_what_is_written_is_answered(page):
    page.write("/echo hello from the page")
    page.answered("hello from the page")
    assert "received" in page.own("/echo hello").text


def test_a_click_on_an_example_sends_it(page):
    next(one for one in page.all(".chip") if one.text == "/count").click()
    page.answered("1")


def test_a_button_of_a_card_is_pressed_and_answered(page):
    page.write("/card")
    button = page.wait(lambda: next((one for one in page.all(".card .press") if one.text == "Tea"), None))
    button.click()
    page.wait(lambda: any("tea" in answer for answer in page.answers()))
    assert "pressed “Tea”" in page.find(".note").text


def test_a_picture_is_shown_and_answered(page):
    next(one for one in page.all(".chip") if one.text == "Send a picture").click()
    page.wait(lambda: page.script("document.querySelector('.msg.own img')?.naturalWidth > 0"))
    page.wait(lambda: "picture" in str(page.answers()) or "image" in str(page.answers()))


def test_the_trace_of_a_message_shows_bytes_model_journal_and_calls(page):
    page.write("/echo trace me")
    page.answered("trace me")
    page.open_trace(page.own("/echo trace me"))
    steps = [one.text.split("\n")[0] for one in page.all("#trace .steps li")]
    assert sorted(steps) == ["Acknowledged", "Answered", "Decided", "Sent"]
    wire = page.section("wire")
    assert '{"encrypt": "' in wire.text
    assert "X-Lark-Signature" in wire.text
    next(one for one in wire.find_elements(By.CSS_SELECTOR, "button") if one.text == "Hex").click()
    page.wait(lambda: page.section("wire").text.count("000000  7b 22 65 6e 63 72 79 70 74"))
    assert '"message_type": "text"' in page.section("plain").text
    unified = json.loads(page.section("unified").find_element(By.CSS_SELECTOR, "pre").text)
    assert (unified["platform"], unified["content"]["text"]) == ("feishu", "/echo trace me")
    assert "SENT" in page.section("journal").text
    assert "POST /open-apis/im/v1/messages" in page.section("calls").text
    assert re.search(r"\+\d+ ms", page.section("times").text)


def test_the_trace_of_a_reply_is_the_trace_of_its_message(page):
    page.write("/echo question")
    page.answered("question")
    page.all(".msg:not(.own) .bubble")[-1].click()
    page.wait(lambda: "/echo question" in page.find("#trace .about").text)


def test_a_repeated_event_is_answered_once_and_a_forged_one_refused(page):
    page.write("/count")
    page.answered("1")
    page.open_trace(page.own("/count"))
    for label in ("Three times", "Wrong signature", "A day old", "Unencrypted", "Cut off"):
        before = len(page.all("#trace .results li"))
        next(one for one in page.section("again").find_elements(By.CSS_SELECTOR, "button") if one.text == label).click()
        page.wait(lambda before=before: len(page.all("#trace .results li")) > before)
    page.wait(lambda: len(page.all("#trace .results li")) == 7)
    assert [one.text for one in page.all("#trace .results .pill")] == ["200"] * 3 + ["401"] * 3 + ["400"]
    page.write("/count")
    page.answered("2")
    assert page.answers() == ["1", "2"]


def test_a_fault_of_the_platform_is_survived_and_seen(page):
    page.find("#top .bolt").click()
    page.find("dialog .solid").click()
    page.wait(lambda: "struck 0×" in page.find("dialog").text)
    page.key(Keys.ESCAPE)
    assert page.find("#top .count").text == "1"
    page.write("/echo still here")
    page.answered("still here")
    page.open_trace(page.own("/echo still here"))
    assert "fault: http_500" in page.section("calls").text
    assert page.answers() == ["still here"]


def test_a_group_message_without_a_mention_is_not_sent_to_the_bot(page):
    page.open(group=True)
    assert "Mention @demo" in page.find(".composer .tools").text
    page.find(".composer .tools [aria-pressed]").click()
    page.write("among ourselves")
    assert "not sent to the bot" in page.own("among ourselves").text
    page.find(".composer .tools [aria-pressed]").click()
    page.write("/echo now you")
    page.answered("now you")
    assert "@demo" in page.own("/echo now you").text


def test_an_answer_in_a_thread_stays_in_it(page):
    page.open(group=True)
    page.write("/echo topic")
    page.answered("topic")
    message = page.own("/echo topic")
    page.browser.execute_script("arguments[0].querySelector('[aria-label=\"Answer in a thread\"]').click()", message)
    page.write("/echo under it")
    page.wait(lambda: any("under it" in answer and "\n" in answer for answer in page.answers()))
    assert len([one for one in page.all(".msg .marks") if "thread" in one.text]) >= 3


def test_a_recalled_message_is_marked(page):
    message = page.own("(before)")
    page.browser.execute_script("arguments[0].querySelector('[aria-label=\"Recall\"]').click()", message)
    page.wait(lambda: page.all(".bubble.gone"))


def test_everything_works_by_keyboard(page):
    page.write("/echo keys")
    page.answered("keys")
    page.key(Keys.SHIFT + Keys.TAB)
    for _ in range(12):
        if "msg" in (page.focused().get_attribute("class") or ""):
            break
        page.key(Keys.SHIFT + Keys.TAB)
    last = page.focused().get_attribute("data-id")
    page.key(Keys.ARROW_UP)
    assert page.focused().get_attribute("data-id") != last
    page.key(Keys.ENTER)
    page.wait(lambda: page.find("#trace").is_displayed())
    assert page.script("document.getElementById('trace').contains(document.activeElement)")
    page.key(Keys.ESCAPE)
    page.wait(lambda: not page.find("#trace").is_displayed())
    assert "msg" in page.focused().get_attribute("class")
    page.key("/")
    assert page.focused().get_attribute("id") == "words"


def test_arrow_keys_move_through_rooms(page):
    first = page.find("#side ul[aria-label='Rooms'] .row")
    page.browser.execute_script("arguments[0].focus()", first)
    page.key(Keys.ARROW_DOWN)
    second = page.focused()
    assert second.get_attribute("data-row") != first.get_attribute("data-row")
    wanted = second.text.split("\n")[0]
    page.key(Keys.ENTER)
    page.wait(lambda: wanted in page.find(".room-head").text or "demo" in page.find(".room-head").text)


def test_the_focus_is_always_visible(page):
    page.find("body").send_keys(Keys.TAB)
    seen = set()
    for _ in range(15):
        style = "getComputedStyle(document.activeElement)"
        outline = page.script(f"{style}.outlineStyle")
        # The frame of the message box shows its focus; the body has it while the browser's own bar does.
        inside = page.script(
            "['words', ''].includes(document.activeElement.id) && !document.activeElement.matches('button, a')"
        )
        assert outline != "none" or inside, page.focused().get_attribute("outerHTML")[:200]
        seen.add(page.focused().get_attribute("outerHTML"))
        page.key(Keys.TAB)
    assert len(seen) > 8


def test_language_and_theme_are_chosen_and_remembered(page):
    assert page.script("document.documentElement.lang") == "en"
    page.find("#language").click()
    page.wait(lambda: "会话" in page.find("#side").text)
    theme = page.script("document.documentElement.dataset.theme")
    page.find("#top .moon, #top .sun").click()
    page.browser.refresh()
    page.wait(lambda: "会话" in page.find("#side").text)
    assert page.script("document.documentElement.lang") == "zh"
    assert page.script("document.documentElement.dataset.theme") not in ("", theme)


def test_a_narrow_window_has_a_menu_and_no_sideways_scroll(page):
    page.browser.set_window_size(390, 800)
    page.wait(lambda: page.find("#top .burger").is_displayed())
    page.wait(lambda: not page.find("#side .row").is_displayed())
    page.find("#top .burger").click()
    page.wait(lambda: page.find("#side .row").is_displayed())
    page.key(Keys.ESCAPE)
    page.wait(lambda: not page.find("#side .row").is_displayed())
    assert page.script("document.documentElement.scrollWidth <= innerWidth")


def test_every_control_has_a_name(page):
    page.write("/card")
    page.wait(lambda: page.all(".press"))
    page.open_trace(page.own("/card"))
    nameless = page.script(
        "[...document.querySelectorAll('button, a, input:not([hidden]), select, textarea')]"
        ".filter(e => !(e.textContent.trim() || e.getAttribute('aria-label') || e.labels?.length))"
        ".map(e => e.outerHTML)"
    )
    assert nameless == []


def test_nothing_is_asked_of_other_machines(page):
    page.write("/card")
    page.wait(lambda: page.all(".press"))
    page.open_trace(page.own("/card"))
    asked = page.script("performance.getEntriesByType('resource').map(entry => new URL(entry.name).origin)")
    assert set(asked) == {page.stack.facts["playground"]}


def test_the_callback_url_is_verified_by_a_click(page):
    next(one for one in page.all("#side button") if one.text == "Verify").click()
    page.wait(lambda: "answered the challenge" in page.find("#toasts").text)


def test_markup_in_a_message_stays_text(page):
    page.write("/echo <img src=x onerror=alert(1)><b>bold</b>")
    page.wait(lambda: any("<b>bold</b>" in answer for answer in page.answers()))
    assert page.script("document.querySelectorAll('#log .bubble b, #log .bubble img').length") == 0
