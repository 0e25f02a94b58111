"""Suggestions, failures, logs and state on the chat page, and what each client shows."""

from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.e2e.page import Page

TEXT_PLATFORMS = ["feishu", "wecom", "wechat"]


def typed(page: Page) -> str:
    """The text in the message box."""
    return page.find("#message-box").get_attribute("value") or ""


def suggested(page: Page) -> list[str]:
    """The commands in the list above the message box."""
    return page.read(lambda: [one.text for one in page.all(".command-list .usage") if one.is_displayed()])


@pytest.mark.parametrize("platform", TEXT_PLATFORMS)
def test_the_commands_of_the_bot_are_suggested_on_every_platform(page: Page, platform: str) -> None:
    page.open(platform)
    page.click(lambda: page.wait(lambda: page.chips("/count"))[0])
    page.wait_for_reply("1")
    page.find("#message-box").send_keys("/do")
    assert suggested(page) == ["/doc check name [deep]"]
    page.key(Keys.ARROW_DOWN, Keys.ENTER)
    assert typed(page) == "/doc check "
    page.key("plan", Keys.ENTER)
    page.wait_for_reply("plan is fine.")


def test_a_click_on_a_command_with_options_begins_it(page: Page) -> None:
    page.click(lambda: page.wait(lambda: page.chips("/divide by"))[0])
    assert typed(page) == "/divide "
    page.key("4", Keys.ENTER)
    page.wait_for_reply("0.25")


