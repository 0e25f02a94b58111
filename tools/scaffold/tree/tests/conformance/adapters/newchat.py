"""NewChat: vectors, and requests signed by `cryptography`."""

# Next: Sample each event, and add the signed examples of NewChat's documents to tests/vectors.

import json
from collections.abc import Iterator
from typing import Any

from parley.adapter import Answer, App, Call, Headers, Request
from parley.platforms.newchat.config import Config
from parley.platforms.newchat.inbound import AHEAD, STALE_AFTER
from playground.platforms.newchat import wire
from tests.conformance.attacks import wrong_types
from tests.conformance.kit import Adapter, Sample, Vector, expect_accepted, expect_equal, receive

SIGNED = ("x-timestamp", "x-signature")
KEY, SECRET = "signing-secret", "app-secret"


def make_app(key: str = KEY) -> App:
    """An app with this signing secret."""
    return App("newchat", "demo", Config(app_id="app", app_secret=SECRET, signing_secret=key))


APP = make_app()


# --- signed requests --------------------------------------------------------------------------------------------------


def signed(body: bytes, now: float) -> Request:
    """`body` with its headers."""
    return Request(headers=Headers(wire.headers(KEY, str(int(now)), body)), body=body)


def message() -> dict[str, Any]:
    """A person writes in a group."""
    return wire.message("m1", "u1", "Lin Mei", "r1", "/count", 1_718_000_000)


def press() -> dict[str, Any]:
    """A person presses a button."""
    return wire.press({**message(), "id": "p1"}, "m0", {"id": "tea", "label": "Tea", "value": "1"})


def joined() -> dict[str, Any]:
    """An event that has no form of its own."""
    return {**message(), "type": "joined", "id": "e1", "text": None}


def dump(value: Any) -> bytes:
    """JSON as NewChat writes it."""
    return json.dumps(value, ensure_ascii=False).encode()


def samples(now: float) -> tuple[Sample, ...]:
    """One valid request of each sort."""
    challenge = {"type": "challenge", "challenge": "abc"}
    return (
        Sample("message", signed(dump(message()), now), APP, headers=SIGNED),
        Sample("button", signed(dump(press()), now), APP, headers=SIGNED),
        Sample("event", signed(dump(joined()), now), APP, headers=SIGNED),
        Sample("challenge", signed(dump(challenge), now), APP, 0, headers=SIGNED),
    )


def wrap(payload: bytes, now: float) -> tuple[Request, App]:
    """Any payload, signed."""
    return signed(payload, now), APP


def payloads() -> Iterator[bytes]:
    """Every field of every sort of callback, wrong in every way."""
    for make in (message, press, joined):
        yield from wrong_types(dump(make()))


# --- vectors ----------------------------------------------------------------------------------------------------------


def _callback(vector: Vector) -> None:
    """A signed callback is accepted, and its text is read."""
    inputs = vector.inputs
    request = Request(headers=Headers(inputs["headers"]), body=inputs["body"].encode())
    app = make_app(inputs["signing_secret"])
    accepted = expect_accepted(receive("newchat", request, app, inputs["now"]))
    expect_equal([message.content.text for message in accepted.messages], vector.expected["texts"], "texts")


# --- golden files -----------------------------------------------------------------------------------------------------


def receipt(call: Call, number: int) -> Answer:
    """Success, with ids that tell the calls apart."""
    return Answer(200, dump({"id": f"sent-{call.name}-{number}"}))


ADAPTER = Adapter(
    platform="newchat",
    checks={"callback": _callback},
    samples=samples,
    stranger=make_app("another signing secret"),
    wrap=wrap,
    payloads=payloads,
    app=APP,
    receipt=receipt,
    max_age=STALE_AFTER,
    max_ahead=AHEAD,
    never_in_raw=(KEY, SECRET),
)
