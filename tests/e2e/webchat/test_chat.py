"""The web chat: what it shows, what it sends, how it is used with the keyboard, and what it never does."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from tests.e2e.webchat.chat import CARD, PAGE, SEGMENTS, Chat, at, changed, places
from tests.e2e.webchat.conftest import Tab
from tests.e2e.webchat.scripted import Scripted

EXPECTED = ("ERR_INTERNET_DISCONNECTED", "favicon", "WebSocket connection", "Failed to load resource", "example.com")


@pytest.fixture
def chat(tab: Tab) -> Iterator[Chat]:
    """The chat, on the page of a site. The test fails if a script fails."""
    made = Chat(tab)
    tab.browser.get_log("browser")
    yield made
    complaints = [entry["message"] for entry in tab.browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert [each for each in complaints if not any(word in each for word in EXPECTED)] == []


def test_one_script_tag_adds_the_chat_and_a_message_is_answered(chat: Chat) -> None:
    chat.load(greeting="Hello!")
    assert not chat.find(".panel").is_displayed()
    assert chat.tab.server.connected == 0  # nothing is connected before somebody opens it
    chat.open()
    chat.write("hi there")
    chat.tab.wait(lambda: chat.bot() == ["Hello!", "echo hi there"])
    assert chat.texts(".own .bubble") == ["hi there"]
    [(_, message)] = chat.tab.server.stored
    assert message == {"text": "hi there", "locale": "en"}


def test_every_kind_of_segment_is_shown(chat: Chat, server: Scripted) -> None:
    chat.load()
    chat.open()
    server.put({"segments": SEGMENTS})
    chat.tab.wait(lambda: len(chat.bot()) == 1)
    counts = {
        ".mention": 2, "strong": 3, "em": 1, "s": 1, "pre code": 1, "ol > li": 2, "ul > li": 1, "blockquote": 2,
        "table td": 2, "hr": 1, "img": 2, "audio": 1, "video": 1, "a.file": 2, "a.preview": 1, ".card": 2,
        ".card dt": 2, ".card .buttons button": 2, ".card .buttons a": 1, ".menu select": 1, ".form .row": 4,
        ".form textarea": 1, ".form [type=date]": 1, ".heading": 1,
    }  # fmt: skip
    assert {css: len(chat.all(f".bot {css}")) for css in counts} == counts
    [text] = chat.bot()
    for words in (
        "Hello @Lin Mei,\n你好",
        "[elsewhere]",
        "Shanghai (31.2, 121.5)",
        "**not bold**",
        "[sticker]",
        "3 EUR",
    ):
        assert words in text
    assert [link.get_attribute("href") for link in chat.all(".bot p a, .bot li a")] == [
        "https://example.com/a_(b)",
        "https://example.com/x",
    ]
    assert chat.find("a.file").get_attribute("download") == "page.html"
    assert str(chat.find("a.file").get_attribute("href")).startswith("blob:")
    is_drawn = "return document.querySelector('parley-chat').shadowRoot.querySelector('.bot img').naturalWidth"
    chat.tab.wait(lambda: chat.tab.script(is_drawn) == 10)


def test_a_reply_is_edited_recalled_and_gets_reactions(chat: Chat, server: Scripted) -> None:
    chat.load()
    chat.open()
    chat.write("hi")
    chat.tab.wait(lambda: chat.bot() == ["echo hi"])
    first, own = server.box().id_of(0), f"id-of-{server.stored[0][0]}"
    server.put({"op": "edit", "target": first, "segments": [{"type": "text", "text": "better"}]})
    server.put({"op": "react", "target": own, "emoji": "👍"})
    chat.tab.wait(lambda: chat.texts(".own") == ["You:\nhi\n👍"])
    assert chat.texts(".bot") == ["Bot:\nbetter\nedited"]
    server.put({"op": "recall", "target": first})
    server.put({"op": "edit", "target": "unknown", "segments": [{"type": "text", "text": "new"}]})
    server.put({"op": "recall", "target": "another"})
    server.put({"op": "react", "target": "another", "emoji": "👍"})
    chat.tab.wait(lambda: chat.bot() == ["This message has been removed.", "new"])


def test_the_bot_is_typing_until_its_reply(chat: Chat, server: Scripted) -> None:
    chat.load()
    chat.open()
    server.clients[0].send({"type": "typing", "room": ""})
    chat.tab.wait(lambda: chat.find(".typing").is_displayed())
    server.put({"segments": [{"type": "text", "text": "done"}]})
    chat.tab.wait(lambda: not chat.find(".typing").is_displayed())


def test_files_are_uploaded_and_then_sent(chat: Chat, server: Scripted, tmp_path: Path) -> None:
    (tmp_path / "plan.txt").write_bytes(b"a plan")
    (tmp_path / "empty.txt").write_bytes(b"")
    chat.load()
    chat.open()
    button = chat.find(".attach")
    assert button.accessible_name == "Send files"
    chat.shift(Keys.TAB)
    assert chat.focus() == "Send files"
    server.faults.append("cut upload")
    files = chat.find("[type=file]")
    files.send_keys(f"{tmp_path / 'plan.txt'}\n{tmp_path / 'empty.txt'}")
    chat.tab.wait(lambda: server.stored)
    [(_, message)] = server.stored
    [media] = message["media"]
    assert (media["name"], media["type"]) == ("plan.txt", "text/plain")
    assert server.uploads == {media["id"]: ("text/plain", b"a plan")}
    chat.tab.wait(lambda: chat.texts(".own") == ["You:\nplan.txt", "You:\nempty.txt\nNot sent: the file is empty"])
    assert chat.focus() == "Write a message"
    server.takes_media = False
    files.send_keys(str(tmp_path / "plan.txt"))
    chat.tab.wait(lambda: chat.texts(".own")[-1] == "You:\nplan.txt\nNot sent: this chat takes no files")
    assert len(server.stored) == 1


def test_without_the_address_of_media_there_is_no_button_for_files(chat: Chat) -> None:
    chat.tab.load(PAGE.format(language="en", greeting="").replace('data-media="/chat/media" ', ""))
    chat.open()
    assert not chat.find(".attach").is_displayed()


# --- presses ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def card(chat: Chat, server: Scripted) -> Chat:
    """The chat with a card."""
    chat.load()
    chat.open()
    server.put({"segments": [CARD]})
    chat.tab.wait(lambda: chat.all(".card"))
    return chat


def test_a_button_sends_its_action_once_for_a_double_click(card: Chat, server: Scripted) -> None:
    button = card.find(".press.primary[type=button]")
    card.tab.script("arguments[0].click(); arguments[0].click()", button)
    card.tab.wait(card.actions)
    card.write("next")
    card.tab.wait(lambda: card.bot()[-1] == "echo next")
    assert card.actions() == [{"id": "yes", "value": "1", "message_id": server.box().id_of(0)}]
    assert card.texts(".own .bubble") == ["Yes", "next"]


def test_a_menu_sends_the_choice_when_it_is_confirmed(card: Chat, server: Scripted) -> None:
    confirm = card.find(".menu button")
    confirm.click()
    assert card.actions() == []  # nothing is chosen
    Select(card.find(".menu select")).select_by_visible_text("Tea")
    assert card.actions() == []
    confirm.click()
    card.tab.wait(card.actions)
    id_ = server.box().id_of(0)
    assert card.actions() == [{"id": "drink", "value": "v", "message_id": id_, "options": ["tea"]}]
    assert card.texts(".own .bubble") == ["Tea"]


def test_a_form_sends_its_inputs_when_the_required_ones_are_filled_in(card: Chat) -> None:
    submit = card.find(".form .primary")
    submit.click()
    assert card.actions() == []
    card.find(".form [type=text]").send_keys("Lin " * 10)
    Select(card.find(".form select")).select_by_visible_text("Large")
    card.tab.script("arguments[0].value = '2027-01-20'", card.find(".form [type=date]"))
    submit.click()
    card.tab.wait(card.actions)
    [action] = card.actions()
    assert (action["id"], action["value"]) == ("order", "7")
    assert action["form"] == {"name": "Lin Lin Lin Lin Lin ", "why": "Because", "size": "2", "day": "2027-01-20"}


# --- what comes from outside ------------------------------------------------------------------------------------------

HARMFUL = [
    '<img src=x onerror="window.harmed=1">',
    '"><script>window.harmed=1</script>',
    "javascript:window.harmed=1",
    " java\nscript:window.harmed=1",
    "data:text/html,<script>window.harmed=1</script>",
    "[x](javascript:window.harmed=1) ![x](javascript:window.harmed=1) <javascript:window.harmed=1>",
    "__proto__",
]
LOOK = """
const root = document.querySelector("parley-chat").shadowRoot;
const wrong = [];
for (const element of root.querySelectorAll("*")) {
  if (/^(script|iframe|object|embed|style|base|meta)$/i.test(element.localName)) wrong.push(element.localName);
  for (const { name, value } of element.attributes) {
    if (/^on|^srcdoc$|^formaction$|^action$/i.test(name)) wrong.push(`${name}=${value}`);
    if (/^(src|href)$/.test(name) && !/^(https?:\\/\\/|blob:|mailto:)/.test(value)) wrong.push(`${name}=${value}`);
  }
}
return { wrong, harmed: window.harmed ?? null, polluted: ({}).id ?? ({}).harmed ?? null };
"""


def test_nothing_in_any_field_of_a_reply_is_ever_run(chat: Chat, server: Scripted) -> None:
    chat.load()
    chat.open()
    strings = [path for path in places(SEGMENTS) if isinstance(at(SEGMENTS, path), str) and path[-1] != "type"]
    assert len(strings) > 60
    for harmful in HARMFUL:
        for number, path in enumerate(strings):
            segment = changed(SEGMENTS, path, harmful)[path[0]]
            server.put({"segments": [segment], "text": harmful, "emoji": harmful, "target": harmful})
            if number % 40 == 39:
                assert chat.tab.script(LOOK) == {"wrong": [], "harmed": None, "polluted": None}
        for op in ("edit", "recall", "react", harmful):
            server.put({"op": op, "id": harmful, "target": harmful, "emoji": harmful, "text": harmful})
    server.put({"segments": [{"type": "text", "text": "the end"}]})
    chat.tab.wait(lambda: chat.bot()[-1] == "the end", 30)
    buttons = "document.querySelector('parley-chat').shadowRoot.querySelectorAll('.log button')"
    chat.tab.script(f"for (const one of {buttons}) one.click()")
    assert chat.tab.script(LOOK) == {"wrong": [], "harmed": None, "polluted": None}


@pytest.mark.parametrize("wrong", [None, 7, "x", [], [None], {}, True], ids=repr)
def test_a_field_of_another_type_breaks_nothing(chat: Chat, server: Scripted, wrong: Any) -> None:
    chat.load()
    chat.open()
    for path in places(SEGMENTS):
        server.put({"segments": changed(SEGMENTS, path, wrong)[path[0] : path[0] + 1], "text": "words"})
    for field in ("id", "op", "segments", "text", "target", "emoji", "large"):
        server.put({"segments": SEGMENTS[:1], "text": "words", field: wrong})
    server.put({"segments": [{"type": "text", "text": "the end"}]})
    chat.tab.wait(lambda: chat.bot()[-1] == "the end", 30)


LONG = (
    "*a ", "**a", "[a", "[a](b", "![", "`a", "``a ```", "<http:", "http://a.", "http://" + "." * 50, "_a", "> ", "- ",
    "| ", "#", "# ", " ", "\\", "&#1;", "- a\n  ", "a|b\n", "*a*", "~~a", "1. ", "[[](", "(((", "***a* **b",
    "a.", "[a](http://b.c) ", "a-",
)  # fmt: skip
"""What a text repeats."""


@pytest.mark.parametrize(
    ("before", "after"), [("", ""), ("[a](", "x"), ("[", "](http://a.b)"), ("` ", "`"), ("# a", "x"), ("-", "x")]
)
def test_the_time_for_a_markdown_text_grows_with_its_length_only(chat: Chat, before: str, after: str) -> None:
    chat.load()
    code = """const [texts, done] = arguments; import("/chat/markdown.js").then(({ markdown }) => {
        const time = (text) => { const start = performance.now(); markdown(text); return performance.now() - start; };
        done(texts.map(time)); })"""
    texts = [before + text * (40_000 // len(text)) + after for text in LONG]
    times = chat.tab.browser.execute_async_script(code, texts)
    assert {text: time for text, time in zip(LONG, times, strict=True) if time > 1500} == {}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a **b *c* d** e", "<p>a <strong>b <em>c</em> d</strong> e</p>"),
        ("2 * 3 * 4, a_b_c, \\*x\\*, 1 ** 2", "<p>2 * 3 * 4, a_b_c, *x*, 1 ** 2</p>"),
        ("__a__ _b_ ~~c~~ ***d***", "<p><strong>a</strong> <em>b</em> <s>c</s> <strong><em>d</em></strong></p>"),
        ("`` a`b `` <b>", "<p><code>a`b</code> &lt;b&gt;</p>"),
        ("one\ntwo\n\nthree", "<p>one\ntwo</p><p>three</p>"),
        ("- a\n- b\n  - c\n\n1) d", "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul><ol><li>d</li></ol>"),
        ("3. a\n4. b", '<ol start="3"><li>a</li><li>b</li></ol>'),
        ("> a\n> - b\n\nc", "<blockquote><p>a</p><ul><li>b</li></ul></blockquote><p>c</p>"),
        ("- [ ] a\n\n---\n* * *", "<ul><li>[ ] a</li></ul><hr><hr>"),
        ("[x](/local) [y](ftp://a)", "<p><span>[x](/local)</span> <span>[y](ftp://a)</span></p>"),
        ("[z]( javascript:a )", "<p><span>[z]( javascript:a )</span></p>"),
        ("![a](https://b.c/d) ![](https://b.c/d)", "<p>{https://b.c/d|a} {https://b.c/d|https://b.c/d}</p>"),
        ("[bank.com](https://bank.com/a) [a](https://b.c/)", "<p>{https://bank.com/a|bank.com} {https://b.c/|a}</p>"),
        ("[www.bank.com](https://b.c/)", "<p>{https://b.c/|www.bank.com (b.c)}</p>"),
        ("[b\u200bank&#46;com](https://b.c/)", "<p>{https://b.c/|b\u200bank.com (b.c)}</p>"),
        ("[http://bank．com](https://bank.com.b.c/)", "<p>{https://bank.com.b.c/|http://bank．com (bank.com.b.c)}</p>"),
        ("[a@bank.com](mailto:a@b.c)", "<p>{mailto:a@b.c|a@bank.com (a@b.c)}</p>"),
        ("[a@b.c](mailto:a@b.c)", "<p>{mailto:a@b.c|a@b.c}</p>"),
        ("&lt;b&gt; &#38; &amp;amp; &unknown;", "<p>&lt;b&gt; &amp; &amp;amp; &amp;unknown;</p>"),
        ("a | b\n--|--\n1 \\| 2 | **3** | 4",
         ('<div class="wide" tabindex="0"><table><thead><tr><th scope="col">a</th><th scope="col">b</th></tr></thead>'
          "<tbody><tr><td>1 | 2</td><td><strong>3</strong></td></tr></tbody></table></div>")),
        ("a | b\n---", "<p>a | b</p><hr>"),
        ("~~~\n```\n~~~", '<pre tabindex="0"><code>```</code></pre>'),
        ("```js\nopen", '<pre tabindex="0"><code>open</code></pre>'),
    ],
)  # fmt: skip
def test_markdown_is_shown_as_it_is_meant(chat: Chat, text: str, shown: str) -> None:
    chat.load()
    code = """const [text, done] = arguments; import("/chat/markdown.js").then(({ markdown }) => {
        const box = document.createElement("div"); box.append(...markdown(text)); done(box.innerHTML); })"""
    link = r'<a href="\1" target="_blank" rel="noopener noreferrer">\2</a>'
    assert chat.tab.browser.execute_async_script(code, text) == re.sub(r"\{(.*?)\|(.*?)\}", link, shown)


# --- people -----------------------------------------------------------------------------------------------------------


def test_all_is_done_with_the_keyboard_only(chat: Chat, server: Scripted) -> None:
    chat.load()
    chat.tab.script("document.querySelector('#first').focus()")
    chat.key(Keys.TAB)
    assert chat.focus() == "Open the chat"
    chat.key(Keys.ENTER)
    assert chat.focus() == "Write a message"
    assert chat.find(".launcher").get_attribute("aria-expanded") == "true"
    chat.wait_for_connection()
    chat.key("one")
    chat.shift(Keys.ENTER)
    chat.key("two", Keys.ENTER)
    chat.tab.wait(lambda: chat.bot() == ["echo one\ntwo"])
    server.put({"segments": [CARD]})
    chat.tab.wait(lambda: chat.all(".card"))
    assert chat.focus() == "Write a message"  # a reply does not move the focus
    order = []
    for _ in range(9):
        chat.shift(Keys.TAB)
        order.append(chat.focus())
    assert order[:4] == ["Send files", "More (opens a new tab)", "No", "Yes"]
    for _ in range(6):
        chat.key(Keys.TAB)
    assert chat.focus() == "No"
    chat.key(Keys.SPACE)
    chat.tab.wait(chat.actions)
    assert chat.actions()[0]["id"] == "no"
    chat.key(Keys.ESCAPE)
    assert not chat.find(".panel").is_displayed()
    assert chat.focus() == "Open the chat"


def test_enter_that_ends_an_input_method_sends_nothing(chat: Chat) -> None:
    chat.load()
    chat.open()
    enter = "new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true})"
    chat.tab.script(
        f"arguments[0].value = '你好'; arguments[0].dispatchEvent({enter})", chat.find(".composer textarea")
    )
    assert chat.find(".composer textarea").get_attribute("value") == "你好"
    chat.key(Keys.ENTER)
    chat.tab.wait(lambda: chat.bot() == ["echo 你好"])
    assert len(chat.tab.server.stored) == 1


def test_screen_readers_are_told_of_new_messages(chat: Chat, server: Scripted) -> None:
    chat.load()
    chat.open()
    log = chat.find(".log")
    assert (log.aria_role, log.accessible_name, log.get_attribute("aria-live")) == ("log", "Messages", None)
    assert chat.find(".panel").aria_role == "dialog"
    chat.find("[aria-label='Close the chat']").click()
    for number in range(3):
        server.put({"segments": [{"type": "text", "text": str(number)}]})
    chat.tab.wait(lambda: chat.texts(".launcher ~ [role=status]") == ["New messages: 3"])
    assert chat.find(".badge").text == "3"
    chat.find(".launcher").click()
    assert not chat.find(".badge").is_displayed()


def test_nothing_moves_for_people_who_want_less_motion(chat: Chat, server: Scripted) -> None:
    for wish, moves in (("no-preference", True), ("reduce", False)):
        features = [{"name": "prefers-reduced-motion", "value": wish}]
        chat.tab.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        chat.load()
        chat.open()
        server.clients[-1].send({"type": "typing", "room": ""})
        chat.tab.wait(lambda: chat.find(".typing").is_displayed())
        running = "return document.querySelector('parley-chat').shadowRoot.getAnimations().length > 0"
        assert chat.tab.script(running) is moves
        chat.tab.script("sessionStorage.clear()")
    chat.tab.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", ("Open the chat", "Connecting…", "No connection. It is tried again by itself.")),
     ("en-GB", ("Open the chat", "Connecting…", "No connection. It is tried again by itself.")),
     ("zh-CN", ("打开聊天", "正在连接…", "连接已断开，正在自动重连。"))],
)  # fmt: skip
def test_the_chat_has_the_language_of_the_page(
    chat: Chat, server: Scripted, language: str, words: tuple[str, str, str]
) -> None:
    server.ticket_status = 503
    chat.load(language)
    assert chat.find(".launcher").accessible_name == words[0]
    chat.find(".launcher").click()
    chat.tab.wait(lambda: chat.find(".status").text in words[1:])
    chat.tab.wait(lambda: chat.find(".status").text == words[2])
    server.ticket_status = 201
    chat.write("hi")
    chat.tab.wait(lambda: chat.bot() == ["echo hi"], 30)
    assert chat.find(".status").text == ""
    assert server.stored[0][1]["locale"] == language


def test_a_person_who_is_not_signed_in_reads_so(chat: Chat, server: Scripted) -> None:
    server.ticket_status = 401
    chat.load()
    chat.open_only()
    chat.tab.wait(lambda: chat.find(".status").text == "You are not signed in.")


def test_a_message_that_is_not_taken_says_why(chat: Chat, server: Scripted) -> None:
    server.errors = [{"status": 422, "error": "no", "detail": "Because."}, {"status": 403, "error": "no"}]
    chat.load()
    chat.open()
    chat.write("a")
    chat.write("b")
    chat.write("c")
    chat.tab.wait(lambda: chat.bot() == ["echo c"])
    assert chat.texts(".own .note") == ["Not sent: Because.", "Not sent: the server does not take it"]


# --- several pages ----------------------------------------------------------------------------------------------------


def test_the_next_page_goes_on_with_the_conversation(chat: Chat, server: Scripted) -> None:
    chat.load()
    chat.open()
    chat.write("a")
    chat.tab.wait(lambda: chat.bot() == ["echo a"])
    server.faults = ["hang message"]
    chat.write("b")
    chat.tab.wait(lambda: not server.faults)
    chat.load("zh")
    chat.tab.wait(lambda: chat.bot() == ["echo a", "echo b"])
    chat.tab.wait(lambda: chat.find(".panel").is_displayed())
    assert chat.texts(".own .bubble") == ["a", "b"]
    assert chat.texts(".own .note") == []
    assert chat.focus() == "A site" or chat.focus() == "BODY" or "A link" in chat.focus()
    chat.find(".icon").click()
    chat.load()
    chat.tab.wait(lambda: chat.bot() == ["echo a", "echo b"])
    assert not chat.find(".panel").is_displayed()


def test_another_person_sees_nothing_of_the_previous_one(chat: Chat, server: Scripted) -> None:
    chat.load()
    chat.open()
    chat.write("a secret")
    chat.tab.wait(lambda: chat.bot() == ["echo a secret"])
    server.person = "wang"
    server.boxes.clear()
    chat.load()
    chat.find(".launcher").click()
    chat.write("mine")
    chat.tab.wait(lambda: chat.bot() == ["echo mine"])
    assert "secret" not in json.dumps(chat.texts()) + chat.tab.script("return JSON.stringify(sessionStorage)")


def test_a_page_that_moves_or_removes_the_chat_ends_its_connection(chat: Chat, server: Scripted) -> None:
    chat.load()
    chat.open()
    chat.tab.script("window.kept = document.querySelector('parley-chat'); kept.remove()")
    chat.tab.wait(lambda: not server.clients)
    chat.tab.script("document.body.prepend(kept)")
    chat.wait_for_connection()
    chat.write("hi")
    chat.tab.wait(lambda: chat.bot() == ["echo hi"])


@pytest.mark.parametrize("fault", ["cut open", "cut stored", "hang message", "twice reply", "swap reply", "drop reply"])
def test_a_bad_connection_repeats_and_loses_nothing_that_people_see(chat: Chat, server: Scripted, fault: str) -> None:
    chat.load()
    server.faults = [fault]
    chat.find(".launcher").click()
    for text in ("a", "b", "c"):
        chat.write(text)
    chat.tab.wait(lambda: chat.bot() == ["echo a", "echo b", "echo c"])
    assert chat.texts(".own .note") == []
    assert chat.texts(".own .bubble") == ["a", "b", "c"]
