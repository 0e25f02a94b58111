"""Webhook events: installations, entitlements, messages of games. Discord docs: Webhook Events."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from parley.adapter import App
from parley.model import Content, Context, Message, Sender
from parley.platforms.discord import read
from parley.platforms.discord.interaction import MalformedError


def message_of_event(body: Mapping[str, Any], app: App, now: float) -> Message:
    """The event in the envelope `body`. Raises MalformedError.

    Discord gives events no id: it is a hash of the event, the same each time the event is delivered.
    """
    event = read.mapping(body.get("event"))
    name, data = read.text(event.get("type")), read.mapping(event.get("data"))
    if not name:
        raise MalformedError("event.type")
    guild = read.snowflake(read.mapping(data.get("guild")).get("id")) or read.snowflake(data.get("guild_id"))
    return Message(
        id=hashlib.sha256(msgspec.json.encode(event, order="sorted")).hexdigest(),
        platform=app.platform,
        app=app.name,
        kind="event",
        event=name,
        sender=_sender(data, read.text(body.get("application_id"))),
        content=Content(text=read.text(data.get("content"))),
        timestamp=_timestamp(read.text(event.get("timestamp")), now),
        context=Context(room_id=read.snowflake(data.get("channel_id")), tenant=guild),
        raw=dict(body),
    )


def _sender(data: Mapping[str, Any], application_id: str) -> Sender:
    user = read.mapping(data.get("user")) or read.mapping(data.get("author"))
    id_ = read.snowflake(user.get("id")) or read.snowflake(data.get("user_id"))
    if not id_:
        return Sender(id=application_id, kind="system")
    return Sender(id=id_, name=read.display_name(user), kind="bot" if user.get("bot") is True else "user")


def _timestamp(written: str, now: float) -> int:
    """Unix seconds of an ISO 8601 time, which Discord writes without its offset from UTC; `now` if it is none."""
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return int(now)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
