"""The client of the page and Parley understand each other: messages one way, pushes the other."""

import base64
from collections.abc import Mapping
from random import Random
from typing import Any

import httpx
import msgspec
import pytest

from parley.adapter import Accepted, App, Headers, Rejected, Request
from parley.model import (
    Action,
    Button,
    Card,
    CardField,
    Destination,
    Image,
    Link,
    Location,
    Markdown,
    Mention,
    Message,
    Other,
    Outgoing,
    Quote,
    Reply,
    Select,
    Text,
)
from parley.model.instant import Choice, Form, Input
from parley.platforms import config_type, inbound, outbound
from playground.platforms.base import NotFoundError
from playground.platforms.http import Http
from playground.platforms.model import Attempt, Delivery, NewMessage, Press
from playground.sample_image import png
from playground.transport import PlatformTransport

NOW = 1_718_000_000.0
HOST = "http://localhost:9"
R1 = "1" * 32
CONFIG = {
    "issuers": [{"issuer": "https://a", "audience": "demo", "algorithm": "HS256", "secrets": ["s" * 32]}],
    "webhook_url": f"{HOST}/webhooks/demo",
    "webhook_secrets": ["whsec_" + base64.b64encode(b"k" * 32).decode()],
}
CARD = Card(
    title="Tea?",
    text="**Now**",
    fields=(CardField(label="Price", value="7"),),
    mentions=(Mention(id="lin", name="Lin"),),
    selects=(Select(id="size", label="Size", choices=(Choice("Small", "s"),)),),
    form=Form(id="order", title="Order", inputs=(Input(id="why", label="Why"),)),
    buttons=(Button(id="tea", label="Tea", value="1"), Button(id="open", label="Open", url="https://a.b")),
)


@pytest.fixture
def http() -> Http:
    """A client with one app."""
    made = Http(clock=lambda: NOW, random=Random(7))
    made.add_app("demo", CONFIG)
    return made


@pytest.fixture
def app() -> App:
    return App("http", "demo", msgspec.convert(CONFIG, type=config_type("http")))


def received(delivery: Delivery, app: App) -> Message:
    """The message that Parley makes of a request."""
    request = Request(headers=Headers(delivery.wire.headers), body=delivery.wire.body)
    outcome = inbound("http").receive(request, app, NOW)
    assert isinstance(outcome, Accepted), outcome
    (message,) = outcome.messages
    assert message.id == delivery.journal_id
    return message


def push(
    http: Http,
    app: App,
    reply: Reply,
    to: Destination | None = None,
    id_: str = R1,
    wrong: Mapping[str, str] | None = None,
) -> int:
    """Push a reply; the status of the answer."""
    place = to or Destination(platform="http", app="demo", user_id="lin")
    out = Outgoing(id=id_, message_key="k", ordinal=0, to=place, reply=reply, created=NOW)
    (call,) = list(outbound("http").deliver(out, app, NOW))
    with httpx.Client(transport=PlatformTransport({HOST: http})) as client:
        sent = {**call.headers, **(wrong or {})}
        return client.post(call.url, content=msgspec.json.encode(call.json), headers=sent).status_code


def shown(http: Http) -> list[list[Any]]:
    return [http.parts(message) for message in http.messages.values() if message.sender_kind == "bot"]


def test_a_message_to_a_room_is_understood(http: Http, app: App) -> None:
    earlier = http.send_message("demo", "team", "lin", NewMessage(text="first"))
    http.send_message("demo", "team", "lin", NewMessage(text="/echo 你好", reply_to=earlier.id))
    message = received(http.drain_outbox()[1], app)
    assert (message.content.text, message.sender.id, message.reply_to) == ("/echo 你好", "lin", earlier.id)
    assert message.context.room_id.removeprefix("#") in http.rooms


def test_a_direct_message_is_understood_and_its_reply_is_shown_there(http: Http, app: App) -> None:
    sent = http.send_message("demo", "private", "lin", NewMessage(text="hi"))
    message = received(http.drain_outbox()[0], app)
    assert message.context.private
    assert push(http, app, Reply(segments=(Text(text="hello"),)), Destination.answering(message)) == 204
    assert [each.room for each in http.messages.values()] == [sent.room, sent.room]


def test_a_repeated_push_is_shown_once(http: Http, app: App) -> None:
    reply = Reply(segments=(Text(text="hello"),))
    assert [push(http, app, reply) for _ in range(2)] == [204, 204]
    assert shown(http) == [[{"kind": "text", "text": "hello"}]]


def test_a_push_with_a_wrong_signature_is_refused(http: Http, app: App) -> None:
    reply = Reply(segments=(Text(text="hello"),))
    for wrong in ({"webhook-signature": "v1,AAAA"}, {"webhook-id": "other"}, {"webhook-timestamp": "x"}):
        assert push(http, app, reply, wrong=wrong) == 401
    assert shown(http) == []


