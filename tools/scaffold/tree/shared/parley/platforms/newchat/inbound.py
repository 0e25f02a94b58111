"""Callbacks of NewChat: verified, then normalised."""

# Next: Verify callbacks as NewChat's documents say, and make a message of each of its events.

import hmac
from typing import Any

import msgspec

from parley.adapter import Accepted, App, Rejected, Request, Response
from parley.crypto import constant_time_equals
from parley.model import Action, Content, Context, Kind, Message, Sender, Text
from parley.platforms.newchat.config import Config
from parley.untrusted import decode_json, integer, mapping, text

STALE_AFTER = 3600
"""Seconds. At least as long as NewChat repeats a callback that failed."""
AHEAD = 300
"""Seconds by which NewChat's clock may be ahead of ours."""


def receive(request: Request, app: App, now: float) -> Accepted | Rejected:
    """Verify and normalise one callback. Never raises."""
    config: Config = app.config
    if request.method != "POST":
        return Rejected(405, "malformed", "not POST")
    if rejected := _check(request, config, now):
        return rejected
    try:
        event = mapping(decode_json(request.body))
    except ValueError:
        return Rejected(400, "malformed", "the body is not JSON")
    if text(event.get("type")) == "challenge":
        return Accepted(Response(body=msgspec.json.encode({"challenge": text(event.get("challenge"))})))
    if not text(event.get("id")) or not text(mapping(event.get("sender")).get("id")):
        return Rejected(400, "malformed", "no id, or no sender")
    return Accepted(messages=(_message(event, app, now),))


def _check(request: Request, config: Config, now: float) -> Rejected | None:
    """The rejection of a request whose signature or time stamp is wrong; None if both are right."""
    stamp = request.headers.get("X-Timestamp", "")
    signed = stamp.encode("utf-8", "replace") + b":" + request.body
    expected = hmac.digest(config.signing_secret.encode(), signed, "sha256").hex()
    if not constant_time_equals(expected, request.headers.get("X-Signature", "")):
        return Rejected(401, "forged", "the signature does not match: compare `signing_secret` with the console")
    if not stamp.isdecimal() or not -AHEAD <= now - int(stamp) <= STALE_AFTER:
        return Rejected(401, "stale", "the time stamp is too old, or ahead of this clock")
    return None


def _message(event: dict[str, Any], app: App, now: float) -> Message:
    kinds: dict[str, Kind] = {"message": "message", "press": "action"}
    name, sender = text(event.get("type")), mapping(event.get("sender"))
    kind, words = kinds.get(name, "event"), text(event.get("text"))
    return Message(
        id=text(event.get("id")),
        platform=app.platform,
        app=app.name,
        kind=kind,
        sender=Sender(id=text(sender.get("id")), name=text(sender.get("name"))),
        content=Content(text=words),
        timestamp=integer(event.get("at")) or int(now),
        context=Context(room_id=text(event.get("room")), private=event.get("private") is True),
        segments=(Text(text=words),) if words else (),
        event=name if kind == "event" else "",
        action=_action(event) if kind == "action" else None,
        raw=event,
    )


def _action(event: dict[str, Any]) -> Action:
    pressed = mapping(event.get("button"))
    return Action(
        id=text(pressed.get("id")), value=text(pressed.get("value")), message_id=text(event.get("message_id"))
    )
