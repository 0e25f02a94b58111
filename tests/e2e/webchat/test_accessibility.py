"""axe-core finds nothing in the chat: both languages, both themes, wide and narrow."""

import os
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from tests.e2e.webchat.chat import SEGMENTS, Chat
from tests.e2e.webchat.conftest import Tab
from tests.e2e.webchat.scripted import FOLDERS, Scripted

SIZES = {"wide": (1440, 900), "narrow": (390, 800)}
PICTURES = os.environ.get("PARLEY_SCREENSHOTS")
"""A folder for pictures of each view, for people who look at them."""


@pytest.fixture(scope="module")
def axe() -> str:
    """The source of axe-core."""
    return files("axe_core_python").joinpath("axe.min.js").read_text()


@pytest.fixture
def chat(tab: Tab, request: pytest.FixtureRequest) -> Iterator[Chat]:
    """The chat in a window of that size, in that theme."""
    width, height = SIZES[request.getfixturevalue("size")]
    theme = request.getfixturevalue("theme")
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    tab.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [{"name": "prefers-color-scheme", "value": theme}, {"name": "prefers-reduced-motion", "value": "reduce"}]
    tab.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    yield Chat(tab)
    tab.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    tab.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def findings(chat: Chat, axe: str) -> list[str]:
    """What axe-core finds on the page as it is now."""
    chat.tab.script(axe)
    run = "axe.run(document, {resultTypes: ['violations']}).then(found => arguments[0](found.violations))"
    found = chat.tab.browser.execute_async_script(run)
    return [f"{rule['id']}: {node['html'][:160]}" for rule in found for node in rule["nodes"]]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_axe_finds_nothing(chat: Chat, server: Scripted, axe: str, language: str, theme: str, size: str) -> None:
    found: dict[str, list[str]] = {}
    for view in _views(chat, server, language):
        found[view] = findings(chat, axe)
        if PICTURES:
            chat.tab.browser.save_screenshot(str(Path(PICTURES) / f"{language}-{theme}-{size}-{view}.png"))
    assert not any(found.values()), found


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_axe_finds_nothing_on_the_page_of_the_demo(chat: Chat, axe: str, language: str, theme: str, size: str) -> None:
    page = (FOLDERS[0] / "index.html").read_text().replace('data-app="demo"', 'data-app="web"')
    chat.tab.load(page, f"?lang={language}")
    chat.tab.wait(lambda: chat.find(".launcher").is_displayed())
    heading = chat.tab.script("return document.querySelector('h1').textContent")
    assert (heading, chat.find(".launcher").accessible_name) == {
        "en": ("A site with a web chat", "Open the chat"),
        "zh-CN": ("一个带聊天窗口的网站", "打开聊天"),
    }[language]
    chat.open()
    assert findings(chat, axe) == []


def _views(chat: Chat, server: Scripted, language: str) -> Iterator[str]:
    """Show one view after the other, by name."""
    greeting = "您好！有什么可以帮您？" if language == "zh-CN" else "Hello! How can we help?"
    chat.load(language, greeting)
    yield "closed"
    chat.open()
    chat.write("在吗？" if language == "zh-CN" else "Are you there?")
    chat.tab.wait(lambda: len(chat.bot()) == 2)
    server.errors = [{"status": 422, "error": "no", "detail": "Because."}]
    chat.write("not taken")
    server.clients[0].send({"type": "typing", "room": ""})
    chat.tab.wait(lambda: chat.texts(".note") and chat.find(".typing").is_displayed())
    yield "conversation"
    edited = [{"type": "text", "text": "edited"}]
    server.put({"op": "edit", "target": server.box().id_of(0), "segments": edited})
    for segment in SEGMENTS:
        server.put({"segments": [segment]})
    server.put({"op": "react", "target": f"id-of-{server.stored[0][0]}", "emoji": "👍"})
    chat.tab.wait(lambda: len(chat.bot()) == 2 + len(SEGMENTS))
    chat.tab.script("arguments[0].scrollTop = 0", chat.find(".log"))
    yield "segments"
    chat.tab.script("arguments[0].scrollIntoView()", chat.find(".form"))
    yield "card"
    chat.find("header .icon").click()
    server.put({"segments": SEGMENTS[:1]})
    chat.tab.wait(lambda: chat.find(".badge").is_displayed())
    yield "unread"
    server.ticket_status = 401
    server.cut()
    chat.find(".launcher").click()
    chat.tab.wait(lambda: chat.find(".status").text in ("You are not signed in.", "您还没有登录。"))
    yield "signed-out"
