"""The simulated NewChat and Parley understand each other: callbacks one way, replies the other."""

# Next: Test the rest of the simulation: errors, limits, retries, buttons, every segment on the page.

from random import Random
from typing import Any

import httpx
import msgspec
import pytest

from parley.adapter import Accepted, App, Headers, Request
from parley.model import Action, Destination, Message
from parley.platforms import config_type, inbound
from playground.platforms.model import Delivery, NewMessage, Press
from playground.platforms.newchat import Newchat
from playground.transport import PlatformTransport

NOW = 1_718_000_000.0
CONFIG = {"app_id": "app", "app_secret": "secret", "signing_secret": "key", "host": "http://newchat.test"}


@pytest.fixture
def newchat() -> Newchat:
    """A fresh NewChat with one app."""
    made = Newchat(clock=lambda: NOW, random=Random(7))
    made.add_app("demo", CONFIG)
    return made


def post(newchat: Newchat, path: str, body: Any, token: str = "") -> httpx.Response:
    """One call of the API."""
    with httpx.Client(transport=PlatformTransport({CONFIG["host"]: newchat})) as client:
        return client.post(f"{CONFIG['host']}{path}", json=body, headers={"Authorization": f"Bearer {token}"})


def token(newchat: Newchat) -> str:
    """A fresh access token."""
    return post(newchat, "/token", {"app_id": "app", "app_secret": "secret"}).json()["access_token"]


def received(delivery: Delivery) -> Message:
    """The message that Parley makes of a callback."""
    app = App("newchat", "demo", msgspec.convert(CONFIG, type=config_type("newchat")))
    request = Request(headers=Headers(delivery.wire.headers), body=delivery.wire.body)
    outcome = inbound("newchat").receive(request, app, NOW)
    assert isinstance(outcome, Accepted)
    (message,) = outcome.messages
    return message


def test_a_message_of_the_simulation_is_understood(newchat: Newchat) -> None:
    newchat.send_message("demo", "team", "lin", NewMessage(text="/echo 你好"))
    (delivery,) = newchat.drain_outbox()
    message = received(delivery)
    assert message.content.text == "/echo 你好"
    assert Destination.answering(message).room_id in newchat.rooms


def test_a_reply_is_shown_once_under_its_key(newchat: Newchat) -> None:
    room = newchat.room_id("team", "group")
    body = {"room": room, "text": "hello", "key": "k1"}
    bearer = token(newchat)
    first, again = (post(newchat, "/messages", body, bearer).json() for _ in range(2))
    assert first == again
    assert [newchat.parts(message) for message in newchat.messages.values()] == [[{"kind": "text", "text": "hello"}]]


@pytest.mark.parametrize("button", ["tea", "Tea", 0])
def test_a_press_comes_back_with_the_button_and_its_value(newchat: Newchat, button: str | int) -> None:
    buttons = [{"id": "tea", "label": "Tea", "value": "1"}]
    body = {"room": newchat.room_id("team", "group"), "text": "Tea?", "buttons": buttons}
    sent = post(newchat, "/messages", body, token(newchat)).json()["id"]
    message = received(newchat.press("demo", sent, "lin", Press(button=button)))
    assert (message.kind, message.action) == ("action", Action(id="tea", value="1", message_id=sent))


def test_wrong_tokens_and_wrong_credentials_are_refused(newchat: Newchat) -> None:
    assert post(newchat, "/messages", {}, "made up").status_code == 401
    assert post(newchat, "/token", {"app_id": "app", "app_secret": "wrong"}).status_code == 401
