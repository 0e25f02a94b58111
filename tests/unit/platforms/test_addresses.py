"""An address whose scheme is not http or https is text, on every platform: nobody can press it."""

import json
from typing import Any

import msgspec
import pytest

from parley.links import is_web, with_web_addresses
from parley.model import (
    AnySegment,
    Audio,
    Button,
    Card,
    Destination,
    File,
    Image,
    Link,
    Markdown,
    Outgoing,
    Reply,
    Text,
    Video,
)
from parley.platforms import NAMES
from parley.platforms.wecom_bot.cards import updated_card
from tests.conformance.kit import answered_by
from tests.conformance.test_golden import ADAPTERS, calls_of
from tests.unit.platforms.test_literal import leaves

ADDRESSES = (
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    " javascript:alert(1)",
    "\x01javascript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html;base64,PGI+",
    "weixin://bizmsgmenu?msgmenucontent=Approve&msgmenuid=x",
    "wxwork://message?uin=1",
    "file:///etc/passwd",
    "vbscript:x",
    "//evil.example",
    "httpss://evil.example",
)
PRESS = Button(id="ok", label="OK")


def segments(address: str) -> dict[str, tuple[AnySegment, ...]]:
    link = Button(id="l", label="Page", url=address)
    return {
        "link": (Link(url=address, title="Page"),),
        "preview": (Link(url=address, title="Page", description="Words", image=address),),
        "beside markdown": (Markdown(text="**a** "), Link(url=address, title="Page")),
        "picture of a link": (Link(url="https://example.com", title="Page", description="Words", image=address),),
        "button": (Card(title="T", text="a", buttons=(link,)),),
        "buttons": (Card(title="T", text="a", buttons=(PRESS, link)),),
        "alone": (Card(buttons=(link, PRESS)),),
        "literal": (Card(title="T", text="a", buttons=(link,), literal=True),),
        "picture": (Image(url=address, name="Page"),),
        "picture of a card": (Card(title="T", text="a", images=(Image(url=address, name="Page"),)),),
        "file": (File(url=address, name="Page"), Audio(url=address), Video(url=address)),
    }


KINDS = list(segments(""))


def opened(value: Any) -> list[str]:
    """The addresses that a client would open: fields that hold one, tags and markdown links."""
    found: list[str] = []
    for key, text in leaves(value):
        if key in ("url", "href", "picurl", "default_url", "pagepath", "img_url", "src"):
            found.append(text)
        if any(mark in text for mark in ("](", 'href="')):
            found.append(text)
    return found


@pytest.mark.parametrize("platform", NAMES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("address", ADDRESSES)
def test_nothing_opens_an_address_that_is_none(platform: str, kind: str, address: str) -> None:
    reply = json.loads(msgspec.json.encode(Reply(segments=segments(address)[kind])))
    found = calls_of({"reply": reply, "to": answered_by(platform)}, ADAPTERS[platform])
    requests = [found.get("polled"), *(call.get("json") or call.get("form") for call in found.get("calls", ()))]
    wrong = address.strip().lower()
    assert not [text for text in opened(requests) if wrong in text.lower()]
    assert "undeliverable" not in found or platform == "wecom_bot"


@pytest.mark.parametrize("platform", NAMES)
@pytest.mark.parametrize("kind", ["link", "button", "buttons", "literal"])
def test_people_read_the_address(platform: str, kind: str) -> None:
    reply = json.loads(msgspec.json.encode(Reply(segments=segments("javascript:alert(1)")[kind])))
    found = calls_of({"reply": reply, "to": answered_by(platform)}, ADAPTERS[platform])
    assert "javascript:alert" in json.dumps(found).replace("\\\\", "")


@pytest.mark.parametrize("buttons", [(), (PRESS,)])
def test_a_pressed_card_of_a_smart_bot_opens_none(buttons: tuple[Button, ...]) -> None:
    card = Card(title="T", text="a", buttons=(*buttons, Button(id="l", label="Page", url="javascript:alert(1)")))
    to = Destination(platform="wecom_bot", app="demo", kind="action", message_id="task")
    reply = Reply(op="edit", target="task", segments=(card,))
    out = Outgoing(id="1", message_key="k", ordinal=0, to=to, reply=reply, created=0)
    shown = updated_card([out], "task")
    assert shown is not None
    assert not [text for text in opened(shown) if "javascript" in text]
    assert "javascript:alert(1)" in json.dumps(shown)


@pytest.mark.parametrize("address", ["https://a.example", "HTTP://a.example", " https://a.example/b c", "http://1"])
def test_a_web_address_stays(address: str) -> None:
    assert is_web(address)
    link = Button(id="l", label="Page", url=address)
    given = (Link(url=address, image=address), Card(buttons=(link,), images=(Image(url=address),)), File(url=address))
    assert with_web_addresses(given) == given


def test_media_with_bytes_keep_them() -> None:
    given = (Image(url="javascript:x", data="AAAA"), Link(url="", title="x"), Text(text="javascript:x"))
    assert with_web_addresses(given) == (Image(data="AAAA"), *given[1:])
