"""Interactions as unified messages. Discord docs: Receiving and Responding › Interaction Structure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from parley.adapter import App
from parley.errors import ParleyError
from parley.model import (
    Action,
    AnySegment,
    Command,
    Content,
    Context,
    Media,
    Mention,
    Message,
    Quote,
    Sender,
    plain_text,
)
from parley.platforms.discord import protocol
from parley.platforms.discord.actions import component_action, form_action
from parley.platforms.discord.options import CommandData, command_of
from parley.platforms.discord.resolved import Resolved, sender_of
from parley.platforms.discord.snowflake import created_at, snowflake
from parley.platforms.discord.target import target_of
from parley.untrusted import integer, mapping, text

_PERMISSIONS = re.compile(r"[0-9]{1,40}")
_ADMINISTRATOR = 1 << 3
_BOT_DM = 1
"""Interaction context: the direct chat with the bot."""


class MalformedError(ParleyError):
    """A callback lacks a field that every callback has. The message names the field."""


@dataclass(frozen=True, slots=True)
class _Parsed:
    """The content of an interaction: a command or an action."""

    segments: tuple[AnySegment, ...]
    text: str
    reply_to: str = ""
    command: Command | None = None
    action: Action | None = None


def message_of(body: Mapping[str, Any], app: App) -> Message:
    """The message for an interaction of type 2 to 5, without its interaction token. Raises MalformedError."""
    id_ = snowflake(body.get("id"))
    if not id_:
        raise MalformedError("id")
    parsed = _parse(body)
    return Message(
        id=id_,
        platform=app.platform,
        app=app.name,
        kind="action" if parsed.action else "command",
        sender=_sender(body),
        content=Content(text=parsed.text, attachments=tuple(s for s in parsed.segments if isinstance(s, Media))),
        timestamp=created_at(id_),
        context=_context(body),
        segments=parsed.segments,
        mentions=tuple(s for s in parsed.segments if isinstance(s, Mention)),
        reply_to=parsed.reply_to,
        command=parsed.command,
        action=parsed.action,
        raw={name: value for name, value in body.items() if name != "token"},
    )


def _parse(body: Mapping[str, Any]) -> _Parsed:
    data = mapping(body.get("data"))
    resolved = Resolved.of(data)
    match body.get("type"):
        case protocol.COMPONENT | protocol.FORM as type_:
            message_id = snowflake(mapping(body.get("message")).get("id"))
            read = component_action if type_ == protocol.COMPONENT else form_action
            acted = read(data, resolved, message_id)
            if not acted.action.id:
                raise MalformedError("data.custom_id")
            return _Parsed(acted.segments, _text(acted.segments), action=acted.action)
        case _:
            called = command_of(data, resolved)
            if not called.command.name:
                raise MalformedError("data.name")
            if called.target:
                return _on_message(called, resolved)
            return _Parsed(called.segments, _text(called.segments), command=called.command)


def _on_message(called: CommandData, resolved: Resolved) -> _Parsed:
    """A context-menu command on a message. Its text is the text of that message."""
    target = target_of(mapping(resolved.messages.get(called.target)))
    quote = Quote(message_id=called.target, text=target.text)
    segments = (quote, *target.mentions, *target.files)
    return _Parsed(segments, target.text, reply_to=called.target, command=called.command)


def _text(segments: tuple[AnySegment, ...]) -> str:
    return plain_text(tuple(segment for segment in segments if not isinstance(segment, Media)))


def _sender(body: Mapping[str, Any]) -> Sender:
    member = mapping(body.get("member"))
    user = mapping(member.get("user")) or mapping(body.get("user"))
    id_ = snowflake(user.get("id"))
    if not id_:
        raise MalformedError("user.id")
    return replace(sender_of(id_, user, member), admin=_is_admin(member) or UNSET)


def _is_admin(member: Mapping[str, Any]) -> bool:
    """Whether a member of a guild has the permission ADMINISTRATOR, which the owner has too.

    Discord docs: Permissions; Interaction Structure: `member.permissions` are the member's permissions in the channel.
    """
    permissions = text(member.get("permissions"))
    return bool(_PERMISSIONS.fullmatch(permissions)) and bool(int(permissions) & _ADMINISTRATOR)


def _context(body: Mapping[str, Any]) -> Context:
    channel = mapping(body.get("channel"))
    guild = snowflake(body.get("guild_id")) or snowflake(mapping(body.get("guild")).get("id"))
    place = snowflake(body.get("channel_id")) or snowflake(channel.get("id"))
    parent = snowflake(channel.get("parent_id")) if channel.get("type") in protocol.THREADS else ""
    where = integer(body.get("context"))
    private = where == _BOT_DM if where is not None else not guild and channel.get("type") in (protocol.DIRECT, None)
    return Context(
        room_id=parent or place,
        thread_id=place if parent else "",
        tenant=guild,
        private=private,
        locale=text(body.get("locale")) or text(body.get("guild_locale")),
    )
