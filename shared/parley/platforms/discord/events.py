"""Webhook events: installations, entitlements, messages of games. Discord docs: Webhook Events."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from parley.adapter import App
from parley.model import Content, Context, Message, Sender
from parley.platforms.discord.interaction import MalformedError
from parley.platforms.discord.resolved import sender_of
from parley.platforms.discord.snowflake import snowflake
from parley.untrusted import mapping, text


def message_of_event(body: Mapping[str, Any], app: App, now: float) -> Message:
    """The event in the envelope `body` as a message. Raises MalformedError.

    Discord's events have no id. The message's id is a hash of the event, which is equal for each delivery.
    """
    event = mapping(body.get("event"))
    name, data = text(event.get("type")), mapping(event.get("data"))
    if not name:
        raise MalformedError("event.type")
    guild = snowflake(mapping(data.get("guild")).get("id")) or snowflake(data.get("guild_id"))
    return Message(
        id=hashlib.sha256(msgspec.json.encode(event, order="sorted")).hexdigest(),
        platform=app.platform,
        app=app.name,
        kind="event",
        event=name,
        sender=_sender(data, text(body.get("application_id"))),
        content=Content(text=text(data.get("content"))),
        timestamp=timestamp(text(event.get("timestamp")), now),
        context=Context(room_id=snowflake(data.get("channel_id")), tenant=guild),
        raw=dict(body),
    )


def _sender(data: Mapping[str, Any], application_id: str) -> Sender:
    user = mapping(data.get("user")) or mapping(data.get("author"))
    id_ = snowflake(user.get("id")) or snowflake(data.get("user_id"))
    return sender_of(id_, user) if id_ else Sender(id=application_id, kind="system")


def timestamp(iso: str, now: float) -> int:
    """The unix seconds of an ISO 8601 time, which Discord writes without a UTC offset; `now` if it is unreadable."""
    try:
        moment = datetime.fromisoformat(iso)
    except ValueError:
        return int(now)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
