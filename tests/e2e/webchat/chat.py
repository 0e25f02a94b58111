"""Actions and queries on the web chat, and a reply with everything that a reply can have."""

import copy
from collections.abc import Iterator
from typing import Any

from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.e2e.webchat.conftest import Tab

PAGE = """<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>A site</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><style>p {{ color: red; font-size: 40px }} button {{ display: none }}</style>
<script type="module">
import {{ TIMES }} from "/chat/parley.js";
Object.assign(TIMES, {{ answer: 700, retry: 40, retryMax: 200, gap: 60 }});
</script>
<script type="module" src="/chat/parley-chat.js" data-app="web" data-ticket="/chat/ticket" data-replies="/chat/replies"
  data-media="/chat/media" data-greeting="{greeting}"></script></head>
<body><main><h1>A site</h1><a id="first" href="#">A link</a></main></body></html>"""
"""The page of a site. Its styles have no effect on the chat."""
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAYAAACNMs+9AAAAFUlEQVR42mNk+M9Qz0AEYBxVSF+FABJADveWkH6oAAAAAElFTkSuQmCC"
MARKDOWN = """## A heading
**bold**, *italic*, ~~struck~~, `code` and [a link](https://example.com/a_(b)).

1. one
2. two
   - nested

> A quote

| name | value |
|---|---|
| a | `1` |

```python
print("<b>")
```
---
The end: https://example.com/x."""
INPUTS = [
    {"id": "name", "label": "Name", "help": "As in your passport", "placeholder": "Lin Mei", "max_length": 20},
    {"id": "why", "label": "Why", "kind": "paragraph", "required": False, "value": "Because"},
    {
        "id": "size",
        "label": "Size",
        "kind": "choice",
        "placeholder": "Pick one",
        "choices": [{"label": "Small", "value": "s"}, {"label": "Large", "value": 2}],
    },
    {"id": "day", "label": "Day", "kind": "date", "required": False},
]
CARD = {
    "type": "card",
    "title": "Order",
    "text": "Choose **one**.",
    "images": [{"type": "image", "data": PIXEL, "mime": "image/png", "name": "A drink"}],
    "mentions": [{"type": "mention", "id": "lin", "name": "Lin Mei"}],
    "fields": [{"label": "Price", "value": "3 EUR"}, {"label": "Where", "value": "Here"}],
    "selects": [{"id": "drink", "label": "Drink", "value": "v", "choices": [{"label": "Tea", "value": "tea"}]}],
    "form": {"type": "form", "id": "order", "title": "Details", "value": "7", "submit": "Order", "inputs": INPUTS},
    "buttons": [
        {"id": "yes", "label": "Yes", "value": "1", "style": "primary"},
        {"id": "no", "label": "No", "style": "danger"},
        {"id": "more", "label": "More", "url": "https://example.com/more"},
    ],
}
SEGMENTS: list[dict[str, Any]] = [
    {"type": "text", "text": "Hello "},
    {"type": "mention", "id": "lin", "name": "Lin Mei"},
    {"type": "text", "text": ",\n你好"},
    {"type": "markdown", "text": MARKDOWN},
    {"type": "image", "data": PIXEL, "mime": "image/png", "name": "A square"},
    {"type": "image", "key": "k", "name": "elsewhere"},
    {"type": "file", "data": "aGk=", "mime": "text/html", "name": "page.html"},
    {"type": "file", "url": "https://example.com/report.pdf", "name": "report.pdf"},
    {"type": "audio", "data": "aGk=", "mime": "audio/ogg", "name": "A sound", "text": "what it says"},
    {"type": "video", "url": "https://example.com/film.mp4", "mime": "video/mp4", "name": "A film"},
    {"type": "location", "latitude": 31.2, "longitude": 121.5, "name": "Shanghai"},
    {"type": "link", "url": "https://example.com/", "title": "A title", "description": "A description"},
    {"type": "quote", "message_id": "m", "text": "An earlier message"},
    CARD,
    {"type": "card", "text": "**not bold**", "literal": True},
    {"type": "other", "name": "sticker"},
]
"""Every kind of segment, with every field."""


class Chat:
    """The chat, as a person uses it."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab

    def load(self, language: str = "en", greeting: str = "", query: str = "") -> None:
        """Load the page of the site."""
        self.tab.load(PAGE.format(language=language, greeting=greeting), query)
        self.tab.wait(lambda: self.find(".launcher").is_displayed())

    def open(self) -> None:
        """Open the chat, and wait for the connection."""
        self.find(".launcher").click()
        self.wait_for_connection()

    def open_only(self) -> None:
        """Open the chat, which cannot connect."""
        self.find(".launcher").click()

    def wait_for_connection(self) -> None:
        """Wait until the chat gets replies."""
        clients = self.tab.server.clients
        self.tab.wait(lambda: clients and all(client.rooms for client in list(clients)))

    def root(self) -> Any:
        """The shadow root."""
        return self.tab.wait(lambda: self.tab.script("return document.querySelector('parley-chat')?.shadowRoot"))

    def find(self, css: str) -> WebElement:
        """The first element that matches."""
        return self.root().find_element(By.CSS_SELECTOR, css)

    def all(self, css: str) -> list[WebElement]:
        """All elements that match."""
        return self.root().find_elements(By.CSS_SELECTOR, css)

    def texts(self, css: str = ".message") -> list[str]:
        """The texts of all elements that match, read at once."""
        code = """const all = document.querySelector("parley-chat").shadowRoot.querySelectorAll(arguments[0]);
            return [...all].map((element) => element.innerText.trim().replace(/\\n+/g, "\\n"))"""
        return self.tab.script(code, css)

    def bot(self) -> list[str]:
        """The texts of the bot's messages."""
        return self.texts(".bot .bubble")

    def write(self, text: str) -> None:
        """Type a message and send it."""
        self.find(".composer textarea").send_keys(text, Keys.ENTER)

    def key(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        ActionChains(self.tab.browser).send_keys(*keys).perform()

    def shift(self, key: str) -> None:
        """Press a key with Shift."""
        ActionChains(self.tab.browser).key_down(Keys.SHIFT).send_keys(key).key_up(Keys.SHIFT).perform()

    def focus(self) -> str:
        """What has the focus: its label, its id or its name."""
        code = """let at = document.activeElement;
            while (at.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
            return at.getAttribute('aria-label') || at.id || at.innerText?.trim().replace(/\\s+/g, " ") || at.tagName"""
        return self.tab.script(code)

    def actions(self) -> list[dict[str, Any]]:
        """The presses that the server has stored."""
        return [message["action"] for _, message in self.tab.server.stored if "action" in message]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all values in a JSON document."""
    if path:
        yield path
    if isinstance(value, dict):
        for name, each in value.items():
            yield from places(each, (*path, name))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from places(each, (*path, number))


def at(value: Any, path: tuple[Any, ...]) -> Any:
    """The value at a path."""
    for step in path:
        value = value[step]
    return value


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy in which the value at a path is another one."""
    made = copy.deepcopy(value)
    at(made, path[:-1])[path[-1]] = new
    return made
