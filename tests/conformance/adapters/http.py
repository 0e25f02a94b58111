"""The HTTP channel: tokens that joserfc issues, and pushes that the library of Standard Webhooks verifies."""

import json
from collections.abc import Iterator
from typing import Any

from parley.adapter import Answer, App, Call, Headers, Request
from parley.bearer import LEEWAY
from parley.platforms.http.config import Config
from parley.platforms.http.webhook import headers
from playground.platforms.http import wire
from tests.conformance import http_sockets
from tests.conformance.attacks import wrong_types
from tests.conformance.kit import Adapter, Sample, Vector, expect_accepted, expect_equal, receive
from tests.tokens import ISSUER, SECRET, issuer, token

SIGNED = ("authorization",)
SECONDS = 300
"""For which the tokens of the samples are valid, and from which second on (`nbf`)."""
WEBHOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ROOMS = ("team",)


def make_app(secret: str = SECRET) -> App:
    """An app with an issuer for each algorithm."""
    others = (
        [issuer(name, issuer=f"{ISSUER}/{name}", prefix=f"{name}:") for name in ("RS256", "ES256", "EdDSA")]
        if secret == SECRET
        else []
    )
    config = Config(
        issuers=(issuer(secrets=(secret,)), *others),
        origins=("https://www.example.com",),
        webhook_url="https://client.example.com/hook",
        webhook_secrets=(WEBHOOK_SECRET,),
    )
    return App("http", "demo", config)


APP = make_app()


# --- requests ---------------------------------------------------------------------------------------------------------


def posted(body: bytes, now: float, algorithm: str = "HS256") -> Request:
    """A POST of `body` with a token of that algorithm."""
    iss = ISSUER if algorithm == "HS256" else f"{ISSUER}/{algorithm}"
    bearer = token(now, algorithm, iss=iss, nbf=int(now), exp=int(now) + SECONDS, rooms=ROOMS)
    sent = wire.posted(bearer, "key-1", {})
    return Request(headers=Headers(sent.headers), body=body, parameters={"app": "demo"})


def message() -> dict[str, Any]:
    """A person writes in a room."""
    return {"text": "/count", "room": "team", "thread": "t1", "reply_to": "r1", "locale": "zh-CN"}


def direct() -> dict[str, Any]:
    """A person writes to the bot."""
    return {"text": "/count"}


def press() -> dict[str, Any]:
    """A person presses a button, chooses and fills in."""
    action = {"id": "tea", "value": "1", "message_id": "r1", "form": {"size": "large"}, "options": ["a", "b"]}
    return {"room": "team", "action": action}


def dump(value: Any) -> bytes:
    """JSON as a client writes it."""
    return json.dumps(value, ensure_ascii=False).encode()


def samples(now: float) -> tuple[Sample, ...]:
    """One valid request of each sort. A token says nothing of the body."""
    made = [
        ("message", posted(dump(message()), now)),
        ("direct", posted(dump(direct()), now)),
        ("button", posted(dump(press()), now)),
        *((name, posted(dump(message()), now, name)) for name in ("RS256", "ES256", "EdDSA")),
    ]
    return tuple(Sample(name, request, APP, headers=SIGNED, body=False) for name, request in made)


def wrap(payload: bytes, now: float) -> tuple[Request, App]:
    """Any payload, with a valid token."""
    return posted(payload, now), APP


def payloads() -> Iterator[bytes]:
    """Every field of every sort of message, wrong in every way."""
    for make in (message, direct, press):
        yield from wrong_types(dump(make()))


# --- vectors ----------------------------------------------------------------------------------------------------------


def _token(vector: Vector) -> None:
    """A token is accepted, and its person is read."""
    inputs = vector.inputs
    config = Config(issuers=(issuer(),))
    sent = {"Authorization": f"Bearer {inputs['token']}", "Idempotency-Key": "k"}
    request = Request(headers=Headers(sent), body=dump(direct()), parameters={"app": "demo"})
    accepted = expect_accepted(receive("http", request, App("http", "demo", config), inputs["now"]))
    expect_equal([each.sender.id for each in accepted.messages], vector.expected["persons"], "persons")


def _webhook(vector: Vector) -> None:
    """A push is signed as the document of Standard Webhooks says."""
    inputs = vector.inputs
    config = Config(issuers=(issuer(),), webhook_url="https://x.example.com", webhook_secrets=(inputs["secret"],))
    made = headers(inputs["id"], inputs["timestamp"], inputs["body"].encode(), config.webhook_keys)
    expect_equal(made["webhook-signature"], vector.expected["signature"], "signature")


# --- golden files -----------------------------------------------------------------------------------------------------


def receipt(call: Call, number: int) -> Answer:
    """Success."""
    return Answer(204)


ADAPTER = Adapter(
    platform="http",
    checks={"token": _token, "webhook": _webhook, **http_sockets.CHECKS},
    samples=samples,
    stranger=make_app("another secret of at least 32 bytes"),
    wrap=wrap,
    payloads=payloads,
    app=APP,
    receipt=receipt,
    max_age=SECONDS + LEEWAY,
    max_ahead=LEEWAY,
    never_in_raw=(SECRET, WEBHOOK_SECRET),
)
