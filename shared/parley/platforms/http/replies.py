"""Replies as JSON: what a client reads, and what its webhook gets."""

from typing import Any

from msgspec import UNSET, json
from msgspec.structs import replace

from parley.links import with_web_addresses
from parley.model import AnySegment, Card, Media, Outgoing, plain_text
from parley.platforms.http.persons import room_of


def shown(out: Outgoing) -> dict[str, Any]:
    """One reply. Fields without a value are left out."""
    # A browser would run the scripts of other schemes.
    reply, to, segments = out.reply, out.to, with_web_addresses(out.reply.segments)
    fields = {
        "id": out.id,
        "op": reply.op,
        "text": plain_text(segments),
        "segments": json.decode(json.encode([_public(segment) for segment in segments])),
        "target": reply.target or (to.message_id if reply.op == "react" else ""),
        "emoji": reply.emoji or "",
        "room": room_of(to.room_id),
        "user": "" if to.room_id and not reply.private else to.user_id,
        "thread": to.thread_id,
        "reply_to": to.message_id if reply.quote else "",
        "created": int(out.created),
    }
    return {name: value for name, value in fields.items() if value not in ("", [])}


def _public(segment: AnySegment) -> AnySegment:
    """`segment` without what only the engine needs: where received media are."""
    if isinstance(segment, Media):
        return replace(segment, source=UNSET)
    if isinstance(segment, Card) and segment.images:
        images = tuple(replace(image, source=UNSET) for image in segment.images)
        return replace(segment, images=images)
    return segment
