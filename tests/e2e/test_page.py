"""The chat page with Feishu: messages, traces, faults, keyboard, languages and themes."""

import json
import re

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys


def test_the_bot_replies_to_a_message(page):
    page.write("/echo hello from the page")
    page.wait_for_reply("hello from the page")
    assert "received" in page.own("/echo hello").text


def test_a_click_on_an_example_message_sends_it(page):
    page.click(lambda: page.chips("/count")[0])
    page.wait_for_reply("1")


def test_the_bot_replies_to_a_button_of_a_card(page):
    page.write("/card")
    page.click(lambda: page.wait(lambda: page.buttons("Tea"))[0])
    page.wait(lambda: any("tea" in reply for reply in page.replies()))
    assert "pressed “Tea”" in page.find(".note").text


def test_the_bot_replies_to_an_image(page):
    page.click(lambda: page.chips("Send an image")[0])
    page.wait(lambda: page.script("document.querySelector('.msg.own img')?.naturalWidth > 0"))
    page.wait(lambda: "picture" in str(page.replies()) or "image" in str(page.replies()))


def test_the_trace_shows_callback_message_journal_and_calls(page):
    page.write("/echo trace me")
    page.wait_for_reply("trace me")
    page.open_trace(page.own("/echo trace me"))
    steps = page.read(lambda: [one.text.split("\n")[0] for one in page.all("#trace .steps li")])
    assert sorted(steps) == ["Acknowledged", "Decided", "Replied", "Sent"]
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
    page.wait_for_reply("question")
    page.click(lambda: page.all(".msg:not(.own) .bubble")[-1])
    page.wait(lambda: "/echo question" in page.find("#trace .about").text)


def test_the_bot_replies_once_to_a_redelivered_event_and_rejects_forged_ones(page):
    page.write("/count")
    page.wait_for_reply("1")
    page.open_trace(page.own("/count"))
    for label in ("Three times", "Wrong signature", "A day old", "Unencrypted", "Truncated"):
        before = len(page.all("#trace .results li"))
        page.click(
            lambda label=label: next(
                one for one in page.section("redeliver").find_elements(By.CSS_SELECTOR, "button") if one.text == label
            )
        )
        page.wait(lambda before=before: len(page.all("#trace .results li")) > before)
    page.wait(lambda: len(page.all("#trace .results li")) == 7)
    assert page.read(lambda: [one.text for one in page.all("#trace .results .pill")]) == ["200"] * 3 + ["401"] * 3 + [
        "400"
    ]
    page.write("/count")
    page.wait_for_reply("2")
    assert page.replies() == ["1", "2"]


def test_a_reply_survives_a_fault_of_the_platform_and_the_trace_shows_it(page):
    page.find("#top .bolt").click()
    page.find("dialog .solid").click()
    page.wait(lambda: "0 hits" in page.find("dialog").text)
    page.key(Keys.ESCAPE)
    assert page.find("#top .count").text == "1"
    page.write("/echo still here")
    page.wait_for_reply("still here")
    page.open_trace(page.own("/echo still here"))
    assert "fault: http_500" in page.section("calls").text
    assert page.replies() == ["still here"]


def test_the_charts_show_the_reply_on_its_platform_and_an_empty_queue(page):
    page.write("/echo count me")
    page.wait_for_reply("count me")
    page.find("#top .chart").click()
    row = "dialog tr[data-platform=feishu]"
    page.wait(lambda: any(re.search(r"Feishu\s+[1-9]\d*\s+0\s", text) for text in page.texts(row)))
    assert page.texts("dialog h3")[0] == "Are people getting answers?"
    assert len(page.all("dialog svg[role=img][aria-label]")) == 12
    (dead,) = page.texts("dialog [data-chart=dead] ul")
    assert re.findall(r"\d+", dead) == ["0", "0", "0"]
    page.key(Keys.ESCAPE)
    page.wait(lambda: not page.all("dialog"))


def test_a_group_message_without_a_mention_is_not_sent_to_the_bot(page):
    page.open(group=True)
    assert "Mention @demo" in page.find(".composer .tools").text
    page.find(".composer .tools [aria-pressed]").click()
    page.write("among ourselves")
    page.wait(lambda: "only the messages that mention it" in page.own("among ourselves").text)
    page.find(".composer .tools [aria-pressed]").click()
    page.write("/echo now you")
    page.wait_for_reply("now you")
    assert "@demo" in page.own("/echo now you").text


def test_a_reply_to_a_message_in_a_thread_stays_in_the_thread(page):
    page.open(group=True)
    page.write("/echo topic")
    page.wait_for_reply("topic")
    message = page.own("/echo topic")
    page.browser.execute_script("arguments[0].querySelector('[aria-label=\"Reply in a thread\"]').click()", message)
    page.write("/echo under it")
    page.wait(lambda: any("under it" in reply and "\n" in reply for reply in page.replies()))
    assert page.read(lambda: ["thread" in one.text for one in page.all(".msg .marks")]).count(True) >= 3


