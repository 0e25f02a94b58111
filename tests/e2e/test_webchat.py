"""The web chat through API Gateway's WebSocket API on the local stack, with the page and the server of the example."""

import importlib.util
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import boto3
import pytest
from selenium.common.exceptions import TimeoutException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from tests.stack import ROOT, Stack


@pytest.fixture(scope="module")
def site(stack: Stack) -> Iterator[str]:
    """The address of the example's page, for the app of the local stack."""
    spec = importlib.util.spec_from_file_location("webchat_server", ROOT / "examples" / "webchat" / "server.py")
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    with example.serving(example.local(stack.directory / "stack.json", "demo"), 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


class Visitor:
    """A new visitor of the page, with the chat open."""

    def __init__(self, browser: Chrome, stack: Stack, site: str) -> None:
        self.browser, self.stack, self.site = browser, stack, site
        browser.execute_cdp_cmd("Network.clearBrowserCookies", {})
        browser.get(f"{site}/?lang=en")
        browser.execute_script("sessionStorage.clear()")
        self.reload()
        self.find(".launcher").click()

    def reload(self) -> None:
        """Load the page again."""
        self.browser.get(f"{self.site}/?lang=en")
        self.wait(lambda: self.browser.execute_script("return !!document.querySelector('parley-chat')?.shadowRoot"))
        self.wait(lambda: self.find(".launcher").is_displayed())

    def wait(self, condition: Callable[[], Any], seconds: float = 60) -> Any:
        """The first true value of `condition`."""
        return WebDriverWait(self.browser, seconds, 0.05).until(lambda _: condition())

    def find(self, css: str) -> Any:
        """The first element of the chat that matches."""
        return self.browser.find_element(By.CSS_SELECTOR, "parley-chat").shadow_root.find_element(By.CSS_SELECTOR, css)

    def bot(self) -> list[str]:
        """The texts of the bot's messages."""
        code = """return [...document.querySelector("parley-chat").shadowRoot.querySelectorAll(".bot .bubble")]
            .map((one) => one.innerText.trim())"""
        return self.browser.execute_script(code)

    def expect(self, *texts: str) -> None:
        """Wait until the bot's messages are these. Fails with what is there instead."""
        with suppress(TimeoutException):
            self.wait(lambda: self.bot() == list(texts))
        code = "const { client } = document.querySelector('parley-chat'); return [client.state, client.unsent]"
        assert self.bot() == list(texts), self.browser.execute_script(code)

    def write(self, text: str) -> None:
        """Send a message."""
        self.find(".composer textarea").send_keys(text, Keys.ENTER)

    def cut(self) -> None:
        """Let API Gateway end the connection, once there is one."""
        url = self.stack.facts["sockets"].replace("ws", "http", 1)
        gateway = boto3.client(
            "apigatewaymanagementapi",  # type: ignore[call-overload]
            endpoint_url=url,
            region_name=self.stack.facts["region"],
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        for id_ in self.wait(self._connections):
            with suppress(gateway.exceptions.GoneException):
                gateway.delete_connection(ConnectionId=id_)

    def _connections(self) -> list[str]:
        """The ids of the connections that the journal knows."""
        pages = self.stack.client("dynamodb").get_paginator("scan").paginate(TableName=self.stack.facts["table"])
        keys = [item["pk"]["S"] for page in pages for item in page["Items"]]
        return [key.removeprefix("conn#") for key in keys if key.startswith("conn#")]


@pytest.fixture
def visitor(browser: Chrome, stack: Stack, site: str) -> Iterator[Visitor]:
    """A person whom no other test knows."""
    yield Visitor(browser, stack, site)
    browser.get("about:blank")


def test_the_bot_answers_texts_and_presses_in_the_web_chat(visitor: Visitor) -> None:
    visitor.write("/echo hello")
    visitor.expect("hello")
    visitor.write("/card")
    visitor.wait(lambda: len(visitor.bot()) == 2)
    visitor.find(".card .press").click()
    visitor.wait(lambda: len(visitor.bot()) == 3)
    assert "tea" in visitor.bot()[-1].lower()


def test_a_large_reply_comes_through_the_server_of_the_site(visitor: Visitor) -> None:
    visitor.write("/echo begin")
    visitor.expect("begin")
    send = "document.querySelector('parley-chat').client.send({ text: '/echo ' + '语'.repeat(10_000) })"
    visitor.browser.execute_script(send)
    visitor.expect("begin", "语" * 10_000)


def test_after_a_lost_connection_and_on_the_next_page_the_conversation_goes_on(visitor: Visitor) -> None:
    visitor.write("/count")
    visitor.expect("1")
    for number in range(2, 8):
        visitor.write("/count")
        if number % 2:
            visitor.cut()
        if number == 6:
            visitor.reload()
            visitor.wait(lambda: visitor.find(".panel").is_displayed())
    visitor.expect(*(str(number) for number in range(1, 8)))
    visitor.reload()
    visitor.wait(lambda: visitor.find(".panel").is_displayed())
    visitor.write("/count")
    visitor.expect(*(str(number) for number in range(1, 9)))
