"""The replies of a decision, as the journal stores them."""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from parley.adapter import SupportsJoining, SupportsSilence
from parley.model import AnySegment, Card, Destination, Media, Message, Outgoing, Reply, Video, message_key, reply_id
from parley.model.agenda import REMINDER
from parley.model.aws_events import AWS
from parley.platforms import outbound

DraftIds = tuple[str, ...]
"""See `Outgoing.draft`."""
_RECALL = Reply(op="recall")
"""Removes what people see of an answer that has no reply."""


def is_awaited(message: Message) -> bool:
    """Whether people wait for what the bot does with `message`."""
    return message.kind != "event" or (message.event == REMINDER and message.platform != AWS)


def outgoing_of(message: Message, replies: Sequence[Reply], draft: DraftIds, now: float) -> list[Outgoing]:
    """The `replies` to `message`, and what removes what else the platform shows. `draft`: what people see of the answer
    already. The first new message in the conversation replaces it.
    """
    closed = _joined(message, [*replies, *_closing(replies, draft)], now)
    complete = [*closed, *_silence(message, closed, now)]
    rows = [_outgoing(message, ordinal, reply, now) for ordinal, reply in enumerate(complete)]
    return _settled(rows, draft)


def with_lag(rows: list[Outgoing], arrived: float | None, bot: float) -> list[Outgoing]:
    """`rows`, with the lag of the first one. `arrived`: the unix second of the message's arrival; `bot`: the seconds
    that the bot has taken.
    """
    if not rows or arrived is None:
        return rows
    first, *others = rows
    return [replace(first, lag=round(max(0.0, first.created - arrived - bot), 3)), *others]


def apology_of(message: Message, text: str, draft: DraftIds, now: float) -> list[Outgoing]:
    """The apology for `message`, and what replaces the draft. None if `text` is empty and there is no draft."""
    replies = [Reply.of(text)] if text else _closing((), draft)
    return _settled([_outgoing(message, "apology", reply, now) for reply in replies], draft)


def draft_in(results: str, message: Message) -> DraftIds:
    """What earlier runs on `message` have shown of its answer, from their recorded `results`."""
    return tuple(msgspec.json.decode(results).get(draft_key(message), ())) if results else ()


def draft_key(message: Message) -> str:
    """The key of the draft among the results. It names the message: a dialogue hands its results on to the next one."""
    return f"parley.draft {message_key(message)}"


def _settled(rows: Sequence[Outgoing], ids: DraftIds) -> list[Outgoing]:
    """`rows`. One of them replaces the draft `ids`, or removes it."""
    place = next((place for place, out in enumerate(rows) if _replaces(out.reply)), None)
    if not ids or place is None:
        return list(rows)
    return [*rows[:place], replace(rows[place], draft=ids), *rows[place + 1 :]]


def _closing(replies: Sequence[Reply], ids: DraftIds) -> list[Reply]:
    """The reply that removes the draft `ids`, if none of `replies` replaces it."""
    return [_RECALL] if ids and not any(map(_replaces, replies)) else []


def _replaces(reply: Reply) -> bool:
    """Whether `reply` is a new message in the conversation, or the one that `_closing` adds."""
    return reply.to is None and not reply.private and (reply.op == "send" or reply == _RECALL)


def _joined(message: Message, replies: list[Reply], now: float) -> list[Reply]:
    platform = outbound(message.platform) if len(replies) > 1 and message.platform != AWS else None
    return platform.joined(message, replies, now) if isinstance(platform, SupportsJoining) else replies


def _silence(message: Message, replies: Sequence[Reply], now: float) -> list[Reply]:
    """The reply that removes the platform's placeholder, if no reply goes to the conversation of `message`. A reaction
    leaves the placeholder where it is.
    """
    if message.platform == AWS or any(reply.to is None and reply.op != "react" for reply in replies):
        return []
    sending = outbound(message.platform)
    removal = sending.silence(message, now) if isinstance(sending, SupportsSilence) else None
    return [removal] if removal is not None else []


def _outgoing(message: Message, ordinal: int | str, reply: Reply, now: float) -> Outgoing:
    key, to = message_key(message), reply.to or Destination.answering(message)
    return Outgoing(
        id=reply_id(key, ordinal),
        message_key=key,
        ordinal=ordinal if isinstance(ordinal, int) else -1,
        to=to,
        reply=_with_own_handles(reply, to),
        created=now,
    )


def _with_own_handles(reply: Reply, to: Destination) -> Reply:
    """`reply` without the handles of received media that are not valid at `to`. Their bytes are uploaded there."""
    segments = tuple(_with_own_handle(segment, to) for segment in reply.segments)
    return reply if segments == reply.segments else replace(reply, segments=segments)


def _with_own_handle(segment: AnySegment, to: Destination) -> AnySegment:
    if isinstance(segment, Card):
        images = tuple(image if _is_valid(image, to) else replace(image, key="") for image in segment.images)
        return replace(segment, images=images)
    if not isinstance(segment, Media) or _is_valid(segment, to):
        return segment
    return replace(segment, key="", cover="") if isinstance(segment, Video) else replace(segment, key="")


def _is_valid(media: Media, to: Destination) -> bool:
    """Whether the handle of `media` is valid at `to`. A handle that is not that of its source comes from the bot."""
    source = media.source
    if not source or media.key != source.key:
        return True
    is_same_app = (source.platform, source.app, source.tenant) == (to.platform, to.app, to.tenant) and not to.webhook
    return is_same_app and outbound(to.platform).PROFILE.resends