def test_a_recalled_message_is_marked(page):
    message = page.own("(before)")
    page.browser.execute_script("arguments[0].querySelector('[aria-label=\"Recall\"]').click()", message)
    page.wait(lambda: page.all(".bubble.gone"))


def test_messages_and_traces_can_be_reached_with_the_keyboard(page):
    page.write("/echo keys")
    page.wait_for_reply("keys")
    page.tab_back_to(lambda: "msg" in page.focus("class"))
    last = page.focus("data-id")
    page.key(Keys.ARROW_UP)
    page.wait(lambda: page.focus("data-id") != last)
    page.key(Keys.ENTER)
    page.wait(lambda: page.script("document.getElementById('trace').contains(document.activeElement)"))
    page.key(Keys.ESCAPE)
    page.wait(lambda: not page.find("#trace").is_displayed())
    assert "msg" in page.focus("class")
    page.key("/")
    page.wait(lambda: page.focus("id") == "message-box")


def test_arrow_keys_move_between_rooms(page):
    page.script("document.querySelector(\"#side ul[aria-label='Rooms'] .row\").focus()")
    before = page.focus("data-row")
    page.key(Keys.ARROW_DOWN)
    page.wait(lambda: page.focus("data-row") not in ("", before))
    wanted = page.read(lambda: page.focused().text).split("\n")[0]
    page.key(Keys.ENTER)
    page.wait(lambda: wanted in page.find(".room-head").text or "demo" in page.find(".room-head").text)


def test_the_focus_is_always_visible(page):
    page.find("body").send_keys(Keys.TAB)
    seen = set()
    for _ in range(15):
        style = "getComputedStyle(document.activeElement)"
        outline = page.script(f"{style}.outlineStyle")
        # The border of the message box shows its focus; the body has the focus while the browser's own bar has it.
        inside = page.script(
            "['message-box', ''].includes(document.activeElement.id) && !document.activeElement.matches('button, a')"
        )
        assert outline != "none" or inside, page.focus("outerHTML")[:200]
        seen.add(page.focus("outerHTML"))
        page.key(Keys.TAB)
    assert len(seen) > 8


def test_the_choice_of_language_and_theme_is_stored(page):
    assert page.script("document.documentElement.lang") == "en"
    page.find("#language").click()
    page.wait(lambda: "会话" in page.find("#side").text)
    theme = page.script("document.documentElement.dataset.theme")
    page.find("#top .moon, #top .sun").click()
    page.browser.refresh()
    page.wait(lambda: "会话" in page.find("#side").text)
    assert page.script("document.documentElement.lang") == "zh"
    assert page.script("document.documentElement.dataset.theme") not in ("", theme)


def test_a_narrow_window_has_a_menu_and_does_not_scroll_sideways(page):
    page.browser.set_window_size(390, 800)
    page.wait(lambda: page.find("#top .burger").is_displayed())
    page.wait(lambda: not page.find("#side .row").is_displayed())
    page.find("#top .burger").click()
    page.wait(lambda: page.find("#side .row").is_displayed())
    page.key(Keys.ESCAPE)
    page.wait(lambda: not page.find("#side .row").is_displayed())
    assert page.script("document.documentElement.scrollWidth <= innerWidth")


def test_every_control_has_an_accessible_name(page):
    page.write("/card")
    page.wait(lambda: page.all(".press"))
    page.open_trace(page.own("/card"))
    nameless = page.script(
        "[...document.querySelectorAll('button, a, input:not([hidden]), select, textarea')]"
        ".filter(e => !(e.textContent.trim() || e.getAttribute('aria-label') || e.labels?.length))"
        ".map(e => e.outerHTML)"
    )
    assert nameless == []


def test_the_page_loads_nothing_from_other_machines(page):
    page.write("/card")
    page.wait(lambda: page.all(".press"))
    page.open_trace(page.own("/card"))
    origins = page.script("performance.getEntriesByType('resource').map(entry => new URL(entry.name).origin)")
    assert set(origins) == {page.stack.facts["playground"]}


def test_a_click_verifies_the_callback_url(page):
    next(one for one in page.all("#side button") if one.text == "Verify").click()
    page.wait(lambda: "answered the challenge" in page.find("#toasts").text)


def test_markup_in_a_message_stays_text(page):
    page.write("/echo <img src=x onerror=alert(1)><b>bold</b>")
    page.wait(lambda: any("<b>bold</b>" in reply for reply in page.replies()))
    assert page.script("document.querySelectorAll('#log .bubble b, #log .bubble img').length") == 0
