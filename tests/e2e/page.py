"""Actions and queries on the chat page."""

import json
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import uuid4

from selenium.common.exceptions import ElementClickInterceptedException, StaleElementReferenceException
from selenium.webdriver import ActionChains, Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from tests.e2e.element import Element
from tests.stack import Stack

T = TypeVar("T")


class Page:
    """The page as one person uses it."""

    def __init__(self, browser: Chrome, stack: Stack, person: str) -> None:
        self.browser = browser
        self.stack = stack
        self.person = person

    def open(self, platform: str = "feishu", app: str = "demo", *, group: bool = False) -> None:
        """Load the page as this person, in the direct chat with the bot or in a new group. The room contains one
        message, which the bot does not get."""
        text = f"(before) {uuid4().hex[:6]}"
        room = f"group of {self.person}" if group else ""
        sent = self.stack.post(
            "/api/messages", platform=platform, app=app, room=room, sender=self.person, text=text, deliver=False
        )
        self.browser.set_window_size(1440, 900)
        # A page of the same origin that does not write to the storage itself.
        self.browser.get(f"{self.stack.facts['playground']}/healthz")
        place = json.dumps([platform, app, self.person, sent["room"]])
        self.browser.execute_script("localStorage.clear(); localStorage.setItem('parley.place', arguments[0])", place)
        self.browser.get(self.stack.facts["playground"])
        self.wait(lambda: text in self.find("#log").text)

    def find(self, css: str) -> Element:
        """The first element that matches."""
        return Element(lambda: self.browser.find_element(By.CSS_SELECTOR, css))

    def all(self, css: str) -> list[WebElement]:
        """All elements that match."""
        return self.browser.find_elements(By.CSS_SELECTOR, css)

    def texts(self, css: str) -> list[str]:
        """The texts of all elements that match, read at once: the page may replace them at any time."""
        return self.browser.execute_script(
            "return [...document.querySelectorAll(arguments[0])].map(e => e.innerText)", css
        )

    def read(self, read: Callable[[], T]) -> T:
        """The value of `read`. If the page replaces an element meanwhile, it is read again."""
        while True:
            try:
                return read()
            except StaleElementReferenceException:
                continue

    def chips(self, text: str) -> list[WebElement]:
        """The visible example messages or commands with that text."""
        return [one for one in self.all(".chip") if one.text == text and one.is_displayed()]

    def buttons(self, text: str) -> list[WebElement]:
        """The buttons with that text in messages of the bot."""
        return [one for one in self.all(".bubble .press") if one.text == text]

    def wait(self, condition: Callable[[], T], seconds: float = 30) -> T:
        """The first true value of `condition`."""
        moved = [StaleElementReferenceException, ElementClickInterceptedException]
        waiting = WebDriverWait(self.browser, seconds, 0.05, moved)
        return waiting.until(lambda _: condition())

    def click(self, find: Callable[[], WebElement]) -> None:
        """Click the element that `find` finds. The page may move or replace it meanwhile: then it is found again."""

        def clicked() -> bool:
            find().click()
            return True

        self.wait(clicked)

    def write(self, text: str) -> None:
        """Type a message and send it."""
        self.find("#message-box").send_keys(text, Keys.ENTER)

    def key(self, *keys: str) -> None:
        """Press keys on the keyboard, wherever the focus is."""
        ActionChains(self.browser).send_keys(*keys).perform()

    def focused(self) -> WebElement:
        """The element that has the focus."""
        return self.browser.switch_to.active_element

    def focus(self, attribute: str) -> str:
        """An attribute of the element that has the focus, or an empty string."""
        return self.read(lambda: self.focused().get_attribute(attribute)) or ""

    def tab_back_to(self, found: Callable[[], bool]) -> None:
        """Press Shift and Tab until the focus is where `found` wants it, 25 times at most."""
        for _ in range(25):
            ActionChains(self.browser).key_down(Keys.SHIFT).send_keys(Keys.TAB).key_up(Keys.SHIFT).perform()
            if found():
                return
        raise AssertionError("the keyboard does not get there")

    def replies(self) -> list[str]:
        """The texts of the bot's messages."""
        return self.read(lambda: [one.text for one in self.all(".msg:not(.own) .bubble")])

    def wait_for_reply(self, text: str) -> None:
        """Wait until the bot's last message is `text`."""
        self.wait(lambda: self.replies()[-1:] == [text])

    def own(self, text: str) -> Element:
        """This person's message with that text."""
        return self._awaited(lambda: next((one for one in self.all(".msg.own") if text in one.text), None))

    def _awaited(self, find: Callable[[], WebElement | None]) -> Element:
        """The element that `find` will find."""
        return Element(lambda: self.wait(find))  # type: ignore[arg-type, return-value]

    def open_trace(self, message: WebElement) -> None:
        """Open the trace of a message, and wait until it is complete."""
        self.click(lambda: message.find_element(By.CSS_SELECTOR, ".bubble"))
        self.wait(lambda: self.all("#trace .steps li.done")[3:])

    def section(self, name: str) -> Element:
        """A section of the trace, unfolded."""
        if self.find(f"#trace details[data-fold='{name}']").get_attribute("open") is None:
            self.find(f"#trace details[data-fold='{name}'] summary").click()
        inside = f"#trace details[data-fold='{name}'][open] .inside"
        return self._awaited(lambda: next(iter(self.all(inside)), None))

    def open_pane(self, name: str) -> Element:
        """A pane of the panel on the right: `logs`, `state` or `deferred`."""
        if not self.find("#panel").is_displayed():
            self.find(".room-head button").click()
        self.find(f"#tab-{name}").click()
        return self.find(f"#{name}")

    def remark(self, text: str) -> Element:
        """The sentence beside this person's message with that text, which says why it got no answer."""
        return self._awaited(lambda: next(iter(self.own(text).find_elements(By.CSS_SELECTOR, ".marks .why")), None))

    def settings(self, *, language: str = "en", theme: str = "light") -> None:
        """Load the page in another language or theme."""
        store = (
            "localStorage.setItem('parley.language', arguments[0]); localStorage.setItem('parley.theme', arguments[1])"
        )
        self.browser.execute_script(store, language, theme)
        self.browser.refresh()
        self.wait(lambda: self.all("#log .msg"))

    def script(self, code: str) -> Any:
        """The value of a JavaScript expression."""
        return self.browser.execute_script(f"return {code}")
