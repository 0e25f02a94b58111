"""An interaction as a message of the model. Discord docs: Receiving and Responding › Interaction Structure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from parley.adapter import App
from parley.model import (
    Action,
    AnySegment,
    Audio,
    Command,
    Content,
    Context,
    File,
    Image,
    Mention,
    Message,
    Quote,
    Sender,
    Video,
    plain_text,
)
from parley.platforms.discord.actions import form_of, press_of
from parley.platforms.discord.markdown import segments_of
from parley.platforms.discord.options import Given, command_of
from parley.platforms.discord.resolved import Resolved, display_name, media
from parley.platforms.discord.snowflake import created_at, snowflake
from parley.untrusted import integer, mapping, mappings, text

COMPONENT, FORM = 3, 5
"""Types of interactions; 2 is a command, 4 one that is being typed."""
_THREADS = (10, 11, 12)
_DIRECT = 1
_BOT_DM = 1


class MalformedError(ValueError):
    """What every interaction has is missing. The message names the field."""


@dataclass(frozen=True, slots=True)
class _Said:
    segments: tuple[AnySegment, ...]
    text: str
    reply_to: str = ""
    command: Command | None = None
    action: Action | None = None


def message_of(body: Mapping[str, Any], app: App) -> Message:
    """The message that an interaction of type 2 to 5 is, without its grant. Raises MalformedError."""
    id_ = snowflake(body.get("id"))
    if not id_:
        raise MalformedError("id")
    said = _said(body)
    return Message(
        id=id_,
        platform=app.platform,
        app=app.name,
        kind="action" if said.action else "command",
        sender=_sender(body),
        content=Content(text=said.text, attachments=tuple(s for s in said.segments if isinstance(s, _MEDIA))),
        timestamp=created_at(id_),
        context=_context(body),
        segments=said.segments,
        mentions=tuple(s for s in said.segments if isinstance(s, Mention)),
        reply_to=said.reply_to,
        command=said.command,
        action=said.action,
        raw={name: value for name, value in body.items() if name != "token"},
    )


_MEDIA = (Image, File, Audio, Video)


def _said(body: Mapping[str, Any]) -> _Said:
    data = mapping(body.get("data"))
    resolved = Resolved.of(data)
    match body.get("type"):
        case 3 | 5 as type_:
            message_id = snowflake(mapping(body.get("message")).get("id"))
            done = (press_of if type_ == COMPONENT else form_of)(data, resolved, message_id)
            if not done.action.id:
                raise MalformedError("data.custom_id")
            return _Said(done.segments, _words(done.segments), action=done.action)
        case _:
            given = command_of(data, resolved)
            if not given.command.name:
                raise MalformedError("data.name")
            if given.target:
                return _on_message(given, resolved)
            return _Said(given.segments, _words(given.segments), command=given.command)


def _on_message(given: Given, resolved: Resolved) -> _Said:
    """A command called on a message: what that message says is what the bot is to work on."""
    target = mapping(resolved.messages.get(given.target))
    known = Resolved.of({}, target.get("mentions"))
    words = tuple(segments_of(text(target.get("content")), known))
    files = tuple(file for each in mappings(target.get("attachments")) if (file := media(each)))
    mentions = tuple(segment for segment in words if isinstance(segment, Mention))
    content = plain_text(words)
    quote = Quote(message_id=given.target, text=content)
    return _Said((quote, *mentions, *files), content, reply_to=given.target, command=given.command)


def _words(segments: tuple[AnySegment, ...]) -> str:
    return plain_text(tuple(segment for segment in segments if not isinstance(segment, _MEDIA)))


def _sender(body: Mapping[str, Any]) -> Sender:
    member = mapping(body.get("member"))
    user = mapping(member.get("user")) or mapping(body.get("user"))
    id_ = snowflake(user.get("id"))
    if not id_:
        raise MalformedError("user.id")
    return Sender(id=id_, name=display_name(user, member), kind="bot" if user.get("bot") is True else "user")


def _context(body: Mapping[str, Any]) -> Context:
    channel = mapping(body.get("channel"))
    guild = snowflake(body.get("guild_id")) or snowflake(mapping(body.get("guild")).get("id"))
    place = snowflake(body.get("channel_id")) or snowflake(channel.get("id"))
    parent = snowflake(channel.get("parent_id")) if channel.get("type") in _THREADS else ""
    where = integer(body.get("context"))
    private = where == _BOT_DM if where is not None else not guild and channel.get("type") in (_DIRECT, None)
    return Context(
        room_id=parent or place,
        thread_id=place if parent else "",
        tenant=guild,
        private=private,
        locale=text(body.get("locale")) or text(body.get("guild_locale")),
    )
