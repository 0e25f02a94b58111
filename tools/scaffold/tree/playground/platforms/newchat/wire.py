"""The bytes of NewChat's callbacks, signed by `cryptography`."""

# Next: Sign as NewChat does, by somebody else's implementation: its own SDK, or `cryptography`.

import json
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from playground.platforms.model import Wire


SIGNATURE = "X-Signature"


def signed(secret: str, event: dict[str, Any], now: float) -> Wire:
    """`event` as it goes over the wire."""
    body = json.dumps(event, ensure_ascii=False).encode()
    stamp = str(int(now))
    return Wire(headers=headers(secret, stamp, body), body=body)


def headers(secret: str, stamp: str, body: bytes) -> dict[str, str]:
    """The headers of a callback: HMAC-SHA256 over time stamp, colon and body."""
    mac = HMAC(secret.encode(), SHA256())
    mac.update(f"{stamp}:".encode() + body)
    return {
        "Content-Type": "application/json",
        "X-Timestamp": stamp,
        SIGNATURE: mac.finalize().hex(),
    }


def press(event: dict[str, Any], message_id: str, button: dict[str, str]) -> dict[str, Any]:
    """The event of a press of `button`. `event` is the event that a message of the same person would be."""
    pressed = {"id": button["id"], "value": button["value"]}
    return {**event, "type": "press", "text": "", "message_id": message_id, "button": pressed}


def message(id_: str, sender: str, name: str, room: str, text: str, now: float) -> dict[str, Any]:
    """The event of a message."""
    return {
        "type": "message",
        "id": id_,
        "at": int(now),
        "room": room,
        "private": room.startswith("private"),
        "sender": {"id": sender, "name": name},
        "text": text,
    }
