"""JSON of messages, calls and platforms, for the page and the control API."""

import json
from pathlib import Path
from typing import Any

from playground.platforms.base import Platform
from playground.platforms.model import Call, Delivery, Message, Part

_EXCERPT = 120
_CANNOT: dict[str, list[dict[str, str]]] = json.loads(Path(__file__).with_name("real_clients.json").read_text())
"""What the real client of a platform cannot do, by language."""


def message_view(platform: Platform, message: Message) -> dict[str, Any]:
    """One message, in the same form for every platform."""
    delivery = _delivery(platform, message)
    return {
        "id": message.id,
        "platform": platform.name,
        "room": message.room,
        "app": message.app,
        "sender": {"id": message.sender, "name": platform.sender_name(message), "kind": message.sender_kind},
        "type": message.type,
        "text": excerpt(platform, message, limit=None),
        "content": message.content,
        "parts": _parts(platform, message),
        "at": message.at,
        "edited": message.edited,
        "recalled": message.recalled,
        "reply_to": _quoted(platform, message.reply_to),
        "thread": message.thread,
        "reactions": [platform.emoji(reaction) for reaction in message.reactions],
        "note": message.note,
        "delivery": delivery.state if delivery else None,
        "attempts": len(delivery.attempts) if delivery else 0,
    }


def _delivery(platform: Platform, message: Message) -> Delivery | None:
    if message.sender_kind != "user":
        return None
    return platform.deliveries.get(platform.delivery_ids.get(message.id, ""))


def _quoted(platform: Platform, message_id: str) -> dict[str, Any] | None:
    quoted = platform.messages.get(message_id)
    if quoted is None:
        return None
    return {"id": quoted.id, "name": platform.sender_name(quoted), "text": excerpt(platform, quoted)}


def _parts(platform: Platform, message: Message) -> list[Part]:
    if message.recalled:
        return []
    if message.note:
        return [{"kind": "note", "text": message.content["text"]}]
    return platform.parts(message)


def excerpt(platform: Platform, message: Message, limit: int | None = _EXCERPT) -> str:
    """The text of a message, at most `limit` characters of it."""
    text = " ".join(word for word in _texts(_parts(platform, message)) if word)
    return text if limit is None or len(text) <= limit else f"{text[:limit]}…"


def _texts(parts: list[Part]) -> list[str]:
    texts: list[str] = []
    for part in parts:
        match part["kind"]:
            case "card":
                texts += [part["title"], *_texts(part["blocks"])]
            case "image":
                texts.append("🖼")
            case "file":
                texts.append(f"📎 {part['name']}")
            case _:
                texts.append(str(part.get("text") or ""))
    return texts


def call_summary(call: Call) -> dict[str, Any]:
    """A call without its bodies."""
    return {name: getattr(call, name) for name in ("at", "method", "path", "status", "fault", "room")}


def platform_view(platform: Platform, callbacks: dict[str, str]) -> dict[str, Any]:
    """A platform with its apps, persons and rooms. `callbacks`: callback URLs, by app."""
    with platform.lock:
        return {
            "name": platform.name,
            **platform.appearance.to_json(),
            "features": list(platform.features),
            "cannot": _CANNOT.get(platform.name, []),
            "apps": [
                {"name": app, "callback": callbacks.get(app, ""), "installations": platform.installations(app)}
                for app in platform.app_names()
            ],
            "persons": [person.to_json() for person in platform.persons.values()],
            "rooms": [room.to_json() for room in platform.rooms.values()],
            "faults": platform.faults.to_json(),
        }
