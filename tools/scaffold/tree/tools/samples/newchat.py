"""Callbacks of NewChat."""

# Next: Make one sample of each event that NewChat sends, and run `make events`.

from random import Random
from typing import Any

from playground.platforms.newchat import wire
from tools.samples import gateway

_KEY = "sample-signing-secret"


def app(playground: str) -> dict[str, Any]:
    """The configuration of the app `sample`."""
    return {
        "app_id": "sample-app-id",
        "app_secret": "sample-app-secret",
        "signing_secret": _KEY,
        "host": f"{playground}/newchat",
    }


def events(now: int) -> dict[str, Any]:
    """One event per case."""
    rng = Random(f"newchat {now}")
    return {
        "verification": _posted({"type": "challenge", "challenge": f"{rng.getrandbits(64):016x}"}, now),
        "text": _posted(wire.message(f"{rng.getrandbits(64):016x}", "lin", "Lin Mei", "team", "/count", now), now),
    }


def _posted(event: dict[str, Any], now: int) -> dict[str, Any]:
    sent = wire.signed(_KEY, event, now)
    return gateway.callback("newchat", dict(sent.headers), sent.body, now)
