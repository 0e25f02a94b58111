"""The chat page as a person uses it."""

import json
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import uuid4

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from tests.stack import Stack

T = TypeVar("T")


class Page:
    """One person before the page."""

    def __init__(self, browser: Chrome, stack: Stack, person: str) -> None:
        self.browser = browser
        self.stack = stack
        self.person = person

    def open(self, *, group: bool = False) -> None:
        """Load the page as this person, in a direct chat with the bot or in a new group."""
        before = f"(before) {uuid4().hex[:6]}"
        room = f"group of {self.person}" if group else ""
        said = self.stack.post(
            "/api/messages", platform="feishu", app="demo", room=room, sender=self.person, text=before, deliver=False
        )
        self.browser.set_window_size(1440, 900)
        # From a page of the same origin that remembers nothing by itself.
        self.browser.get(f"{self.stack.facts['playground']}/healthz")
        place = json.dumps(["feishu", "demo", self.person, said["room"]])
        self.browser.execute_script("localStorage.clear(); localStorage.setItem('parley.place', arguments[0])", place)
        self.browser.get(self.stack.facts["playground"])
        self.wait(lambda: before in self.find("#log").text)

    def find(self, css: str) -> WebElement:
        """The first element that fits."""
        return self.browser.find_element(By.CSS_SELECTOR, css)

    def all(self, css: str) -> list[WebElement]:
        """All elements that fit."""
        return self.browser.find_elements(By.CSS_SELECTOR, css)

    def wait(self, what: Callable[[], T], seconds: float = 30) -> T:
        """What `what` returns, as soon as that is true."""
        waiting = WebDriverWait(self.browser, seconds, 0.05, [StaleElementReferenceException])
        return waiting.until(lambda _: what())

    def write(self, text: str) -> None:
        """Write and send."""
        self.find("#words").send_keys(text, Keys.ENTER)

    def key(self, *keys: str) -> None:
        """Press keys wherever the focus is."""
        self.focused().send_keys(*keys)

    def focused(self) -> WebElement:
        """What has the focus."""
        return self.browser.switch_to.active_element

    def answers(self) -> list[str]:
        """What the bot has said here, as it is shown."""
        return [one.text for one in self.all(".msg:not(.own) .bubble")]

    def answered(self, text: str) -> None:
        """Wait until the bot's last message is `text`."""
        self.wait(lambda: self.answers()[-1:] == [text])

    def own(self, text: str) -> WebElement:
        """This person's message with those words."""
        return self.wait(lambda: next((one for one in self.all(".msg.own") if text in one.text), None))  # type: ignore[return-value]

    def open_trace(self, message: WebElement) -> None:
        """Open the trace of a message, and wait until it is complete."""
        message.find_element(By.CSS_SELECTOR, ".bubble").click()
        self.wait(lambda: self.all("#trace .steps li.done")[3:])

    def section(self, name: str) -> WebElement:
        """A section of the trace, unfolded."""
        found = self.find(f"#trace details[data-fold='{name}']")
        if found.get_attribute("open") is None:
            found.find_element(By.CSS_SELECTOR, "summary").click()
        return self.wait(lambda: self.find(f"#trace details[data-fold='{name}'][open] .inside"))

    def script(self, code: str) -> Any:
        """The value of a JavaScript expression."""
        return self.browser.execute_script(f"return {code}")
