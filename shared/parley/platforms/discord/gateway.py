"""Events of Discord's Gateway as unified messages: what people write, edits, deletions, reactions, members, servers.

Discord docs: Gateway Events. The program `connectors.discord` receives them; slash commands, buttons and forms come
over HTTP (`parley.platforms.discord.inbound`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from msgspec import UNSET

from parley.adapter import App
from parley.model import AnySegment, Content, Context, Media, Mention, Message, Other, Sender, Text, plain_text
from parley.platforms.discord import servers
from parley.platforms.discord.events import timestamp
from parley.platforms.discord.markdown import segments_of
from parley.platforms.discord.protocol import DIRECT, THREADS
from parley.platforms.discord.resolved import Resolved, sender_of
from parley.platforms.discord.snowflake import created_at, snowflake
from parley.platforms.discord.target import target_of
from parley.text import join_without
from parley.untrusted import array, integer, mapping, mappings, text

_SPOKEN = (0, 19)
"""Types of messages that people write: a message, and a reply to one. Discord docs: Message › Message Types."""
_CHANNEL_EVENTS = ("CHANNEL_CREATE", "CHANNEL_UPDATE", "THREAD_CREATE", "THREAD_UPDATE")
_REACTIONS = frozenset(
    {
        "MESSAGE_REACTION_ADD",
        "MESSAGE_REACTION_REMOVE",
        "MESSAGE_REACTION_REMOVE_ALL",
        "MESSAGE_REACTION_REMOVE_EMOJI",
    }
)
_MEMBERS = frozenset({"GUILD_MEMBER_ADD", "GUILD_MEMBER_REMOVE", "GUILD_MEMBER_UPDATE"})
_DELETED = frozenset({"MESSAGE_DELETE", "MESSAGE_DELETE_BULK"})
USED = frozenset({"MESSAGE_CREATE", "MESSAGE_UPDATE"}) | _DELETED | _REACTIONS | _MEMBERS | servers.EVENTS
"""The events that become messages. Others are not needed."""

Parents = Mapping[str, str]
"""By the id of a channel: the id of its channel if it is a thread, else an empty text."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event as it was received. `bot_id`: the id of the bot as a user. `id` is the same each time that it comes, and
    names it if Discord gives it no id. `now`: unix seconds, for events without a time. `role`: the id of the bot's role
    in the server (`servers.roles_of`).
    """

    name: str
    data: Mapping[str, Any]
    bot_id: str
    id: str
    now: float
    role: str = ""


def messages_of(event: Event, app: App, parents: Parents) -> tuple[Message, ...]:
    """The messages that `event` is; none if the bot does not need it.

    `parents` has to know the channel of the event (`unknown_channel`). The bot's own messages and those of webhooks are
    left out, and those of other bots that do not address the bot. So are messages to others without any content:
    without the intent MESSAGE_CONTENT, Discord leaves it out.
    """
    match event.name:
        case "MESSAGE_CREATE":
            return _written(event, app, parents)
        case "MESSAGE_UPDATE":
            return _edited(event, app, parents)
        case name if name in _DELETED:
            ids = [event.data.get("id"), *array(event.data.get("ids"))]
            return tuple(_deleted(id_, event, app, parents) for id_ in map(snowflake, ids) if id_)
        case name if name in _REACTIONS | _MEMBERS:
            return _other(event, app, parents)
        case name if name in servers.EVENTS:
            return servers.membership(name, event.data, event.id, app, event.now)
        case _:
            return ()


def channels_of(name: str, data: Mapping[str, Any]) -> dict[str, str]:
    """What an event says about channels, as in `Parents`."""
    match name:
        case "GUILD_CREATE":
            found = [*mappings(data.get("channels")), *mappings(data.get("threads"))]
        case "THREAD_LIST_SYNC":
            found = mappings(data.get("threads"))
        case _ if name in _CHANNEL_EVENTS:
            found = [mapping(data)]
        case _:
            return {}
    return {id_: parent_of(channel) for channel in found if (id_ := snowflake(channel.get("id")))}


def parent_of(channel: Mapping[str, Any]) -> str:
    """The id of the channel of a thread; empty if `channel` is no thread."""
    return snowflake(channel.get("parent_id")) if channel.get("type") in THREADS else ""


def unknown_channel(event: Event, app: App, parents: Parents) -> str:
    """The id of the channel that has to be looked up before `messages_of`; empty if there is none.

    The event does not say the channel of a thread. A direct channel is no thread.
    """
    channel = snowflake(event.data.get("channel_id"))
    kind = integer(event.data.get("channel_type"))
    if not channel or channel in parents or not snowflake(event.data.get("guild_id")):
        return ""
    if kind is not None and kind not in THREADS:
        return ""
    return channel if messages_of(event, app, parents) else ""


def _written(event: Event, app: App, parents: Parents) -> tuple[Message, ...]:
    data = event.data
    id_, author = snowflake(data.get("id")), mapping(data.get("author"))
    sender_id = snowflake(author.get("id"))
    if not id_ or not sender_id or "webhook_id" in data or sender_id == event.bot_id:
        return ()
    if integer(data.get("type")) not in _SPOKEN:
        return ()
    direct, addressed = _is_direct(data), _addresses(event)
    if author.get("bot") is True and not addressed:
        return ()
    segments = _segments(data)
    if not segments and not direct and not addressed:
        return ()
    files = tuple(segment for segment in segments if isinstance(segment, Media))
    message = Message(
        id=id_,
        platform=app.platform,
        app=app.name,
        kind="message",
        sender=sender_of(sender_id, author, mapping(data.get("member"))),
        content=Content(text=_text_without_bot(segments, event), attachments=files),
        timestamp=created_at(id_),
        context=_context(data, parents, mentioned=direct or addressed),
        segments=segments,
        mentions=tuple(segment for segment in segments if isinstance(segment, Mention)),
        reply_to=_reply_to(data),
        raw=dict(data),
    )
    return (message,)


def _edited(event: Event, app: App, parents: Parents) -> tuple[Message, ...]:
    """An edit by a person. Discord also sends an update when it adds the preview of an address: without a new time."""
    data = event.data
    id_, edited, author = snowflake(data.get("id")), text(data.get("edited_timestamp")), mapping(data.get("author"))
    sender_id = snowflake(author.get("id"))
    if not id_ or not edited or not sender_id or author.get("bot") is True or "webhook_id" in data:
        return ()
    segments = _segments(data)
    message = Message(
        id=f"{id_}.edited.{edited}",
        platform=app.platform,
        app=app.name,
        kind="event",
        event=event.name,
        sender=sender_of(sender_id, author, mapping(data.get("member"))),
        content=Content(text=_text_without_bot(segments, event)),
        timestamp=timestamp(edited, event.now),
        context=_context(data, parents),
        reply_to=id_,
        raw=dict(data),
    )
    return (message,)


def _deleted(id_: str, event: Event, app: App, parents: Parents) -> Message:
    """Discord does not say who has deleted the message, nor what it was."""
    places = ("channel_id", "guild_id")
    return Message(
        id=f"{id_}.deleted",
        platform=app.platform,
        app=app.name,
        kind="event",
        event="MESSAGE_DELETE",
        sender=Sender(id=app.config.application_id, kind="system"),
        content=Content(),
        timestamp=int(event.now),
        context=_context(event.data, parents),
        reply_to=id_,
        raw={"id": id_} | {name: event.data[name] for name in places if name in event.data},
    )


def _other(event: Event, app: App, parents: Parents) -> tuple[Message, ...]:
    """A reaction, or a member who joined, left or was changed. The bot's own reactions are left out."""
    data = event.data
    member = mapping(data.get("member")) or data
    user = mapping(data.get("user")) or mapping(member.get("user"))
    sender_id = snowflake(user.get("id")) or snowflake(data.get("user_id"))
    if sender_id and sender_id == event.bot_id:
        return ()
    system = Sender(id=app.config.application_id, kind="system")
    message = Message(
        id=event.id,
        platform=app.platform,
        app=app.name,
        kind="event",
        event=event.name,
        sender=sender_of(sender_id, user, member) if sender_id else system,
        content=Content(),
        timestamp=int(event.now),
        context=_context(data, parents),
        reply_to=snowflake(data.get("message_id")),
        raw=dict(data),
    )
    return (message,)