def test_the_list_can_be_used_with_the_keyboard(page: Page) -> None:
    page.wait(lambda: page.chips("/help"))
    box = page.find("#message-box")
    box.send_keys("/")
    assert suggested(page)[:3] == ["/help", "/count", "/doc check name [deep]"]
    page.key(Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    assert page.find(f"#{box.get_attribute('aria-activedescendant')}").text.startswith("/count")
    page.key(Keys.TAB)
    assert (typed(page), suggested(page)) == ("/count ", [])
    page.key(Keys.BACKSPACE)
    assert suggested(page) == ["/count"]
    page.key(Keys.ESCAPE)
    assert (typed(page), suggested(page)) == ("/count", [])
    page.key(Keys.ENTER)
    page.wait_for_reply("1")


def test_the_failure_of_a_handler_is_red_with_its_traceback(page: Page) -> None:
    page.write("/divide 0")
    remark = page.remark("/divide 0")
    assert remark.text.startswith("The handler failed: ZeroDivisionError at bot.py:")
    assert "bad" in str(remark.get_attribute("class"))
    page.click(lambda: page.own("/divide 0").find_element(By.CSS_SELECTOR, ".bubble"))
    page.wait(lambda: "return str(1 / by)" in page.section("failure").text)
    assert "ZeroDivisionError: division by zero" in page.section("failure").text
    assert page.find("#trace .verdict.bad").text == remark.text
    failed = [one.split("\n")[0] for one in page.texts("#trace .steps .bad")]
    assert failed[0] == "Failed"
    assert "Replied" not in page.find("#trace .steps").text
    assert "dividing by 0" in page.section("logs").text


def test_the_logs_show_what_the_bot_prints(page: Page) -> None:
    page.write("/talk")
    page.wait_for_reply("talked")
    pane = page.open_pane("logs")
    page.wait(lambda: "printed by the bot" in pane.text)
    assert "printed by the bot" in page.texts("#logs .printed .words")
    assert "logged by the bot" in pane.text
    assert "message received" in pane.text
    filter_ = page.find("#logs input")
    filter_.send_keys("PRINTED BY")
    assert set(page.texts("#logs .words")) == {"printed by the bot"}
    filter_.clear()
    filter_.send_keys(Keys.SPACE, Keys.BACKSPACE)
    page.find("#logs option[value='feishu']").click()
    assert set(page.texts("#logs .function")) == {"feishu"}


def test_lines_of_a_function_that_ends_late_are_shown(page: Page) -> None:
    """The lines of a function appear when it ends, after later lines of others."""
    page.browser.execute_script("""
        const line = (at, text) => ({ at, text, function: "processor", level: "", detail: "" });
        const now = Date.now() / 1000, real = window.fetch;
        let answers = 0;
        window.fetch = (url, ...more) => {
            if (!url.includes("/api/logs")) return real(url, ...more);
            const since = Number(new URL(url, location).searchParams.get("since") ?? 0);
            const all = [line(now - 40, "early"), ...(answers++ ? [line(now - 30, "late")] : []), line(now, "later")];
            const body = { functions: ["processor"], lines: all.filter(({ at }) => at >= since) };
            return Promise.resolve(new Response(JSON.stringify(body)));
        };
    """)
    page.open_pane("logs")
    page.wait(lambda: page.texts("#logs .words") == ["early", "late", "later"])


def test_the_logs_are_read_only_while_they_are_shown(page: Page) -> None:
    count = "performance.getEntriesByType('resource').filter(one => one.name.includes('/api/logs')).length"
    assert page.script(count) == 0
    page.open_pane("logs")
    page.wait(lambda: page.script(count) > 1)
    page.find("#panel .close").click()
    page.browser.execute_script("performance.clearResourceTimings()")
    page.write("/talk")
    page.wait_for_reply("talked")
    assert page.script(count) <= 1  # a request may have been on its way


def test_the_state_of_the_conversation_is_shown(page: Page) -> None:
    pane = page.open_pane("state")
    page.wait(lambda: "has not decided" in pane.text)
    for number in ("1", "2"):
        page.write("/count")
        page.wait(lambda number=number: f'"count": {number}' in pane.text)
    assert "conv#" in pane.text


def test_deferred_replies_are_shown(page: Page) -> None:
    page.open("wechat", "passive")
    page.write("/count")
    page.wait_for_reply("1")
    pane = page.open_pane("deferred")
    page.wait(lambda: "None." in pane.text)
    page.write("/late")
    page.wait(lambda: "has not decided yet" in page.remark("/late").text)
    page.stack.post("/api/events", platform="wechat", app="passive", kind="close_window", sender=page.person)
    page.wait(lambda: "That took long." in pane.text, 60)
    assert "45015" in pane.text
    page.wait(lambda: page.remark("/late").text.startswith("A reply waits: 45015"))
    page.write("/count")
    page.wait_for_reply("That took long.\n2")
    page.wait(lambda: "None." in pane.text)


def test_a_message_without_an_answer_says_why(page: Page) -> None:
    page.write("/quiet")
    assert page.remark("/quiet").text == "The bot returned no reply."
    page.click(lambda: page.own("/quiet").find_element(By.CSS_SELECTOR, ".bubble"))
    page.wait(lambda: page.find("#trace .verdict").text == "The bot returned no reply.")
    id_ = page.own("/quiet").get_attribute("data-id")
    assert page.stack.get(f"/api/journal/{id_}")["state"] == "DONE"
    page.stack.post("/api/faults", platform="feishu", kind="limited", times=3)
    page.write("/count")
    assert page.remark("/count").text.startswith("A reply waits: 99991400")
    page.wait_for_reply("1")
    page.wait(lambda: "received" in page.own("/count").text)
    page.settings(language="zh")
    page.wait(lambda: page.remark("/quiet").text == "机器人没有返回回复。")


@pytest.mark.parametrize(
    ("platform", "shown"),
    [
        ("feishu", {"em": 1, "s": 1, "li": 2, "table": 1, "blockquote": 1, "strong": 1, "a": 2, ".tone-info": 1}),
        ("wecom", {"em": 0, "s": 0, "li": 0, "table": 0, "blockquote": 1, "strong": 1, "a": 2, ".tone-info": 1}),
        ("wechat", {"em": 0, "s": 0, "li": 0, "table": 0, "blockquote": 0, "strong": 0, "a": 2, ".tone-info": 0}),
        ("discord", {"em": 1, "s": 1, "li": 2, "table": 0, "blockquote": 1, "strong": 1, "a": 2, ".tone-info": 0}),
    ],
)
def test_markdown_is_shown_as_the_real_client_shows_it(page: Page, platform: str, shown: dict[str, int]) -> None:
    page.open(platform)
    page.click(lambda: page.wait(lambda: page.chips("/markdown"))[0])
    page.wait(lambda: any("A link" in reply for reply in page.replies()))
    assert {css: len(page.all(f".msg:not(.own) .bubble {css}")) for css in shown} == shown
    assert "**not bold** <b>not bold</b>" in page.replies()[-1]


@pytest.mark.parametrize("platform", [*TEXT_PLATFORMS, "discord"])
def test_text_that_looks_like_markdown_stays_as_it_is(page: Page, platform: str) -> None:
    page.open(platform)
    page.write("/literal")
    page.wait_for_reply("**stars** _lines_ `ticks` # - > https://example.com/")


@pytest.mark.parametrize(
    ("platform", "limit", "chinese"),
    [
        ("feishu", "show a form, or Markdown in a text message", "在群里只向一个人显示消息"),
        ("wecom", "show more than six buttons in a card", "在群里给应用发消息"),
        ("wechat", "show buttons", "显示按钮"),
        ("discord", "send plain text", "向机器人发送普通文本"),
    ],
)
def test_each_platform_says_what_its_real_client_cannot_do(page: Page, platform: str, limit: str, chinese: str) -> None:
    page.open(platform)
    assert limit in page.find("#side .cannot").text
    page.settings(language="zh")
    page.wait(lambda: chinese in page.find("#side .cannot").text)


def test_a_bot_that_cannot_be_imported_is_named_in_a_banner_until_it_is_repaired(page: Page, bot_folder: Path) -> None:
    module = bot_folder / "bot.py"
    good = module.read_text()
    assert not page.find(".banner").is_displayed()
    module.write_text(f"import words_that_are_missing\n{good}")
    page.wait(lambda: "bot.py:1: ModuleNotFoundError" in page.find(".banner").text, 60)
    assert page.find(".banner").text.startswith(
        "The bot that you saved cannot be imported, so the last good one goes on:"
    )
    assert "bad" in str(page.find(".banner").get_attribute("class"))
    page.write("/count")
    page.wait_for_reply("1")
    module.write_text(good)
    page.wait(lambda: not page.find(".banner").is_displayed(), 60)


def test_all_panes_can_be_reached_with_the_keyboard_only(page: Page) -> None:
    page.key("/count", Keys.ENTER)
    page.wait_for_reply("1")
    page.tab_back_to(lambda: page.focus("aria-label") == "Open the logs")
    page.key(Keys.ENTER)
    page.wait(lambda: page.focus("id") == "logs")
    page.tab_back_to(lambda: page.focus("id") == "tab-logs")
    for name in ("state", "deferred", "trace", "logs", "state"):
        page.key(Keys.ARROW_RIGHT)
        page.wait(lambda name=name: page.focus("id") == f"tab-{name}")
        assert page.find(f"#{name}").is_displayed()
    page.wait(lambda: '"count": 1' in page.find("#state").text)
    page.key(Keys.ESCAPE)
    page.wait(lambda: not page.find("#panel").is_displayed())
    assert page.focus("aria-label") == "Open the logs"


def test_an_update_of_the_page_leaves_the_focus_where_it_is(page: Page) -> None:
    """Lists and buttons that are drawn again while a person is at them."""
    page.wait(lambda: page.chips("/help"))
    for label in ("Open the logs", "Faults", "Switch to Chinese"):
        page.browser.execute_script("document.querySelector(`[aria-label='${arguments[0]}']`).focus()", label)
        page.browser.execute_async_script("""
            const done = arguments[0];
            import("/static/js/state.js").then(({ changed }) => {
                for (const what of ["rooms", "faults", "messages"]) changed(what);
                done();
            });
        """)
        assert page.focus("aria-label") == label
