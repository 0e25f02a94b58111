"""The TCP client of the page, whose connection to the connector the playground's server holds."""

from collections.abc import Callable

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from tests.stack import Stack


class Device:
    """A new device."""

    def __init__(self, browser: Chrome, stack: Stack) -> None:
        self.browser = browser
        browser.get(f"{stack.facts['playground']}/healthz")
        browser.execute_script("sessionStorage.clear(); localStorage.setItem('parley.language', 'en')")
        browser.get(f"{stack.facts['playground']}/tcp")
        self.wait_for("connected")

    def wait_for(self, state: str) -> None:
        """Wait until the connection has that state."""
        self.wait(lambda: self.browser.find_element(By.CSS_SELECTOR, ".state").text == state)

    def wait(self, condition: Callable[[], object]) -> None:
        """Wait for a condition."""
        WebDriverWait(self.browser, 60, 0.05).until(lambda _: condition())

    def write(self, text: str) -> None:
        """Send a message."""
        self.browser.find_element(By.ID, "text").send_keys(text, Keys.ENTER)

    def click(self, name: str) -> None:
        """Press a button."""
        self.browser.find_element(By.ID, name).click()

    def texts(self, css: str) -> list[str]:
        """The texts of all elements that match."""
        code = "return [...document.querySelectorAll(arguments[0])].map((one) => one.innerText)"
        return self.browser.execute_script(code, css)

    @property
    def replies(self) -> list[str]:
        """What the bot has said."""
        return self.texts("li:not(.own) .text")


@pytest.fixture
def device(browser: Chrome, stack: Stack) -> Device:
    return Device(browser, stack)


def test_a_device_gets_each_reply_once_also_after_its_connection_was_broken(device: Device) -> None:
    device.write("/count")
    device.wait(lambda: device.replies == ["1"])
    device.click("break")
    device.write("/count")
    device.wait(lambda: device.replies == ["1", "2"])
    device.click("ping")
    device.wait(lambda: any(frame.startswith("← pong") for frame in device.texts(".frame")))
    assert device.texts(".own .text") == ["/count", "/count"]
    assert [frame.split()[1] for frame in device.texts(".frame")].count("ready") == 2
    complaints = [each["message"] for each in device.browser.get_log("browser") if each["level"] != "INFO"]
    assert complaints == []
