"""The trace of a message: the bytes that were sent, what Parley made of them, the API calls, and the times."""

import base64
import json
import time
from typing import Any

from playground import logs
from playground.outcome import outcome_of
from playground.platforms.base import Platform
from playground.platforms.masking import mask_fields
from playground.platforms.model import Call, Delivery, Message
from playground.stack import StackUnavailableError
from playground.views import message_view
from playground.world import World

NOT_NOTIFIED = "NOT_NOTIFIED"
"""The state of a message that the platform does not send to the bot. The journal does not know it."""
_MAX_CANDIDATES = 20
"""Deliveries of a room that are searched for the one that a bot's message replies to."""


def journal(world: World, message_id: str) -> dict[str, Any]:
    """States and replies of a message, as the control API returns them. Raises NotFoundError, StackUnavailableError."""
    platform, message, delivery = world.find(message_id)
    app = delivery.app if delivery else message.app if message else ""
    found = world.stack.journal(
        platform=platform.name,
        app=app,
        tenant=platform.tenant(app, delivery.room if delivery else message.room if message else ""),
        message_id=delivery.journal_id if delivery else message_id,
    )
    return {
        "message_id": message_id,
        "platform": platform.name,
        "app": app,
        **found,
        "state": found["state"] if delivery else NOT_NOTIFIED,
        "states": _states(found, delivery),
    }


def _states(found: dict[str, Any], delivery: Delivery | None) -> list[dict[str, Any]]:
    """The states of the message in order, each with its time."""
    accepted = next((a for a in delivery.attempts if a.status == 200), None) if delivery else None
    if accepted is None and found["decided"] is None:
        return []
    # The message was in the queue before the bot decided, even if the acknowledgement was recorded later.
    times = [at for at in (accepted and accepted.at + accepted.ms / 1000, found["decided"]) if at is not None]
    states = [{"state": "RECEIVED", "at": min(times)}]
    if found["decided"] is not None:
        states.append({"state": "DECIDED", "at": found["decided"]})
    if found["state"] == "DONE":
        states.append({"state": "DONE", "at": max((r["updated"] for r in found["replies"]), default=found["decided"])})
    return states


def trace_of(world: World, message_id: str) -> dict[str, Any]:
    """The trace of a message or event. For a bot's message: the trace of what it replies to. Raises NotFoundError."""
    platform, message, delivery = world.find(message_id)
    traced_id = message_id
    if delivery is None and message is not None and message.sender_kind == "bot":
        delivery = _cause(world, platform, message)
        message = platform.messages.get(delivery.journal_id) if delivery else message
        traced_id = delivery.journal_id if delivery else message_id
    record, problem = journal_or_error(world, traced_id)
    found = _logs(world, delivery)
    calls = _calls(platform, delivery, message, record)
    return {
        "platform": platform.name,
        "message_id": traced_id,
        "message": message_view(platform, message) if message else None,
        "delivery": delivery.to_json() if delivery else None,
        "wire": _wire(world, delivery) if delivery else None,
        "plain": _plain(platform, delivery) if delivery else None,
        "unified": record.get("message"),
        "journal": record or None,
        "journal_error": problem,
        "outcome": outcome_of(delivery, record, time.time()),
        "failure": _failure(record, found),
        "logs": found.lines,
        "calls": [call.to_json() for call in calls],
    }


def journal_or_error(world: World, message_id: str) -> tuple[dict[str, Any], str]:
    """The journal of a message, and why it cannot be read. One of the two is empty."""
    try:
        return journal(world, message_id), ""
    except StackUnavailableError as error:
        return {}, str(error)


def _logs(world: World, delivery: Delivery | None) -> logs.MessageLogs:
    try:
        if delivery is not None:
            return logs.of_message(world.stack, delivery.journal_id, delivery.at)
    except StackUnavailableError:
        pass  # the journal's error says it
    return logs.MessageLogs([], None)


def _failure(record: dict[str, Any], found: logs.MessageLogs) -> dict[str, Any] | None:
    """The failure of the handler if no attempt has succeeded. `at` is None and the traceback empty as long as the log
    does not have it."""
    if not record or record["decided"] is not None or not record["reason"]:
        return None
    return found.failure or {"at": None, "error": record["reason"], "traceback": ""}


def _cause(world: World, platform: Platform, reply: Message) -> Delivery | None:
    """The delivery that the bot's message replies to."""
    with platform.lock:
        earlier = [d for d in platform.deliveries.values() if d.room == reply.room and d.at <= reply.at]
        quoted = platform.deliveries.get(platform.delivery_ids.get(reply.reply_to or reply.root, ""))
    recent = sorted(earlier, key=lambda delivery: delivery.at, reverse=True)[:_MAX_CANDIDATES]
    for delivery in ([quoted] if quoted else []) + recent:
        record, _ = journal_or_error(world, delivery.journal_id)
        if reply.id in _made(platform, delivery, record):
            return delivery
    return quoted


def _made(platform: Platform, delivery: Delivery, record: dict[str, Any]) -> set[str]:
    """Ids of the platform's messages for the replies of a message.

    Receipts are empty if the API returns no ids. Then they stand for the last calls in the room before the reply was
    done: replies in one room are sent one after the other.
    """
    made: set[str] = set()
    for reply in record.get("replies", ()):
        made.update(receipt for receipt in reply["receipts"] if receipt)
        if missing := reply["receipts"].count(""):
            times = record["decided"], reply["updated"]
            found = [call.message_id for call in list(platform.calls) if _is_message_call(call, delivery.room, *times)]
            made.update(found[-missing:])
    return made


def _is_message_call(call: Call, room: str, since: float, until: float) -> bool:
    return bool(call.room == room and call.message_id and call.status == 200 and since <= call.at <= until)


def _calls(
    platform: Platform, delivery: Delivery | None, message: Message | None, record: dict[str, Any]
) -> list[Call]:
    """The API calls for this message: calls that made its replies, their retries, and calls for tokens and uploads that
    these need."""
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
    except StackUnavailableError:
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
    """The content before encryption: JSON with credentials masked, or text if it is not JSON."""
    try:
        return mask_fields(json.loads(delivery.plain), platform.secrets)
    except ValueError:
        return delivery.plain.decode("utf-8", "replace")