def _is_direct(data: Mapping[str, Any]) -> bool:
    kind = integer(data.get("channel_type"))
    return kind == DIRECT if kind is not None else not snowflake(data.get("guild_id"))


def _addresses(event: Event) -> bool:
    """Whether a message mentions the bot or its role, or is a reply to one of its messages."""
    answered = mapping(mapping(event.data.get("referenced_message")).get("author"))
    people = [*mappings(event.data.get("mentions")), answered]
    by_role = bool(event.role) and event.role in array(event.data.get("mention_roles"))
    return by_role or any(user.get("id") == event.bot_id for user in people)


def _reply_to(data: Mapping[str, Any]) -> str:
    """The id of the message that a message is a reply to. A forward has a reference, too."""
    return snowflake(mapping(data.get("message_reference")).get("message_id")) if data.get("type") == 19 else ""


def _segments(data: Mapping[str, Any]) -> tuple[AnySegment, ...]:
    """The text with its mentions, then the files. The words of stickers, polls and forwards stand for a text."""
    people = mappings(data.get("mentions"))
    members = {text(user.get("id")): mapping(user.get("member")) for user in people}
    resolved = Resolved.of({"resolved": {"members": members}}, people)
    target = target_of(data)
    words = tuple(segments_of(text(data.get("content")), resolved))
    if not words and target.text:
        words = (Text(text=target.text),)
    return (*words, *target.files)


def _text_without_bot(segments: tuple[AnySegment, ...], event: Event) -> str:
    words = [segment for segment in segments if isinstance(segment, Text | Mention | Other)]
    return join_without((_is_bot(segment, event), _spoken(segment)) for segment in words)


def _is_bot(segment: Text | Mention | Other, event: Event) -> bool:
    """Whether a part of the text is the mention of the bot or of its role."""
    match segment:
        case Mention(id=id_):
            return id_ == event.bot_id
        case Other(name="role", data={"id": id_}):
            return bool(event.role) and id_ == event.role
        case _:
            return False


def _spoken(segment: AnySegment) -> str:
    return segment.text if isinstance(segment, Text) else plain_text((segment,))


def _context(data: Mapping[str, Any], parents: Parents, *, mentioned: bool = True) -> Context:
    channel = snowflake(data.get("channel_id"))
    parent = parents.get(channel, "")
    return Context(
        room_id=parent or channel,
        thread_id=channel if parent else "",
        tenant=snowflake(data.get("guild_id")),
        private=bool(channel) and _is_direct(data),
        mentioned=UNSET if mentioned else False,
    )
