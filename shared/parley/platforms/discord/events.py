"""Webhook events: installations, entitlements, messages of games. Discord docs: Webhook Events."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from parley.adapter import App
from parley.model import Content, Context, Message, Sender
from parley.platforms.discord.interaction import MalformedError
from parley.platforms.discord.resolved import display_name
from parley.platforms.discord.snowflake import snowflake
from parley.untrusted import mapping, text


def message_of_event(body: Mapping[str, Any], app: App, now: float) -> Message:
    """The event in the envelope `body`. Raises MalformedError.

    Discord gives events no id: it is a hash of the event, the same each time the event is delivered.
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
        timestamp=_timestamp(text(event.get("timestamp")), now),
        context=Context(room_id=snowflake(data.get("channel_id")), tenant=guild),
        raw=dict(body),
    )


def _sender(data: Mapping[str, Any], application_id: str) -> Sender:
    user = mapping(data.get("user")) or mapping(data.get("author"))
    id_ = snowflake(user.get("id")) or snowflake(data.get("user_id"))
    if not id_:
        return Sender(id=application_id, kind="system")
    return Sender(id=id_, name=display_name(user), kind="bot" if user.get("bot") is True else "user")


def _timestamp(written: str, now: float) -> int:
    """Unix seconds of an ISO 8601 time, which Discord writes without its offset from UTC; `now` if it is none."""
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return int(now)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
