"""Requests of clients of the HTTP channel."""

import base64
from random import Random
from typing import Any

from playground.platforms.http import wire
from tools.samples import gateway

_ISSUER, _SECRET = "https://playground.invalid", "sample-secret-of-at-least-32-bytes"
_WEBHOOK_SECRET = f"whsec_{base64.b64encode(b'sample webhook secret of 32 byte').decode()}"

_SECONDS = 8 * 3600
"""For which the tokens of the samples are valid."""


def app(playground: str) -> dict[str, Any]:
    """The configuration of the app `sample`."""
    issuer = {"issuer": _ISSUER, "audience": "sample", "algorithm": "HS256", "secrets": [_SECRET]}
    hook = {"webhook_url": f"{playground}/http/webhooks/sample", "webhook_secrets": [_WEBHOOK_SECRET]}
    return {"issuers": [issuer], "sockets": True, **hook}


def events(now: int) -> dict[str, Any]:
    """One event per case."""
    rng = Random(f"http {now}")
    press = {"id": "tea", "value": "1", "message_id": f"{rng.getrandbits(128):032x}"}
    return {
        "text": _posted({"text": "/count", "room": "team"}, f"{rng.getrandbits(64):016x}", now),
        "direct": _posted({"text": "/count"}, f"{rng.getrandbits(64):016x}", now),
        "button": _posted({"action": press}, f"{rng.getrandbits(64):016x}", now),
    }


def authorization(now: int) -> dict[str, str]:
    """The header with the token of a person."""
    return {wire.AUTHORIZATION: f"Bearer {_token(now)}"}


def _posted(body: dict[str, Any], key: str, now: int) -> dict[str, Any]:
    sent = wire.posted(_token(now), key, body)
    return gateway.callback("http", dict(sent.headers), sent.body, now)


def _token(now: int) -> str:
    claims = {"iss": _ISSUER, "aud": "sample", "sub": "lin", "name": "Lin Mei", "rooms": ["team"]}
    return wire.token(_SECRET, claims, now, seconds=_SECONDS)
