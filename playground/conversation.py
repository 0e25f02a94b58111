"""What the stack stores for a conversation: the bot's state and the deferred replies."""

from typing import Any

import msgspec

from parley.journal import table as t
from parley.journal.passive.deferred import DeferredReplies
from parley.journal.states import Row
from parley.model import Conversation, Message, plain_text
from playground.platforms.base import Platform
from playground.stack import reading
from playground.trace import journal
from playground.world import World

_NEWEST = 20
"""Deliveries of a room that are searched for one with a decision. The journal stores the message with the decision."""


def conversation_of(world: World, platform: Platform, app: str, room: str) -> dict[str, Any]:
    """`{"key", "memory", "version", "deferred"}` of the conversation of `app` in `room`.

    `key` is empty as long as the bot has decided about no message of it. Raises StackUnavailableError.
    """
    key = _key(world, platform, app, room)
    if not key:
        return {"key": "", "memory": None, "version": 0, "deferred": []}
    client, table = world.stack.client("dynamodb"), world.stack.table()
    with reading("the state"):
        item = t.get(client, table, t.conversation_pk(key))
        deferred = DeferredReplies(client, table, keep_for=0).of(key)
    memory = t.get_text(item, "memory")
    return {
        "key": key,
        "memory": msgspec.json.decode(memory) if memory else None,
        "version": int(t.get_number(item, "version") or 0),
        "deferred": [_reply(row) for row in deferred],
    }


def _key(world: World, platform: Platform, app: str, room: str) -> str:
    with platform.lock:
        here = [d for d in platform.deliveries.values() if d.room == room and d.app == app]
    for delivery in sorted(here, key=lambda delivery: delivery.at, reverse=True)[:_NEWEST]:
        message = journal(world, delivery.journal_id)["message"]
        if message:
            return Conversation.of(msgspec.convert(message, Message)).key
    return ""


def _reply(row: Row) -> dict[str, Any]:
    return {
        "id": row.out.id,
        "created": row.out.created,
        "state": row.state,
        "attempts": row.attempts,
        "reason": row.reason,
        "text": plain_text(row.out.reply.segments),
    }
