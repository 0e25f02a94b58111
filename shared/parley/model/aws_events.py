"""Events of AWS as messages for a bot."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec

from parley.model.message import Content, Context, Message, Sender

AWS = "aws"
"""`Message.platform` of an AWS event. No reply can go there."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of an EventBridge event that Parley reads (Amazon EventBridge User Guide: AWS service event metadata).
    `id` is the same in every delivery.
    """

    id: str
    source: str
    detail_type: str = msgspec.field(name="detail-type")
    time: Annotated[datetime, msgspec.Meta(tz=True)]
    detail: dict[str, Any]
    resources: tuple[str, ...] = ()


def event_name(source: str, detail_type: str) -> str:
    """`Message.event` of an AWS event."""
    return f"{source}: {detail_type}"


def message_of(event: Event, raw: Mapping[str, Any]) -> Message:
    """The message for the bot. `raw`: the event as it came.

    The events of one resource are a conversation: they are handled one by one, and share `turn.state`.
    """
    return Message(
        id=event.id,
        platform=AWS,
        app="events",
        kind="event",
        event=event_name(event.source, event.detail_type),
        sender=Sender(id=event.source, kind="system"),
        content=Content(),
        timestamp=int(event.time.timestamp()),
        context=Context(room_id=next(iter(event.resources), event.source)),
        raw=raw,
    )
