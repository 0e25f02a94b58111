"""Replies as JSON: what a client reads, and what its webhook gets."""

from typing import Any, Literal

import msgspec
from msgspec import UNSET, json
from msgspec.structs import replace

from parley.links import with_web_addresses
from parley.model import AnyMedia, AnySegment, Outgoing, plain_text, with_media
from parley.platforms.http.persons import room_of


class ShownReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A reply. Fields without a value are left out."""

    id: str
    """The same wherever the reply is read or pushed."""
    op: Literal["send", "edit", "recall", "react"]
    text: str = ""
    """All words, for a client that shows no more."""
    segments: tuple[AnySegment, ...] = ()
    """The content. Media have a `url`; without a bucket, their bytes in Base64 as `data`, or only a name."""
    target: str = ""
    """The reply that is edited or recalled, or the message or reply that gets a reaction."""
    emoji: str = ""
    room: str = ""
    """Empty: the direct chat of `user`."""
    user: str = ""
    """The person of the direct chat, or the only person who may see the reply."""
    thread: str = ""
    reply_to: str = ""
    """The message that it quotes."""
    created: int
    """Unix seconds."""


class MessageState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message, and the replies to it that are there."""

    id: str
    state: Literal["pending", "done"]
    """`done`: every reply is there or has failed, so none follows."""
    replies: tuple[ShownReply, ...] | msgspec.UnsetType = UNSET
    """Missing if nothing was read."""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Replies of a conversation, in order."""

    replies: tuple[ShownReply, ...]
    cursor: str
    """Pass it as `after` in the next request."""


def shown(out: Outgoing) -> dict[str, Any]:
    """One reply as JSON values."""
    return json.decode(json.encode(shown_reply(out)))


def shown_reply(out: Outgoing) -> ShownReply:
    """One reply, as its clients see it."""
    # A browser would run the scripts of other schemes.
    reply, to, segments = out.reply, out.to, with_web_addresses(out.reply.segments)
    return ShownReply(
        id=out.id,
        op=reply.op,
        text=plain_text(segments),
        segments=with_media(segments, _public),
        target=reply.target or (to.message_id if reply.op == "react" else ""),
        emoji=reply.emoji or "",
        room=room_of(to.room_id),
        user="" if to.room_id and not reply.private else to.user_id,
        thread=to.thread_id,
        reply_to=to.message_id if reply.quote else "",
        created=int(out.created),
    )


def _public(media: AnyMedia) -> AnyMedia:
    """`media` without what only the engine needs: where it gets their bytes."""
    return replace(media, source=UNSET)