def test_a_push_to_a_room_that_is_not_there_is_refused_for_good(http: Http, app: App) -> None:
    nowhere = Destination(platform="http", app="demo", room_id="#nowhere")
    assert [push(http, app, Reply(segments=(Text(text="x"),)), nowhere) for _ in range(2)] == [410, 410]
    assert shown(http) == []


def test_what_concerns_a_message_that_is_not_there_is_taken(http: Http, app: App) -> None:
    target = "0" * 32
    assert push(http, app, Reply(op="recall", target=target), id_="r1") == 204
    assert push(http, app, Reply(op="react", target=target, emoji="👍"), id_="r2") == 204
    assert shown(http) == []
    assert push(http, app, Reply(op="edit", target=target, segments=(Text(text="two"),)), id_="r3") == 204
    assert shown(http) == [[{"kind": "text", "text": "two"}]]


def test_a_reply_is_edited_recalled_and_reacted_to(http: Http, app: App) -> None:
    push(http, app, Reply(segments=(Text(text="one"),)))
    push(http, app, Reply(op="edit", target=R1, segments=(Text(text="two"),)), id_="r2")
    assert shown(http) == [[{"kind": "text", "text": "two"}]]
    push(http, app, Reply(op="react", target=R1, emoji="👍"), id_="r3")
    assert http.messages[R1].reactions == [{"emoji": "👍"}]
    push(http, app, Reply(op="recall", target=R1), id_="r4")
    assert http.messages[R1].recalled


def test_every_segment_is_shown(http: Http, app: App) -> None:
    picture = base64.b64encode(png(1, 1)).decode()
    segments = (
        Quote(message_id="m1", text="said"),
        Text(text="a "),
        Mention(id="lin", name="Lin"),
        Text(text=" "),
        Link(url="https://a.b", title="T"),
        Markdown(text="**b**"),
        Image(data=picture, name="p.png", mime="image/png"),
        Image(url="https://a.b/p.png"),
        Image(name="lost.png"),
        Location(latitude=1, longitude=2, name="Here"),
        Other(name="sticker"),
        CARD,
    )
    push(http, app, Reply(segments=segments))
    [parts] = shown(http)
    kinds = [part["kind"] for part in parts]
    assert kinds == ["text", "markdown", "image", "text", "card"]
    assert parts[0]["text"] == "> said\na @Lin T https://a.b"
    assert http.media(parts[2]["key"])[1] == png(1, 1)
    blocks = [block["kind"] for block in parts[-1]["blocks"]]
    assert blocks == ["text", "markdown", "text", "select", "form", "buttons"]


@pytest.mark.parametrize(
    ("press", "action"),
    [
        (Press(button="tea"), Action(id="tea", value="1", message_id=R1)),
        (Press(button="Tea"), Action(id="tea", value="1", message_id=R1)),
        (Press(button=2), Action(id="tea", value="1", message_id=R1)),
        (Press(button="size", options=("s",)), Action(id="size", message_id=R1, options=("s",))),
        (Press(button="order", form={"why": "thirst"}), Action(id="order", message_id=R1, form={"why": "thirst"})),
    ],
    ids=str,
)
def test_a_press_comes_back_with_its_values(http: Http, app: App, press: Press, action: Action) -> None:
    push(http, app, Reply(segments=(CARD,)))
    message = received(http.press("demo", R1, "lin", press), app)
    assert (message.kind, message.action) == ("action", action)


WRONG = [Press(button="open"), Press(button="nothing"), Press(button=9), Press(button="order")]


@pytest.mark.parametrize("press", [*WRONG, Press(button="order", form={"why": "x", "more": "y"})], ids=str)
def test_what_the_client_does_not_show_cannot_be_pressed_or_sent(http: Http, app: App, press: Press) -> None:
    push(http, app, Reply(segments=(CARD,)))
    with pytest.raises(NotFoundError):
        http.press("demo", R1, "lin", press)


@pytest.mark.parametrize(("how", "reason"), [("signature", "forged"), ("stale", "stale"), ("plain", "forged")])
def test_a_forged_request_is_refused(http: Http, app: App, how: str, reason: str) -> None:
    http.send_message("demo", "team", "lin", NewMessage(text="hi"))
    (delivery,) = http.drain_outbox()
    forged = http.forge(delivery, how)
    outcome = inbound("http").receive(Request(headers=Headers(forged.headers), body=forged.body), app, NOW)
    assert isinstance(outcome, Rejected)
    assert outcome.reason == reason


def test_a_message_is_sent_again_until_it_is_accepted_with_its_id(http: Http) -> None:
    http.send_message("demo", "team", "lin", NewMessage(text="hi"))
    (delivery,) = http.drain_outbox()
    for body in (b"", b'{"id": "another"}'):
        assert http.record_attempt(delivery, Attempt(NOW, 0, 202), {}, body) is not None
    good = msgspec.json.encode({"id": delivery.journal_id})
    assert http.record_attempt(delivery, Attempt(NOW, 0, 503), {}, good) is not None
    assert http.record_attempt(delivery, Attempt(NOW, 0, 202), {}, good) is None
    assert delivery.state == "delivered"
