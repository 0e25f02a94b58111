"""Messages, rooms and calls as the page and the control API show them."""

from typing import Any

from playground.platforms.base import Platform
from playground.platforms.model import Call, Delivery, Message, Part

_EXCERPT = 120


def message_shown(platform: Platform, message: Message) -> dict[str, Any]:
    """One message, the same shape for every platform."""
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
        "parts": [] if message.recalled else platform.parts(message),
        "at": message.at,
        "edited": message.edited,
        "recalled": message.recalled,
        "reply_to": _quoted(platform, message.reply_to),
        "thread": message.thread,
        "reactions": [_reaction(reaction) for reaction in message.reactions],
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


def excerpt(platform: Platform, message: Message, limit: int | None = _EXCERPT) -> str:
    """The words of a message."""
    words = [] if message.recalled else _words(platform.parts(message))
    text = " ".join(word for word in words if word)
    return text if limit is None or len(text) <= limit else f"{text[:limit]}…"


def _words(parts: list[Part]) -> list[str]:
    words: list[str] = []
    for part in parts:
        match part["kind"]:
            case "card":
                words += [part["title"], *_words(part["blocks"])]
            case "image":
                words.append("🖼")
            case "file":
                words.append(f"📎 {part['name']}")
            case _:
                words.append(str(part.get("text") or ""))
    return words


def _reaction(reaction: dict[str, Any]) -> str:
    kind = reaction.get("reaction_type") or {}
    return str(kind.get("emoji_type") or reaction.get("emoji") or "?")


def call_brief(call: Call) -> dict[str, Any]:
    """A call in one line."""
    return {name: getattr(call, name) for name in ("at", "method", "path", "status", "fault", "room")}


def platform_shown(platform: Platform, callbacks: dict[str, str]) -> dict[str, Any]:
    """A platform with its apps, persons and rooms."""
    with platform.lock:
        return {
            "name": platform.name,
            **platform.appearance.shown(),
            "features": list(platform.features),
            "apps": [{"name": app, "callback": callbacks.get(app, "")} for app in platform.app_names()],
            "persons": [person.shown() for person in platform.persons.values()],
            "rooms": [room.shown() for room in platform.rooms.values()],
            "faults": platform.faults.shown(),
        }
