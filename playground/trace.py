"""The trace of a message: the bytes that were sent, what Parley made of them, the API calls, and the times."""

import base64
import json
from typing import Any

from playground.platforms.base import Platform
from playground.platforms.masking import masked
from playground.platforms.model import Call, Delivery, Message
from playground.shown import message_shown
from playground.stack import StackUnavailable
from playground.world import World

_LOOK_BACK = 20
"""So many deliveries of a room are looked at for the one that a bot's message answers."""


def journal(world: World, message_id: str) -> dict[str, Any]:
    """States and replies of a message, as the control API tells them. Raises Unknown, StackUnavailable."""
    platform, message, delivery = world.find(message_id)
    app = delivery.app if delivery else message.app if message else ""
    found = world.stack.journal(
        platform=platform.name,
        app=app,
        tenant=platform.tenant_of(app, delivery.room if delivery else message.room if message else ""),
        message_id=delivery.journal_id if delivery else message_id,
    )
    return {
        "message_id": message_id,
        "platform": platform.name,
        "app": app,
        **found,
        "states": _states(found, delivery),
    }


def _states(found: dict[str, Any], delivery: Delivery | None) -> list[dict[str, Any]]:
    """The journal's states in order, each with its time where one is known."""
    accepted = next((a for a in delivery.attempts if a.status == 200), None) if delivery else None
    if accepted is None and found["decided"] is None:
        return []
    # In the queue it was before the bot decided, even where the acknowledgement was read later.
    known = [at for at in (accepted and accepted.at + accepted.ms / 1000, found["decided"]) if at is not None]
    states = [{"state": "RECEIVED", "at": min(known)}]
    if found["decided"] is not None:
        states.append({"state": "DECIDED", "at": found["decided"]})
    if found["state"] == "DONE":
        states.append({"state": "DONE", "at": max((r["updated"] for r in found["replies"]), default=found["decided"])})
    return states


def trace_of(world: World, message_id: str) -> dict[str, Any]:
    """The trace of a message or event. For a bot's message: the trace of what it replies to. Raises Unknown."""
    platform, message, delivery = world.find(message_id)
    shown_for = message_id
    if delivery is None and message is not None and message.sender_kind == "bot":
        delivery = _cause(world, platform, message)
        message = platform.messages.get(delivery.journal_id) if delivery else message
        shown_for = delivery.journal_id if delivery else message_id
    record, trouble = _journal_or_why(world, shown_for)
    calls = _calls(platform, delivery, message, record)
    return {
        "platform": platform.name,
        "message_id": shown_for,
        "message": message_shown(platform, message) if message else None,
        "delivery": delivery.shown() if delivery else None,
        "wire": _wire(world, delivery) if delivery else None,
        "plain": _plain(platform, delivery) if delivery else None,
        "unified": record.get("message"),
        "journal": record or None,
        "journal_error": trouble,
        "calls": [call.shown() for call in calls],
    }


def _journal_or_why(world: World, message_id: str) -> tuple[dict[str, Any], str]:
    try:
        return journal(world, message_id), ""
    except StackUnavailable as error:
        return {}, str(error)


def _cause(world: World, platform: Platform, answer: Message) -> Delivery | None:
    """The delivery that `answer` is an answer to: the one whose replies became it."""
    with platform.lock:
        known = [d for d in platform.deliveries.values() if d.room == answer.room and d.at <= answer.at]
        quoted = platform.deliveries.get(platform.delivery_ids.get(answer.reply_to or answer.root, ""))
    recent = sorted(known, key=lambda delivery: delivery.at, reverse=True)[:_LOOK_BACK]
    for delivery in ([quoted] if quoted else []) + recent:
        record, _ = _journal_or_why(world, delivery.journal_id)
        if answer.id in _made(platform, delivery, record):
            return delivery
    return quoted


def _made(platform: Platform, delivery: Delivery, record: dict[str, Any]) -> set[str]:
    """Ids of the messages that the replies became. An API that tells none leaves empty receipts: they stand for the
    last calls in the room before the reply was done, since what goes to one room goes there one after the other."""
    made: set[str] = set()
    for reply in record.get("replies", ()):
        made.update(receipt for receipt in reply["receipts"] if receipt)
        if nameless := reply["receipts"].count(""):
            times = record["decided"], reply["updated"]
            found = [call.message_id for call in list(platform.calls) if _showed(call, delivery.room, *times)]
            made.update(found[-nameless:])
    return made


def _showed(call: Call, room: str, since: float, until: float) -> bool:
    return bool(call.room == room and call.message_id and call.status == 200 and since <= call.at <= until)


def _calls(
    platform: Platform, delivery: Delivery | None, message: Message | None, record: dict[str, Any]
) -> list[Call]:
    """The API calls that this message led to: those that made its replies, their repetitions, and the tokens and
    uploads that these need."""
    if delivery is None:
        return [call for call in list(platform.calls) if message and call.message_id == message.id]
    receipts = _made(platform, delivery, record)
    since = [call for call in list(platform.calls) if call.at >= delivery.at]
    made = [call for call in since if call.message_id and call.message_id in receipts]
    same = {(call.method, call.path, json.dumps(call.body)) for call in made}
    repeated = [call for call in since if (call.method, call.path, json.dumps(call.body)) in same]
    end = max((call.at for call in repeated), default=delivery.at)
    return [call for call in since if call in repeated or (not call.room and not call.message_id and call.at <= end)]


def _wire(world: World, delivery: Delivery) -> dict[str, Any]:
    try:
        url = world.stack.callback_url(delivery.platform, delivery.app)
    except StackUnavailable:
        url = ""
    wire = delivery.wire
    return {
        "method": wire.method,
        "url": url,
        "query": dict(wire.query),
        "headers": dict(wire.headers),
        "body": base64.b64encode(wire.body).decode(),
        "size": len(wire.body),
        "encrypted": wire.body != delivery.plain,
    }


def _plain(platform: Platform, delivery: Delivery) -> Any:
    """What was encrypted: as JSON with credentials masked where it is JSON, else as text."""
    try:
        return masked(json.loads(delivery.plain), platform.secrets)
    except ValueError:
        return delivery.plain.decode("utf-8", "replace")
