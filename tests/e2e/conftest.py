"""Fixtures: the running stack, a headless browser, and the page."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from tests.e2e.page import Page
from tests.stack import Stack, running
from tools.browser import find


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """A running local stack."""
    with running() as found:
        yield found


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """A headless Chromium that makes no requests of its own."""
    chromium, driver = find()
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in (
        "--headless=new",
        "--no-sandbox",  # the tests may run as root
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--no-first-run",
        "--lang=en-US",
        "--window-size=1440,900",
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    made = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield made
    finally:
        made.quit()


@pytest.fixture
def page(browser: webdriver.Chrome, stack: Stack, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page as a new person. The test fails if the browser's console reports anything."""
    made = Page(browser, stack, f"{request.node.name.removeprefix('test_')[:24]} {uuid4().hex[:6]}")
    made.open()
    yield made
    stack.http.delete("/api/faults")
    complaints = [entry["message"] for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
    assert complaints == []
